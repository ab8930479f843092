//! What a picture is conditioned on: the prompt and the references as the transformer takes them.

use std::time::Instant;

use burn::tensor::Tensor;
use image::RgbImage;
use tracing::{debug, warn};

use super::Pipeline;
use crate::error::EngineError;
use crate::host::upload;
use crate::inspect::Variant;
use crate::latent::{self, Grid};
use crate::observer::{Progress, TensorData, Watch};
use crate::reference::{self, PixelCap};
use crate::request::Request;

/// The prompts of a picture, encoded, `[512, context width]`.
pub(super) struct Prompts {
    pub(super) positive: Tensor<2>,
    /// What to move away from, and how strongly, where the model is guided by a second pass.
    pub(super) negative: Option<(Tensor<2>, f32)>,
    /// Guidance as an input, for a transformer that takes it.
    pub(super) guidance: f32,
}

/// References as tokens, one after another, and the grid of each.
pub(super) struct References {
    pub(super) tokens: Vec<Tensor<2>>,
    pub(super) grids: Vec<Grid>,
}

impl Pipeline {
    pub(super) fn encode_prompts(
        &self,
        request: &Request,
        watch: &mut Watch<'_>,
    ) -> Result<Prompts, EngineError> {
        watch.report(Progress::Encoding)?;
        let began = Instant::now();
        let tokens = self.tokenizer.encode(&request.prompt)?;
        let shape = [1, tokens.ids.len()];
        watch.show_host("input_ids", &shape, TensorData::I64(&tokens.ids));
        watch.show_host("attention_mask", &shape, TensorData::I64(&tokens.mask));
        let positive = self.text_encoder.encode(&tokens)?;
        watch.show("prompt_embeds", || positive.clone().unsqueeze::<3>())?;
        let guided = request.guidance > 1.0;
        let negative = if self.info.is_distilled {
            let as_input = self.info.variant == Variant::Dev;
            if request.negative.is_some() || (guided && !as_input) {
                warn!(
                    "a distilled model is not guided by a second pass: it ignores the negative prompt"
                );
            }
            None
        } else if guided {
            let tokens = self
                .tokenizer
                .encode(request.negative.as_deref().unwrap_or_default())?;
            Some((self.text_encoder.encode(&tokens)?, request.guidance))
        } else {
            None
        };
        debug!(
            seconds = began.elapsed().as_secs_f64(),
            "encoded the prompt"
        );
        Ok(Prompts {
            positive,
            negative,
            guidance: request.guidance,
        })
    }

    pub(super) fn encode_references(
        &self,
        pictures: &[RgbImage],
        watch: &mut Watch<'_>,
    ) -> Result<References, EngineError> {
        let began = Instant::now();
        let total = pictures.len();
        let mut references = References {
            tokens: Vec::new(),
            grids: Vec::new(),
        };
        for (done, picture) in pictures.iter().enumerate() {
            watch.report(Progress::References { done, total })?;
            let (width, height) = picture.dimensions();
            let shape = [1, 3, height as usize, width as usize];
            let pixels = upload(reference::to_chw(picture), shape, &self.device);
            references
                .tokens
                .push(latent::to_tokens(self.vae.encode(pixels)));
            references.grids.push(Grid::of_picture(width, height));
        }
        debug!(
            total,
            seconds = began.elapsed().as_secs_f64(),
            "encoded the references"
        );
        Ok(references)
    }
}

/// Scales and crops all references before anything costly starts.
pub(super) fn fit_references(pictures: &[RgbImage]) -> Result<Vec<RgbImage>, EngineError> {
    let fit = |(number, picture)| {
        reference::fit(picture, PixelCap::default())
            .map_err(|source| EngineError::Reference { number, source })
    };
    (1..).zip(pictures).map(fit).collect()
}
