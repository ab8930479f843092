//! The stages that encoder and decoder are sequences of.

use super::blocks::{PixelAttention, ResidualBlock};
use super::shape::{Geometry, Shape};
use crate::layers::{Convolution, GroupNorm};

/// One stage.
#[derive(Debug)]
pub(super) enum Stage {
    /// A convolution that keeps the size.
    Convolve(Convolution),
    Residual(ResidualBlock),
    Attend(PixelAttention),
    /// Every pixel four times, then a convolution.
    Double(Convolution),
    /// A convolution with stride 2.
    Halve(Convolution),
    /// Normalise, SiLU, convolve.
    Head {
        norm: GroupNorm,
        out: Convolution,
    },
}

impl Stage {
    /// How its result lies to what it reads.
    pub(super) fn geometry(&self) -> Geometry {
        match self {
            Self::Convolve(convolution) => Geometry::Near(convolution.reach()),
            Self::Residual(block) => Geometry::Near(block.first.reach() + block.second.reach()),
            Self::Attend(_) => Geometry::Everything,
            Self::Double(_) => Geometry::Doubled,
            Self::Halve(_) => Geometry::Halved,
            Self::Head { out, .. } => Geometry::Near(out.reach()),
        }
    }

    /// How many group normalisations it has.
    pub(super) fn normalisations(&self) -> usize {
        match self {
            Self::Convolve(_) | Self::Double(_) | Self::Halve(_) => 0,
            Self::Attend(_) | Self::Head { .. } => 1,
            Self::Residual(_) => 2,
        }
    }

    /// Channels of its result.
    pub(super) fn outputs(&self) -> usize {
        match self {
            Self::Convolve(convolution)
            | Self::Double(convolution)
            | Self::Halve(convolution)
            | Self::Head {
                out: convolution, ..
            } => convolution.outputs(),
            Self::Residual(block) => block.second.outputs(),
            Self::Attend(attention) => attention.channels(),
        }
    }

    /// The size and place of what it makes of this.
    pub(super) fn made(&self, input: &Shape) -> Shape {
        input.made(self.geometry(), self.outputs())
    }
}
