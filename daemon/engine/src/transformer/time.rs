//! The time of a step, and the guidance where it is an input, as a vector.

use burn::tensor::{Device, Tensor, activation};

use crate::config::TransformerConfig;
use crate::host::upload;
use crate::layers::Linear;
use crate::weights::{Scope, WeightsError};

/// The slowest frequency's period, relative to the fastest.
const MAX_PERIOD: f32 = 10_000.0;
/// What a guidance is multiplied by, as the noise level is.
pub(crate) const GUIDANCE_SCALE: f32 = 1000.0;

/// The embedding of the time, with that of the guidance where the network takes it.
#[derive(Debug)]
pub(super) struct TimeEmbedding {
    time: Embedder,
    guidance: Option<Embedder>,
}

impl TimeEmbedding {
    pub(super) fn load(
        scope: &Scope<'_>,
        config: &TransformerConfig,
    ) -> Result<Self, WeightsError> {
        let scope = scope.at("time_guidance_embed").unrounded();
        let load = |name| Embedder::load(&scope.at(name), config);
        let guidance = config.guidance_embeds;
        Ok(Self {
            time: load("timestep_embedder")?,
            guidance: guidance.then(|| load("guidance_embedder")).transpose()?,
        })
    }

    /// `[1, hidden width]` for a guidance, if the network takes it: the same in every step.
    pub(super) fn guidance(&self, guidance: f32) -> Option<Tensor<2>> {
        let embedder = self.guidance.as_ref()?;
        Some(embedder.forward(GUIDANCE_SCALE * guidance))
    }

    /// `[1, hidden width]` for a time of 0 to 1000, with what [`guidance`](Self::guidance) gave.
    pub(super) fn forward(&self, time: f32, guidance: Option<&Tensor<2>>) -> Tensor<2> {
        let time = self.time.forward(time);
        match guidance {
            Some(guidance) => time + guidance.clone(),
            None => time,
        }
    }
}

/// Sinusoid, linear, SiLU, linear.
#[derive(Debug)]
struct Embedder {
    channels: usize,
    first: Linear,
    second: Linear,
    device: Device,
}

impl Embedder {
    fn load(scope: &Scope<'_>, config: &TransformerConfig) -> Result<Self, WeightsError> {
        let channels = config.timestep_guidance_channels;
        let hidden = config.hidden();
        Ok(Self {
            channels,
            first: Linear::load(scope, "linear_1", hidden, channels)?,
            second: Linear::load(scope, "linear_2", hidden, hidden)?,
            device: scope.device().clone(),
        })
    }

    fn forward(&self, value: f32) -> Tensor<2> {
        let wave = upload(
            sinusoid(value, self.channels),
            [1, self.channels],
            &self.device,
        );
        self.second
            .forward(activation::silu(self.first.forward(wave)))
    }
}

/// `[cos(t·ω₀) … | sin(t·ω₀) …]` with ω falling from 1 to nearly 1/[`MAX_PERIOD`], all in f32 as the
/// reference computes it.
#[allow(
    clippy::cast_precision_loss,
    reason = "a number of channels is exact in f32"
)]
pub(crate) fn sinusoid(time: f32, channels: usize) -> Vec<f32> {
    let half = channels / 2;
    let angle = |k: usize| time * (-MAX_PERIOD.ln() * k as f32 / half as f32).exp();
    let cosines = (0..half).map(|k| angle(k).cos());
    cosines.chain((0..half).map(|k| angle(k).sin())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cosines_come_first() {
        // Computed in f64 from the formula, for 256 channels at t = 1000.
        let wave = sinusoid(1000.0, 256);
        let cosines = [0.562_379, 0.789_615, 0.439_954, -0.023_670];
        let sines = [0.826_880, 0.613_603, -0.898_020, 0.999_720];
        for (k, (cosine, sine)) in cosines.into_iter().zip(sines).enumerate() {
            assert!((wave[k] - cosine).abs() < 1e-4, "cos {k}: {}", wave[k]);
            assert!(
                (wave[128 + k] - sine).abs() < 1e-4,
                "sin {k}: {}",
                wave[128 + k]
            );
        }
    }
}
