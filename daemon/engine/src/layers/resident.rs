//! Weights in a card's memory.
//!
//! On the processor a weight is read where its file is mapped, each time. A card cannot: what it multiplies
//! must be in its own memory, and the way there is slow. So it is brought once, when a layer is built, in the
//! precision in which it is multiplied, and the bytes that a file has in that precision go as they are.

use burn::tensor::{DType, Device, FloatDType, Tensor, TensorData};
use half::bf16;

use crate::cpu::{Operands, Rows};
use crate::weights::Stored;

/// A weight `[outputs, inputs]` on its device.
#[derive(Debug, Clone)]
pub(super) struct Resident {
    weight: Tensor<2>,
    operands: Operands,
}

impl Resident {
    /// Brings a weight to a card; nothing is brought to the processor, which has it.
    pub(super) fn on(device: &Device, weight: &Stored, operands: Operands) -> Option<Self> {
        (*device != Device::flex()).then(|| Self::brought(device, weight, operands))
    }

    /// In one piece: what is held on the host meanwhile is one layer's weight.
    pub(super) fn brought(device: &Device, weight: &Stored, operands: Operands) -> Self {
        let shape = [weight.rows(), weight.row_length()];
        let (data, dtype) = match operands {
            Operands::F32 => (TensorData::new(weight.widen(), shape), DType::F32),
            Operands::Bf16 => {
                let mut bits = vec![0_u16; weight.elements()];
                Rows::narrow_rows(weight, 0, &mut bits);
                let values: Vec<_> = bits.into_iter().map(bf16::from_bits).collect();
                (TensorData::new(values, shape), DType::BF16)
            }
        };
        Self {
            weight: Tensor::from_data(data, (device, dtype)),
            operands,
        }
    }

    /// `x·Wᵀ` of f32 tokens `[tokens, inputs]`: `[tokens, outputs]` in f32.
    pub(super) fn product(&self, x: Tensor<2>) -> Tensor<2> {
        // The transposed view costs nothing: products take their operands in either order.
        let weight = self.weight.clone().transpose();
        match self.operands {
            Operands::F32 => x.matmul(weight),
            Operands::Bf16 => x
                .cast(FloatDType::BF16)
                .matmul(weight)
                .cast(FloatDType::F32),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::path::Path;

    use burn::tensor::Distribution;

    use super::*;
    use crate::layers::Linear;
    use crate::layers::testing::distance;
    use crate::model::Model;
    use crate::source::ModelSource;
    use crate::weights::Scope;

    /// What a card multiplies is what the processor multiplies from the file.
    #[test]
    fn a_weight_brought_to_a_device_multiplies_as_it_does_in_its_file() {
        let device = Device::flex();
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures");
        let source = ModelSource::discover(&fixtures.join("klein/model")).unwrap();
        let part = Model::open(&source).unwrap().transformer;
        let shape = [part.config.hidden(), part.config.in_channels];
        let scope = Scope::root(&part.weights, &device);
        let weight = scope.stored("x_embedder.weight", &shape).unwrap();
        let x = Tensor::random([5, weight.row_length()], Distribution::Default, &device);
        for (operands, most) in [(Operands::F32, 1e-6), (Operands::Bf16, 5e-3)] {
            let mapped = Linear::of(weight.clone(), operands, &device).forward(x.clone());
            let brought = Resident::brought(&device, &weight, operands).product(x.clone());
            assert!(distance(brought, mapped) < most, "{operands:?}");
        }
        assert!(Resident::on(&device, &weight, Operands::F32).is_none());
    }
}
