//! Normalisations, a row at a time.

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::matrix::Matrix;

/// Rows that a thread takes at a time.
const ROWS: usize = 16;
/// Running sums, so that an addition need not wait for the one before.
const SUMS: usize = 4;

/// What is done to each row.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Norm<'a> {
    /// `(1 + scale)·(x − mean)/deviation + shift`.
    Layer { scale: &'a [f32], shift: &'a [f32] },
    /// `x/rms·scale`.
    Rms { scale: &'a [f32] },
}

/// Normalises each row of `x` into `out`, dense and as large.
pub(crate) fn normalise(x: Matrix<'_>, norm: Norm<'_>, eps: f32, out: &mut [f32]) {
    if x.width() == 0 {
        return;
    }
    let arch = Arch::new();
    out.par_chunks_mut(ROWS * x.width())
        .enumerate()
        .for_each(|(number, out)| {
            let first = number * ROWS;
            arch.dispatch(Part {
                x,
                first,
                norm,
                eps,
                out,
            });
        });
}

/// Some of the rows.
struct Part<'a> {
    x: Matrix<'a>,
    first: usize,
    norm: Norm<'a>,
    eps: f32,
    out: &'a mut [f32],
}

impl WithSimd for Part<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let rows = self.out.chunks_exact_mut(self.x.width());
        for (number, out) in (self.first..).zip(rows) {
            let x = self.x.row(number);
            match self.norm {
                Norm::Layer { scale, shift } => {
                    let mean = mean(simd, x);
                    let factor = 1.0 / (mean_square(simd, x, mean) + self.eps).sqrt();
                    let rest = x.iter().zip(scale).zip(shift);
                    for (out, ((x, scale), shift)) in out.iter_mut().zip(rest) {
                        *out = ((x - mean) * factor).mul_add(1.0 + scale, *shift);
                    }
                }
                Norm::Rms { scale } => {
                    let factor = rms_factor(simd, x, self.eps);
                    for (out, (x, scale)) in out.iter_mut().zip(x.iter().zip(scale)) {
                        *out = x * factor * scale;
                    }
                }
            }
        }
    }
}

/// What a row is multiplied by to have a mean square of 1.
#[inline(always)]
pub(super) fn rms_factor<S: Simd>(simd: S, x: &[f32], eps: f32) -> f32 {
    1.0 / (mean_square(simd, x, 0.0) + eps).sqrt()
}

#[inline(always)]
fn mean<S: Simd>(simd: S, x: &[f32]) -> f32 {
    sum(simd, x, |sum, x| simd.add_f32s(sum, x), |x| x) / length(x)
}

/// The mean of `(x − centre)²`.
#[inline(always)]
fn mean_square<S: Simd>(simd: S, x: &[f32], centre: f32) -> f32 {
    let middle = simd.splat_f32s(centre);
    let add = |sum, x| {
        let apart = simd.sub_f32s(x, middle);
        simd.mul_add_e_f32s(apart, apart, sum)
    };
    sum(simd, x, add, |x| (x - centre) * (x - centre)) / length(x)
}

/// Sums a row: `add` adds a vector to a running sum, `single` gives the summand of one number.
#[inline(always)]
fn sum<S: Simd>(
    simd: S,
    x: &[f32],
    add: impl Fn(S::f32s, S::f32s) -> S::f32s,
    single: impl Fn(f32) -> f32,
) -> f32 {
    let (vectors, rest) = S::as_simd_f32s(x);
    let (blocks, last) = vectors.as_chunks::<SUMS>();
    let mut sums = [simd.splat_f32s(0.0); SUMS];
    for block in blocks {
        for (sum, &x) in sums.iter_mut().zip(block) {
            *sum = add(*sum, x);
        }
    }
    for (sum, &x) in sums.iter_mut().zip(last) {
        *sum = add(*sum, x);
    }
    let [first, second, third, fourth] = sums;
    let sum = simd.add_f32s(simd.add_f32s(first, second), simd.add_f32s(third, fourth));
    rest.iter()
        .fold(simd.reduce_sum_f32s(sum), |sum, &x| sum + single(x))
}

#[allow(clippy::cast_precision_loss, reason = "a width is far below 2^24")]
fn length(x: &[f32]) -> f32 {
    x.len() as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::testing::{assert_close, draw};

    #[test]
    fn rows_are_centred_and_scaled() {
        for (rows, width) in [(1, 1), (3, 7), (17, 64), (40, 1001)] {
            // Far from zero, where a variance by mean squares would lose its digits.
            let x: Vec<f32> = draw(1, rows * width).iter().map(|x| x + 50.0).collect();
            let (scale, shift) = (draw(2, width), draw(3, width));
            let expected = |x: &[f32]| {
                let x: Vec<f64> = x.iter().copied().map(f64::from).collect();
                let count = f64::from(u32::try_from(width).unwrap_or(u32::MAX));
                let mean = x.iter().sum::<f64>() / count;
                let power = x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / count;
                let normal = x
                    .into_iter()
                    .map(move |x| (x - mean) / (power + 1e-6).sqrt());
                let of_width = scale.iter().zip(&shift);
                let out = normal.zip(of_width);
                out.map(|(x, (&scale, &shift))| x * f64::from(1.0 + scale) + f64::from(shift))
                    .collect::<Vec<_>>()
            };
            let expected: Vec<f64> = x.chunks_exact(width).flat_map(expected).collect();
            let norm = Norm::Layer {
                scale: &scale,
                shift: &shift,
            };
            let mut found = vec![f32::NAN; x.len()];
            normalise(Matrix::dense(&x, width), norm, 1e-6, &mut found);
            let far: Vec<f64> = expected.iter().map(|x| x + 50.0).collect();
            let found: Vec<f32> = found.iter().map(|x| x + 50.0).collect();
            assert_close(&found, &far);
        }
    }

    #[test]
    fn rows_are_scaled_to_their_mean_square() {
        for (rows, width) in [(1, 1), (3, 7), (17, 64), (40, 1001)] {
            let (x, scale) = (draw(4, rows * width), draw(5, width));
            let expected = |x: &[f32]| {
                let count = f64::from(u32::try_from(width).unwrap_or(u32::MAX));
                let power = x.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>() / count;
                let out = x.iter().zip(&scale);
                out.map(|(&x, &scale)| f64::from(x) / (power + 1e-5).sqrt() * f64::from(scale))
                    .collect::<Vec<_>>()
            };
            let expected: Vec<f64> = x.chunks_exact(width).flat_map(expected).collect();
            let mut found = vec![f32::NAN; x.len()];
            let norm = Norm::Rms { scale: &scale };
            normalise(Matrix::dense(&x, width), norm, 1e-5, &mut found);
            assert_close(&found, &expected);
        }
    }
}
