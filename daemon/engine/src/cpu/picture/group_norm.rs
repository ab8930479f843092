//! Group normalisation of pictures whose channels lie beside one another.
//!
//! Statistics are taken first, in one pass; normalising is an affine map per channel, which a
//! convolution applies while it reads ([`Affine`]), so a normalised picture is never written.
//!
//! A group has up to hundreds of millions of values. One running f32 sum over them loses digits, and
//! the mean of the squares less the square of the mean loses all of them where the mean is large:
//! means and deviations are taken in small blocks, in two passes over a block, and joined in f64.

use rayon::prelude::*;

use pulp::{Arch, Simd, WithSimd};

use crate::cpu::exp::silu;

/// Pixels whose mean and deviation are taken at once.
const BLOCK: usize = 64;

/// Pixels per task.
const TASK: usize = 64 * BLOCK;

/// How many values there are, their mean, and the sum of their squared distances from it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Moments {
    count: f64,
    mean: f64,
    squares: f64,
}

impl Moments {
    /// Of no values.
    pub(crate) const NONE: Self = Self {
        count: 0.0,
        mean: 0.0,
        squares: 0.0,
    };

    /// Of both sets of values together (Chan, Golub and LeVeque 1979).
    pub(crate) fn join(self, other: Self) -> Self {
        let count = self.count + other.count;
        if count == 0.0 {
            return self;
        }
        let apart = other.mean - self.mean;
        Self {
            count,
            mean: self.mean + apart * (other.count / count),
            squares: self.squares
                + other.squares
                + apart * apart * (self.count * other.count / count),
        }
    }

    /// The mean.
    pub(crate) fn mean(self) -> f64 {
        self.mean
    }

    /// The mean squared distance from the mean.
    pub(crate) fn variance(self) -> f64 {
        self.squares / self.count.max(1.0)
    }
}

/// `x · scale + shift` per channel, then `x · sigmoid(x)` if `silu`.
#[derive(Debug)]
pub(crate) struct Affine {
    pub(crate) scale: Vec<f32>,
    pub(crate) shift: Vec<f32>,
    pub(crate) silu: bool,
}

impl Affine {
    /// Normalisation by these moments of each group, then a learned `weight` and `bias` per channel.
    pub(crate) fn normalise(
        groups: &[Moments],
        weight: &[f32],
        bias: &[f32],
        eps: f64,
        silu: bool,
    ) -> Self {
        let width = (weight.len() / groups.len().max(1)).max(1);
        let scale_of = |channel: usize| {
            let group = groups[channel / width];
            f64::from(weight[channel]) / (group.variance() + eps).sqrt()
        };
        let shift_of = |channel: usize| {
            f64::from(bias[channel]) - groups[channel / width].mean() * scale_of(channel)
        };
        #[allow(clippy::cast_possible_truncation, reason = "rounding is meant")]
        let rounded = |of: &dyn Fn(usize) -> f64| (0..weight.len()).map(|c| of(c) as f32).collect();
        Self {
            scale: rounded(&scale_of),
            shift: rounded(&shift_of),
            silu,
        }
    }

    /// Maps one pixel.
    #[inline(always)]
    pub(super) fn apply(&self, pixel: &[f32], out: &mut [f32]) {
        let parameters = self.scale.iter().zip(&self.shift);
        for ((out, &x), (scale, shift)) in out.iter_mut().zip(pixel).zip(parameters) {
            *out = x * scale + shift;
        }
        if self.silu {
            for x in out {
                *x = silu(*x);
            }
        }
    }
}

/// Moments of each group over all these runs of pixels. The same runs give the same moments, whatever
/// the number of threads.
pub(crate) fn moments<'a>(
    runs: impl Iterator<Item = &'a [f32]>,
    channels: usize,
    groups: usize,
) -> Vec<Moments> {
    let tasks: Vec<&[f32]> = runs
        .flat_map(|values| values.chunks(TASK * channels))
        .collect();
    let arch = Arch::new();
    let parts: Vec<Vec<Moments>> = tasks
        .into_par_iter()
        .map(|values| arch.dispatch(Measure { values, channels }))
        .collect();
    let mut sums = vec![Moments::NONE; groups];
    let width = (channels / groups.max(1)).max(1);
    for part in parts {
        for (channel, moments) in part.into_iter().enumerate() {
            let sum = &mut sums[channel / width];
            *sum = sum.join(moments);
        }
    }
    sums
}

/// Moments of each channel of some pixels.
struct Measure<'a> {
    values: &'a [f32],
    channels: usize,
}

impl WithSimd for Measure<'_> {
    type Output = Vec<Moments>;

    #[inline(always)]
    #[allow(clippy::cast_precision_loss, reason = "a block has few pixels")]
    fn with_simd<S: Simd>(self, _: S) -> Vec<Moments> {
        let mut sums = vec![Moments::NONE; self.channels];
        let mut mean = vec![0.0_f32; self.channels];
        let mut squares = vec![0.0_f32; self.channels];
        for block in self.values.chunks(BLOCK * self.channels) {
            let count = (block.len() / self.channels) as f32;
            mean.fill(0.0);
            for pixel in block.chunks_exact(self.channels) {
                for (sum, x) in mean.iter_mut().zip(pixel) {
                    *sum += x;
                }
            }
            for sum in &mut mean {
                *sum /= count;
            }
            squares.fill(0.0);
            for pixel in block.chunks_exact(self.channels) {
                for ((sum, x), mean) in squares.iter_mut().zip(pixel).zip(&mean) {
                    let apart = x - mean;
                    *sum += apart * apart;
                }
            }
            for ((sum, &mean), &squares) in sums.iter_mut().zip(&mean).zip(&squares) {
                *sum = sum.join(Moments {
                    count: f64::from(count),
                    mean: f64::from(mean),
                    squares: f64::from(squares),
                });
            }
        }
        sums
    }
}
