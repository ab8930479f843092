//! Modulation: how the time scales, shifts and gates the blocks.

use burn::tensor::{Tensor, s};

use crate::layers::{LayerNorm, Linear};
use crate::weights::{Scope, WeightsError};

/// What the time says to one sub-layer; each is `[hidden width]`.
#[derive(Debug, Clone)]
pub(super) struct Modulation {
    shift: Tensor<1>,
    scale: Tensor<1>,
    gate: Tensor<1>,
}

impl Modulation {
    /// `(1 + scale)·norm(x) + shift`: what the sub-layer gets.
    pub(super) fn enter(&self, norm: &LayerNorm, x: Tensor<2>) -> Tensor<2> {
        norm.modulated(x, self.shift.clone(), self.scale.clone())
    }

    /// `x + gate·y`, with y what `layer` makes of the inputs side by side: what becomes of the
    /// sub-layer's result.
    pub(super) fn leave(&self, x: Tensor<2>, layer: &Linear, inputs: Vec<Tensor<2>>) -> Tensor<2> {
        layer.forward_onto(x, inputs, Some(self.gate.clone()))
    }
}

/// The linear layer that makes the modulations of `N` sub-layers, shared by all blocks of a kind.
#[derive(Debug)]
pub(super) struct Modulator<const N: usize> {
    linear: Linear,
}

impl<const N: usize> Modulator<N> {
    pub(super) fn load(scope: &Scope<'_>, name: &str, hidden: usize) -> Result<Self, WeightsError> {
        let scope = scope.at(name).unrounded();
        let linear = Linear::load(&scope, "linear", 3 * N * hidden, hidden)?;
        Ok(Self { linear })
    }

    /// From the time's vector after its SiLU, `[1, hidden width]`.
    pub(super) fn forward(&self, time: &Tensor<2>) -> [Modulation; N] {
        let all = self.linear.forward(time.clone());
        let width = all.dims()[1] / N;
        std::array::from_fn(|number| {
            let own = all
                .clone()
                .slice(s![.., number * width..(number + 1) * width]);
            let [shift, scale, gate] = chunks(own);
            Modulation { shift, scale, gate }
        })
    }
}

/// Cuts `[1, N·width]` into N vectors.
pub(super) fn chunks<const N: usize>(row: Tensor<2>) -> [Tensor<1>; N] {
    let row: Tensor<1> = row.squeeze_dim(0);
    let width = row.dims()[0] / N;
    std::array::from_fn(|number| row.clone().slice(s![number * width..(number + 1) * width]))
}
