//! Linear layers.

use burn::tensor::{Tensor, activation, s};

use crate::weights::{Scope, WeightsError};

/// `y = x·Wᵀ + b`, with W as files hold it: `[outputs, inputs]`.
#[derive(Debug)]
pub(crate) struct Linear {
    weight: Tensor<2>,
    bias: Option<Tensor<1>>,
}

impl Linear {
    /// Reads the layer `name`, which has no bias.
    pub(crate) fn load(
        scope: &Scope<'_>,
        name: &str,
        outputs: usize,
        inputs: usize,
    ) -> Result<Self, WeightsError> {
        let weight = scope.tensor(&format!("{name}.weight"), [outputs, inputs])?;
        Ok(Self { weight, bias: None })
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
        Ok(Self {
            weight: scope.stacked(&leaves, [outputs, inputs])?,
            bias: None,
        })
    }

    /// `[tokens, inputs]` to `[tokens, outputs]`.
    pub(crate) fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        // The transposed view costs nothing: the product packs its operands whatever their strides.
        let y = x.matmul(self.weight.clone().transpose());
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
