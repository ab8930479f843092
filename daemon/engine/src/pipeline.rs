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

use image::RgbImage;

use crate::config::TransformerConfig;
use crate::device::Target;
use crate::encodings::{EncodingTally, Encodings};
use crate::error::EngineError;
use crate::init::{self, Init};
use crate::inspect::ModelInfo;
use crate::latent::Grid;
use crate::lora;
use crate::observer::{Observer, Watch};
use crate::plan::{self, MemoryPlan, Networks, Planner, RenderShape};
use crate::prompt::PromptTokenizer;
use crate::request::Request;
use crate::schedule::SchedulerConfig;
use crate::text_encoder::TextEncoder;
use crate::transformer::Transformer;
use crate::vae::Vae;
use crate::weights::Weights;
use crate::work::Work;
use encode::{Conditions, fit_references};

/// A model in memory, ready to make pictures.
pub struct Pipeline {
    info: ModelInfo,
    target: Target,
    tokenizer: PromptTokenizer,
    text_encoder: TextEncoder,
    text_weights: Weights,
    scheduler: SchedulerConfig,
    transformer: Arc<Transformer>,
    transformer_config: TransformerConfig,
    transformer_weights: Weights,
    adapted: lora::Cache<Transformer>,
    vae: Vae,
    encodings: Encodings,
    networks: Networks,
    sizes: plan::Sizes,
    /// The most anonymous bytes of a picture, if the user has said.
    memory: Option<u64>,
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

    /// What a picture takes in memory, and what there is for it now.
    pub fn memory_plan(&self, shape: &RenderShape, steps: u32) -> MemoryPlan {
        let planner = Planner {
            networks: &self.networks,
            sizes: self.sizes,
            vae: &self.vae,
            kept: self.encodings.tally().bytes as u64,
        };
        planner.plan(shape, steps, self.memory)
    }

    /// How much arithmetic a picture takes.
    pub fn work(&self, shape: &RenderShape) -> Work {
        Work::of(&self.networks, shape)
    }

    /// Makes the picture that is asked for. The same request gives the same picture on the same device
    /// and machine; on another, colours may differ in the last bit.
    ///
    /// # Errors
    /// A request out of range, a reference that cannot be used, `memory-insufficient` before any work,
    /// `cancelled`, `not-finite` where the weights give no picture, or a failure of the device.
    pub fn render(
        &self,
        request: &Request,
        observer: &mut dyn Observer,
    ) -> Result<RgbImage, EngineError> {
        request.check()?;
        let watch = &mut Watch::new(observer);
        if let Some(notice) = &self.target.notice {
            watch.notice(notice);
        }
        let pictures = fit_references(&request.references, request.reference_cap)?;
        let shape = self.shape(request, &pictures);
        let mut plan = self.memory_plan(&shape, request.steps);
        if plan.check().is_err() {
            // What is kept for later pictures gives way to this one.
            self.encodings.clear();
            plan = self.memory_plan(&shape, request.steps);
        }
        plan.check()?;
        let room = plan.vae_budget();
        let transformer = self.adapted_transformer(&request.loras, watch)?;
        let prompts = self.encode_prompts(request, watch)?;
        if !plan.is_roomy() {
            // Its pages make room for the transformer's, which are read again in every step.
            self.text_weights.release();
        }
        let grid = Grid::of_picture(request.width, request.height);
        let (origin, references) = self.encode_pictures(request, grid, &pictures, room, watch)?;
        let schedule = self.schedule(grid, request.steps, watch)?;
        let noise = self.draw_noise(grid, request.seed, watch);
        let conditions = Conditions {
            prompts,
            references,
            origin,
        };
        let latent = self.denoise(&transformer, noise, grid, &schedule, conditions, watch)?;
        let painted = self.decode(latent, grid, room, watch)?;
        Ok(match &request.init {
            Some(Init {
                picture,
                mask: Some(mask),
                ..
            }) => init::composite(&painted, picture, mask),
            _ => painted,
        })
    }

    fn shape(&self, request: &Request, pictures: &[RgbImage]) -> RenderShape {
        let references = pictures.iter().map(RgbImage::dimensions);
        // What is painted into is seen as a reference too.
        let init = request.init.as_ref();
        let seen = init.filter(|init| init.mask.is_some());
        RenderShape {
            width: request.width,
            height: request.height,
            references: references
                .chain(seen.map(|init| init.picture.dimensions()))
                .collect(),
            init: init.is_some(),
            guided: !self.info.is_distilled && request.guidance > 1.0,
            adapted: !request.loras.is_empty(),
        }
    }
}
