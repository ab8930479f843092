//! Normalisations.

use burn::tensor::{Device, Tensor, module};

use crate::weights::{Scope, WeightsError};

/// `x / rms(x) · scale` over the last axis.
#[derive(Debug)]
pub(crate) struct RmsNorm {
    scale: Tensor<1>,
    eps: f64,
}

impl RmsNorm {
    pub(crate) fn load(
        scope: &Scope<'_>,
        name: &str,
        width: usize,
        eps: f64,
    ) -> Result<Self, WeightsError> {
        Ok(Self {
            scale: scope.tensor(&format!("{name}.weight"), [width])?,
            eps,
        })
    }

    pub(crate) fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        let power = x.clone().square().mean_dim(D - 1);
        x / (power + self.eps).sqrt() * self.scale.clone().unsqueeze()
    }
}

/// Layer normalisation over the width of tokens, without weights of its own: FLUX.2 scales and
/// shifts by what the time says.
#[derive(Debug)]
pub(crate) struct LayerNorm {
    ones: Tensor<1>,
    eps: f64,
}

impl LayerNorm {
    pub(crate) fn new(width: usize, eps: f64, device: &Device) -> Self {
        Self {
            ones: Tensor::ones([width], device),
            eps,
        }
    }

    /// `(1 + scale)·norm(x) + shift`: both are `[width]`.
    pub(crate) fn modulated(&self, x: Tensor<2>, shift: Tensor<1>, scale: Tensor<1>) -> Tensor<2> {
        module::layer_norm(x, self.ones.clone() + scale, Some(shift), self.eps)
    }
}

/// Group normalisation of a picture's channels.
#[derive(Debug)]
pub(crate) struct GroupNorm {
    groups: usize,
    weight: Tensor<4>,
    bias: Tensor<4>,
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
            let values: Tensor<1> = scope.tensor(&format!("{name}.{leaf}"), [channels])?;
            Ok(values.reshape([1, channels, 1, 1]))
        };
        Ok(Self {
            groups,
            weight: per_channel("weight")?,
            bias: per_channel("bias")?,
        })
    }

    /// Normalises each group of channels over the whole picture, `[1, channels, height, width]`.
    pub(crate) fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let [_, channels, height, width] = x.dims();
        let grouped: Tensor<3> = x.reshape([self.groups, channels / self.groups * height, width]);
        // Rows first, then their means: a group has up to millions of values, and one running f32
        // sum over them would lose digits.
        let mean = |values: Tensor<3>| values.mean_dim(2).mean_dim(1);
        let centred = grouped.clone() - mean(grouped);
        let variance = mean(centred.clone().square());
        let normal = centred / (variance + Self::EPS).sqrt();
        normal.reshape([1, channels, height, width]) * self.weight.clone() + self.bias.clone()
    }
}
