//! A card's queue: copies and kernels in the order in which they are put there.
//!
//! Nothing here waits but [`Queue::finish`] and what reads back, so the host runs ahead of the card and the card
//! never waits for the host.

use std::sync::Arc;

use cudarc::driver::{CudaEvent, CudaFunction, CudaStream, result, sys};

use super::fault::failed;
use super::memory::{Memory, Pinned};
use crate::error::EngineError;
use crate::step::call::Call;

/// A stream of the card.
#[derive(Debug, Clone)]
pub(super) struct Queue {
    stream: Arc<CudaStream>,
}

impl Queue {
    pub(super) fn new(stream: Arc<CudaStream>) -> Self {
        Self { stream }
    }

    pub(super) fn stream(&self) -> &Arc<CudaStream> {
        &self.stream
    }

    /// Copies to the card; the bytes must stay as they are until the queue has come past.
    pub(super) fn write(&self, to: u64, bytes: &[u8]) -> Result<(), EngineError> {
        let call = failed("copying to the card");
        self.stream.context().bind_to_thread().map_err(&call)?;
        // SAFETY: callers give addresses of places in memory that they own, as long as the bytes, and keep those.
        unsafe { result::memcpy_htod_async(to, bytes, self.stream.cu_stream()) }.map_err(call)
    }

    /// As [`write`](Self::write), while others compute.
    pub(super) fn bring(&self, to: u64, from: &Pinned, bytes: usize) -> Result<(), EngineError> {
        self.write(to, &from.as_slice()[..bytes])
    }

    /// Copies within the card.
    pub(super) fn copy(&self, to: u64, from: u64, bytes: usize) -> Result<(), EngineError> {
        let call = failed("copying on the card");
        self.stream.context().bind_to_thread().map_err(&call)?;
        // SAFETY: as above, both places lie in memory that callers own and do not overlap.
        unsafe { result::memcpy_dtod_async(to, from, bytes, self.stream.cu_stream()) }.map_err(call)
    }

    /// Waits for everything before it, then copies from the card.
    pub(super) fn read(&self, from: u64, out: &mut [u8]) -> Result<(), EngineError> {
        let call = failed("reading from the card");
        self.stream.context().bind_to_thread().map_err(&call)?;
        // SAFETY: as above; the slice outlives the copy, which is waited for.
        unsafe { result::memcpy_dtoh_async(out, from, self.stream.cu_stream()) }.map_err(&call)?;
        self.stream.synchronize().map_err(call)
    }

    /// Puts a kernel on the queue.
    pub(super) fn launch(&self, function: &CudaFunction, call: &Call) -> Result<(), EngineError> {
        let on_error = failed(call.kernel);
        self.stream.context().bind_to_thread().map_err(&on_error)?;
        let mut arguments = [call.arguments.as_ptr().cast_mut().cast()];
        let [x, y, z] = call.grid;
        // SAFETY: the arguments are the struct that the kernel takes, which `step::call` writes beside its
        // declaration; the driver copies it before it returns. What it points to is in memory that callers own.
        let launched = unsafe {
            result::launch_kernel(
                function.cu_function(),
                (x, y, z),
                (call.threads, 1, 1),
                call.shared,
                self.stream.cu_stream(),
                &mut arguments,
            )
        };
        launched.map_err(on_error)
    }

    /// A mark that another queue can wait for; with `timed`, its moment is kept.
    pub(super) fn mark(&self, timed: bool) -> Result<CudaEvent, EngineError> {
        let flags = match timed {
            true => sys::CUevent_flags::CU_EVENT_DEFAULT,
            false => sys::CUevent_flags::CU_EVENT_DISABLE_TIMING,
        };
        let event = self.stream.record_event(Some(flags));
        event.map_err(failed("marking the queue"))
    }

    /// Nothing after this begins before the mark has been passed.
    pub(super) fn wait(&self, mark: &CudaEvent) -> Result<(), EngineError> {
        self.stream.wait(mark).map_err(failed("waiting for a copy"))
    }

    /// Waits until all is done, and says what went wrong on the way.
    pub(super) fn finish(&self) -> Result<(), EngineError> {
        self.stream.synchronize().map_err(failed("computing"))
    }

    /// Milliseconds of what `act` puts on the queue.
    pub(super) fn time(
        &self,
        act: impl FnOnce() -> Result<(), EngineError>,
    ) -> Result<f32, EngineError> {
        let before = self.mark(true)?;
        act()?;
        let after = self.mark(true)?;
        self.finish()?;
        before.elapsed_ms(&after).map_err(failed("timing"))
    }

    /// All of a memory from the beginning of another one.
    pub(super) fn keep(&self, to: &Memory, from: &Memory) -> Result<(), EngineError> {
        let bytes = to.bytes().min(from.bytes());
        self.copy(to.pointer(), from.pointer(), bytes)
    }
}
