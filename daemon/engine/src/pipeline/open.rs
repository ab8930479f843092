//! Opening a model: from its files to a [`Pipeline`].

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use tracing::debug;

use super::Pipeline;
use crate::device::OpenOptions;
use crate::encodings::Encodings;
use crate::error::EngineError;
use crate::inspect::ModelInfo;
use crate::lora::{self, Adapters};
use crate::model::Model;
use crate::plan::{self, Networks};
use crate::prompt::PromptTokenizer;
use crate::source::ModelSource;
use crate::text_encoder::TextEncoder;
use crate::transformer::Transformer;
use crate::vae::Vae;

impl Pipeline {
    /// Opens the model at `path`: a diffusers pipeline folder, or a transformer's file with its parts
    /// where [`ModelSource::discover`] finds them.
    ///
    /// # Errors
    /// As [`open_source`](Self::open_source), and what discovering gives.
    pub fn open(path: &Path, options: &OpenOptions) -> Result<Self, EngineError> {
        Self::open_source(&ModelSource::discover(path)?, options)
    }

    /// Opens the model of these files.
    ///
    /// # Errors
    /// A device or precision that is not available; a model that is missing, damaged, incomplete or of
    /// a kind that is not run. See [`EngineError::code`].
    pub fn open_source(source: &ModelSource, options: &OpenOptions) -> Result<Self, EngineError> {
        let target = options.resolve()?;
        let began = Instant::now();
        let model = Model::open(source)?;
        let info = ModelInfo::of(&model);
        let networks = Networks::of(&model);
        let Model {
            text_encoder: text,
            transformer,
            vae,
            ..
        } = model;
        // A picture takes minutes; a damaged download is told in seconds, and by its tensor's name.
        text.weights.check_finite()?;
        transformer.weights.check_finite()?;
        vae.weights.check_finite()?;
        let pipeline = Self {
            tokenizer: PromptTokenizer::open(model.tokenizer, model.variant.family())?,
            text_encoder: TextEncoder::load(
                &text.path,
                text.config.clone(),
                &text.weights,
                &target,
            )
            .map_err(|error| match error {
                EngineError::Weights(error) => text.explain(error).into(),
                other => other,
            })?,
            scheduler: model.scheduler,
            transformer: Transformer::load(
                transformer.config.clone(),
                &transformer.weights,
                &Adapters::default(),
                &target,
            )
            .map(Arc::new)
            .map_err(|error| transformer.explain(error))?,
            transformer_config: transformer.config,
            adapted: lora::Cache::default(),
            vae: Vae::load(&vae.config, &vae.weights, &target)
                .map_err(|error| vae.explain(error))?,
            transformer_weights: transformer.weights,
            encodings: Encodings::default(),
            text_weights: text.weights,
            networks,
            sizes: plan::Sizes::of(&info),
            memory: options.memory,
            info,
            target,
        };
        debug!(model = %pipeline.info.name, seconds = began.elapsed().as_secs_f64(), "opened");
        Ok(pipeline)
    }
}
