//! Which part of a picture a piece of work covers.
//!
//! Encoder and decoder may be run on a part of a picture. A convolution sees its neighbourhood, so what
//! it gives for a part covers less than the part, but at the picture's own border, where the
//! neighbourhood is zero for the whole picture too. Following this exactly, pixel by pixel, is what makes
//! a picture that is put together of parts equal to one that is made whole: nothing is cut off too late
//! and no seam has to be hidden.

/// A stretch of rows or columns: from the first up to, without it, the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: usize,
    pub(super) end: usize,
}

impl Span {
    /// As many rows or columns.
    pub(super) fn len(self) -> usize {
        self.end - self.start
    }

    /// What lies in both.
    pub(super) fn within(self, other: Self) -> Self {
        let start = self.start.max(other.start);
        Self {
            start,
            end: self.end.min(other.end).max(start),
        }
    }
}

/// How a stage's result lies to what it reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Geometry {
    /// A pixel needs those at most so far away.
    Near(usize),
    /// Every pixel becomes four; then a pixel needs its neighbours.
    Doubled,
    /// Every fourth pixel remains, and needs two rows and columns after its own.
    Halved,
    /// A pixel needs all.
    Everything,
}

impl Geometry {
    /// The whole result's length, of a whole input's.
    pub(super) fn whole(self, input: usize) -> usize {
        match self {
            Self::Near(_) | Self::Everything => input,
            Self::Doubled => 2 * input,
            Self::Halved => input / 2,
        }
    }

    /// What must be read of an input of `whole` rows to make these rows of the result.
    pub(super) fn needed(self, out: Span, whole: usize) -> Span {
        let near = |reach: usize, whole: usize| Span {
            start: out.start.saturating_sub(reach),
            end: (out.end + reach).min(whole),
        };
        match self {
            Self::Near(reach) => near(reach, whole),
            Self::Doubled => {
                let doubled = near(1, 2 * whole);
                Span {
                    start: doubled.start / 2,
                    end: doubled.end.div_ceil(2),
                }
            }
            Self::Halved => Span {
                start: 2 * out.start,
                end: (2 * out.end + 1).min(whole),
            },
            Self::Everything => Span {
                start: 0,
                end: whole,
            },
        }
    }

    /// Which rows of the result can be made of these rows of an input of `whole`.
    pub(super) fn made(self, input: Span, whole: usize) -> Span {
        let near = |input: Span, whole: usize, reach: usize| {
            let start = if input.start == 0 {
                0
            } else {
                input.start + reach
            };
            let end = if input.end == whole {
                whole
            } else {
                input.end.saturating_sub(reach)
            };
            Span {
                start,
                end: end.max(start),
            }
        };
        match self {
            Self::Near(reach) => near(input, whole, reach),
            Self::Doubled => {
                let doubled = Span {
                    start: 2 * input.start,
                    end: 2 * input.end,
                };
                near(doubled, 2 * whole, 1)
            }
            Self::Halved => {
                let start = input.start.div_ceil(2);
                let end = if input.end == whole {
                    whole / 2
                } else {
                    input.end.saturating_sub(1) / 2
                };
                Span {
                    start,
                    end: end.max(start),
                }
            }
            Self::Everything => input,
        }
    }
}

/// The rows and columns of a part.
pub(super) type Region = [Span; 2];

/// The size and place of a part of a picture with some channels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shape {
    /// Rows and columns of the whole picture, at this level.
    pub(super) whole: [usize; 2],
    /// Those that this part covers.
    pub(super) region: Region,
    pub(super) channels: usize,
}

impl Shape {
    /// All of a picture.
    pub(super) fn of_whole(whole: [usize; 2], channels: usize) -> Self {
        Self {
            whole,
            region: whole.map(|end| Span { start: 0, end }),
            channels,
        }
    }

    /// Its rows and columns.
    pub(super) fn size(&self) -> [usize; 2] {
        self.region.map(Span::len)
    }

    /// How many pixels it has.
    pub(super) fn pixels(&self) -> usize {
        self.region[0].len() * self.region[1].len()
    }

    /// Bytes of its numbers.
    pub(super) fn bytes(&self) -> u64 {
        4 * (self.pixels() * self.channels) as u64
    }

    /// What a stage makes of it.
    pub(super) fn made(&self, geometry: Geometry, channels: usize) -> Self {
        let axis = |axis: usize| geometry.made(self.region[axis], self.whole[axis]);
        Self {
            whole: self.whole.map(|whole| geometry.whole(whole)),
            region: [axis(0), axis(1)],
            channels,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const GEOMETRIES: [Geometry; 5] = [
        Geometry::Near(0),
        Geometry::Near(1),
        Geometry::Near(2),
        Geometry::Doubled,
        Geometry::Halved,
    ];

    proptest! {
        #[test]
        fn what_is_needed_makes_what_is_wanted(
            half in 4_usize..40,
            number in 0_usize..5,
            ends in [0.0_f64..1.0, 0.0..1.0],
        ) {
            let geometry = GEOMETRIES[number];
            let whole = 2 * half;
            let result = geometry.whole(whole);
            let place = |share: f64| (share * result as f64) as usize;
            let (a, b) = (place(ends[0]), place(ends[1]));
            let wanted = Span { start: a.min(b), end: a.max(b) + 1 };
            let needed = geometry.needed(wanted, whole);
            prop_assert!(needed.end <= whole);
            let made = geometry.made(needed, whole);
            prop_assert!(made.start <= wanted.start && wanted.end <= made.end);
            // Nothing more is read than parity forces, or than an edge gives by itself: what is near
            // enough to one needs nothing beyond it.
            prop_assert!(made.len() <= wanted.len() + 4, "{made:?} {wanted:?}");
            let all = Span { start: 0, end: whole };
            prop_assert_eq!(geometry.made(all, whole), Span { start: 0, end: result });
        }
    }
}
