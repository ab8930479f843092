//! Scaled dot-product attention, `softmax(q·kᵀ/√d)·v`.

use burn::tensor::ops::AttentionModuleOptions;
use burn::tensor::{Bool, Tensor, module, s};

use super::heads::Heads;
use super::linear::round;
use super::local::{self, Local};
use crate::cpu;

/// Keys and values of some tokens, each `[tokens, heads · head width]`.
#[derive(Debug, Clone)]
pub(crate) struct KeyValue {
    pub(crate) key: Tensor<2>,
    pub(crate) value: Tensor<2>,
}

impl KeyValue {
    /// The same in memory of their own, to be kept: as they are projected they are columns of a larger
    /// tensor, which they would keep too.
    pub(crate) fn alone(self) -> Self {
        Self {
            key: local::alone(self.key),
            value: local::alone(self.value),
        }
    }
}

/// Attention of all queries, `[tokens, heads · head width]` each, to all keys: both may come in several
/// parts, in one order. A mask is `[1, 1, queries, keys]`, true where a query must not look. Gives for
/// each part of the queries as much as it holds.
pub(crate) fn attend(
    heads: Heads,
    queries: &[Tensor<2>],
    seen: &[KeyValue],
    mask: Option<&Tensor<4, Bool>>,
) -> Vec<Tensor<2>> {
    attend_locally(heads, queries, seen, mask)
        .unwrap_or_else(|| composed(heads, queries, seen, mask))
}

fn attend_locally(
    heads: Heads,
    queries: &[Tensor<2>],
    seen: &[KeyValue],
    mask: Option<&Tensor<4, Bool>>,
) -> Option<Vec<Tensor<2>>> {
    let queries = Local::all(queries)?;
    let keys: Option<Vec<_>> = seen.iter().map(|seen| Local::of(&seen.key)).collect();
    let values: Option<Vec<_>> = seen.iter().map(|seen| Local::of(&seen.value)).collect();
    let (keys, values) = (keys?, values?);
    let mask: Option<Vec<bool>> = match mask {
        Some(mask) => Some(mask.to_data().try_into_vec().ok()?),
        None => None,
    };
    let mut outs: Vec<_> = queries
        .iter()
        .map(|queries| vec![0.0; queries.matrix().rows() * queries.matrix().width()])
        .collect();
    let layout = cpu::Heads {
        count: heads.count,
        width: heads.width,
    };
    cpu::attend(
        heads.operands,
        layout,
        &matrices(&queries),
        &matrices(&keys),
        &matrices(&values),
        mask.as_deref(),
        &mut outs.iter_mut().map(Vec::as_mut_slice).collect::<Vec<_>>(),
    );
    let width = heads.count * heads.width;
    let outs = outs.into_iter();
    Some(outs.map(|out| local::wrap(out, width)).collect())
}

fn matrices(tensors: &[Local]) -> Vec<cpu::Matrix<'_>> {
    tensors.iter().map(Local::matrix).collect()
}

