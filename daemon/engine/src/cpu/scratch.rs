//! Working memory that a thread keeps between kernels.
//!
//! A fresh allocation of this size comes from the system page by page, and every first touch of a page
//! is a fault: at the sizes here that would cost as much as some of the arithmetic.

use std::cell::Cell;
use std::thread::LocalKey;

/// Numbers in a cache line of 64 bytes, which buffers are aligned to: vector loads never straddle two.
const LINE: usize = 16;

/// A place for one thread-local buffer.
pub(crate) type Slot = Cell<Vec<f32>>;

thread_local! {
    /// The places of this thread that hold a buffer.
    static FILLED: Cell<Vec<&'static LocalKey<Slot>>> = const { Cell::new(Vec::new()) };
}

/// Runs `work` with `length` numbers of unspecified content, aligned to cache lines. Used within itself
/// it gives another buffer, so that a thread may take up other work while it waits.
pub(crate) fn with<R>(
    slot: &'static LocalKey<Slot>,
    length: usize,
    work: impl FnOnce(&mut [f32]) -> R,
) -> R {
    let mut buffer = slot.take();
    if buffer.len() < length + LINE {
        let mut filled = FILLED.take();
        if !filled.iter().any(|other| std::ptr::eq(*other, slot)) {
            filled.push(slot);
        }
        FILLED.set(filled);
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

/// Frees the buffers of this thread and of all that take part in kernels: what the next stage needs may be
/// of another size.
pub(crate) fn release() {
    release_own();
    rayon::broadcast(|_| release_own());
}

fn release_own() {
    for slot in FILLED.take() {
        drop(slot.take());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    thread_local! {
        static SLOT: Slot = const { Slot::new(Vec::new()) };
    }

    fn held() -> usize {
        let buffer = SLOT.take();
        let length = buffer.len();
        SLOT.set(buffer);
        length
    }

    #[test]
    fn buffers_are_kept_until_they_are_released() {
        let address = |length| with(&SLOT, length, |buffer| buffer.as_ptr());
        let first = address(1000);
        assert_eq!(first, address(10));
        rayon::broadcast(|_| with(&SLOT, 1000, |buffer| assert_eq!(buffer.len(), 1000)));
        assert!(held() > 0 && rayon::broadcast(|_| held()).iter().all(|&held| held > 0));
        release();
        assert!(held() == 0 && rayon::broadcast(|_| held()).iter().all(|&held| held == 0));
    }
}
