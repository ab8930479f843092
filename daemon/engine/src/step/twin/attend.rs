//! Attention.

use half::bf16;

use super::{Twin, multiply, times_transposed};
use crate::step::op::Attend;
use crate::step::place::Kind;

impl Twin {
    pub(super) fn attend(&mut self, attend: &Attend) {
        let (heads, shared) = (attend.heads(), attend.shared());
        let width = attend.width;
        let (queries, keys) = (attend.query.rows, attend.key.rows);
        let all = [&attend.query, &attend.key, &attend.value].map(|matrix| self.read(matrix));
        let mut out = vec![0.0; queries * heads * width];
        for head in 0..heads {
            let of = |which: usize, head: usize, heads: usize| -> Vec<f32> {
                let rows = all[which].chunks_exact(heads * width);
                rows.flat_map(|row| &row[head * width..(head + 1) * width])
                    .copied()
                    .collect()
            };
            let own = head / (heads / shared);
            let (query, key, value) = (of(0, head, heads), of(1, own, shared), of(2, own, shared));
            let mut scores = times_transposed(&query, &key, [queries, keys, width]);
            let mut sums = vec![0.0; queries];
            for (row, (scores, sum)) in scores.chunks_exact_mut(keys).zip(&mut sums).enumerate() {
                let seen = if attend.causal {
                    keys.min(row + 1)
                } else {
                    keys
                };
                *sum = weigh(scores, seen, attend.scale(), attend.query.kind);
            }
            let mut mixed = vec![0.0; queries * width];
            multiply(
                &mut mixed,
                [queries, width, keys],
                (&scores, [keys, 1]),
                (&value, [width, 1]),
            );
            for (row, (mixed, sum)) in mixed.chunks_exact(width).zip(sums).enumerate() {
                let out = &mut out[(row * heads + head) * width..][..width];
                for (out, mixed) in out.iter_mut().zip(mixed) {
                    *out = mixed / sum;
                }
            }
        }
        self.write(&attend.out, &out);
    }
}

/// Scores to weights whose sum is given; kernels that multiply brain floats round the weights to them, not the sum.
fn weigh(scores: &mut [f32], seen: usize, scale: f32, kind: Kind) -> f32 {
    let most = scores[..seen]
        .iter()
        .fold(f32::NEG_INFINITY, |most, x| most.max(*x));
    let mut sum = 0.0;
    for (key, score) in scores.iter_mut().enumerate() {
        let weight = if key < seen {
            ((*score - most) * scale).exp()
        } else {
            0.0
        };
        sum += weight;
        *score = match kind {
            Kind::F32 => weight,
            _ => bf16::from_f32(weight).to_f32(),
        };
    }
    sum
}
