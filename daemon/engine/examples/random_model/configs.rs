//! The JSON files of a pipeline folder, as published models have them.

use std::error::Error;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::names::{HEAD_WIDTH, Size, TEXT_HEADS, TEXT_KEY_VALUE_HEADS, VAE_CHANNELS, VOCABULARY};

/// Writes all of them below `out`.
pub(crate) fn write(size: &Size, out: &Path) -> Result<(), Box<dyn Error>> {
    for (path, config) in [
        ("model_index.json", index()),
        ("transformer/config.json", transformer(size)),
        ("text_encoder/config.json", text_encoder(size)),
        ("vae/config.json", vae()),
        ("scheduler/scheduler_config.json", scheduler()),
    ] {
        let path = out.join(path);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(path, serde_json::to_vec_pretty(&config)?)?;
    }
    Ok(())
}

fn index() -> Value {
    json!({
        "_class_name": "Flux2KleinPipeline",
        "_diffusers_version": "0.42.1",
        "is_distilled": true,
        "scheduler": ["diffusers", "FlowMatchEulerDiscreteScheduler"],
        "text_encoder": ["transformers", "Qwen3ForCausalLM"],
        "tokenizer": ["transformers", "Qwen2TokenizerFast"],
        "transformer": ["diffusers", "Flux2Transformer2DModel"],
        "vae": ["diffusers", "AutoencoderKLFlux2"],
    })
}

fn transformer(size: &Size) -> Value {
    json!({
        "_class_name": "Flux2Transformer2DModel",
        "_diffusers_version": "0.42.1",
        "attention_head_dim": HEAD_WIDTH,
        "axes_dims_rope": [32, 32, 32, 32],
        "eps": 1e-6,
        "guidance_embeds": false,
        "in_channels": 128,
        "joint_attention_dim": 3 * size.text_hidden,
        "mlp_ratio": 3.0,
        "num_attention_heads": size.heads,
        "num_layers": size.double,
        "num_single_layers": size.single,
        "out_channels": null,
        "patch_size": 1,
        "rope_theta": 2000,
        "timestep_guidance_channels": 256,
    })
}

fn text_encoder(size: &Size) -> Value {
    json!({
        "architectures": ["Qwen3ForCausalLM"],
        "attention_bias": false,
        "head_dim": HEAD_WIDTH,
        "hidden_act": "silu",
        "hidden_size": size.text_hidden,
        "intermediate_size": size.text_inner,
        "max_position_embeddings": 40960,
        "model_type": "qwen3",
        "num_attention_heads": TEXT_HEADS,
        "num_hidden_layers": size.text_layers,
        "num_key_value_heads": TEXT_KEY_VALUE_HEADS,
        "rms_norm_eps": 1e-6,
        "rope_scaling": null,
        "rope_theta": 1_000_000,
        "tie_word_embeddings": size.tied,
        "torch_dtype": "bfloat16",
        "transformers_version": "4.51.0",
        "use_sliding_window": false,
        "vocab_size": VOCABULARY,
    })
}

fn vae() -> Value {
    json!({
        "_class_name": "AutoencoderKLFlux2",
        "_diffusers_version": "0.42.1",
        "block_out_channels": VAE_CHANNELS,
        "latent_channels": 32,
        "layers_per_block": 2,
        "norm_num_groups": 32,
        "batch_norm_eps": 1e-4,
        "patch_size": [2, 2],
        "sample_size": 1024,
        "use_quant_conv": true,
        "use_post_quant_conv": true,
    })
}

fn scheduler() -> Value {
    json!({
        "_class_name": "FlowMatchEulerDiscreteScheduler",
        "_diffusers_version": "0.42.1",
        "base_image_seq_len": 256,
        "base_shift": 0.5,
        "max_image_seq_len": 4096,
        "max_shift": 1.15,
        "num_train_timesteps": 1000,
        "shift": 3.0,
        "time_shift_type": "exponential",
        "use_dynamic_shifting": true,
    })
}
