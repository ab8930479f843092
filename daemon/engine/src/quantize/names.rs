//! A transformer's tensors by the names that ComfyUI and its maker's code have for them.
//!
//! diffusers keeps queries, keys and values of the double-stream blocks apart, and has the halves of
//! the last modulation the other way round. Here they come together again: by stacking and cutting
//! handles, not numbers.

use crate::weights::{Stored, Weights};

/// What checkpoints put before every name.
pub(super) const PREFIX: &str = "model.diffusion_model.";

/// Outside the blocks: diffusers' name, then the other.
const OUTSIDE: [(&str, &str); 11] = [
    ("x_embedder.weight", "img_in.weight"),
    ("context_embedder.weight", "txt_in.weight"),
    ("proj_out.weight", "final_layer.linear.weight"),
    (
        "time_guidance_embed.timestep_embedder.linear_1.weight",
        "time_in.in_layer.weight",
    ),
    (
        "time_guidance_embed.timestep_embedder.linear_2.weight",
        "time_in.out_layer.weight",
    ),
    (
        "time_guidance_embed.guidance_embedder.linear_1.weight",
        "guidance_in.in_layer.weight",
    ),
    (
        "time_guidance_embed.guidance_embedder.linear_2.weight",
        "guidance_in.out_layer.weight",
    ),
    (
        "double_stream_modulation_img.linear.weight",
        "double_stream_modulation_img.lin.weight",
    ),
    (
        "double_stream_modulation_txt.linear.weight",
        "double_stream_modulation_txt.lin.weight",
    ),
    (
        "single_stream_modulation.linear.weight",
        "single_stream_modulation.lin.weight",
    ),
    (LAST_MODULATION, "final_layer.adaLN_modulation.1.weight"),
];

/// Its rows come as scale, shift in diffusers, and as shift, scale elsewhere.
const LAST_MODULATION: &str = "norm_out.linear.weight";

/// In a double-stream block.
const DOUBLE: [(&str, &str); 12] = [
    ("attn.to_q.weight", "img_attn.qkv.weight"),
    ("attn.add_q_proj.weight", "txt_attn.qkv.weight"),
    ("attn.norm_q.weight", "img_attn.norm.query_norm.scale"),
    ("attn.norm_k.weight", "img_attn.norm.key_norm.scale"),
    ("attn.norm_added_q.weight", "txt_attn.norm.query_norm.scale"),
    ("attn.norm_added_k.weight", "txt_attn.norm.key_norm.scale"),
    ("attn.to_out.0.weight", "img_attn.proj.weight"),
    ("attn.to_add_out.weight", "txt_attn.proj.weight"),
    ("ff.linear_in.weight", "img_mlp.0.weight"),
    ("ff.linear_out.weight", "img_mlp.2.weight"),
    ("ff_context.linear_in.weight", "txt_mlp.0.weight"),
    ("ff_context.linear_out.weight", "txt_mlp.2.weight"),
];

/// Of queries, keys and values, the latter two follow the first.
const FUSED: [[&str; 3]; 2] = [
    ["attn.to_q.weight", "attn.to_k.weight", "attn.to_v.weight"],
    [
        "attn.add_q_proj.weight",
        "attn.add_k_proj.weight",
        "attn.add_v_proj.weight",
    ],
];

/// In a single-stream block.
const SINGLE: [(&str, &str); 4] = [
    ("attn.to_qkv_mlp_proj.weight", "linear1.weight"),
    ("attn.to_out.weight", "linear2.weight"),
    ("attn.norm_q.weight", "norm.query_norm.scale"),
    ("attn.norm_k.weight", "norm.key_norm.scale"),
];

