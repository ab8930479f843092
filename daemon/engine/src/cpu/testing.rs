//! What the kernels' tests share.

/// Numbers between −1 and 1 that look random, another sequence for each seed.
#[allow(clippy::cast_precision_loss, reason = "24 bits are exact in f32")]
pub(crate) fn draw(seed: u64, count: usize) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let next = |_| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1 << 23) as f32 - 1.0
    };
    (0..count).map(next).collect()
}

/// `x·weightᵀ` in f64, each of rows of `depth` numbers.
pub(crate) fn exact(x: &[f32], weight: &[f32], depth: usize) -> Vec<f64> {
    let dot = |a: &[f32], b: &[f32]| -> f64 {
        let pairs = a.iter().zip(b);
        pairs.map(|(&a, &b)| f64::from(a) * f64::from(b)).sum()
    };
    let rows = x.chunks_exact(depth);
    rows.flat_map(|x| weight.chunks_exact(depth).map(move |row| dot(x, row)))
        .collect()
}

/// Compares in relative L2.
pub(crate) fn assert_close(found: &[f32], expected: &[f64]) {
    let distance = distance(found, expected);
    assert!(distance < 1e-6, "{distance}");
}

/// `|found − expected| / |expected|` in L2.
pub(crate) fn distance(found: &[f32], expected: &[f64]) -> f64 {
    assert_eq!(found.len(), expected.len());
    let norm = |values: &mut dyn Iterator<Item = f64>| values.map(|x| x * x).sum::<f64>().sqrt();
    let apart = norm(&mut found.iter().zip(expected).map(|(&a, b)| f64::from(a) - b));
    apart / norm(&mut expected.iter().copied())
}
