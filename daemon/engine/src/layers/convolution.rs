//! Convolutions of pictures.

use burn::tensor::{Tensor, module, ops::ConvOptions};

use crate::host::upload;
use crate::weights::{Scope, Stored, WeightsError};

/// A square convolution with a bias.
#[derive(Debug)]
pub(crate) struct Convolution {
    weight: Stored,
    shape: [usize; 4],
    bias: Tensor<1>,
    options: ConvOptions<2>,
}

impl Convolution {
    /// 3×3, the picture keeps its size.
    pub(crate) fn same(
        scope: &Scope<'_>,
        name: &str,
        outputs: usize,
        inputs: usize,
    ) -> Result<Self, WeightsError> {
        Self::load(
            scope,
            name,
            [outputs, inputs, 3, 3],
            ConvOptions::new([1, 1], [1, 1], [1, 1], 1),
        )
    }

    /// 1×1, a linear layer on every pixel.
    pub(crate) fn pointwise(
        scope: &Scope<'_>,
        name: &str,
        outputs: usize,
        inputs: usize,
    ) -> Result<Self, WeightsError> {
        Self::load(
            scope,
            name,
            [outputs, inputs, 1, 1],
            ConvOptions::new([1, 1], [0, 0], [1, 1], 1),
        )
    }

    /// 3×3 with stride 2, padded at the bottom and the right only: the picture halves.
    pub(crate) fn halving(
        scope: &Scope<'_>,
        name: &str,
        channels: usize,
    ) -> Result<Self, WeightsError> {
        let options = ConvOptions::new_with_padding([2, 2], [(0, 1), (0, 1)], [1, 1], 1);
        Self::load(scope, name, [channels, channels, 3, 3], options)
    }

    fn load(
        scope: &Scope<'_>,
        name: &str,
        shape: [usize; 4],
        options: ConvOptions<2>,
    ) -> Result<Self, WeightsError> {
        Ok(Self {
            weight: scope.stored(&format!("{name}.weight"), &shape)?,
            shape,
            bias: scope.tensor(&format!("{name}.bias"), [shape[0]])?,
            options,
        })
    }

    /// `[1, inputs, height, width]` to `[1, outputs, …, …]`.
    pub(crate) fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let weight = upload(self.weight.widen(), self.shape, &x.device());
        module::conv2d(x, weight, Some(self.bias.clone()), self.options.clone())
    }
}
