//! A network on a card.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::context::Context;
use super::fault::failed;
use super::memory::{Memory, Pinned};
use super::products::{Places, Shape};
use super::ring::Ring;
use crate::error::EngineError;
use crate::step::Program;
use crate::step::bank::Bank;
use crate::step::call::call;
use crate::step::machine::{Machine, Traffic, number};
use crate::step::op::Op;
use crate::step::place::{Address, Matrix, Space};
use crate::step::residency::Residency;
use crate::step::twin::{decode, encode};

/// The weights of a network, or of as many of its blocks as fit, and memory to compute in.
#[derive(Debug)]
pub(super) struct CardMachine {
    card: Arc<Context>,
    epoch: u64,
    share: Share,
    arena: Memory,
    /// By group; a ring's block is where the ring says.
    groups: Vec<Option<Memory>>,
    /// Where each group is now.
    places: Vec<u64>,
    ring: Option<Ring>,
    /// Numbers on their way in the form in which they arrive.
    packed: Vec<u8>,
}

/// What a network has of what all may have.
#[derive(Debug)]
struct Share {
    card: Arc<Context>,
    bytes: u64,
}

impl Share {
    fn of(card: &Arc<Context>, bytes: usize) -> Self {
        let mut share = Self {
            card: Arc::clone(card),
            bytes: 0,
        };
        share.grow(bytes);
        share
    }

