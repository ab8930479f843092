//! NVIDIA cards.
//!
//! Nothing here starts CUDA before it is known that it can be started: [`Survey::take`] looks first, with calls that
//! fail as values, and [`Survey::card`] says in words what is there or what is missing and how to have it. burn, which
//! could compute on a card too and ends its device thread by a panic where there is none, is not asked to.
//!
//! A card that is fit is opened as a [`context`], which runs the programs of [`step`](crate::step): [`machine`] has a
//! network's weights, [`ring`] those that do not fit, [`kernels`] and [`products`] what computes, [`queue`] and
//! [`memory`] what all of it is done with.

pub mod caches;
#[allow(unsafe_code, reason = "CUDA's interface is C")]
mod context;
mod fault;
#[allow(unsafe_code, reason = "NVIDIA's compiler has an interface of C")]
mod kernels;
mod lack;
mod machine;
#[allow(unsafe_code, reason = "CUDA's interface is C")]
mod memory;
mod nvml;
#[allow(unsafe_code, reason = "cuBLASLt's interface is C")]
mod products;
#[allow(unsafe_code, reason = "CUDA's interface is C")]
mod queue;
mod ring;
mod survey;
mod version;

pub(crate) use context::Opened;
pub(crate) use kernels::edition;
pub use lack::Lack;
pub(crate) use nvml::{Meter, Watch};
pub(crate) use survey::driver_is_there;
pub use survey::{Card, Survey};
pub use version::Version;
