//! What is done to queries and keys before attention, in place: each head's normalisation and rotation.

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::matrix::Matrix;
use super::norm::rms_factor;

/// Rows that a thread takes at a time.
const ROWS: usize = 16;

/// Which dimensions of a head are turned together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pairs {
    /// Each even dimension with the next.
    Adjacent,
    /// Each dimension of the first half with the same one of the second.
    Halves,
}

/// Heads side by side in a row that are treated alike.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span<'a> {
    /// The first number of the first head.
    pub(crate) start: usize,
    pub(crate) heads: usize,
    /// The scale of the root-mean-square normalisation, as wide as a head, and its ε; none, no
    /// normalisation.
    pub(crate) norm: Option<(&'a [f32], f32)>,
}

/// The cosines and sines that tokens are turned by, each `[tokens, head width / 2]`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Angles<'a> {
    pub(crate) cos: Matrix<'a>,
    pub(crate) sin: Matrix<'a>,
    pub(crate) pairs: Pairs,
}

/// Normalises and turns the heads of these spans, in rows of `width` numbers.
pub(crate) fn prepare(rows: &mut [f32], width: usize, spans: &[Span<'_>], angles: Angles<'_>) {
    let arch = Arch::new();
    rows.par_chunks_mut(ROWS * width.max(1))
        .enumerate()
        .for_each(|(number, rows)| {
            arch.dispatch(Part {
                rows,
                width,
                first: number * ROWS,
                spans,
                angles,
            });
        });
}

/// Some of the rows.
struct Part<'a> {
    rows: &'a mut [f32],
    width: usize,
    first: usize,
    spans: &'a [Span<'a>],
    angles: Angles<'a>,
}

impl WithSimd for Part<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let head_width = 2 * self.angles.cos.width();
        for (token, row) in (self.first..).zip(self.rows.chunks_exact_mut(self.width)) {
            let (cos, sin) = (self.angles.cos.row(token), self.angles.sin.row(token));
            for span in self.spans {
                let heads = row[span.start..].chunks_exact_mut(head_width);
                for head in heads.take(span.heads) {
                    if let Some((scale, eps)) = span.norm {
                        let factor = rms_factor(simd, head, eps);
                        for (x, scale) in head.iter_mut().zip(scale) {
                            *x *= factor * scale;
                        }
                    }
                    match self.angles.pairs {
                        Pairs::Adjacent => turn_adjacent(head, cos, sin),
                        Pairs::Halves => turn_halves(head, cos, sin),
                    }
                }
            }
        }
    }
}

#[inline(always)]
fn turn_adjacent(head: &mut [f32], cos: &[f32], sin: &[f32]) {
    let pairs = head.as_chunks_mut::<2>().0;
    for ([first, second], (cos, sin)) in pairs.iter_mut().zip(cos.iter().zip(sin)) {
        (*first, *second) = (*first * cos - *second * sin, *first * sin + *second * cos);
    }
}

#[inline(always)]
fn turn_halves(head: &mut [f32], cos: &[f32], sin: &[f32]) {
    let (firsts, seconds) = head.split_at_mut(cos.len());
    let angles = cos.iter().zip(sin);
    for ((first, second), (cos, sin)) in firsts.iter_mut().zip(seconds).zip(angles) {
        (*first, *second) = (*first * cos - *second * sin, *first * sin + *second * cos);
    }
}
