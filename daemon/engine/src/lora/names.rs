//! Which of the model's layers a LoRA file means.
//!
//! Files name layers as the BFL layout or as diffusers does, with dots or with underscores, under one
//! prefix or another. With every dot made an underscore all of these fall together, and no two layers
//! of FLUX.2 do; so a name is looked up whole in that form. (An underscored name cannot be split: its
//! layer names hold underscores themselves.)

/// Prefixes that say for which network a tensor is, and no more. They come combined.
const PREFIXES: [&str; 8] = [
    "base_model.model.",
    "model.diffusion_model.",
    "diffusion_model.",
    "transformer.",
    "unet.",
    "lora_unet_",
    "lora_transformer_",
    "lycoris_",
];

/// The containers of double-stream blocks; the last is an old exporter's slip.
const DOUBLE: [&str; 3] = ["double_blocks_", "transformer_blocks_", "sformer_blocks_"];
/// The containers of single-stream blocks.
const SINGLE: [&str; 2] = ["single_blocks_", "single_transformer_blocks_"];

/// A layer's two underscored names, and the diffusers names of what it is made of: several for layers
/// that the BFL layout, or diffusers' fused attention, keeps as one.
type Row = ([&'static str; 2], &'static [&'static str]);

const IN_DOUBLE: [Row; 14] = [
    (
        ["img_attn_qkv", "attn_to_qkv"],
        &["attn.to_q", "attn.to_k", "attn.to_v"],
    ),
    (
        ["txt_attn_qkv", "attn_to_added_qkv"],
        &["attn.add_q_proj", "attn.add_k_proj", "attn.add_v_proj"],
    ),
    (["img_attn_proj", "attn_to_out_0"], &["attn.to_out.0"]),
    (["txt_attn_proj", "attn_to_add_out"], &["attn.to_add_out"]),
    (["img_mlp_0", "ff_linear_in"], &["ff.linear_in"]),
    (["img_mlp_2", "ff_linear_out"], &["ff.linear_out"]),
    (
        ["txt_mlp_0", "ff_context_linear_in"],
        &["ff_context.linear_in"],
    ),
    (
        ["txt_mlp_2", "ff_context_linear_out"],
        &["ff_context.linear_out"],
    ),
    (["", "attn_to_q"], &["attn.to_q"]),
    (["", "attn_to_k"], &["attn.to_k"]),
    (["", "attn_to_v"], &["attn.to_v"]),
    (["", "attn_add_q_proj"], &["attn.add_q_proj"]),
    (["", "attn_add_k_proj"], &["attn.add_k_proj"]),
    (["", "attn_add_v_proj"], &["attn.add_v_proj"]),
];

const IN_SINGLE: [Row; 2] = [
    (
        ["linear1", "attn_to_qkv_mlp_proj"],
        &["attn.to_qkv_mlp_proj"],
    ),
    (["linear2", "attn_to_out"], &["attn.to_out"]),
];

const OUTSIDE: [Row; 11] = [
    (["img_in", "x_embedder"], &["x_embedder"]),
    (["txt_in", "context_embedder"], &["context_embedder"]),
    (
        [
            "time_in_in_layer",
            "time_guidance_embed_timestep_embedder_linear_1",
        ],
        &["time_guidance_embed.timestep_embedder.linear_1"],
    ),
    (
        [
            "time_in_out_layer",
            "time_guidance_embed_timestep_embedder_linear_2",
        ],
        &["time_guidance_embed.timestep_embedder.linear_2"],
    ),
    (
        [
            "guidance_in_in_layer",
            "time_guidance_embed_guidance_embedder_linear_1",
        ],
        &["time_guidance_embed.guidance_embedder.linear_1"],
    ),
    (
        [
            "guidance_in_out_layer",
            "time_guidance_embed_guidance_embedder_linear_2",
        ],
        &["time_guidance_embed.guidance_embedder.linear_2"],
    ),
    (
        [
            "double_stream_modulation_img_lin",
            "double_stream_modulation_img_linear",
        ],
        &["double_stream_modulation_img.linear"],
    ),
    (
        [
            "double_stream_modulation_txt_lin",
            "double_stream_modulation_txt_linear",
        ],
        &["double_stream_modulation_txt.linear"],
    ),
    (
        [
            "single_stream_modulation_lin",
            "single_stream_modulation_linear",
        ],
        &["single_stream_modulation.linear"],
    ),
    (
        ["final_layer_adaLN_modulation_1", "norm_out_linear"],
        &["norm_out.linear"],
    ),
    (["final_layer_linear", "proj_out"], &["proj_out"]),
];

/// The layers that a name means, by their diffusers names: one, or several that are stacked in this
/// order. `None` if FLUX.2 has no such layer.
pub(super) fn layers(name: &str) -> Option<Vec<String>> {
    let mut name = name;
    while let Some(rest) = PREFIXES.iter().find_map(|prefix| name.strip_prefix(prefix)) {
        name = rest;
    }
    let name = name.replace('.', "_");
    let blocks = [
        (
            "transformer_blocks",
            DOUBLE.as_slice(),
            IN_DOUBLE.as_slice(),
        ),
        ("single_transformer_blocks", &SINGLE, &IN_SINGLE),
    ];
    for (container, spellings, rows) in blocks {
        if let Some(rest) = spellings
            .iter()
            .find_map(|prefix| name.strip_prefix(prefix))
        {
            let (number, leaf) = rest.split_once('_')?;
            let number: u16 = number.parse().ok()?;
            let full = |layer: &&str| format!("{container}.{number}.{layer}");
            return find(rows, leaf).map(|layers| layers.iter().map(full).collect());
        }
    }
    find(&OUTSIDE, &name).map(|layers| layers.iter().map(ToString::to_string).collect())
}

fn find(rows: &[Row], name: &str) -> Option<&'static [&'static str]> {
    let row = rows
        .iter()
        .find(|(names, _)| !name.is_empty() && names.contains(&name))?;
    Some(row.1)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn one_layer_has_many_names() {
        for name in [
            "diffusion_model.double_blocks.12.txt_mlp.2",
            "base_model.model.double_blocks.12.txt_mlp.2",
            "base_model.model.transformer_blocks.12.ff_context.linear_out",
            "transformer.transformer_blocks.12.ff_context.linear_out",
            "diffusion_model.sformer_blocks.12.ff_context.linear_out",
            "lora_unet_double_blocks_12_txt_mlp_2",
            "lora_transformer_transformer_blocks_12_ff_context_linear_out",
            "lycoris_transformer_blocks_12_ff_context_linear_out",
            "transformer_blocks.12.ff_context.linear_out",
        ] {
            assert_eq!(
                layers(name).unwrap(),
                ["transformer_blocks.12.ff_context.linear_out"],
                "{name}"
            );
        }
    }

    #[test]
    fn a_fused_projection_means_three_layers() {
        let expected =
            ["to_q", "to_k", "to_v"].map(|leaf| format!("transformer_blocks.0.attn.{leaf}"));
        for name in [
            "lora_unet_double_blocks_0_img_attn_qkv",
            "diffusion_model.double_blocks.0.img_attn.qkv",
            "transformer.transformer_blocks.0.attn.to_qkv",
        ] {
            assert_eq!(layers(name).unwrap(), expected, "{name}");
        }
    }

    #[test]
    fn the_two_kinds_of_block_are_told_apart() {
        let of = |name| layers(name).unwrap().remove(0);
        assert_eq!(
            of("lora_unet_single_blocks_3_linear2"),
            "single_transformer_blocks.3.attn.to_out"
        );
        assert_eq!(
            of("lycoris_single_transformer_blocks_3_attn_to_out"),
            "single_transformer_blocks.3.attn.to_out"
        );
        assert_eq!(
            of("transformer.transformer_blocks.3.attn.to_out.0"),
            "transformer_blocks.3.attn.to_out.0"
        );
        assert_eq!(
            of("lora_unet_final_layer_adaLN_modulation_1"),
            "norm_out.linear"
        );
    }

    #[test]
    fn every_row_is_found_by_its_names() {
        let rows = [
            ("double_blocks_7_", IN_DOUBLE.as_slice()),
            ("single_blocks_7_", &IN_SINGLE),
            ("", &OUTSIDE),
        ];
        for (prefix, rows) in rows {
            for (names, expected) in rows {
                for name in names.iter().filter(|name| !name.is_empty()) {
                    let found = layers(&format!("{prefix}{name}")).unwrap();
                    assert_eq!(found.len(), expected.len());
                    assert!(found[0].ends_with(expected[0]), "{found:?}");
                }
            }
        }
    }

    #[test]
    fn other_models_layers_are_not_known() {
        for name in [
            "",
            "lora_unet_down_blocks_1_attentions_0_proj_in",
            "lora_unet_double_blocks_0_img_mod_lin",
            "transformer.single_transformer_blocks.0.proj_mlp",
            "lora_unet_double_blocks__img_mlp_0",
            "lora_unet_double_blocks_-1_img_mlp_0",
            "lora_unet_double_blocks_99999_img_mlp_0",
            "lora_unet_double_blocks_0_",
            "lora_unet_double_blocks_0",
        ] {
            assert_eq!(layers(name), None, "{name}");
        }
    }
}
