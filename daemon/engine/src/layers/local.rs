//! Tensors whose numbers are in this process's memory, for kernels of our own.
//!
//! burn hides where a tensor lives. Here is the one place that looks: a tensor on the processor, in
//! f32, is handed to [`cpu`](crate::cpu) as it lies, without a copy; of any other the layer's
//! composition of burn's operations is taken.

use burn::backend::Flex;
use burn::backend::flex::FlexTensor;
use burn::tensor::{DType, Device, Tensor};

use crate::cpu::Matrix;
use crate::host::upload;

/// A tensor in memory, each row of its last axis in one piece.
#[derive(Debug)]
pub(crate) struct Local(FlexTensor);

impl Local {
    /// The tensor, if kernels can read it where it is.
    pub(crate) fn of<const D: usize>(tensor: &Tensor<D>) -> Option<Self> {
        Self::take(tensor.clone()).ok()
    }

    /// As [`of`](Self::of), of a handle that is given up, or given back: where it is the only one, the
    /// tensor may be changed in place.
    #[allow(
        clippy::result_large_err,
        reason = "what is given back is what was given"
    )]
    pub(crate) fn take<const D: usize>(tensor: Tensor<D>) -> Result<Self, Tensor<D>> {
        if tensor.dtype() != DType::F32 || tensor.device() != Device::flex() {
            return Err(tensor);
        }
        let again = tensor.clone();
        let Ok(tensor) = tensor.try_into_primitive::<Flex>() else {
            return Err(again);
        };
        drop(again);
        let layout = tensor.layout();
        let in_rows = layout.strides().last().is_none_or(|&step| step == 1);
        Ok(Self(if in_rows && layout.has_positive_strides() {
            tensor
        } else {
            tensor.to_contiguous()
        }))
    }

    /// All tensors, if all are local.
    pub(crate) fn all<const D: usize>(tensors: &[Tensor<D>]) -> Option<Vec<Self>> {
        tensors.iter().map(Self::of).collect()
    }

    /// A tensor `[rows, width]` as a matrix.
    pub(crate) fn matrix(&self) -> Matrix<'_> {
        let layout = self.0.layout();
        let shape = layout.shape();
        let (rows, width) = (shape[0], shape[1]);
        let values = &self.0.storage::<f32>()[layout.start_offset()..];
        Matrix::strided(values, rows, width, layout.strides()[0].unsigned_abs())
    }

    /// A tensor `[width]` as its numbers.
    pub(crate) fn row(&self) -> &[f32] {
        let layout = self.0.layout();
        let start = layout.start_offset();
        &self.0.storage::<f32>()[start..start + layout.num_elements()]
    }

    /// The numbers to write to, in row-major order; a copy if anything else holds them.
    pub(crate) fn values_mut(&mut self) -> &mut [f32] {
        if !self.0.is_contiguous() || self.0.layout().start_offset() != 0 {
            self.0 = self.0.to_contiguous();
        }
        let length = self.0.layout().num_elements();
        &mut self.0.storage_mut::<f32>()[..length]
    }

    pub(crate) fn into_tensor<const D: usize>(self) -> Tensor<D> {
        Tensor::from_primitive::<Flex>(self.0)
    }
}

/// A new local tensor, filled by `fill`.
pub(crate) fn build<const D: usize>(shape: [usize; D], fill: impl FnOnce(&mut [f32])) -> Tensor<D> {
    let mut values = vec![0.0; shape.iter().product()];
    fill(&mut values);
    upload(values, shape, &Device::flex())
}

/// The tensor in memory of its own, where it was a part of another. What other backends cut from a
/// tensor is a copy from the start.
pub(crate) fn alone(tensor: Tensor<2>) -> Tensor<2> {
    match Local::take(tensor) {
        Ok(Local(part)) => Local(part.to_contiguous()).into_tensor(),
        Err(tensor) => tensor,
    }
}

/// Rows of `width` numbers, one directly after another, as a local tensor.
pub(crate) fn wrap(values: Vec<f32>, width: usize) -> Tensor<2> {
    let rows = values.len() / width.max(1);
    upload(values, [rows, width], &Device::flex())
}
