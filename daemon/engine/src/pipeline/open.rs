//! Opening a model: from its files to a [`Pipeline`].

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use tracing::debug;

use super::Pipeline;
use crate::device::OpenOptions;
use crate::encodings::Encodings;
use crate::error::EngineError;
use crate::folder::Folder;
use crate::inspect::ModelInfo;
use crate::lora::{self, Adapters};
use crate::prompt::{PromptTokenizer, TokenizerSource};
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
        let pipeline = Self {
            tokenizer: PromptTokenizer::open(
                TokenizerSource::Folder(folder.root.join("tokenizer")),
                folder.variant.family(),
            )?,
            text_encoder: TextEncoder::load(
                &folder.root.join("text_encoder"),
                folder.text_config,
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
            encodings: Encodings::default(),
            info,
            device,
        };
        debug!(model = %pipeline.info.name, seconds = began.elapsed().as_secs_f64(), "opened");
        Ok(pipeline)
    }
}
