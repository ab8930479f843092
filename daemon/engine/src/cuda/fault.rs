//! The driver's errors in the engine's words.

use cudarc::driver::DriverError;
use cudarc::driver::sys::CUresult;

use crate::error::EngineError;

/// The driver's name for a fault, and its sentence.
pub(super) fn words(error: &DriverError) -> String {
    let text = |found: Result<&std::ffi::CStr, DriverError>| {
        found.map_or(String::new(), |text| text.to_string_lossy().into_owned())
    };
    format!(
        "{} ({})",
        text(error.error_name()),
        text(error.error_string())
    )
}

/// A call that failed while something was done.
pub(super) fn failed(what: &'static str) -> impl Fn(DriverError) -> EngineError {
    move |error| match error.0 {
        CUresult::CUDA_ERROR_OUT_OF_MEMORY => EngineError::DeviceMemory {
            what,
            needed: 0,
            free: 0,
        },
        _ => EngineError::Compute {
            reason: format!("{what}: {}", words(&error)),
        },
    }
}
