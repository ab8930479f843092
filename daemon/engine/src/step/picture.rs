//! The autoencoder's halves as programs.
//!
//! A picture is rows of channels, one row a pixel. A convolution is its neighbourhoods laid out as rows, a product
//! with its weight, and what is added; of a large picture some rows of pixels at a time, so that what is laid out
//! takes a bounded place whatever the picture. A group normalisation is a factor and a summand for each channel, and
//! those are applied where neighbourhoods are laid out, so no normalised picture is ever held. Sums and moments are
//! f32; what is held and multiplied is f32 or bf16, never 8-bit floats.
//!
//! [`network`] says which weights there are, [`build`](mod@build) makes a program for a picture's size.

mod build;
mod network;
mod runner;
#[cfg(test)]
mod tests;

pub(crate) use network::Side;
pub(crate) use runner::PictureRunner;

/// Channels that a kernel has at once: rows are multiples of it.
const EACH: usize = 8;

/// The least multiple of [`EACH`] that holds so many channels.
fn padded(channels: usize) -> usize {
    channels.next_multiple_of(EACH)
}
