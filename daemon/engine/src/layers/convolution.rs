//! Convolutions of pictures.

use crate::cpu::picture::{Columns, Source, Target, Winograd};
use crate::weights::{Scope, Stored, WeightsError};

/// A square convolution with a bias.
#[derive(Debug)]
pub(crate) struct Convolution {
    weight: Stored,
    /// `[outputs, inputs, side, side]`.
    shape: [usize; 4],
    bias: Vec<f32>,
    form: Form,
}

/// What a convolution does to a picture's size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Same,
    Pointwise,
    Halving,
}

/// A convolution's weights, widened and laid out for the processor: for as long as it computes.
#[derive(Debug)]
pub(crate) enum Prepared {
    Winograd(Winograd),
    Columns(Columns),
}

impl Convolution {
    /// 3×3, the picture keeps its size.
    pub(crate) fn same(
        scope: &Scope<'_>,
        name: &str,
        outputs: usize,
        inputs: usize,
    ) -> Result<Self, WeightsError> {
        Self::load(scope, name, [outputs, inputs, 3, 3], Form::Same)
    }

    /// 1×1, a linear layer on every pixel.
    pub(crate) fn pointwise(
        scope: &Scope<'_>,
        name: &str,
        outputs: usize,
        inputs: usize,
    ) -> Result<Self, WeightsError> {
        Self::load(scope, name, [outputs, inputs, 1, 1], Form::Pointwise)
    }

    /// 1×1, stored as a linear layer, `[channels, channels]`.
    pub(crate) fn linear(
        scope: &Scope<'_>,
        name: &str,
        channels: usize,
    ) -> Result<Self, WeightsError> {
        let weight = scope.stored(&format!("{name}.weight"), &[channels, channels])?;
        let shape = [channels, channels, 1, 1];
        Self::with_weight(scope, name, weight, shape, Form::Pointwise)
    }

    /// 3×3 with stride 2, padded at the bottom and the right only: the picture halves.
    pub(crate) fn halving(
        scope: &Scope<'_>,
        name: &str,
        channels: usize,
    ) -> Result<Self, WeightsError> {
        Self::load(scope, name, [channels, channels, 3, 3], Form::Halving)
    }

    fn load(
        scope: &Scope<'_>,
        name: &str,
        shape: [usize; 4],
        form: Form,
    ) -> Result<Self, WeightsError> {
        let weight = scope.stored(&format!("{name}.weight"), &shape)?;
        Self::with_weight(scope, name, weight, shape, form)
    }

    fn with_weight(
        scope: &Scope<'_>,
        name: &str,
        weight: Stored,
        shape: [usize; 4],
        form: Form,
    ) -> Result<Self, WeightsError> {
        Ok(Self {
            weight,
            shape,
            bias: scope.stored(&format!("{name}.bias"), &shape[..1])?.widen(),
            form,
        })
    }

    /// Channels that it gives.
    pub(crate) fn outputs(&self) -> usize {
        self.shape[0]
    }

    /// Channels that it takes.
    pub(crate) fn inputs(&self) -> usize {
        self.shape[1]
    }

    /// One per output.
    pub(crate) fn bias(&self) -> &[f32] {
        &self.bias
    }

    /// By how many pixels a result's neighbourhood reaches beyond it on each side.
    pub(crate) fn reach(&self) -> usize {
        usize::from(self.form == Form::Same)
    }

    /// The weights for the processor.
    pub(crate) fn prepare(&self) -> Prepared {
        let [outputs, inputs, ..] = self.shape;
        let rows = |first: usize, out: &mut [f32]| self.weight.widen_rows(first, out);
        match self.form {
            Form::Same => Prepared::Winograd(Winograd::new(outputs, inputs, &rows)),
            Form::Halving => Prepared::Columns(Columns::halving(outputs, inputs, &rows)),
            Form::Pointwise => Prepared::Columns(self.columns()),
        }
    }

    /// The weights of a 1×1 convolution for the processor.
    pub(crate) fn columns(&self) -> Columns {
        let [outputs, inputs, ..] = self.shape;
        Columns::pointwise(outputs, inputs, &|first, out| {
            self.weight.widen_rows(first, out);
        })
    }

    /// Bytes that the processor needs beside input and output: the prepared weights, and what each
    /// thread works in.
    pub(crate) fn scratch_bytes(&self) -> u64 {
        let [outputs, inputs, side, _] = self.shape;
        let threads = rayon::current_num_threads();
        let bytes = match self.form {
            Form::Same => {
                Winograd::weight_bytes(outputs, inputs)
                    + threads * Winograd::thread_bytes(outputs, inputs)
            }
            Form::Pointwise | Form::Halving => {
                Columns::weight_bytes(side, outputs, inputs)
                    + threads * Columns::thread_bytes(side, outputs, inputs)
            }
        };
        bytes as u64
    }
}

impl Prepared {
    /// Convolves the source into the target.
    pub(crate) fn apply(&self, source: Source<'_>, target: Target<'_>) {
        match self {
            Self::Winograd(kernel) => kernel.apply(source, target),
            Self::Columns(kernel) => kernel.apply(source, target),
        }
    }
}