    fn grow(&mut self, bytes: usize) {
        self.bytes += bytes as u64;
        self.card.held.fetch_add(bytes as u64, Ordering::Relaxed);
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.card.held.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

impl CardMachine {
    /// Brings the weights, one group after another: what the host holds of them meanwhile is one group.
    pub(super) fn new(card: &Arc<Context>, bank: &Bank, bytes: usize) -> Result<Self, EngineError> {
        let room = card.room();
        let short = |needed: usize| EngineError::DeviceMemory {
            what: "the network",
            needed: needed as u64,
            free: room,
        };
        let budget = usize::try_from(room).unwrap_or(usize::MAX);
        let budget = budget.checked_sub(bytes).ok_or_else(|| short(bytes))?;
        let plan = Residency::within(bank, Some(budget));
        let plan = plan.ok_or_else(|| short(bytes + Residency::least(bank)))?;
        tracing::debug!(
            resident = plan.bytes,
            streamed = plan.streamed,
            arena = bytes,
            room,
            "a network goes to the card"
        );
        let arena = Memory::new(&card.context, bytes, "what the network computes in")?;
        let share = Share::of(card, plan.bytes + bytes);
        let largest = (0..bank.groups())
            .filter(|&group| plan.stays[group])
            .map(|group| bank.bytes(group));
        let mut host = Pinned::new(
            &card.context,
            largest.max().unwrap_or(0),
            "the weights' way to the card",
        )?;
        let mut groups = Vec::with_capacity(bank.groups());
        for (group, &stays) in plan.stays.iter().enumerate() {
            if !stays {
                groups.push(None);
                continue;
            }
            let bytes = bank.bytes(group);
            let memory = Memory::new(&card.context, bytes, "the network's weights")?;
            bank.fill(group, &mut host.as_mut_slice()[..bytes]);
            card.queue.bring(memory.pointer(), &host, bytes)?;
            // The next group takes the place of this one on the host.
            card.queue.finish()?;
            groups.push(Some(memory));
        }
        Ok(Self {
            epoch: number(),
            share,
            places: groups
                .iter()
                .map(|group| group.as_ref().map_or(0, Memory::pointer))
                .collect(),
            ring: Ring::new(card, bank, &plan)?,
            card: Arc::clone(card),
            arena,
            groups,
            packed: Vec::new(),
        })
    }

    fn place(&self, at: Address) -> u64 {
        let start = match at.space {
            Space::Arena => self.arena.pointer(),
            Space::Weights(group) => self.places[group],
        };
        start + at.offset as u64
    }

    fn apply(&mut self, op: &Op) -> Result<(), EngineError> {
        match op {
            Op::Enter(group) => {
                if let Some(ring) = &mut self.ring
                    && let Some(place) = ring.enter(*group, &self.card.queue)?
                {
                    self.places[*group] = place;
                }
                Ok(())
            }
            Op::Leave(group) => match &mut self.ring {
                Some(ring) => ring.leave(*group, &self.card.queue),
                None => Ok(()),
            },
            Op::Copy { from, to } => {
                let (to, from, bytes) = (self.place(to.at), self.place(from.at), from.bytes());
                self.card.queue.copy(to, from, bytes)
            }
            Op::Product { a, b, out } => self.product(a, b, out, op),
            _ => match call(op, &|at| self.place(at)) {
                Some(call) => {
                    let call = call.fitted(self.card.multiprocessor);
                    let function = self.card.kernels.function(&call)?;
                    self.card.queue.launch(&function, &call)
                }
                None => Ok(()),
            },
        }
    }

    fn product(&self, a: &Matrix, b: &Matrix, out: &Matrix, op: &Op) -> Result<(), EngineError> {
        let Some(ours) = call(op, &|at| self.place(at)) else {
            return Ok(());
        };
        let shape = Shape {
            rows: a.rows,
            outputs: b.rows,
            inputs: a.columns,
            operands: a.kind,
            out: out.kind,
        };
        let places = Places {
            a: self.place(a.at),
            b: self.place(b.at),
            out: self.place(out.at),
        };
        let card = &self.card;
        card.products
            .run(&card.queue, &card.kernels, shape, places, &ours)
    }
}

impl Machine for CardMachine {
    fn reserve(&mut self, bytes: usize) -> Result<(), EngineError> {
        let Some(growth) = bytes
            .checked_sub(self.arena.bytes())
            .filter(|&more| more > 0)
        else {
            return Ok(());
        };
        let (what, free) = ("what the network computes in", self.card.room());
        if growth as u64 > free {
            let needed = growth as u64;
            return Err(EngineError::DeviceMemory { what, needed, free });
        }
        let larger = Memory::new(&self.card.context, bytes, what)?;
        self.card.queue.keep(&larger, &self.arena)?;
        self.card.queue.finish()?;
        self.share.grow(growth);
        self.arena = larger;
        Ok(())
    }

    fn write(&mut self, program: &Program, to: &Matrix, values: &[f32]) -> Result<(), EngineError> {
        self.reserve(program.bytes)?;
        self.packed.resize(to.bytes(), 0);
        encode(to.kind, values, &mut self.packed);
        let queue = &self.card.queue;
        queue.write(self.place(to.at), &self.packed)?;
        // The next write packs in the same memory. A step begins with its few writes, while nothing is queued.
        queue.finish()
    }

    fn epoch(&self) -> u64 {
        self.epoch
    }

    fn run(&mut self, program: &Program) -> Result<(), EngineError> {
        let bound = self.card.context.bind_to_thread();
        bound.map_err(failed("computing"))?;
        program.ops.iter().try_for_each(|op| self.apply(op))
    }

    fn read(&mut self, from: &Matrix) -> Result<Vec<f32>, EngineError> {
        let mut bytes = vec![0; from.bytes()];
        self.card.queue.read(self.place(from.at), &mut bytes)?;
        Ok(decode(from.kind, &bytes))
    }

    fn finish(&mut self) -> Result<(), EngineError> {
        self.card.queue.finish()
    }

    fn traffic(&self) -> Option<Traffic> {
        let ring = self.ring.as_ref()?;
        Some(Traffic {
            bytes: ring.bytes() as u64,
            rate: ring.rate,
        })
    }

    fn weights(&self) -> u64 {
        let groups: usize = self.groups.iter().flatten().map(Memory::bytes).sum();
        let ring = self.ring.as_ref().map_or(0, Ring::held);
        (groups + ring) as u64
    }
}
