//! PyTorch's two ways from uniform to normal samples (`normal_kernel` of ATen's
//! `native/cpu/DistributionTemplates.h`).

use std::f64::consts::TAU;

use super::cephes;
use super::mt19937::Mt19937;

/// Samples per block of the vectorised fill, and the count from which it is used.
pub(super) const BLOCK: usize = 16;
const HALF: usize = BLOCK / 2;

/// Fewer than [`BLOCK`] samples: Box–Muller in f64, one pair after the other, rounded to f32. Of
/// each pair the cosine comes first; the sine of the last pair of an odd count is not used.
pub(super) fn fill_few(engine: &mut Mt19937, samples: &mut [f32]) {
    for pair in samples.chunks_mut(2) {
        let angle = TAU * engine.uniform_f64();
        let radius = (-2.0 * (-engine.uniform_f64()).ln_1p()).sqrt();
        for (sample, wave) in pair.iter_mut().zip([angle.cos(), angle.sin()]) {
            *sample = (radius * wave) as f32;
        }
    }
}

/// [`BLOCK`] samples or more: all uniform numbers are drawn first, then each whole block of 16 is
/// transformed. A count that is no multiple of 16 draws 16 fresh uniform numbers for its last 16
/// samples, so that some that the last whole block had made are made again.
///
/// # Panics
/// On fewer than [`BLOCK`] samples.
pub(super) fn fill_blocks(engine: &mut Mt19937, samples: &mut [f32]) {
    for sample in samples.iter_mut() {
        *sample = engine.uniform_f32();
    }
    let mut blocks = samples.chunks_exact_mut(BLOCK);
    for block in &mut blocks {
        transform(block);
    }
    if !blocks.into_remainder().is_empty() {
        let start = samples.len() - BLOCK;
        let last = &mut samples[start..];
        for sample in last.iter_mut() {
            *sample = engine.uniform_f32();
        }
        transform(last);
    }
}

/// Box–Muller on a block: the first eight numbers give the radii, the last eight the angles; the
/// cosines come out first, then the sines.
fn transform(block: &mut [f32]) {
    let (radii, angles) = block.split_at_mut(HALF);
    for (first, second) in radii.iter_mut().zip(angles) {
        let radius = (-2.0 * cephes::ln(1.0 - *first)).sqrt();
        let (sin, cos) = cephes::sin_cos(std::f32::consts::TAU * *second);
        // PyTorch ends with `sample * std + mean`: adding the mean of 0 turns -0 into +0.
        *first = radius * cos + 0.0;
        *second = radius * sin + 0.0;
    }
}
