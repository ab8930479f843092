//! NVIDIA cards.
//!
//! Nothing here starts CUDA before it is known that it can be started: burn, asked for a card on a machine
//! without one, ends its device thread by a panic, and says what is missing in a backtrace. So
//! [`Survey::take`] looks first, with calls that fail as values, and [`Survey::card`] says in words what is
//! there or what is missing and how to have it.

mod lack;
mod survey;
mod toolkit;

pub use lack::Lack;
pub use survey::{Card, Survey};
pub use toolkit::{Toolkit, Version};
