//! Whether a device's kernels compute what they should.

use crate::device::{self, DeviceChoice};
use crate::error::EngineError;
use crate::step::compare::{Comparison, compare};

/// Compares each of our kernels on a device with its twin on the processor, on random numbers; products too are our
/// own here, whatever library there is.
///
/// # Errors
/// `request-invalid` for the processor, which has none of these kernels; `device-unavailable`, or
/// `compute-failed` if the device failed.
pub fn compare_kernels(choice: DeviceChoice) -> Result<Vec<Comparison>, EngineError> {
    let (stepper, multiplies_e4m3) = device::bare(choice)?;
    compare(&*stepper, multiplies_e4m3)
}
