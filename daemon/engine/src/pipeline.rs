//! The pipeline: from a request to a picture.
//!
//! [`Pipeline::render`] reads like the drawing in the crate's documentation; each of its lines is one
//! stage. Stages hand tensors on by value, so what a stage no longer needs is freed before the next
//! one runs. Between pictures a pipeline keeps nothing but LoRA files that are likely to be asked for
//! again, and encodings of prompts and pictures that it made not long ago, in bounded memory; no
//! picture depends on them.

mod adapt;
mod encode;
mod open;
mod render;

use std::sync::Arc;

use burn::tensor::Device;
use image::RgbImage;

use crate::config::TransformerConfig;
use crate::encodings::{EncodingTally, Encodings};
use crate::error::EngineError;
use crate::init::{self, Init};
use crate::inspect::ModelInfo;
use crate::latent::Grid;
use crate::lora;
use crate::observer::{Observer, Watch};
use crate::prompt::PromptTokenizer;
use crate::request::Request;
use crate::schedule::SchedulerConfig;
use crate::text_encoder::TextEncoder;
use crate::transformer::Transformer;
use crate::vae::Vae;
use crate::weights::Weights;
use encode::{Conditions, fit_references};

/// A model in memory, ready to make pictures.
pub struct Pipeline {
    info: ModelInfo,
    device: Device,
    tokenizer: PromptTokenizer,
    text_encoder: TextEncoder,
    scheduler: SchedulerConfig,
    transformer: Arc<Transformer>,
    transformer_config: TransformerConfig,
    transformer_weights: Weights,
    adapted: lora::Cache<Transformer>,
    vae: Vae,
    encodings: Encodings,
}

impl Pipeline {
    /// What the model is.
    pub fn info(&self) -> &ModelInfo {
        &self.info
    }

    /// What was encoded since the model was opened, and what was at hand.
    pub fn encodings(&self) -> EncodingTally {
        self.encodings.tally()
    }

    /// Keeps encodings of prompts and pictures up to so many bytes, from now on; 0 keeps none. No
    /// picture changes by it.
    pub fn keep_encodings(&self, bytes: usize) {
        self.encodings.limit(bytes);
    }

    /// Makes the picture that is asked for. The same request gives the same picture on the same device
    /// and machine; on another, colours may differ in the last bit.
    ///
    /// # Errors
    /// A request out of range, a reference that cannot be used, `cancelled`, `not-finite` where the
    /// weights give no picture, or a failure of the device.
    pub fn render(
        &self,
        request: &Request,
        observer: &mut dyn Observer,
    ) -> Result<RgbImage, EngineError> {
        request.check()?;
        let watch = &mut Watch::new(observer);
        let pictures = fit_references(&request.references, request.reference_cap)?;
        let transformer = self.adapted_transformer(&request.loras, watch)?;
        let prompts = self.encode_prompts(request, watch)?;
        let grid = Grid::of_picture(request.width, request.height);
        let (origin, references) = self.encode_pictures(request, grid, &pictures, watch)?;
        let schedule = self.schedule(grid, request.steps, watch)?;
        let noise = self.draw_noise(grid, request.seed, watch);
        let conditions = Conditions {
            prompts,
            references,
            origin,
        };
        let latent = Self::denoise(&transformer, noise, grid, &schedule, conditions, watch)?;
        let painted = self.decode(latent, grid, watch)?;
        Ok(match &request.init {
            Some(Init {
                picture,
                mask: Some(mask),
                ..
            }) => init::composite(&painted, picture, mask),
            _ => painted,
        })
    }
}
