//! Linear layers.

use burn::tensor::{FloatDType, Tensor, TensorData, activation, s};

use super::local::{self, Local};
use super::side::Side;
use crate::cpu::{self, Added, Finish, Operands, Plain, Rows, Swiglu};
use crate::weights::{Scope, Stored, WeightsError};

/// `y = x·Wᵀ`, with W where and as files hold it: `[outputs, inputs]`, and both rounded as the layer is told
/// to. What adapters change is added beside it.
#[derive(Debug)]
pub(crate) struct Linear {
    weight: Stored,
    operands: Operands,
    sides: Vec<Side>,
}

impl Linear {
    /// A layer of this weight alone, `[outputs, inputs]`.
    pub(crate) fn of(weight: Stored, operands: Operands) -> Self {
        Self {
            weight,
            operands,
            sides: Vec::new(),
        }
    }

    /// Reads the layer `name`.
    pub(crate) fn load(
        scope: &Scope<'_>,
        name: &str,
        outputs: usize,
        inputs: usize,
    ) -> Result<Self, WeightsError> {
        let weight = scope.stored(&format!("{name}.weight"), &[outputs, inputs])?;
        Ok(Self {
            sides: Side::of(scope, &[name], outputs),
            ..Self::of(weight, scope.operands())
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
            ..Self::of(weight, scope.operands())
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

    /// SwiGLU on the fused projection `[gate | value]`: `silu(gate)·value`, half as wide.
    pub(crate) fn forward_swiglu(&self, x: Tensor<2>) -> Tensor<2> {
        match self.alone_on(&x) {
            Some(x) => self.local_swiglu(&x, &self.weight),
            None => swiglu(self.forward(x)),
        }
    }

    /// The first `outputs` as they are, and SwiGLU on the others.
    pub(crate) fn forward_split_swiglu(&self, x: Tensor<2>, outputs: usize) -> [Tensor<2>; 2] {
        if let Some(x) = self.alone_on(&x) {
            let all = self.weight.rows();
            let plain = self.local_product(&x, &self.weight.part(0..outputs));
            let rest = self.local_swiglu(&x, &self.weight.part(outputs..all));
            return [plain, rest];
        }
        let all = self.forward(x);
        let rest = swiglu(all.clone().slice(s![.., outputs..]));
        [all.slice(s![.., ..outputs]), rest]
    }

    /// `residual + gate·y`, with y of the inputs side by side; without a gate, `residual + y`. Changes
    /// the residual in place where nothing else holds it.
    pub(crate) fn forward_onto(
        &self,
        residual: Tensor<2>,
        inputs: Vec<Tensor<2>>,
        gate: Option<Tensor<1>>,
    ) -> Tensor<2> {
        let local: Option<Vec<_>> = inputs.iter().map(|input| self.alone_on(input)).collect();
        let local_gate = gate.as_ref().map(Local::of);
        let residual = match (local, local_gate) {
            (None, _) | (_, Some(None)) => residual,
            (Some(inputs), gate) => match Local::take(residual) {
                Ok(residual) => return self.local_onto(residual, &inputs, gate.flatten()),
                Err(residual) => residual,
            },
        };
        let y = self.forward(Tensor::cat(inputs, 1));
        match gate {
            Some(gate) => residual + y * gate.unsqueeze(),
            None => residual + y,
        }
    }

    /// The input, where a kernel can read it and there is nothing but the weight: what kernels that do
    /// more than a product want.
    fn alone_on(&self, x: &Tensor<2>) -> Option<Local> {
        self.sides.is_empty().then(|| Local::of(x)).flatten()
    }

    fn product(&self, x: Tensor<2>) -> Tensor<2> {
        match Local::of(&x) {
            Some(x) => self.local_product(&x, &self.weight),
            None => self.burn_product(x),
        }
    }

    /// In burn's operations, with the whole weight in f32 for as long as it takes: of numbers that kernels do not
    /// read, and what kernels are held to.
    fn burn_product(&self, x: Tensor<2>) -> Tensor<2> {
        let shape = [self.weight.rows(), self.weight.row_length()];
        let weight = TensorData::new(self.weight.widen(), shape);
        let weight = Tensor::from_data(weight, &x.device());
        // The transposed view costs nothing: products take their operands in either order.
        round(x, self.operands).matmul(round(weight, self.operands).transpose())
    }

    /// The product with some rows of the weight.
    fn local_product(&self, x: &Local, weight: &Stored) -> Tensor<2> {
        self.finished(x, weight, &Plain, weight.rows())
    }

    fn local_swiglu(&self, x: &Local, weight: &Stored) -> Tensor<2> {
        self.finished(x, weight, &Swiglu, weight.rows() / 2)
    }

    fn finished<F: Finish>(
        &self,
        x: &Local,
        weight: &Stored,
        finish: &F,
        width: usize,
    ) -> Tensor<2> {
        let x = x.matrix();
        local::build([x.rows(), width], |out| {
            cpu::product(self.operands, &[x], weight, finish, out, width);
        })
    }

    fn local_onto(&self, mut residual: Local, inputs: &[Local], gate: Option<Local>) -> Tensor<2> {
        let inputs: Vec<_> = inputs.iter().map(Local::matrix).collect();
        let gate = gate.as_ref().map(Local::row);
        let width = self.weight.rows();
        cpu::product(
            self.operands,
            &inputs,
            &self.weight,
            &Added { gate },
            residual.values_mut(),
            width,
        );
        residual.into_tensor()
    }
}

/// Rounds in burn's operations.
pub(super) fn round<const D: usize>(x: Tensor<D>, operands: Operands) -> Tensor<D> {
    match operands {
        Operands::F32 => x,
        Operands::Bf16 => x.cast(FloatDType::BF16).cast(FloatDType::F32),
    }
}

impl Rows for Stored {
    fn rows(&self) -> usize {
        self.rows()
    }

    fn row_length(&self) -> usize {
        self.row_length()
    }

    fn widen_rows(&self, first: usize, out: &mut [f32]) {
        self.widen_rows(first, out);
    }

    fn factors(&self) -> Option<Vec<f32>> {
        self.row_scales()
    }

    fn unscaled_rows(&self, first: usize, out: &mut [u16]) {
        self.unscaled_bf16_rows(first, out);
    }

    fn narrow_rows(&self, first: usize, out: &mut [u16]) {
        if !self.copy_bf16_rows(first, out) {
            cpu::narrow_rows(self, first, out);
        }
    }
}

/// SwiGLU in burn's operations.
fn swiglu(fused: Tensor<2>) -> Tensor<2> {
    let half = fused.dims()[1] / 2;
    let gate = fused.clone().slice(s![.., ..half]);
    let value = fused.slice(s![.., half..]);
    activation::silu(gate) * value
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::path::Path;

    use burn::tensor::{Device, Distribution};

    use super::*;
    use crate::layers::testing::distance;
    use crate::model::Model;
    use crate::source::ModelSource;

    #[test]
    fn a_weight_read_where_its_file_is_mapped_multiplies_as_burn_multiplies_it() {
        let device = Device::flex();
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures");
        let source = ModelSource::discover(&fixtures.join("klein/model")).unwrap();
        let part = Model::open(&source).unwrap().transformer;
        let shape = [part.config.hidden(), part.config.in_channels];
        let scope = Scope::root(&part.weights, &device);
        let weight = scope.stored("x_embedder.weight", &shape).unwrap();
        let x = Tensor::random([5, weight.row_length()], Distribution::Default, &device);
        for (operands, most) in [(Operands::F32, 1e-6), (Operands::Bf16, 1e-5)] {
            let layer = Linear::of(weight.clone(), operands);
            let mapped = layer.forward(x.clone());
            assert!(
                distance(layer.burn_product(x.clone()), mapped) < most,
                "{operands:?}"
            );
        }
    }
}
