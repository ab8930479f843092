//! Group normalisation.

use burn::tensor::Tensor;

use crate::cpu::picture::{Affine, Moments};
use crate::host::upload;
use crate::weights::{Scope, WeightsError};

/// Group normalisation of a picture's channels.
#[derive(Debug)]
pub(crate) struct GroupNorm {
    groups: usize,
    /// One per channel.
    weight: Vec<f32>,
    bias: Vec<f32>,
}

impl GroupNorm {
    /// The ε of every group normalisation of the autoencoder; no config states it.
    const EPS: f64 = 1e-6;

    pub(crate) fn load(
        scope: &Scope<'_>,
        name: &str,
        channels: usize,
        groups: usize,
    ) -> Result<Self, WeightsError> {
        let per_channel = |leaf: &str| {
            let values = scope.stored(&format!("{name}.{leaf}"), &[channels])?;
            Ok::<_, WeightsError>(values.widen())
        };
        Ok(Self {
            groups,
            weight: per_channel("weight")?,
            bias: per_channel("bias")?,
        })
    }

    /// Groups of channels.
    pub(crate) fn groups(&self) -> usize {
        self.groups
    }

    /// What it does to each channel where the groups have these moments; then SiLU, if wanted.
    pub(crate) fn affine(&self, groups: &[Moments], silu: bool) -> Affine {
        Affine::normalise(groups, &self.weight, &self.bias, Self::EPS, silu)
    }

    /// Normalises each group of channels over the whole picture, `[1, channels, height, width]`, on any
    /// device.
    pub(crate) fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let [_, channels, height, width] = x.dims();
        let device = x.device();
        let per_channel =
            |values: &[f32]| upload::<4>(values.to_vec(), [1, channels, 1, 1], &device);
        let grouped: Tensor<3> = x.reshape([self.groups, channels / self.groups * height, width]);
        // Rows first, then their means: a group has up to millions of values, and one running f32
        // sum over them would lose digits.
        let mean = |values: Tensor<3>| values.mean_dim(2).mean_dim(1);
        let centred = grouped.clone() - mean(grouped);
        let variance = mean(centred.clone().square());
        let normal = centred / (variance + Self::EPS).sqrt();
        let normal = normal.reshape([1, channels, height, width]);
        normal * per_channel(&self.weight) + per_channel(&self.bias)
    }
}
