//! Memory of a card, and memory of the host that a card reads by itself.

use std::sync::Arc;

use cudarc::driver::{CudaContext, result, sys};

use super::fault::failed;
use crate::error::EngineError;

/// Bytes of a card's memory, given back when this goes.
#[derive(Debug)]
pub(super) struct Memory {
    context: Arc<CudaContext>,
    pointer: sys::CUdeviceptr,
    bytes: usize,
}

impl Memory {
    /// Allocates at once, so that what does not fit is known before anything is begun; the contents are 0.
    pub(super) fn new(
        context: &Arc<CudaContext>,
        bytes: usize,
        what: &'static str,
    ) -> Result<Self, EngineError> {
        let call = failed(what);
        context.bind_to_thread().map_err(&call)?;
        // An allocation of nothing is an error.
        let bytes = bytes.max(1);
        // SAFETY: the context is current; the pointer is freed once, in `drop`.
        let pointer = unsafe { result::malloc_sync(bytes) };
        let pointer = pointer.map_err(|error| match error.0 {
            sys::CUresult::CUDA_ERROR_OUT_OF_MEMORY => EngineError::DeviceMemory {
                what,
                needed: bytes as u64,
                free: free(context),
            },
            _ => call(error),
        })?;
        let memory = Self {
            context: Arc::clone(context),
            pointer,
            bytes,
        };
        // SAFETY: so many bytes were just allocated there.
        unsafe { result::memset_d8_sync(pointer, 0, bytes) }.map_err(&call)?;
        // The host does not wait for it, whatever its name, and our queues do not wait for the one it is on.
        context.synchronize().map_err(call)?;
        Ok(memory)
    }

    pub(super) fn pointer(&self) -> u64 {
        self.pointer
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        let freed = self.context.bind_to_thread();
        // SAFETY: allocated in `new`, and nobody has the pointer once its owner goes. The call waits for what is
        // queued on it.
        let freed = freed.and_then(|()| unsafe { result::free_sync(self.pointer) });
        if let Err(error) = freed {
            tracing::debug!(%error, "memory of the card was not given back");
        }
    }
}

/// Bytes of the card's memory that nobody has.
pub(super) fn free(context: &CudaContext) -> u64 {
    context.mem_get_info().map_or(0, |(free, _)| free as u64)
}

/// Bytes of the host's memory that stay where they are, so that a card can copy them while it computes.
#[derive(Debug)]
pub(super) struct Pinned {
    context: Arc<CudaContext>,
    pointer: *mut u8,
    bytes: usize,
}

// SAFETY: it owns the memory, which belongs to no thread.
unsafe impl Send for Pinned {}

impl Pinned {
    pub(super) fn new(
        context: &Arc<CudaContext>,
        bytes: usize,
        what: &'static str,
    ) -> Result<Self, EngineError> {
        let call = failed(what);
        context.bind_to_thread().map_err(&call)?;
        let bytes = bytes.max(1);
        // SAFETY: the context is current; the memory is freed once, in `drop`.
        let pointer = unsafe { result::malloc_host(bytes, 0) };
        let pointer = pointer.map_err(|error| match error.0 {
            // Of the host: no smaller plan for the card would help.
            sys::CUresult::CUDA_ERROR_OUT_OF_MEMORY => EngineError::Compute {
                reason: format!("{what}: the system has no {} MiB to pin", bytes >> 20),
            },
            _ => call(error),
        })?;
        Ok(Self {
            context: Arc::clone(context),
            pointer: pointer.cast(),
            bytes,
        })
    }

    pub(super) fn as_slice(&self) -> &[u8] {
        // SAFETY: so many bytes were allocated there, and are written through `&mut self` only.
        unsafe { std::slice::from_raw_parts(self.pointer, self.bytes) }
    }

    pub(super) fn as_mut_slice(&mut self) -> &mut [u8] {
        // SAFETY: as above; the borrow is exclusive.
        unsafe { std::slice::from_raw_parts_mut(self.pointer, self.bytes) }
    }
}

impl Drop for Pinned {
    fn drop(&mut self) {
        let freed = self.context.bind_to_thread();
        // SAFETY: allocated in `new`; its owner waits for copies from it before it goes.
        let freed = freed.and_then(|()| unsafe { result::free_host(self.pointer.cast()) });
        if let Err(error) = freed {
            tracing::debug!(%error, "pinned memory was not given back");
        }
    }
}
