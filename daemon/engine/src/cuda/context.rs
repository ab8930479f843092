//! A card that has been opened.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use cudarc::driver::CudaContext;
use cudarc::driver::sys::CUdevice_attribute_enum::CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_MULTIPROCESSOR;

use super::fault::failed;
use super::kernels::Kernels;
use super::machine::CardMachine;
use super::memory;
use super::products::Products;
use super::queue::Queue;
use super::survey::Card;
use crate::device::Precision;
use crate::error::EngineError;
use crate::step::bank::Bank;
use crate::step::machine::{Machine, Stepper};
use crate::step::network::Arithmetic;

/// Memory that is left to others beside a network that just fits: the driver's own needs grow a little with what
/// is run.
const SPARE: u64 = 256 << 20;

/// A card, ready to compute.
#[derive(Debug)]
pub(crate) struct Context {
    pub(super) context: Arc<CudaContext>,
    pub(super) queue: Queue,
    /// For what comes while `queue` computes.
    pub(super) side: Queue,
    pub(super) kernels: Kernels,
    pub(super) products: Products,
    multiplies_e4m3: bool,
    /// Bytes of a multiprocessor's shared memory.
    pub(super) multiprocessor: u32,
    /// Bytes that networks may take of the card's memory, if the user has said.
    budget: Option<u64>,
    /// Bytes that networks have.
    pub(super) held: AtomicU64,
}

/// The card's context as a device that runs programs.
#[derive(Debug, Clone)]
pub(crate) struct Opened(Arc<Context>);

impl Opened {
    /// Opens a card that a [`Survey`](super::Survey) found fit.
    ///
    /// # Errors
    /// `compute-failed` or `device-memory`, with what the driver says.
    pub(crate) fn new(
        card: &Card,
        budget: Option<u64>,
        folder: Option<PathBuf>,
    ) -> Result<Self, EngineError> {
        Self::with(card, budget, folder, Products::new)
    }

    /// The same without NVIDIA's library: what is compared with the twins is our own.
    pub(crate) fn bare(card: &Card, folder: Option<PathBuf>) -> Result<Self, EngineError> {
        Self::with(card, None, folder, |_| Products::ours())
    }

    fn with(
        card: &Card,
        budget: Option<u64>,
        folder: Option<PathBuf>,
        products: impl FnOnce(&Queue) -> Products,
    ) -> Result<Self, EngineError> {
        let call = failed("opening the card");
        let context = CudaContext::new(card.number as usize).map_err(&call)?;
        let multiprocessor = context
            .attribute(CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_MULTIPROCESSOR)
            .map_err(&call)?;
        // SAFETY: memory is not shared between streams but through the marks that this module sets itself.
        unsafe { context.disable_event_tracking() };
        let queue = Queue::new(context.new_stream().map_err(&call)?);
        let side = Queue::new(context.new_stream().map_err(&call)?);
        Ok(Self(Arc::new(Context {
            kernels: Kernels::new(&context, card.capability, folder),
            products: products(&queue),
            multiplies_e4m3: card.multiplies_fp8(),
            multiprocessor: multiprocessor.unsigned_abs(),
            queue,
            side,
            context,
            budget,
            held: AtomicU64::new(0),
        })))
    }
}

impl Context {
    /// Bytes that another network may take now.
    pub(super) fn room(&self) -> u64 {
        let free = memory::free(&self.context).saturating_sub(SPARE);
        let held = self.held.load(Ordering::Relaxed);
        self.budget
            .map_or(free, |budget| budget.saturating_sub(held).min(free))
    }
}

impl Stepper for Opened {
    fn arithmetic(&self, precision: Precision) -> Arithmetic {
        Arithmetic {
            multiplies_e4m3: self.0.multiplies_e4m3,
            ..Arithmetic::native(precision)
        }
    }

    fn free(&self) -> Option<u64> {
        Some(memory::free(&self.0.context))
    }

    fn room(&self) -> Option<u64> {
        Some(self.0.room())
    }

    fn machine(&self, bank: &Bank, bytes: usize) -> Result<Box<dyn Machine>, EngineError> {
        Ok(Box::new(CardMachine::new(&self.0, bank, bytes)?))
    }
}
