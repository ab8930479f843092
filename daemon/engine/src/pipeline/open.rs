//! Opening a model: from its files to a [`Pipeline`].

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use tracing::debug;

use super::Pipeline;
use crate::device::OpenOptions;
use crate::error::EngineError;
use crate::folder::{Folder, TextConfig};
use crate::inspect::{ModelInfo, Variant};
use crate::lora::{self, Adapters};
use crate::prompt::PromptTokenizer;
use crate::text_encoder::TextEncoder;
use crate::transformer::Transformer;
use crate::vae::Vae;

impl Pipeline {
    /// Opens the model in `folder`, a diffusers pipeline folder, and reads its weights.
    ///
    /// # Errors
    /// A device or precision that is not available; a model that is missing, damaged, incomplete or of
    /// a kind that is not run. See [`EngineError::code`].
    pub fn open(folder: &Path, options: &OpenOptions) -> Result<Self, EngineError> {
        let device = options.resolve()?;
        let began = Instant::now();
        let folder = Folder::open(folder)?;
        let info = ModelInfo::of(&folder);
        let text_config = match (folder.variant, folder.text_config) {
            (Variant::Klein { .. }, TextConfig::Qwen3(config)) => *config,
            _ => {
                return Err(EngineError::unsupported(
                    &folder.root,
                    "this is FLUX.2 [dev]; so far only FLUX.2 [klein] is run",
                ));
            }
        };
        if folder.transformer_config.guidance_embeds {
            return Err(EngineError::unsupported(
                &folder.root,
                "the transformer takes guidance as an input, which FLUX.2 [klein] does not",
            ));
        }
        let pipeline = Self {
            tokenizer: PromptTokenizer::open(&folder.root.join("tokenizer"))?,
            text_encoder: TextEncoder::load(
                &folder.root.join("text_encoder"),
                text_config,
                &folder.text_encoder,
                &device,
            )?,
            scheduler: folder.scheduler,
            transformer: Arc::new(Transformer::load(
                folder.transformer_config.clone(),
                &folder.transformer,
                &Adapters::default(),
                &device,
            )?),
            transformer_config: folder.transformer_config,
            adapted: lora::Cache::default(),
            vae: Vae::load(&folder.vae_config, &folder.vae, &device)?,
            transformer_weights: folder.transformer,
            info,
            device,
        };
        debug!(model = %pipeline.info.name, seconds = began.elapsed().as_secs_f64(), "opened");
        Ok(pipeline)
    }
}
