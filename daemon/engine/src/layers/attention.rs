//! Scaled dot-product attention, `softmax(q·kᵀ/√d)·v`.

use burn::tensor::ops::AttentionModuleOptions;
use burn::tensor::{Bool, Tensor, module, s};

/// Queries of [`attend_single_head`] that are scored at once: with 16384 keys, the latent of a
/// 1024² picture, their scores take 32 MiB.
const QUERIES_AT_ONCE: usize = 512;

/// Attention of many heads. Queries, keys and values are `[tokens, heads, head width]`; a mask is
/// `[1, 1, queries, keys]`, true where a query must not look. Gives `[queries, heads · head width]`.
///
/// The scale is left to the default: stating even the same number would make the GPU backend
/// choose a slower kernel that holds all scores at once.
pub(crate) fn attend(
    query: Tensor<3>,
    key: Tensor<3>,
    value: Tensor<3>,
    mask: Option<Tensor<4, Bool>>,
) -> Tensor<2> {
    let [queries, heads, width] = query.dims();
    let by_head = |x: Tensor<3>| x.swap_dims(0, 1).unsqueeze::<4>();
    let out = module::attention(
        by_head(query),
        by_head(key),
        by_head(value),
        mask,
        None,
        AttentionModuleOptions::default(),
    );
    out.squeeze_dim::<3>(0)
        .swap_dims(0, 1)
        .reshape([queries, heads * width])
}

/// Attention of one wide head, `[tokens, width]`, a few queries after another: backends spread the
/// heads of [`attend`] over the cores, and here there is only one.
///
/// The weights' sum is taken by the product with the values, as one more column of ones. A running
/// f32 sum over thousands of keys, which a softmax makes, drops the small weights beside a large one;
/// the product adds in blocks.
pub(crate) fn attend_single_head(query: Tensor<2>, key: Tensor<2>, value: Tensor<2>) -> Tensor<2> {
    let [queries, width] = query.dims();
    let [keys, _] = key.dims();
    #[allow(clippy::cast_precision_loss, reason = "a width is far below 2^52")]
    let query = query / (width as f64).sqrt();
    let key = key.transpose();
    let ones = Tensor::ones([keys, 1], &value.device());
    let value = Tensor::cat(vec![value, ones], 1);
    let parts = (0..queries).step_by(QUERIES_AT_ONCE).map(|start| {
        let end = queries.min(start + QUERIES_AT_ONCE);
        let scores = query.clone().slice(s![start..end, ..]).matmul(key.clone());
        let largest = scores.clone().max_dim(1);
        let summed = (scores - largest).exp().matmul(value.clone());
        summed.clone().slice(s![.., ..width]) / summed.slice(s![.., width..])
    });
    Tensor::cat(parts.collect(), 0)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use burn::tensor::{Device, Distribution};

    use super::*;

    #[test]
    fn one_head_agrees_with_the_attention_of_many() {
        let device = Device::flex();
        // More queries than are scored at once, so that parts are joined.
        let draw = || Tensor::<2>::random([700, 8], Distribution::Normal(0.0, 1.0), &device);
        let (query, key, value) = (draw(), draw(), draw());
        let head = |x: &Tensor<2>| x.clone().unsqueeze_dim::<3>(1);
        let expected = attend(head(&query), head(&key), head(&value), None);
        let found = attend_single_head(query, key, value);
        let largest: f32 = (found - expected).abs().max().into_scalar();
        assert!(largest < 1e-5, "{largest}");
    }

    #[test]
    fn a_large_weight_does_not_drown_the_small_ones() {
        let device = Device::flex();
        // One key scores 0, 32767 score −13: each weighs 2·10⁻⁶, all of them 7 %.
        let keys = 32_768;
        let mut scores = vec![-13.0_f32; keys];
        scores[0] = 0.0;
        let key = Tensor::<1>::from_floats(scores.as_slice(), &device).reshape([keys, 1]);
        let mut chosen = vec![0.0_f32; keys];
        chosen[0] = 1.0;
        let value = Tensor::<1>::from_floats(chosen.as_slice(), &device).reshape([keys, 1]);
        let query = Tensor::<2>::ones([16, 1], &device);
        let found = attend_single_head(query, key, value).max();
        let found: f32 = found.into_scalar();
        let expected = 1.0 / (1.0 + 32_767.0 * (-13.0_f64).exp());
        assert!(
            (f64::from(found) / expected - 1.0).abs() < 1e-5,
            "{found} {expected}"
        );
    }
}
