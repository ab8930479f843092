//! From noise to a picture, along the schedule.

use std::time::Instant;

use burn::tensor::Tensor;
use image::RgbImage;
use tracing::debug;

use super::Pipeline;
use super::encode::Conditions;
use crate::denoise::Denoiser;
use crate::error::EngineError;
use crate::host::{download, give_back, upload};
use crate::latent::{self, Grid};
use crate::observer::{Progress, TensorData, Watch};
use crate::picture;
use crate::schedule::Schedule;
use crate::seed;
use crate::transformer::{ReferenceTokens, Transformer};
use crate::variant::Reading;

impl Pipeline {
    pub(super) fn schedule(
        &self,
        grid: Grid,
        steps: u32,
        watch: &mut Watch<'_>,
    ) -> Result<Schedule, EngineError> {
        let schedule = Schedule::new(grid.tokens(), steps as usize, &self.scheduler)?;
        let sigmas = schedule.sigmas();
        watch.show_host("sigmas", &[sigmas.len()], TensorData::F32(sigmas));
        Ok(schedule)
    }

    pub(super) fn draw_noise(&self, grid: Grid, seed: u64, watch: &mut Watch<'_>) -> Tensor<2> {
        let shape = grid.shape(4 * self.info.architecture.latent_channels);
        let values = seed::randn(seed, shape.iter().product());
        watch.show_host("noise", &shape, TensorData::F32(&values));
        latent::to_tokens(upload(values, shape, &self.target.device))
    }

    pub(super) fn denoise(
        &self,
        transformer: &Transformer,
        noise: Tensor<2>,
        grid: Grid,
        schedule: &Schedule,
        conditions: Conditions,
        watch: &mut Watch<'_>,
    ) -> Result<Tensor<2>, EngineError> {
        let began = Instant::now();
        let reading = self.info.variant.reading();
        let Conditions {
            prompts,
            references,
            origin,
        } = conditions;
        let shown = match reading {
            Reading::EveryStep => references.grids.as_slice(),
            Reading::Once => &[],
        };
        let places = latent::places(prompts.positive.dims()[0], grid, shown);
        let condition =
            |prompt: &Tensor<2>| transformer.condition(prompt.clone(), &places, prompts.guidance);
        let denoiser = Denoiser {
            transformer,
            schedule,
            prompt: condition(&prompts.positive)?,
            guidance: match &prompts.negative {
                Some((prompt, guidance)) => Some((condition(prompt)?, *guidance)),
                None => None,
            },
            references: ReferenceTokens {
                places: latent::reference_places(&references.grids).collect(),
                tokens: references.tokens,
            },
            reading,
            grid,
            origin,
        };
        let latent = denoiser.run(noise, watch)?;
        drop(denoiser);
        give_back();
        debug!(seconds = began.elapsed().as_secs_f64(), "denoised");
        Ok(latent)
    }

    pub(super) fn decode(
        &self,
        latent: Tensor<2>,
        grid: Grid,
        room: Option<u64>,
        watch: &mut Watch<'_>,
    ) -> Result<RgbImage, EngineError> {
        watch.report(Progress::Decoding)?;
        let began = Instant::now();
        let latent = self.vae.restore(latent::to_patches(latent, grid));
        watch.show("latents", || latent.clone())?;
        let values = self.vae.decode(latent, room)?;
        watch.show("image", || values.clone())?;
        let picture = picture::from_chw(grid, &download(values)?)?;
        give_back();
        debug!(seconds = began.elapsed().as_secs_f64(), "decoded");
        Ok(picture)
    }
}
