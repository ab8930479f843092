//! The transformer: BFL's names, which ComfyUI, stable-diffusion.cpp and GGUF files share, and those
//! of diffusers.
//!
//! Two things differ beside the names. BFL fuses the projections of a double-stream block to query, key
//! and value, in this order. And its last modulation comes as shift, scale where diffusers, and so this
//! engine, has scale, shift.

use super::{Place, is_number};

/// The landmark in BFL's spelling.
pub(super) const BFL: &str = "double_stream_modulation_img.lin.weight";

pub(super) const LANDMARKS: [&str; 2] = [BFL, "double_stream_modulation_img.linear.weight"];

/// Outside the blocks: BFL's name and diffusers', both without `.weight`.
const OUTSIDE: [(&str, &str); 10] = [
    ("img_in", "x_embedder"),
    ("txt_in", "context_embedder"),
    (
        "time_in.in_layer",
        "time_guidance_embed.timestep_embedder.linear_1",
    ),
    (
        "time_in.out_layer",
        "time_guidance_embed.timestep_embedder.linear_2",
    ),
    (
        "guidance_in.in_layer",
        "time_guidance_embed.guidance_embedder.linear_1",
    ),
    (
        "guidance_in.out_layer",
        "time_guidance_embed.guidance_embedder.linear_2",
    ),
    (
        "double_stream_modulation_img.lin",
        "double_stream_modulation_img.linear",
    ),
    (
        "double_stream_modulation_txt.lin",
        "double_stream_modulation_txt.linear",
    ),
    (
        "single_stream_modulation.lin",
        "single_stream_modulation.linear",
    ),
    ("final_layer.linear", "proj_out"),
];

/// The last modulation.
const LAST: (&str, &str) = ("final_layer.adaLN_modulation.1", "norm_out.linear");

/// In a double-stream block.
const DOUBLE: [(&str, &str); 10] = [
    ("img_attn.norm.query_norm", "attn.norm_q"),
    ("img_attn.norm.key_norm", "attn.norm_k"),
    ("txt_attn.norm.query_norm", "attn.norm_added_q"),
    ("txt_attn.norm.key_norm", "attn.norm_added_k"),
    ("img_attn.proj", "attn.to_out.0"),
    ("txt_attn.proj", "attn.to_add_out"),
    ("img_mlp.0", "ff.linear_in"),
    ("img_mlp.2", "ff.linear_out"),
    ("txt_mlp.0", "ff_context.linear_in"),
    ("txt_mlp.2", "ff_context.linear_out"),
];

/// The fused projections of a double-stream block.
const FUSED: [(&str, [&str; 3]); 2] = [
    ("img_attn.qkv", ["attn.to_q", "attn.to_k", "attn.to_v"]),
    (
        "txt_attn.qkv",
        ["attn.add_q_proj", "attn.add_k_proj", "attn.add_v_proj"],
    ),
];

/// In a single-stream block.
const SINGLE: [(&str, &str); 4] = [
    ("linear1", "attn.to_qkv_mlp_proj"),
    ("linear2", "attn.to_out"),
    ("norm.query_norm", "attn.norm_q"),
    ("norm.key_norm", "attn.norm_k"),
];

/// Where the tensor of this name, in either spelling, belongs.
pub(super) fn place(name: &str) -> Option<Place> {
    // Norms end in `.scale` in BFL's files, in `.weight` in some of ComfyUI's and in diffusers'.
    let layer = match name.strip_suffix(".scale") {
        Some(layer) if layer.ends_with("_norm") => layer,
        _ => name.strip_suffix(".weight")?,
    };
    if let Some(name) = either(&OUTSIDE, layer) {
        return Some(Place::As(format!("{name}.weight")));
    }
    if layer == LAST.0 {
        return Some(Place::Exchanged(format!("{}.weight", LAST.1)));
    }
    if layer == LAST.1 {
        return Some(Place::As(name.to_owned()));
    }
    let (kind, rest) = layer.split_once('.')?;
    let (number, inner) = rest.split_once('.').filter(|it| is_number(it.0))?;
    match kind {
        "double_blocks" | "transformer_blocks" => {
            let named = |inner: &str| format!("transformer_blocks.{number}.{inner}.weight");
            if let Some((_, parts)) = FUSED.iter().find(|(fused, _)| *fused == inner) {
                return Some(Place::Thirds(parts.map(named)));
            }
            let split = FUSED
                .iter()
                .flat_map(|(_, parts)| parts)
                .find(|&&part| part == inner)
                .copied();
            either(&DOUBLE, inner)
                .or(split)
                .map(|inner| Place::As(named(inner)))
        }
        "single_blocks" | "single_transformer_blocks" => either(&SINGLE, inner)
            .map(|inner| Place::As(format!("single_transformer_blocks.{number}.{inner}.weight"))),
        _ => None,
    }
}

