//! The operations on pictures: rows of channels, one row a pixel, each row of pixels after the one above it.

use crate::step::place::{Address, Matrix};

/// How what a convolution makes lies to what it reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Window {
    /// A pixel of a pixel.
    Point,
    /// 3×3 around a pixel, zeros around the picture.
    Near,
    /// The same of a picture in which every pixel stands four times.
    Doubled,
    /// 3×3 at every other pixel and to the right of it and below, zeros at the right and at the bottom alone.
    Halved,
}

impl Window {
    /// Pixels of a neighbourhood, in either direction.
    pub(crate) fn side(self) -> usize {
        match self {
            Self::Point => 1,
            Self::Near | Self::Doubled | Self::Halved => 3,
        }
    }

    /// By how many pixels it begins before its own.
    pub(crate) fn before(self) -> usize {
        usize::from(matches!(self, Self::Near | Self::Doubled))
    }

    /// Pixels from one to the next.
    pub(crate) fn stride(self) -> usize {
        if self == Self::Halved { 2 } else { 1 }
    }

    /// How often each pixel stands there in either direction.
    pub(crate) fn each(self) -> usize {
        if self == Self::Doubled { 2 } else { 1 }
    }

    /// Height and width of what is made of such a picture.
    pub(crate) fn made(self, size: [usize; 2]) -> [usize; 2] {
        size.map(|side| side * self.each() / self.stride())
    }
}

/// The neighbourhoods of some pixels as rows: `[pixel][row of the window][its column][channel]`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Patches {
    /// `[height · width, channels]`.
    pub(crate) from: Matrix,
    /// Its height and width.
    pub(crate) size: [usize; 2],
    /// What each number becomes before it is laid out.
    pub(crate) affine: Option<Channels>,
    /// Whether SiLU follows that.
    pub(crate) silu: bool,
    pub(crate) window: Window,
    /// The first row of the result's pixels; rows below the picture are zeros.
    pub(crate) first: usize,
    /// The result's width.
    pub(crate) width: usize,
    /// `[rows · width, side² · channels]`, of the kind of `from`.
    pub(crate) out: Matrix,
}

impl Patches {
    /// Rows of the result's pixels.
    pub(crate) fn rows(&self) -> usize {
        self.out.rows / self.width
    }
}

/// A factor and a summand for each channel, f32.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Channels {
    pub(crate) scale: Address,
    pub(crate) shift: Address,
}

/// Mean and sum of squares around it, of each channel in each slice of the rows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Moments {
    pub(crate) x: Matrix,
    /// Rows of a slice.
    pub(crate) slice: usize,
    /// f32 `[2 · slices, channels]`: of each slice the means, then the sums.
    pub(crate) out: Matrix,
}

impl Moments {
    /// Rows of a slice of so many: never more than 1024 slices, and none smaller than is worth a block.
    pub(crate) fn slice_of(rows: usize) -> usize {
        const MOST: usize = 1024;
        const LEAST: usize = 64;
        rows.div_ceil(MOST).max(LEAST)
    }
}

/// A group normalisation as what it does to each channel: `scale = weight/√(variance + eps)`,
/// `shift = bias − mean·scale`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Affine {
    /// What [`Moments`] left.
    pub(crate) moments: Matrix,
    /// Rows that they are of, in all and in a slice.
    pub(crate) rows: usize,
    pub(crate) slice: usize,
    pub(crate) groups: usize,
    pub(crate) eps: f32,
    /// f32, one per channel.
    pub(crate) weight: Address,
    pub(crate) bias: Address,
    pub(crate) out: Channels,
}

/// `out = y + bias + add`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Settle {
    /// f32.
    pub(crate) y: Matrix,
    /// f32, as long as a row.
    pub(crate) bias: Address,
    /// Of the kind of `out`, which it may be.
    pub(crate) add: Option<Matrix>,
    pub(crate) out: Matrix,
}

/// Rows of pixels to planes of channels, with a bias.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Planes {
    /// f32, at least as many columns as there are planes.
    pub(crate) y: Matrix,
    /// f32, one per plane.
    pub(crate) bias: Address,
    /// The pixel that the first row is.
    pub(crate) first: usize,
    /// f32 `[planes, pixels]`.
    pub(crate) out: Matrix,
}

/// `out = softmax(factor·scores)`, row by row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Softmax {
    /// f32.
    pub(crate) scores: Matrix,
    /// Columns that count; those after them become 0.
    pub(crate) keys: usize,
    pub(crate) factor: f32,
    pub(crate) out: Matrix,
}
