//! Scaled dot-product attention, `softmax(q·kᵀ/√d)·v`.

use burn::tensor::ops::AttentionModuleOptions;
use burn::tensor::{Bool, Tensor, activation, module, s};

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
pub(crate) fn attend_single_head(query: Tensor<2>, key: Tensor<2>, value: Tensor<2>) -> Tensor<2> {
    let [queries, width] = query.dims();
    #[allow(clippy::cast_precision_loss, reason = "a width is far below 2^52")]
    let query = query / (width as f64).sqrt();
    let key = key.transpose();
    let parts = (0..queries).step_by(QUERIES_AT_ONCE).map(|start| {
        let end = queries.min(start + QUERIES_AT_ONCE);
        let scores = query.clone().slice(s![start..end, ..]).matmul(key.clone());
        activation::softmax(scores, 1).matmul(value.clone())
    });
    Tensor::cat(parts.collect(), 0)
}