/// All weights under ComfyUI's names, less the prefix; in no particular order. Weights that are named
/// so already keep their names; of a checkpoint that has other parts too, only the transformer is
/// taken. A problem follows the file's name.
pub(super) fn renamed(weights: &Weights) -> Result<Vec<(String, Stored)>, String> {
    let has = |part: &str| weights.names().any(|name| name.contains(part));
    if has("double_blocks.") && has("single_blocks.") {
        let own = own(weights);
        let tensors = weights.tensors().iter();
        return Ok(tensors
            .filter_map(|(name, stored)| Some((own(name)?.to_owned(), stored.clone())))
            .collect());
    }
    if !has("transformer_blocks.") {
        return Err("it holds no transformer of FLUX.2".into());
    }
    let of_diffusers =
        |(name, stored): (&String, _)| from_diffusers(weights, name, stored).transpose();
    weights.tensors().iter().filter_map(of_diffusers).collect()
}

/// What a name of the transformer is without the prefix; none for another part's.
pub(super) fn own(weights: &Weights) -> impl Fn(&str) -> Option<&str> {
    let prefixed = weights.names().any(|name| name.starts_with(PREFIX));
    move |name| {
        if prefixed {
            name.strip_prefix(PREFIX)
        } else {
            Some(name)
        }
    }
}

/// One tensor's new name and contents; none for one that is part of another.
fn from_diffusers(
    weights: &Weights,
    name: &str,
    stored: &Stored,
) -> Result<Option<(String, Stored)>, String> {
    let unknown = || format!("the tensor {name} is none of FLUX.2's transformer");
    if let Some(new) = other(&OUTSIDE, name) {
        let stored = if name == LAST_MODULATION {
            halves_swapped(stored).ok_or_else(|| format!("the tensor {name} has no two halves"))?
        } else {
            stored.clone()
        };
        return Ok(Some((new.to_owned(), stored)));
    }
    if let Some((number, leaf)) = in_block(name, "single_transformer_blocks.") {
        let new = other(&SINGLE, leaf).ok_or_else(unknown)?;
        return Ok(Some((
            format!("single_blocks.{number}.{new}"),
            stored.clone(),
        )));
    }
    let (number, leaf) = in_block(name, "transformer_blocks.").ok_or_else(unknown)?;
    if FUSED
        .iter()
        .any(|[_, key, value]| leaf == *key || leaf == *value)
    {
        return Ok(None);
    }
    let new = other(&DOUBLE, leaf).ok_or_else(unknown)?;
    let stored = match FUSED.iter().find(|[query, ..]| leaf == *query) {
        Some(leaves) => fused(weights, number, leaves)?,
        None => stored.clone(),
    };
    Ok(Some((format!("double_blocks.{number}.{new}"), stored)))
}

fn other(table: &[(&str, &'static str)], name: &str) -> Option<&'static str> {
    let row = table.iter().find(|(of_diffusers, _)| *of_diffusers == name);
    row.map(|(_, new)| *new)
}

/// The block's number, and the rest of the name.
fn in_block<'a>(name: &'a str, kind: &str) -> Option<(&'a str, &'a str)> {
    name.strip_prefix(kind)?.split_once('.')
}

fn fused(weights: &Weights, number: &str, leaves: &[&str; 3]) -> Result<Stored, String> {
    let mut parts = Vec::with_capacity(leaves.len());
    for leaf in leaves {
        let name = format!("transformer_blocks.{number}.{leaf}");
        let part = weights.get(&name);
        parts.push(
            part.map_err(|_| format!("the tensor {name} is missing"))?
                .clone(),
        );
    }
    let alike = parts
        .windows(2)
        .all(|pair| pair[0].shape() == pair[1].shape());
    let stacked = alike.then(|| Stored::stack(parts)).flatten();
    stacked.ok_or_else(|| {
        format!("queries, keys and values of transformer_blocks.{number} differ in shape")
    })
}

fn halves_swapped(stored: &Stored) -> Option<Stored> {
    let rows = stored.rows();
    let half = rows / 2;
    rows.is_multiple_of(2)
        .then(|| Stored::stack([stored.part(half..rows), stored.part(0..half)]))
        .flatten()
}
