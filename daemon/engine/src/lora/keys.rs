//! What a tensor's name in a LoRA file means.
//!
//! A name is a layer, in some spelling, and the role of the tensor in that layer's change. Roles are
//! told by their endings, which no two trainers share with different meanings.

/// A tensor's part in the change of one layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Role {
    /// A, `[rank, inputs]`.
    Down,
    /// B, `[outputs, rank]`.
    Up,
    Alpha,
    /// `DoRA`'s magnitudes of a layer's columns.
    Magnitude,
    /// A factor of the left or the right side of a Kronecker product.
    Kronecker(Factor),
}

/// `w1 = w1_a·w1_b`, and the same of `w2`: a file holds the product or its two factors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Factor {
    Left,
    LeftA,
    LeftB,
    Right,
    RightA,
    RightB,
}

/// Endings of names with their roles. `default` is the name that PEFT gives to a single adapter.
const ENDINGS: [(&str, Role); 20] = [
    (".lora_A.weight", Role::Down),
    (".lora_B.weight", Role::Up),
    (".lora_A.default.weight", Role::Down),
    (".lora_B.default.weight", Role::Up),
    (".lora_down.weight", Role::Down),
    (".lora_up.weight", Role::Up),
    (".lora.down.weight", Role::Down),
    (".lora.up.weight", Role::Up),
    (".alpha", Role::Alpha),
    (".dora_scale", Role::Magnitude),
    (".lora_magnitude_vector", Role::Magnitude),
    (".lora_magnitude_vector.weight", Role::Magnitude),
    (".lora_magnitude_vector.default.weight", Role::Magnitude),
    (".lokr_w1", Role::Kronecker(Factor::Left)),
    (".lokr_w1_a", Role::Kronecker(Factor::LeftA)),
    (".lokr_w1_b", Role::Kronecker(Factor::LeftB)),
    (".lokr_w2", Role::Kronecker(Factor::Right)),
    (".lokr_w2_a", Role::Kronecker(Factor::RightA)),
    (".lokr_w2_b", Role::Kronecker(Factor::RightB)),
    (".lora_magnitude_vector.default", Role::Magnitude),
];

/// Splits a tensor's name into its layer, as the file spells it, and its role; `None` if it plays none
/// that is known.
pub(super) fn split(key: &str) -> Option<(&str, Role)> {
    ENDINGS
        .iter()
        .find_map(|&(ending, role)| Some((key.strip_suffix(ending)?, role)))
}

/// Whether a tensor belongs to a text encoder: trainers put both into one file.
pub(super) fn is_of_text_encoder(key: &str) -> bool {
    let key = key.strip_prefix("base_model.model.").unwrap_or(key);
    ["lora_te", "text_encoder", "text_model."]
        .iter()
        .any(|prefix| key.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endings_tell_roles() {
        let key = "transformer.transformer_blocks.0.attn.to_q";
        for (ending, role) in ENDINGS {
            assert_eq!(
                split(&format!("{key}{ending}")),
                Some((key, role)),
                "{ending}"
            );
        }
        for unknown in [
            ".diff",
            ".hada_w1_a",
            ".lora_B.bias",
            ".lokr_t2",
            ".weight",
            "",
        ] {
            assert_eq!(split(&format!("{key}{unknown}")), None, "{unknown}");
        }
    }

    #[test]
    fn text_encoders_are_told_apart() {
        for key in [
            "text_encoder.model.layers.0.self_attn.q_proj.lora_A.weight",
            "text_encoders.qwen3_4b.transformer.model.layers.0.mlp.up_proj.lora_up.weight",
            "lora_te1_model_layers_0_mlp_up_proj.alpha",
            "base_model.model.text_model.encoder.layers.0.lora_A.weight",
        ] {
            assert!(is_of_text_encoder(key), "{key}");
        }
        for key in [
            "lora_unet_txt_in.alpha",
            "diffusion_model.txt_in.lora_A.weight",
        ] {
            assert!(!is_of_text_encoder(key), "{key}");
        }
    }
}
