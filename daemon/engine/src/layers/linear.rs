//! Linear layers.

use burn::tensor::{Tensor, activation, s};

use super::side::Side;
use crate::host::upload;
use crate::weights::{Scope, Stored, WeightsError};

/// Numbers of a weight that are widened at once: 16 MiB of f32.
const WIDENED_AT_ONCE: usize = 4 << 20;

/// `y = x·Wᵀ + b`, with W where and as files hold it: `[outputs, inputs]`. What adapters change is
/// added beside it.
#[derive(Debug)]
pub(crate) struct Linear {
    weight: Stored,
    bias: Option<Tensor<1>>,
    sides: Vec<Side>,
}

impl Linear {
    /// A layer of this weight alone, `[outputs, inputs]`.
    pub(crate) fn of(weight: Stored) -> Self {
        Self {
            weight,
            bias: None,
            sides: Vec::new(),
        }
    }

    /// Reads the layer `name`, which has no bias.
    pub(crate) fn load(
        scope: &Scope<'_>,
        name: &str,
        outputs: usize,
        inputs: usize,
    ) -> Result<Self, WeightsError> {
        let weight = scope.stored(&format!("{name}.weight"), &[outputs, inputs])?;
        Ok(Self {
            sides: Side::of(scope, &[name], outputs),
            ..Self::of(weight)
        })
    }

    /// Reads the layer `name` with its bias.
    pub(crate) fn load_biased(
        scope: &Scope<'_>,
        name: &str,
        outputs: usize,
        inputs: usize,
    ) -> Result<Self, WeightsError> {
        let bias = scope.tensor(&format!("{name}.bias"), [outputs])?;
        Ok(Self {
            bias: Some(bias),
            ..Self::load(scope, name, outputs, inputs)?
        })
    }

    /// Reads equally wide layers on the same input as one, their outputs side by side.
    pub(crate) fn load_stacked(
        scope: &Scope<'_>,
        names: &[&str],
        outputs: usize,
        inputs: usize,
    ) -> Result<Self, WeightsError> {
        let leaves: Vec<_> = names.iter().map(|name| format!("{name}.weight")).collect();
        let leaves: Vec<_> = leaves.iter().map(String::as_str).collect();
        let weight = scope.stacked(&leaves, [outputs, inputs])?;
        Ok(Self {
            sides: Side::of(scope, names, outputs),
            ..Self::of(weight)
        })
    }

    /// The width of what it makes.
    pub(crate) fn outputs(&self) -> usize {
        self.weight.rows()
    }

    /// The width of what it takes.
    pub(crate) fn inputs(&self) -> usize {
        self.weight.row_length()
    }

    /// `[tokens, inputs]` to `[tokens, outputs]`.
    pub(crate) fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        if self.sides.is_empty() {
            return self.product(x);
        }
        let y = self.product(x.clone());
        self.sides.iter().fold(y, |y, side| side.add(&x, y))
    }

    fn product(&self, x: Tensor<2>) -> Tensor<2> {
        let (outputs, inputs) = (self.weight.rows(), self.weight.row_length());
        let at_once = (WIDENED_AT_ONCE / inputs.max(1)).clamp(1, outputs);
        let parts = (0..outputs).step_by(at_once).map(|first| {
            let rows = at_once.min(outputs - first);
            let mut values = vec![0.0; rows * inputs];
            self.weight.widen_rows(first, &mut values);
            let weight: Tensor<2> = upload(values, [rows, inputs], &x.device());
            // The transposed view costs nothing: the product packs its operands whatever their strides.
            x.clone().matmul(weight.transpose())
        });
        let y = Tensor::cat(parts.collect(), 1);
        match &self.bias {
            Some(bias) => y + bias.clone().unsqueeze(),
            None => y,
        }
    }
}

/// SwiGLU on the fused projection `[gate | value]`: `silu(gate)·value`, half as wide.
pub(crate) fn swiglu(fused: Tensor<2>) -> Tensor<2> {
    let half = fused.dims()[1] / 2;
    let gate = fused.clone().slice(s![.., ..half]);
    let value = fused.slice(s![.., half..]);
    activation::silu(gate) * value
}
