//! Group normalisation.

use crate::cpu::picture::{Affine, Moments};
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
    pub(crate) const EPS: f64 = 1e-6;

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
}
