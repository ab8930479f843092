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
