//! Heads: how rows of queries, keys and values are cut, and what is done to each before attention.

use burn::tensor::{Tensor, s};

use super::RmsNorm;
use super::local::Local;
use crate::cpu::{self, Angles, Operands, Span};
use crate::rope::{Pairing, Rotation};

/// How many heads there are, and how wide each is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Heads {
    /// Heads of queries.
    pub(crate) count: usize,
    /// Heads of keys and of values: as many, or each serves several queries' heads in a row.
    pub(crate) shared: usize,
    /// Numbers of a head.
    pub(crate) width: usize,
    /// What is rounded before it is multiplied, weights included.
    pub(crate) operands: Operands,
}

/// Heads side by side in a row that are treated alike.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HeadSpan<'a> {
    /// The first head, counted in heads from the row's start.
    pub(crate) first: usize,
    pub(crate) count: usize,
    /// Over a head's width.
    pub(crate) norm: Option<&'a RmsNorm>,
}

/// Normalises these heads of each row, `[tokens, heads · width]`, then turns them; in place where nothing
/// else holds the rows.
pub(crate) fn prepare(
    rows: Tensor<2>,
    heads: Heads,
    spans: &[HeadSpan<'_>],
    rotation: &Rotation,
    pairing: Pairing,
) -> Tensor<2> {
    let rows = match Local::take(rows) {
        Ok(rows) => rows,
        Err(rows) => return composed(rows, heads, spans, rotation, pairing),
    };
    let norms: Vec<_> = spans
        .iter()
        .map(|span| span.norm.and_then(RmsNorm::local))
        .collect();
    let local: Vec<_> = spans
        .iter()
        .zip(&norms)
        .map(|(span, norm)| Span {
            start: span.first * heads.width,
            heads: span.count,
            norm: norm.as_ref().map(|(scale, eps)| (scale.row(), *eps)),
        })
        .collect();
    let Some([cos, sin]) = rotation.local() else {
        return composed(rows.into_tensor(), heads, spans, rotation, pairing);
    };
    let angles = Angles {
        cos: cos.matrix(),
        sin: sin.matrix(),
        pairs: pairing,
    };
    let mut rows = rows;
    let width = rows.matrix().width();
    cpu::prepare(rows.values_mut(), width, &local, angles);
    rows.into_tensor()
}

/// In burn's operations.
fn composed(
    rows: Tensor<2>,
    heads: Heads,
    spans: &[HeadSpan<'_>],
    rotation: &Rotation,
    pairing: Pairing,
) -> Tensor<2> {
    let [tokens, _] = rows.dims();
    spans.iter().fold(rows, |rows, span| {
        let columns = s![
            ..,
            span.first * heads.width..(span.first + span.count) * heads.width
        ];
        let shape = [tokens, span.count, heads.width];
        let part = rows.clone().slice(columns).reshape(shape);
        let part = match span.norm {
            Some(norm) => norm.composed(part),
            None => part,
        };
        let part = rotation.apply(part, pairing);
        let shape = [tokens, span.count * heads.width];
        rows.slice_assign(columns, part.reshape(shape))
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use burn::tensor::{Device, Distribution};

    use super::*;
    use crate::layers::testing::distance;
    use crate::rope::frequencies;

    #[test]
    fn agrees_with_the_composition() {
        let device = Device::flex();
        for (tokens, width, pairing) in [
            (1, 128, Pairing::Adjacent),
            (37, 128, Pairing::Adjacent),
            (37, 16, Pairing::Halves),
            (5, 6, Pairing::Halves),
        ] {
            let heads = Heads {
                count: 3,
                shared: 1,
                width,
                operands: Operands::F32,
            };
            let draw = |shape: [usize; 2]| {
                Tensor::<2>::random(shape, Distribution::Normal(0.0, 2.0), &device)
            };
            let norm = RmsNorm::of(draw([1, width]).squeeze_dim(0), 1e-6);
            let spans = [
                HeadSpan {
                    first: 0,
                    count: 3,
                    norm: Some(&norm),
                },
                HeadSpan {
                    first: 3,
                    count: 1,
                    norm: None,
                },
            ];
            let places: Vec<_> = (0..u32::try_from(tokens).unwrap()).map(|n| [n]).collect();
            let pairs: Vec<_> = frequencies(width, 1e4).map(|rate| (0, rate)).collect();
            let rotation = Rotation::new(&places, &pairs, &device);
            let rows = draw([tokens, 5 * width]);
            let expected = composed(rows.clone(), heads, &spans, &rotation, pairing);
            let found = prepare(rows, heads, &spans, &rotation, pairing);
            assert!(distance(found, expected) < 1e-6, "{tokens} {width}");
        }
    }
}
