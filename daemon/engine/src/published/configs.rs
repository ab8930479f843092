//! The configs beside a model's weights, as diffusers and transformers write them.

use serde_json::{Value, json};

use super::{HEAD_WIDTH, LATENT_CHANNELS, Size};
use crate::family::Family;

/// The release of diffusers whose form this is.
const DIFFUSERS: &str = "0.42.1";

impl Size {
    /// `transformer/config.json`.
    #[must_use]
    pub fn transformer_config(&self) -> Value {
        json!({
            "_class_name": "Flux2Transformer2DModel",
            "_diffusers_version": DIFFUSERS,
            "attention_head_dim": HEAD_WIDTH,
            "axes_dims_rope": [32, 32, 32, 32],
            "eps": 1e-6,
            "guidance_embeds": self.family == Family::Dev,
            "in_channels": 4 * LATENT_CHANNELS,
            "joint_attention_dim": self.context(),
            "mlp_ratio": 3.0,
            "num_attention_heads": self.heads,
            "num_layers": self.double,
            "num_single_layers": self.single,
            "out_channels": null,
            "patch_size": 1,
            "rope_theta": 2000,
            "timestep_guidance_channels": 256,
        })
    }

    /// `text_encoder/config.json`; of Mistral that of the language half alone.
    #[must_use]
    pub fn text_encoder_config(&self) -> Value {
        let size = &self.text;
        let (class, kind, eps, theta) = match self.family {
            Family::Klein => ("Qwen3ForCausalLM", "qwen3", 1e-6, 1_000_000),
            Family::Dev => ("MistralForCausalLM", "mistral", 1e-5, 1_000_000_000),
        };
        json!({
            "architectures": [class],
            "attention_bias": false,
            "head_dim": size.head_width,
            "hidden_act": "silu",
            "hidden_size": size.hidden,
            "intermediate_size": size.inner,
            "max_position_embeddings": 40960,
            "model_type": kind,
            "num_attention_heads": size.heads,
            "num_hidden_layers": size.layers,
            "num_key_value_heads": size.shared_heads,
            "rms_norm_eps": eps,
            "rope_scaling": null,
            "rope_theta": theta,
            "tie_word_embeddings": size.tied,
            "torch_dtype": "bfloat16",
            "transformers_version": "4.51.0",
            "use_sliding_window": false,
            "vocab_size": size.vocabulary,
        })
    }

    /// `vae/config.json`.
    #[must_use]
    pub fn vae_config(&self) -> Value {
        json!({
            "_class_name": "AutoencoderKLFlux2",
            "_diffusers_version": DIFFUSERS,
            "block_out_channels": self.channels,
            "latent_channels": LATENT_CHANNELS,
            "layers_per_block": 2,
            "norm_num_groups": 32,
            "batch_norm_eps": 1e-4,
            "patch_size": [2, 2],
            "sample_size": 1024,
            "use_quant_conv": true,
            "use_post_quant_conv": true,
        })
    }
}
