//! The product of very few tokens with a weight, such as the time's vector: each number of the weight
//! is used once or twice, so all that counts is to read it quickly, and packing would be waste.

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::finish::Finish;
use super::matrix::{Matrix, Rows};
use super::operands::Operands;
use super::scratch::{self, Slot};

thread_local! {
    static WIDENED: Slot = const { Slot::new(Vec::new()) };
}

/// Most tokens that are treated so.
pub(crate) const MOST: usize = 3;
/// Rows of the weight that a thread takes at a time.
const ROWS: usize = 8;

/// As [`product`](super::product::product), for at most [`MOST`] tokens.
pub(crate) fn product<R: Rows + ?Sized, F: Finish>(
    operands: Operands,
    inputs: &[Matrix<'_>],
    weight: &R,
    finish: &F,
    out: &mut [f32],
    width: usize,
) {
    let arch = Arch::new();
    let (outputs, depth) = (weight.rows(), weight.row_length());
    let tokens = out.len() / width;
    let joined: Vec<Vec<f32>> = (0..tokens)
        .map(|token| {
            let inputs = inputs.iter().flat_map(|input| input.row(token));
            let mut joined: Vec<f32> = inputs.copied().collect();
            operands.round(&mut joined);
            joined
        })
        .collect();
    // [outputs, tokens]
    let mut sums = vec![0.0; outputs * tokens];
    sums.par_chunks_mut(ROWS * tokens)
        .enumerate()
        .for_each(|(number, sums)| {
            let rows = sums.len() / tokens;
            scratch::with(&WIDENED, rows * depth, |widened| {
                weight.widen_rows(number * ROWS, widened);
                arch.dispatch(Dots {
                    operands,
                    tokens: &joined,
                    rows: widened,
                    sums,
                });
            });
        });
    let halves = if F::IN_HALVES { 2 } else { 1 };
    for (token, out) in out.chunks_exact_mut(width).enumerate() {
        let own: Vec<f32> = sums.iter().skip(token).step_by(tokens).copied().collect();
        let (sums, partners) = own.split_at(outputs / halves);
        finish.finish(token, 0, sums, partners, out);
    }
}

/// The dot products of each row with each token.
struct Dots<'a> {
    operands: Operands,
    tokens: &'a [Vec<f32>],
    rows: &'a mut [f32],
    sums: &'a mut [f32],
}

impl WithSimd for Dots<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        self.operands.round(self.rows);
        let depth = self.tokens.first().map_or(0, Vec::len);
        let sums = self.sums.chunks_exact_mut(self.tokens.len());
        for (row, sums) in self.rows.chunks_exact(depth.max(1)).zip(sums) {
            for (token, sum) in self.tokens.iter().zip(sums) {
                *sum = dot(simd, row, token);
            }
        }
    }
}

/// Σ aᵢ·bᵢ, in as many running sums as hide the latency of an addition.
#[inline(always)]
fn dot<S: Simd>(simd: S, a: &[f32], b: &[f32]) -> f32 {
    const SUMS: usize = 4;
    let (a, a_rest) = S::as_simd_f32s(a);
    let (b, b_rest) = S::as_simd_f32s(b);
    let (a, a_last) = a.as_chunks::<SUMS>();
    let (b, b_last) = b.as_chunks::<SUMS>();
    let mut sums = [simd.splat_f32s(0.0); SUMS];
    for (a, b) in a.iter().zip(b) {
        for i in 0..SUMS {
            sums[i] = simd.mul_add_e_f32s(a[i], b[i], sums[i]);
        }
    }
    for (sum, (&a, &b)) in sums.iter_mut().zip(a_last.iter().zip(b_last)) {
        *sum = simd.mul_add_e_f32s(a, b, *sum);
    }
    let [first, second, third, fourth] = sums;
    let sum = simd.add_f32s(simd.add_f32s(first, second), simd.add_f32s(third, fourth));
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    simd.reduce_sum_f32s(sum) + rest
}
