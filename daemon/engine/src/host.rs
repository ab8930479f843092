//! Numbers between the host and the device, always f32.

use burn::tensor::{DType, Device, ExecutionError, Tensor, TensorData};

use crate::error::EngineError;

/// Puts row-major values on a device; there must be as many as the shape says.
pub(crate) fn upload<const D: usize>(
    values: Vec<f32>,
    shape: [usize; D],
    device: &Device,
) -> Tensor<D> {
    Tensor::from_data(TensorData::new(values, shape), (device, DType::F32))
}

/// Copies a tensor to the host, row-major.
///
/// # Errors
/// `compute-failed` if the device failed while computing it.
pub(crate) fn download<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>, EngineError> {
    let failed = |reason: String| EngineError::Compute { reason };
    let data = tensor.try_into_data();
    let data = data.map_err(|error: ExecutionError| failed(error.to_string()))?;
    data.try_into_vec()
        .map_err(|error| failed(format!("{error:?}")))
}
