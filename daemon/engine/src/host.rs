//! Numbers between the host and the device, always f32, and the host's memory.

use burn::tensor::{DType, Device, ExecutionError, Tensor, TensorData};

use crate::cpu;
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

/// Frees what kernels keep to work in, and hands freed memory back to the system. glibc keeps what was allocated in pieces of less than 32 MiB
/// for the next time, of every thread by itself; after a stage that is memory which the next one, whose
/// pieces are of other sizes, takes once more.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[allow(unsafe_code, reason = "glibc has no safe interface to its allocator")]
pub(crate) fn give_back() {
    cpu::release();
    // SAFETY: it takes no pointer, and locks each arena while it looks through it.
    unsafe {
        libc::malloc_trim(0);
    }
}

/// Other allocators decide for themselves.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub(crate) fn give_back() {
    cpu::release();
}
