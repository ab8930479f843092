//! Kernels for pictures whose channels lie beside one another, `[height, width, channels]`.
//!
//! 3×3 convolutions are done by Winograd's F(4×4, 3×3) ([`Winograd`]), which takes a quarter of the
//! multiplications; the halving ones and the 1×1 ones as products of packed columns ([`Columns`]).
//! What precedes a convolution is done while it reads ([`Source`]: normalisation, SiLU, doubling), and
//! what follows while it writes ([`Target`]: bias, sum with what is there), a block of a few hundred
//! kilobytes after another. Neither a normalised nor a doubled picture, nor its columns, ever exists as
//! a whole: memory holds what a network has to keep, and little else.
//!
//! Channels beside one another make all of this vector work without gathering, and pixels are tokens:
//! attention ([`attend`]) reads the same layout.

mod attention;
mod columns;
mod group_norm;
mod panels;
mod stage;
mod winograd;

pub(crate) use attention::{Heads, attend, attention_bytes};
pub(crate) use columns::Columns;
pub(crate) use group_norm::{Affine, Moments, moments};
pub(crate) use stage::{Source, Target};
pub(crate) use winograd::Winograd;

/// Where weights come from: fills the numbers with whole rows `[inputs, height, width]` from this output
/// channel on.
pub(crate) type Rows<'a> = &'a (dyn Fn(usize, &mut [f32]) + Sync);
