//! The text encoder: the names of transformers, which ComfyUI keeps, and those of llama.cpp.
//!
//! Qwen3 and Mistral share their names. What stands before `layers.` differs from release to release
//! (`model.`, `language_model.model.`, `model.language_model.`, nothing) and is taken for a prefix.
//!
//! llama.cpp reorders the rows of queries and keys of models whose architecture it calls `llama` or
//! `mistral3`, so that rotations turn neighbours; those of `qwen3` it leaves alone. The order of a
//! head's dimensions matters to nothing but the rotation, so the rows are not put back; the rotation
//! turns neighbours instead, as the encoder's config then says.

use super::{Place, is_number};

/// llama.cpp's landmark.
pub(super) const LLAMA_CPP: &str = "blk.0.attn_q.weight";

pub(super) const LANDMARKS: [&str; 2] = ["layers.0.self_attn.q_proj.weight", LLAMA_CPP];

/// In a layer: llama.cpp's name and that of transformers.
const LAYER: [(&str, &str); 11] = [
    ("attn_norm", "input_layernorm"),
    ("attn_q", "self_attn.q_proj"),
    ("attn_k", "self_attn.k_proj"),
    ("attn_v", "self_attn.v_proj"),
    ("attn_q_norm", "self_attn.q_norm"),
    ("attn_k_norm", "self_attn.k_norm"),
    ("attn_output", "self_attn.o_proj"),
    ("ffn_norm", "post_attention_layernorm"),
    ("ffn_gate", "mlp.gate_proj"),
    ("ffn_up", "mlp.up_proj"),
    ("ffn_down", "mlp.down_proj"),
];

/// What stands beside the language model and is not run: the head that predicts words, and eyes.
const BESIDE: [&str; 6] = [
    "lm_head",
    "output",
    "vision_tower",
    "vision_model",
    "visual",
    "multi_modal_projector",
];

/// Where the tensor of this name belongs.
pub(super) fn place(name: &str) -> Option<Place> {
    if name.ends_with(".rotary_emb.inv_freq") {
        return Some(Place::Unused);
    }
    let (first, _) = name.split_once('.')?;
    if BESIDE.contains(&first) {
        return Some(Place::Unused);
    }
    let layer = name.strip_suffix(".weight")?;
    match layer {
        "embed_tokens" | "token_embd" => {
            return Some(Place::As("model.embed_tokens.weight".into()));
        }
        // A tapped state is what the next layer would get: the last norm is never applied.
        "norm" | "output_norm" => return Some(Place::Unused),
        _ => {}
    }
    let (kind, rest) = layer.split_once('.')?;
    let (number, inner) = rest.split_once('.').filter(|it| is_number(it.0))?;
    let row = LAYER.iter().find(|row| match kind {
        "blk" => row.0 == inner,
        "layers" => row.1 == inner,
        _ => false,
    })?;
    Some(Place::As(format!("model.layers.{number}.{}.weight", row.1)))
}

/// llama.cpp's name of this tensor.
pub(super) fn to_llama_cpp(canonical: &str) -> Option<String> {
    let local = canonical.strip_prefix("model.")?;
    let Some(rest) = local.strip_prefix("layers.") else {
        return Some("token_embd.weight".into());
    };
    let (number, inner) = rest.strip_suffix(".weight")?.split_once('.')?;
    let row = LAYER.iter().find(|row| row.1 == inner)?;
    Some(format!("blk.{number}.{}.weight", row.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_name_the_same_tensor() {
        for (name, expected) in [
            ("embed_tokens.weight", "model.embed_tokens.weight"),
            ("token_embd.weight", "model.embed_tokens.weight"),
            (
                "blk.12.attn_q_norm.weight",
                "model.layers.12.self_attn.q_norm.weight",
            ),
            (
                "layers.12.self_attn.q_norm.weight",
                "model.layers.12.self_attn.q_norm.weight",
            ),
            (
                "blk.0.ffn_down.weight",
                "model.layers.0.mlp.down_proj.weight",
            ),
        ] {
            assert_eq!(place(name), Some(Place::As(expected.into())), "{name}");
            if name.starts_with("blk.") || name.starts_with("token") {
                assert_eq!(to_llama_cpp(expected).as_deref(), Some(name));
            }
        }
    }

    #[test]
    fn what_is_beside_the_language_model_is_not_used_and_biases_are_not_lost() {
        for name in [
            "lm_head.weight",
            "output.weight",
            "output_norm.weight",
            "vision_tower.ln_pre.weight",
        ] {
            assert_eq!(place(name), Some(Place::Unused), "{name}");
        }
        for name in [
            "layers.0.self_attn.q_proj.bias",
            "blk.0.attn_q.bias",
            "blk.0.self_attn.q_proj.weight",
            "layers..self_attn.q_proj.weight",
            "layers.0.weight",
            "rope_freqs.weight",
        ] {
            assert_eq!(place(name), None, "{name}");
        }
    }
}
