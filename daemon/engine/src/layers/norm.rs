//! Normalisations.

use burn::tensor::{Device, Tensor, module};

use super::local::{self, Local};
use crate::cpu::{self, Norm};
use crate::weights::{Scope, WeightsError};

/// `x / rms(x) · scale` over the last axis.
#[derive(Debug)]
pub(crate) struct RmsNorm {
    scale: Tensor<1>,
    eps: f64,
}

impl RmsNorm {
    #[cfg(test)]
    pub(crate) fn of(scale: Tensor<1>, eps: f64) -> Self {
        Self { scale, eps }
    }

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

    /// Of tokens, `[tokens, width]`.
    pub(crate) fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        match (Local::of(&x), Local::of(&self.scale)) {
            (Some(x), Some(scale)) => {
                let scale = scale.row();
                local_norm(&x, Norm::Rms { scale }, self.eps)
            }
            _ => self.composed(x),
        }
    }

    /// The scale and ε, where kernels can read them.
    #[allow(clippy::cast_possible_truncation, reason = "arithmetic is f32")]
    pub(super) fn local(&self) -> Option<(Local, f32)> {
        Some((Local::of(&self.scale)?, self.eps as f32))
    }

    /// In burn's operations, over the last axis.
    pub(super) fn composed<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
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
        match (Local::of(&x), Local::of(&scale), Local::of(&shift)) {
            (Some(x), Some(scale), Some(shift)) => {
                let (scale, shift) = (scale.row(), shift.row());
                local_norm(&x, Norm::Layer { scale, shift }, self.eps)
            }
            _ => self.composed(x, shift, scale),
        }
    }

    /// In burn's operations.
    fn composed(&self, x: Tensor<2>, shift: Tensor<1>, scale: Tensor<1>) -> Tensor<2> {
        module::layer_norm(x, self.ones.clone() + scale, Some(shift), self.eps)
    }
}

fn local_norm(x: &Local, norm: Norm<'_>, eps: f64) -> Tensor<2> {
    let x = x.matrix();
    #[allow(clippy::cast_possible_truncation, reason = "arithmetic is f32")]
    let eps = eps as f32;
    local::build([x.rows(), x.width()], |out| {
        cpu::normalise(x, norm, eps, out);
    })
}
