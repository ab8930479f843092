//! From scores to weights, one query and one tile of keys at a time.

use pulp::Simd;

use crate::cpu::exp::exp;

/// Turns scores into weights relative to the largest score so far, which it updates. Gives what earlier
/// weights are to be multiplied by, and the sum of the new ones.
#[inline(always)]
pub(super) fn weigh<S: Simd>(
    simd: S,
    scores: &mut [f32],
    hidden: Option<&[bool]>,
    largest: &mut f32,
) -> (f32, f32) {
    if let Some(hidden) = hidden {
        for (score, &hidden) in scores.iter_mut().zip(hidden) {
            *score = if hidden { f32::NEG_INFINITY } else { *score };
        }
    }
    let before = *largest;
    let now = maximum(simd, scores, before);
    if now == f32::NEG_INFINITY {
        scores.fill(0.0);
        return (1.0, 0.0);
    }
    *largest = now;
    for score in scores.iter_mut() {
        *score = exp(*score - now);
    }
    if let Some(hidden) = hidden {
        for (weight, &hidden) in scores.iter_mut().zip(hidden) {
            *weight = if hidden { 0.0 } else { *weight };
        }
    }
    let factor = if before.to_bits() == now.to_bits() {
        1.0
    } else {
        exp(before - now)
    };
    (factor, total(simd, scores))
}

/// The largest of `values` and `least`.
#[inline(always)]
fn maximum<S: Simd>(simd: S, values: &[f32], least: f32) -> f32 {
    let (vectors, rest) = S::as_simd_f32s(values);
    let largest = vectors
        .iter()
        .fold(simd.splat_f32s(least), |largest, &value| {
            simd.max_f32s(largest, value)
        });
    let largest = simd.reduce_max_f32s(largest);
    rest.iter().copied().fold(largest, f32::max)
}

#[inline(always)]
fn total<S: Simd>(simd: S, values: &[f32]) -> f32 {
    let (vectors, rest) = S::as_simd_f32s(values);
    let sum = vectors.iter().fold(simd.splat_f32s(0.0), |sum, &value| {
        simd.add_f32s(sum, value)
    });
    let sum = simd.reduce_sum_f32s(sum);
    rest.iter().fold(sum, |sum, value| sum + value)
}
