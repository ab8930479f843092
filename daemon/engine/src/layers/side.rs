//! Side paths: what adapters add to a linear layer's outputs.

use std::ops::Range;

use burn::tensor::{Tensor, s};

use super::Linear;
use crate::cpu::Operands;
use crate::lora::{Delta, Fitted};
use crate::weights::{Scope, Stored};

/// `scale·x·ΔWᵀ`, added to some of a layer's outputs. ΔW itself is never formed: it is as large as the
/// layer's weight, and its factors are small.
#[derive(Debug)]
pub(crate) struct Side {
    /// The outputs that it is added to.
    outputs: Range<usize>,
    scale: f32,
    path: Path,
}

#[derive(Debug)]
enum Path {
    LowRank(Chain),
    Kronecker { left: Chain, right: Chain },
}

/// Linear layers one after another, in the order in which they are applied.
#[derive(Debug)]
struct Chain(Vec<Linear>);

impl Side {
    /// The side paths of equally wide layers that are stacked in this order into one of `outputs`.
    pub(super) fn of(scope: &Scope<'_>, names: &[&str], outputs: usize) -> Vec<Self> {
        let each = outputs / names.len().max(1);
        let starts = (0..).step_by(each.max(1));
        let found = names.iter().zip(starts).flat_map(|(name, start)| {
            let fitted = scope.adapters(name);
            fitted.iter().map(move |fitted| {
                let outputs = start..start + fitted.layers * each;
                Self::new(fitted, outputs, scope.operands())
            })
        });
        found.collect()
    }

    fn new(fitted: &Fitted, outputs: Range<usize>, operands: Operands) -> Self {
        let chain = |product| Chain::of(product, operands);
        let path = match &fitted.adapter.delta {
            Delta::LowRank(product) => Path::LowRank(chain(product)),
            Delta::Kronecker { left, right } => Path::Kronecker {
                left: chain(left),
                right: chain(right),
            },
        };
        Self {
            outputs,
            scale: fitted.adapter.scale,
            path,
        }
    }

    /// Adds what this path makes of `x`, `[tokens, inputs]`, to `y`, `[tokens, outputs]`.
    pub(super) fn add(&self, x: &Tensor<2>, y: Tensor<2>) -> Tensor<2> {
        let change = match &self.path {
            Path::LowRank(chain) => chain.forward(x.clone(), self.scale),
            Path::Kronecker { left, right } => kronecker(x.clone(), left, right, self.scale),
        };
        let [_, width] = y.dims();
        if self.outputs == (0..width) {
            return y + change;
        }
        let columns = s![.., self.outputs.clone()];
        let changed = y.clone().slice(columns) + change;
        y.slice_assign(columns, changed)
    }
}

impl Chain {
    fn of(product: &[Stored], operands: Operands) -> Self {
        let factors = product.iter().rev().cloned();
        let layer = |factor| Linear::of(factor, operands);
        Self(factors.map(layer).collect())
    }

    /// Scales after the first layer, where a product has the fewest numbers.
    fn forward(&self, x: Tensor<2>, scale: f32) -> Tensor<2> {
        let mut layers = self.0.iter();
        let first = layers.next().map(|layer| layer.forward(x.clone()) * scale);
        layers.fold(first.unwrap_or(x), |x, layer| layer.forward(x))
    }

    fn outputs(&self) -> usize {
        self.0.last().map_or(0, Linear::outputs)
    }

    fn inputs(&self) -> usize {
        self.0.first().map_or(0, Linear::inputs)
    }
}

/// `scale·x·(left ⊗ right)ᵀ`. With x as `[tokens, b, d]`, the right side turns d into c, then the left
/// side b into a, and `[tokens, a, c]` are the outputs.
fn kronecker(x: Tensor<2>, left: &Chain, right: &Chain, scale: f32) -> Tensor<2> {
    let [tokens, _] = x.dims();
    let (a, b) = (left.outputs(), left.inputs());
    let (c, d) = (right.outputs(), right.inputs());
    let inner = right.forward(x.reshape([tokens * b, d]), scale);
    let inner = inner.reshape([tokens, b, c]).swap_dims(1, 2);
    let outer = left.forward(inner.reshape([tokens * c, b]), 1.0);
    outer
        .reshape([tokens, c, a])
        .swap_dims(1, 2)
        .reshape([tokens, a * c])
}
