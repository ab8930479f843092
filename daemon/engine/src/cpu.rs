//! Kernels for the processor, on plain f32 slices.
//!
//! burn's own operations on the processor are general: each goes over memory once, on one layout, and
//! a network of them spends much of its time between them. The kernels here do what one stage of a
//! block needs in one go, while numbers are in a core's cache. They know nothing of files, of burn or
//! of FLUX.2: weights are [`Rows`] that can be widened, activations are a [`Matrix`]. [`layers`] calls
//! them where tensors are in this process's memory, and says the same in burn's terms for any other
//! device; tests compare the two.
//!
//! What to mind:
//!
//! - Vector instructions are chosen when the program runs ([`pulp::Arch`], `unit`), so whatever is to use them
//!   must be inlined into the dispatched function: hence `#[inline(always)]`. A closure or a call in
//!   between would be compiled for the oldest processor.
//! - Threads meet at the end of each parallel stage; nothing here waits for another thread otherwise, and
//!   nothing holds a buffer of its thread while rayon may hand the thread other work.
//! - Sums run over blocks of at most a few hundred products: one long f32 sum would lose digits.
//!
//! [`layers`]: crate::layers

mod attention;
mod exp;
mod few;
mod finish;
mod heads;
mod matrix;
mod norm;
mod operands;
mod panel;
pub(crate) mod picture;
mod product;
mod scratch;
#[cfg(test)]
mod testing;
mod tile;
mod unit;

pub(crate) use attention::{Heads, attend};
pub(crate) use finish::{Added, Finish, Plain, Swiglu};
pub(crate) use heads::{Angles, Pairs, Span, prepare};
pub(crate) use matrix::{Matrix, Rows, narrow_rows};
pub(crate) use norm::{Norm, normalise};
pub(crate) use operands::Operands;
pub(crate) use product::product;
pub(crate) use scratch::release;