/// BFL's name of the tensor that holds this one.
pub(super) fn to_bfl(canonical: &str) -> Option<String> {
    let layer = canonical.strip_suffix(".weight")?;
    let back = |table: &[(&'static str, &str)], name: &str| {
        let row = table.iter().find(|row| row.1 == name)?;
        let leaf = if row.0.ends_with("_norm") {
            "scale"
        } else {
            "weight"
        };
        Some(format!("{}.{leaf}", row.0))
    };
    if let Some(name) = back(&OUTSIDE, layer).or_else(|| back(&[LAST], layer)) {
        return Some(name);
    }
    let (kind, rest) = layer.split_once('.')?;
    let (number, inner) = rest.split_once('.')?;
    if kind == "single_transformer_blocks" {
        let inner = back(&SINGLE, inner)?;
        return Some(format!("single_blocks.{number}.{inner}"));
    }
    let fused = FUSED.iter().find(|(_, parts)| parts.contains(&inner));
    let fused = fused.map(|(name, _)| format!("{name}.weight"));
    let inner = fused.or_else(|| back(&DOUBLE, inner))?;
    Some(format!("double_blocks.{number}.{inner}"))
}

/// diffusers' name for a name in either column.
fn either(table: &[(&str, &'static str)], name: &str) -> Option<&'static str> {
    let row = table.iter().find(|row| row.0 == name || row.1 == name)?;
    Some(row.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str) -> Option<Place> {
        Some(Place::As(name.into()))
    }

    #[test]
    fn both_spellings_name_the_same_tensor() {
        let norm = "single_transformer_blocks.7.attn.norm_q.weight";
        assert_eq!(place("single_blocks.7.norm.query_norm.scale"), named(norm));
        assert_eq!(place("single_blocks.7.norm.query_norm.weight"), named(norm));
        assert_eq!(place(norm), named(norm));
        assert_eq!(place("img_in.weight"), named("x_embedder.weight"));
    }

    #[test]
    fn fused_projections_are_split_and_the_last_modulation_is_turned() {
        let [q, k, v] =
            ["q", "k", "v"].map(|it| format!("transformer_blocks.3.attn.add_{it}_proj.weight"));
        assert_eq!(place(&k), named(&k));
        assert_eq!(
            place("double_blocks.3.txt_attn.qkv.weight"),
            Some(Place::Thirds([q, k, v]))
        );
        let last = "norm_out.linear.weight";
        assert_eq!(
            place("final_layer.adaLN_modulation.1.weight"),
            Some(Place::Exchanged(last.into()))
        );
        assert_eq!(place(last), named(last));
    }

    #[test]
    fn names_go_back_to_what_they_came_from() {
        for name in [
            "img_in.weight",
            "final_layer.adaLN_modulation.1.weight",
            "double_blocks.2.txt_attn.norm.key_norm.scale",
            "double_blocks.2.txt_attn.qkv.weight",
            "single_blocks.10.linear2.weight",
        ] {
            let names = match place(name) {
                Some(Place::As(name) | Place::Exchanged(name)) => vec![name],
                Some(Place::Thirds(names)) => names.to_vec(),
                other => panic!("{other:?}"),
            };
            for canonical in names {
                assert_eq!(to_bfl(&canonical).as_deref(), Some(name));
            }
        }
    }

    #[test]
    fn what_the_network_has_not_has_no_place() {
        for name in [
            "double_blocks.0.img_attn.qkv.bias",
            "double_blocks.x.img_attn.qkv.weight",
            "double_blocks.0.img_attn.qkv.lora_A.weight",
            "img_in.scale",
            "vector_in.in_layer.weight",
            "weight",
            "",
        ] {
            assert_eq!(place(name), None, "{name}");
        }
    }
}
