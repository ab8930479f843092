//! The transformer's step as a list of operations on one stretch of memory.
//!
//! On the processor a network's layers call burn, one after another, and each allocates what it gives. A card wants
//! it otherwise: few, large kernels on one queue, nothing allocated, nobody waiting, and weights that are where they
//! are needed when they are needed. So for a card a step is laid out before it is run. [`network`] says which
//! weights there are and what each is held and multiplied in, [`rooms`] where every number lies, and [`build`] makes
//! a [`Program`] of it: a list of [`op`]s that is the same in every step, with addresses for arguments.
//!
//! A program knows no device. One runs it on a card; another, [`twin`], runs it on the processor in plain
//! arithmetic, which is slow and is what every kernel is compared with. So the order of operations, the layout of
//! memory and the rounding to 8-bit floats are tested on machines that have no card.

pub(crate) mod bank;
mod build;
pub(crate) mod call;
pub(crate) mod compare;
mod emit;
mod floor;
pub(crate) mod machine;
pub(crate) mod network;
pub(crate) mod op;
mod picture;
pub(crate) mod place;
mod report;
pub(crate) mod residency;
pub(crate) mod rooms;
mod runner;
mod text;
pub(crate) mod twin;

use build::{Laid, Purpose};
pub(crate) use picture::{PictureRunner, Side};
pub(crate) use report::Held;
pub(crate) use runner::{Conditioning, Remembered, Runner};
pub(crate) use text::TextRunner;

use op::Op;

/// Operations, ready to be run as often as what they read changes.
#[derive(Debug)]
pub(crate) struct Program {
    pub(crate) ops: Vec<Op>,
    /// Bytes of the arena.
    pub(crate) bytes: usize,
}
