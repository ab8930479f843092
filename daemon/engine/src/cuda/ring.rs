//! Weights that come and go: two places on the card, filled in turn while what is in the other is used.
//!
//! The order in which blocks are used is the same in every program, so the ring needs no plan: when a block has been
//! used, its place is filled with the block after the next. At the end of a step that is the beginning of the next
//! one, which so finds its first blocks there.

mod turns;

use std::time::Instant;

use cudarc::driver::CudaEvent;

use super::context::Context;
use super::memory::{Memory, Pinned};
use super::queue::Queue;
use crate::error::EngineError;
use crate::step::bank::Bank;
use crate::step::residency::{Residency, SLOTS};
use turns::{Lane, Turns};

/// Blocks in the host's memory, and the places on the card that they come to.
#[derive(Debug)]
pub(super) struct Ring {
    queue: Queue,
    /// In the order in which they are used.
    blocks: Vec<Block>,
    slots: Vec<Memory>,
    turns: Turns<CudaEvent>,
    /// Bytes per second of one copy with nothing beside it.
    pub(super) rate: f64,
}

#[derive(Debug)]
struct Block {
    group: usize,
    bytes: usize,
    host: Pinned,
}

impl Lane for Queue {
    type Mark = CudaEvent;

    fn mark(&self) -> Result<CudaEvent, EngineError> {
        Self::mark(self, false)
    }

    fn wait(&self, mark: &CudaEvent) -> Result<(), EngineError> {
        Self::wait(self, mark)
    }
}

impl Ring {
    /// Copies the blocks that do not stay to memory that the card reads by itself.
    pub(super) fn new(
        context: &Context,
        bank: &Bank,
        plan: &Residency,
    ) -> Result<Option<Self>, EngineError> {
        if plan.slot == 0 {
            return Ok(None);
        }
        let what = "the weights that do not stay on the card";
        let streams = (0..bank.groups()).filter(|&group| !plan.stays[group]);
        let blocks = streams.map(|group| {
            let bytes = bank.bytes(group);
            let mut host = Pinned::new(&context.context, bytes, what)?;
            bank.fill(group, &mut host.as_mut_slice()[..bytes]);
            Ok(Block { group, bytes, host })
        });
        let blocks = blocks.collect::<Result<Vec<_>, EngineError>>()?;
        let what = "the places for streamed weights";
        let slots = (0..SLOTS).map(|_| Memory::new(&context.context, plan.slot, what));
        let mut ring = Self {
            queue: context.side.clone(),
            slots: slots.collect::<Result<_, EngineError>>()?,
            turns: Turns::new(blocks.iter().map(|block| block.group).collect()),
            blocks,
            rate: 0.0,
        };
        ring.rate = ring.measure()?;
        for _ in 0..SLOTS {
            ring.bring()?;
        }
        Ok(Some(ring))
    }

    /// The rate of the link, from copies of the first block to the first place.
    #[allow(
        clippy::cast_precision_loss,
        reason = "a block is far below 2^52 bytes"
    )]
    fn measure(&self) -> Result<f64, EngineError> {
        const ROUNDS: u32 = 3;
        let (Some(block), Some(slot)) = (self.blocks.first(), self.slots.first()) else {
            return Ok(0.0);
        };
        self.queue.finish()?;
        let began = Instant::now();
        for _ in 0..ROUNDS {
            self.queue.bring(slot.pointer(), &block.host, block.bytes)?;
        }
        self.queue.finish()?;
        Ok(block.bytes as f64 * f64::from(ROUNDS) / began.elapsed().as_secs_f64())
    }

    /// Bytes that come in each step.
    pub(super) fn bytes(&self) -> usize {
        self.blocks.iter().map(|block| block.bytes).sum()
    }

    /// Bytes on the card.
    pub(super) fn held(&self) -> usize {
        self.slots.iter().map(Memory::bytes).sum()
    }

    /// Brings the next block to the place whose block was used the longest ago.
    fn bring(&mut self) -> Result<(), EngineError> {
        let (queue, blocks, slots) = (&self.queue, &self.blocks, &self.slots);
        self.turns.bring(queue, |block, slot| {
            let block = &blocks[block];
            queue.bring(slots[slot].pointer(), &block.host, block.bytes)
        })
    }

    /// Where a block is; what `compute` does from now on finds it there. `None` if it is not one of the ring's.
    pub(super) fn enter(
        &mut self,
        group: usize,
        compute: &Queue,
    ) -> Result<Option<u64>, EngineError> {
        let slot = self.turns.enter(group, compute)?;
        Ok(slot.map(|slot| self.slots[slot].pointer()))
    }

    /// The block that was entered is not used after what is on `compute` now; its place is filled anew.
    pub(super) fn leave(&mut self, group: usize, compute: &Queue) -> Result<(), EngineError> {
        match self.turns.leave(group, compute)? {
            true => self.bring(),
            false => Ok(()),
        }
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        // Copies may still read the host's memory.
        if let Err(error) = self.queue.finish() {
            tracing::debug!(%error, "the last copies failed");
        }
    }
}