/// In burn's operations.
///
/// Of what operands are rounded to, burn rounds queries, keys and values; weights stay as they are.
///
/// The scale is left to the default: stating even the same number would make the GPU backend
/// choose a slower kernel that holds all scores at once.
fn composed(
    heads: Heads,
    queries: &[Tensor<2>],
    seen: &[KeyValue],
    mask: Option<&Tensor<4, Bool>>,
) -> Vec<Tensor<2>> {
    let by_head = |parts: Vec<Tensor<2>>, count: usize| {
        let rows = round(Tensor::cat(parts, 0), heads.operands);
        let [tokens, _] = rows.dims();
        let x: Tensor<3> = rows.reshape([tokens, count, heads.width]);
        // Each shared head is repeated for the heads that it serves: not every backend's attention does
        // so by itself.
        let each = heads.count / count;
        let x = x
            .unsqueeze_dim::<4>(2)
            .expand([tokens, count, each, heads.width]);
        let x: Tensor<3> = x.reshape([tokens, heads.count, heads.width]);
        x.swap_dims(0, 1).unsqueeze::<4>()
    };
    let keys = seen.iter().map(|seen| seen.key.clone()).collect();
    let values = seen.iter().map(|seen| seen.value.clone()).collect();
    let out = module::attention(
        by_head(queries.to_vec(), heads.count),
        by_head(keys, heads.shared),
        by_head(values, heads.shared),
        mask.cloned(),
        None,
        AttentionModuleOptions::default(),
    );
    let out: Tensor<3> = out.squeeze_dim::<3>(0).swap_dims(0, 1);
    let [tokens, ..] = out.dims();
    let out: Tensor<2> = out.reshape([tokens, heads.count * heads.width]);
    let mut start = 0;
    let parts = queries.iter().map(|queries| {
        let end = start + queries.dims()[0];
        let part = out.clone().slice(s![start..end, ..]);
        start = end;
        part
    });
    parts.collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use burn::tensor::{Device, Distribution, TensorData};

    use super::*;
    use crate::cpu::Operands;
    use crate::layers::testing::distance;

    fn draw(rows: usize, width: usize) -> Tensor<2> {
        // Large enough that some weights dwarf others.
        let normal = Distribution::Normal(0.0, 1.5);
        Tensor::random([rows, width], normal, &Device::flex())
    }

    /// Queries and keys in parts of these sizes.
    fn parts(heads: Heads, queries: &[usize], keys: &[usize]) -> (Vec<Tensor<2>>, Vec<KeyValue>) {
        let queries = queries
            .iter()
            .map(|&rows| draw(rows, heads.count * heads.width));
        let width = heads.shared * heads.width;
        let seen = keys.iter().map(|&rows| KeyValue {
            key: draw(rows, width),
            value: draw(rows, width),
        });
        (queries.collect(), seen.collect())
    }

    #[test]
    fn agrees_with_the_composition() {
        for (count, shared, width, queries, keys) in [
            (1, 1, 128, &[1][..], &[1][..]),
            (2, 2, 128, &[97, 300], &[97, 300]),
            (4, 2, 16, &[5], &[3, 1, 700]),
            (6, 1, 20, &[100, 1], &[257]),
        ] {
            let heads = Heads {
                count,
                shared,
                width,
                operands: Operands::F32,
            };
            let (queries, seen) = parts(heads, queries, keys);
            for (operands, most) in [(Operands::F32, 5e-6), (Operands::Bf16, 1e-2)] {
                let heads = Heads { operands, ..heads };
                let found = attend(heads, &queries, &seen, None);
                let expected = composed(heads, &queries, &seen, None);
                for (found, expected) in found.into_iter().zip(expected) {
                    assert!(distance(found, expected) < most, "{heads:?}");
                }
            }
        }
    }

    #[test]
    fn nothing_comes_from_where_a_query_must_not_look() {
        let heads = Heads {
            count: 2,
            shared: 1,
            width: 32,
            operands: Operands::F32,
        };
        let tokens = 300;
        let (queries, seen) = parts(heads, &[tokens], &[tokens]);
        // Earlier tokens only, and the third never.
        let hidden: Vec<bool> = (0..tokens)
            .flat_map(|query| (0..tokens).map(move |key| key > query || key == 2))
            .collect();
        let mask = TensorData::new(hidden, [1, 1, tokens, tokens]);
        let mask = Tensor::from_data(mask, &Device::flex());
        let found = attend(heads, &queries, &seen, Some(&mask)).remove(0);
        let expected = composed(heads, &queries, &seen, Some(&mask)).remove(0);
        assert!(distance(found, expected) < 5e-6);
    }

    #[test]
    fn a_query_that_sees_nothing_gets_nothing() {
        let heads = Heads {
            count: 1,
            shared: 1,
            width: 16,
            operands: Operands::F32,
        };
        let (queries, seen) = parts(heads, &[2], &[3]);
        let hidden = TensorData::new(vec![true, true, true, false, true, true], [1, 1, 2, 3]);
        let mask = Tensor::from_data(hidden, &Device::flex());
        let found = attend(heads, &queries, &seen, Some(&mask)).remove(0);
        let blind: f32 = found.clone().slice(s![..1, ..]).abs().max().into_scalar();
        assert_eq!(blind.to_bits(), 0);
        let first = seen[0].value.clone().slice(s![..1, ..]);
        assert!(distance(found.slice(s![1.., ..]), first) < 1e-6);
    }

    /// Queries that [`attend_single_head`] scores at once.
    const QUERIES_AT_ONCE: usize = 512;

    /// Attention of one wide head, `[tokens, width]`, in burn's operations, a few queries after another.
    ///
    /// The weights' sum is taken by the product with the values, as one more column of ones. A running
    /// f32 sum over thousands of keys, which a softmax makes, drops the small weights beside a large one;
    /// the product adds in blocks.
    fn attend_single_head(query: Tensor<2>, key: Tensor<2>, value: Tensor<2>) -> Tensor<2> {
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

    #[test]
    fn one_wide_head_is_attended_like_any() {
        // More queries than are scored at once, so that parts are joined; more width than a block.
        let heads = Heads {
            count: 1,
            shared: 1,
            width: 300,
            operands: Operands::F32,
        };
        let (queries, seen) = parts(heads, &[700], &[700]);
        let found = attend(heads, &queries, &seen, None).remove(0);
        let (query, KeyValue { key, value }) = (queries[0].clone(), seen[0].clone());
        assert!(distance(found, attend_single_head(query, key, value)) < 5e-6);
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
        let expected = 1.0 / (1.0 + 32_767.0 * (-13.0_f64).exp());
        let heads = Heads {
            count: 1,
            shared: 1,
            width: 1,
            operands: Operands::F32,
        };
        let seen = KeyValue {
            key: key.clone(),
            value: value.clone(),
        };
        let many = attend(heads, std::slice::from_ref(&query), &[seen], None).remove(0);
        for found in [many, attend_single_head(query, key, value)] {
            let found = found.max();
            let found: f32 = found.into_scalar();
            assert!(
                (f64::from(found) / expected - 1.0).abs() < 1e-5,
                "{found} {expected}"
            );
        }
    }
}
