//! Kernels for the processor, on plain f32 slices.

mod exp;
pub(crate) mod picture;
