//! The noise of a seed is PyTorch's, to the bit.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

#[path = "golden/fnv.rs"]
mod fnv;
#[path = "golden/golden.rs"]
mod golden;

use atelier_flux::seed::randn;
use proptest::prelude::*;
use serde::Deserialize;

#[derive(Deserialize)]
struct Row {
    seed: u64,
    count: usize,
    first: Vec<f32>,
    last: Vec<f32>,
    fnv: String,
}

#[test]
fn draws_what_torch_draws_for_every_count() {
    for row in golden::rows::<Row>("randn.json") {
        let samples = randn(row.seed, row.count);
        let name = format!("seed {}, count {}", row.seed, row.count);
        assert_eq!(samples.len(), row.count, "{name}");
        assert_eq!(samples[..row.first.len()], row.first, "{name}");
        assert_eq!(samples[row.count - row.last.len()..], row.last, "{name}");
        assert_eq!(
            fnv::fnv(samples.iter().flat_map(|sample| sample.to_le_bytes())),
            row.fnv,
            "{name}"
        );
    }
}

#[test]
fn high_half_of_a_seed_does_not_count() {
    assert_eq!(randn(42, 128), randn(42 + (7 << 32), 128));
    assert_ne!(randn(42, 128), randn(43, 128));
}

#[test]
fn samples_are_standard_normal() {
    let samples = randn(3, 1 << 18);
    let count = samples.len() as f64;
    let mean = samples.iter().copied().map(f64::from).sum::<f64>() / count;
    let variance = samples
        .iter()
        .map(|sample| (f64::from(*sample) - mean).powi(2))
        .sum::<f64>()
        / count;
    assert!(mean.abs() < 0.01, "{mean}");
    assert!((variance - 1.0).abs() < 0.01, "{variance}");
}

/// How many samples of `count` do not depend on there being no more of them: PyTorch draws blocks of
/// 16, and the last 16 anew where they are no whole block.
fn settled(count: usize) -> usize {
    if count.is_multiple_of(16) {
        count
    } else {
        count - 16
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn fewer_samples_are_the_first_of_more(seed: u64, few in 16_usize..3000, more in 16_usize..3000) {
        let (few, more) = (few.min(more), few.max(more));
        let settled = settled(few).min(settled(more));
        prop_assert_eq!(&randn(seed, few)[..settled], &randn(seed, more)[..settled]);
    }

    #[test]
    fn every_sample_is_a_number(seed: u64, count in 0_usize..200) {
        let samples = randn(seed, count);
        prop_assert_eq!(samples.len(), count);
        // Box–Muller on the 53 bits of few samples, or the 24 of many, gives at most √(2·53·ln 2).
        let most = if count < 16 { 8.58 } else { 5.77 };
        prop_assert!(samples.iter().all(|sample| sample.abs() < most), "{samples:?}");
    }
}
