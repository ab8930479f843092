//! The JSON files of a pipeline folder, as published models have them.

use std::error::Error;
use std::fs;
use std::path::Path;

use atelier_flux::published::Size;
use serde_json::{Value, json};

/// Writes all of them below `out`.
pub(crate) fn write(size: &Size, out: &Path) -> Result<(), Box<dyn Error>> {
    for (path, config) in [
        ("model_index.json", index()),
        ("transformer/config.json", size.transformer_config()),
        ("text_encoder/config.json", size.text_encoder_config()),
        ("vae/config.json", size.vae_config()),
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
