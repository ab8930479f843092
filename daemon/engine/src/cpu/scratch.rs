//! Working memory that a thread keeps between kernels.
//!
//! A fresh allocation of this size comes from the system page by page, and every first touch of a page
//! is a fault: at the sizes here that would cost as much as some of the arithmetic.

use std::cell::Cell;

/// Numbers in a cache line of 64 bytes, which buffers are aligned to: vector loads never straddle two.
const LINE: usize = 16;

/// A place for one thread-local buffer.
pub(crate) type Slot = Cell<Vec<f32>>;

/// Runs `work` with `length` numbers of unspecified content, aligned to cache lines. Used within itself
/// it gives another buffer, so that a thread may take up other work while it waits.
pub(crate) fn with<R>(
    slot: &'static std::thread::LocalKey<Slot>,
    length: usize,
    work: impl FnOnce(&mut [f32]) -> R,
) -> R {
    let mut buffer = slot.take();
    if buffer.len() < length + LINE {
        buffer = vec![0.0; length + LINE];
    }
    let skip = buffer
        .as_ptr()
        .align_offset(LINE * size_of::<f32>())
        .min(LINE);
    let result = work(&mut buffer[skip..skip + length]);
    slot.set(buffer);
    result
}
