//! What the layers' tests share.

use burn::tensor::Tensor;

/// `|found − expected| / |expected|` in L2.
pub(crate) fn distance<const D: usize>(found: Tensor<D>, expected: Tensor<D>) -> f32 {
    let norm = |x: Tensor<D>| x.square().sum().sqrt();
    let distance = norm(found - expected.clone()) / norm(expected);
    distance.into_scalar()
}
