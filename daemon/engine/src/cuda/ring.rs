//! Weights that come and go: two places on the card, filled in turn while what is in the other is used.
//!
//! The order in which blocks are used is the same in every program, so the ring needs no plan: when a block has been
//! used, its place is filled with the block after the next. At the end of a step that is the beginning of the next
//! one, which so finds its first blocks there.

use std::time::Instant;

use cudarc::driver::CudaEvent;

use super::context::Context;
use super::memory::{Memory, Pinned};
use super::queue::Queue;
use crate::error::EngineError;
use crate::step::bank::Bank;
use crate::step::residency::{Residency, SLOTS};

/// Blocks in the host's memory, and the places on the card that they come to.
#[derive(Debug)]
pub(super) struct Ring {
    queue: Queue,
    /// In the order in which they are used.
    blocks: Vec<Block>,
    slots: Vec<Slot>,
    /// Which block is used next, and which is brought next.
    used: usize,
    brought: usize,
    /// Bytes per second of one copy with nothing beside it.
    pub(super) rate: f64,
}

#[derive(Debug)]
struct Block {
    group: usize,
    bytes: usize,
    host: Pinned,
}

#[derive(Debug)]
struct Slot {
    memory: Memory,
    /// That its block has come.
    filled: Option<CudaEvent>,
    /// That its block has been used.
    free: Option<CudaEvent>,
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
        let slots = (0..SLOTS).map(|_| {
            Ok(Slot {
                memory: Memory::new(
                    &context.context,
                    plan.slot,
                    "the places for streamed weights",
                )?,
                filled: None,
                free: None,
            })
        });
        let mut ring = Self {
            queue: context.side.clone(),
            slots: slots.collect::<Result<_, EngineError>>()?,
            blocks,
            used: 0,
            brought: 0,
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
            self.queue
                .bring(slot.memory.pointer(), &block.host, block.bytes)?;
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
        self.slots.iter().map(|slot| slot.memory.bytes()).sum()
    }

    /// Brings the next block to the place whose block was used the longest ago.
    fn bring(&mut self) -> Result<(), EngineError> {
        let block = &self.blocks[self.brought % self.blocks.len()];
        let slot = &mut self.slots[self.brought % SLOTS];
        if let Some(free) = &slot.free {
            self.queue.wait(free)?;
        }
        self.queue
            .bring(slot.memory.pointer(), &block.host, block.bytes)?;
        slot.filled = Some(self.queue.mark(false)?);
        self.brought += 1;
        Ok(())
    }

    /// Where a block is; what `compute` does from now on finds it there. `None` if it is not one of the ring's.
    pub(super) fn enter(
        &mut self,
        group: usize,
        compute: &Queue,
    ) -> Result<Option<u64>, EngineError> {
        if !self.blocks.iter().any(|block| block.group == group) {
            return Ok(None);
        }
        let due = &self.blocks[self.used % self.blocks.len()];
        if due.group != group {
            return Err(EngineError::Compute {
                reason: format!("block {group} was asked for when {} was due", due.group),
            });
        }
        let slot = &self.slots[self.used % SLOTS];
        if let Some(filled) = &slot.filled {
            compute.wait(filled)?;
        }
        Ok(Some(slot.memory.pointer()))
    }

    /// The block that was entered is not used after what is on `compute` now; its place is filled anew.
    pub(super) fn leave(&mut self, group: usize, compute: &Queue) -> Result<(), EngineError> {
        if !self.blocks.iter().any(|block| block.group == group) {
            return Ok(());
        }
        self.slots[self.used % SLOTS].free = Some(compute.mark(false)?);
        self.used += 1;
        self.bring()
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
