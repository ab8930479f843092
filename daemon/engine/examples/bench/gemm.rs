//! The rate of a plain product of matrices on this machine, now.

use std::time::Instant;

use burn::tensor::{Device, Distribution, Tensor};

/// Tokens, outputs and inputs: a middle-sized layer, large enough to reach the full rate.
const SIZE: [usize; 3] = [1536, 3072, 1024];
const RUNS: usize = 5;

/// Floating-point operations in a second, the best of a few runs.
pub(crate) fn rate() -> f64 {
    let [tokens, outputs, inputs] = SIZE;
    let device = Device::flex();
    let draw = |rows, columns| {
        Tensor::<2>::random([rows, columns], Distribution::Normal(0.0, 1.0), &device)
    };
    let (x, weight) = (draw(tokens, inputs), draw(outputs, inputs));
    let seconds = (0..RUNS).map(|_| {
        let began = Instant::now();
        let product = x.clone().matmul(weight.clone().transpose());
        std::hint::black_box(product.dims());
        began.elapsed().as_secs_f64()
    });
    2.0 * SIZE.map(|side| side as f64).iter().product::<f64>()
        / seconds.fold(f64::INFINITY, f64::min)
}
