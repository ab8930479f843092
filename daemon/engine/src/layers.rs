//! The few kinds of layer that FLUX.2's networks are made of, on burn tensors.
//!
//! Tokens are `[tokens, width]` and pictures `[1, channels, height, width]`: one picture is made at
//! a time, so tokens carry no batch axis. All arithmetic is f32, but for
//! what linear layers and attention multiply where they are told to round it ([`Scope::rounding`](crate::weights::Scope::rounding)). These layers know nothing of FLUX.2,
//! and the networks use nothing of burn's own modules, which store linear weights transposed.

mod attention;
mod convolution;
mod group_norm;
mod heads;
mod linear;
pub(crate) mod local;
mod norm;
mod side;
#[cfg(test)]
pub(crate) mod testing;

pub(crate) use attention::{KeyValue, attend};
pub(crate) use convolution::{Convolution, Prepared};
pub(crate) use group_norm::GroupNorm;
pub(crate) use heads::{HeadSpan, Heads, prepare};
pub(crate) use linear::Linear;
pub(crate) use norm::{LayerNorm, RmsNorm};
