//! What a picture is conditioned on: the prompt, the references and the picture to begin from, as
//! the transformer takes them. What was encoded not long ago is not encoded again.

use std::time::Instant;

use burn::tensor::Tensor;
use image::RgbImage;
use tracing::{debug, warn};

use super::Pipeline;
use crate::denoise::Origin;
use crate::encodings::Key;
use crate::error::EngineError;
use crate::host::{give_back, upload};
use crate::init::{self, Init};
use crate::latent::{self, Grid};
use crate::observer::{Progress, TensorData, Watch};
use crate::prompt::Tokens;
use crate::reference::{self, ReferenceCap};
use crate::request::Request;
use crate::schedule;
use crate::variant::Variant;

/// All that a picture is conditioned on.
pub(super) struct Conditions {
    pub(super) prompts: Prompts,
    pub(super) references: EncodedReferences,
    pub(super) origin: Option<Origin>,
}

/// The prompts of a picture, encoded, `[512, context width]`.
pub(super) struct Prompts {
    pub(super) positive: Tensor<2>,
    /// What to move away from, and how strongly, where the model is guided by a second pass.
    pub(super) negative: Option<(Tensor<2>, f32)>,
    /// Guidance as an input, for a transformer that takes it.
    pub(super) guidance: f32,
}

/// References as tokens, one after another, and the grid of each.
pub(super) struct EncodedReferences {
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
        let positive = self.encode_tokens(&tokens)?;
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
            Some((self.encode_tokens(&tokens)?, request.guidance))
        } else {
            None
        };
        give_back();
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

    fn encode_tokens(&self, tokens: &Tokens) -> Result<Tensor<2>, EngineError> {
        self.encodings
            .get_or(Key::of_prompt(tokens), || self.text_encoder.encode(tokens))
    }

    /// The picture to begin from, and the references; `pictures` are these as they were fitted. The
    /// autoencoder takes no more bytes than `room`.
    pub(super) fn encode_pictures(
        &self,
        request: &Request,
        grid: Grid,
        pictures: &[RgbImage],
        room: Option<u64>,
        watch: &mut Watch<'_>,
    ) -> Result<(Option<Origin>, EncodedReferences), EngineError> {
        let began = Instant::now();
        let init = request.init.as_ref();
        let total = pictures.len() + usize::from(init.is_some());
        let mut references = EncodedReferences {
            tokens: Vec::new(),
            grids: Vec::new(),
        };
        let mut origin = None;
        let init_picture = init.map(|init| &init.picture);
        for (done, picture) in init_picture.into_iter().chain(pictures).enumerate() {
            watch.report(Progress::References { done, total })?;
            let tokens = self.encode_picture(picture, room)?;
            give_back();
            if let (0, Some(init)) = (done, init) {
                origin = Some(self.origin(tokens.clone(), init, request.steps, grid));
                if init.mask.is_none() {
                    continue;
                }
            }
            references.tokens.push(tokens);
            references
                .grids
                .push(Grid::of_picture(picture.width(), picture.height()));
        }
        debug!(
            total,
            seconds = began.elapsed().as_secs_f64(),
            "encoded the pictures"
        );
        Ok((origin, references))
    }

    fn encode_picture(
        &self,
        picture: &RgbImage,
        room: Option<u64>,
    ) -> Result<Tensor<2>, EngineError> {
        self.encodings.get_or(Key::of_picture(picture), || {
            let (width, height) = picture.dimensions();
            let shape = [1, 3, height as usize, width as usize];
            let pixels = upload(reference::to_chw(picture), shape, &self.target.device);
            Ok(latent::to_tokens(self.vae.encode(pixels, room)?))
        })
    }

    fn origin(&self, latent: Tensor<2>, init: &Init, steps: u32, grid: Grid) -> Origin {
        let repaint = init.mask.as_ref().map(|mask| {
            let values = init::of_tokens(mask, grid);
            upload(values, [grid.tokens(), 1], &self.target.device)
        });
        Origin {
            latent,
            skipped: schedule::first_step(steps as usize, init.strength),
            repaint,
        }
    }
}

/// Scales and crops all references before anything costly starts.
pub(super) fn fit_references(
    pictures: &[RgbImage],
    cap: ReferenceCap,
) -> Result<Vec<RgbImage>, EngineError> {
    let cap = cap.of(pictures.len());
    let fit = |(number, picture)| {
        reference::fit(picture, cap).map_err(|source| EngineError::Reference { number, source })
    };
    (1..).zip(pictures).map(fit).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn the_cap_decides_how_large_a_lone_reference_is() {
        let large = RgbImage::new(1040, 1024);
        let fitted = |count: usize, cap| {
            let pictures = fit_references(&vec![large.clone(); count], cap).unwrap();
            pictures
                .iter()
                .map(RgbImage::dimensions)
                .collect::<Vec<_>>()
        };
        assert_eq!(fitted(1, ReferenceCap::Megapixel), [(1024, 1008)]);
        assert_eq!(fitted(1, ReferenceCap::Bfl), [(1040, 1024)]);
        assert_eq!(fitted(2, ReferenceCap::Bfl), [(1024, 1008); 2]);
    }
}
