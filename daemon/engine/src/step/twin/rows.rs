//! What is done row by row.

use super::{Twin, silu};
use crate::step::op::{By, Gated, Heads, Norm, Normed, Span};

impl Twin {
    pub(super) fn norm(&mut self, norm: &Norm) {
        let width = norm.x.columns;
        let mut x = self.read(&norm.x);
        if let Some(update) = &norm.update {
            let y = self.scaled(&update.y);
            let gate = update.gate.map(|at| self.vector_at(at, width));
            for (index, (x, y)) in x.iter_mut().zip(y).enumerate() {
                *x += y * gate.as_ref().map_or(1.0, |gate| gate[index % width]);
            }
            self.write(&norm.x, &x);
        }
        if let Some(then) = &norm.then {
            for row in x.chunks_exact_mut(width) {
                self.normalise(then, row);
            }
            self.write_operand(&then.out, then.fixed, x);
        }
    }

    fn normalise(&self, normed: &Normed, row: &mut [f32]) {
        match normed.by {
            By::Layer { shift, scale } => {
                let average = mean(row.iter().copied());
                row.iter_mut().for_each(|x| *x -= average);
                let inverse = (mean(row.iter().map(|x| x * x)) + normed.eps)
                    .sqrt()
                    .recip();
                let shift = self.vector_at(shift, row.len());
                let scale = self.vector_at(scale, row.len());
                for (x, (shift, scale)) in row.iter_mut().zip(shift.iter().zip(scale)) {
                    *x = *x * inverse * (1.0 + scale) + shift;
                }
            }
            By::Rms { weight } => {
                let weight = self.vector_at(weight, row.len());
                root_mean_square(row, &weight, normed.eps);
            }
        }
    }

    pub(super) fn gated(&mut self, gated: &Gated) {
        let columns = gated.out.values.columns;
        let mut out = vec![0.0; gated.out.values.rows * columns];
        let front = gated.front.map(|front| (front.columns, self.read(&front)));
        let offset = front.as_ref().map_or(0, |front| front.0);
        let inner = gated.inner.map(|inner| (inner, self.scaled(&inner.y)));
        for (row, out) in out.chunks_exact_mut(columns).enumerate() {
            if let Some((width, front)) = &front {
                out[..*width].copy_from_slice(&front[row * width..][..*width]);
            }
            if let Some((inner, y)) = &inner {
                let y = &y[row * inner.y.values.columns..][..inner.y.values.columns];
                let pairs = y[inner.gate..].iter().zip(&y[inner.value..]);
                for (out, (gate, value)) in out[offset..].iter_mut().zip(pairs) {
                    *out = silu(*gate) * value;
                }
            }
        }
        self.write_operand(&gated.out, gated.fixed, out);
    }

    pub(super) fn heads(&mut self, heads: &Heads) {
        let y = self.scaled(&heads.y);
        let (rows, stride) = (heads.y.values.rows, heads.y.values.columns);
        let half = heads.width / 2;
        let [cos, sin] = [heads.cos, heads.sin].map(|at| self.vector_at(at, rows * half));
        let spans = [
            (heads.queries, true),
            (heads.keys, true),
            (heads.values, false),
        ];
        for (span, turns) in spans {
            let Some(span) = span else { continue };
            let mut out = cut(&y, stride, &span, heads.width);
            let norm = span.norm.map(|at| self.vector_at(at, heads.width));
            for (index, head) in out.chunks_exact_mut(heads.width).enumerate() {
                if let Some(norm) = &norm {
                    root_mean_square(head, norm, heads.eps);
                }
                if turns {
                    let at = index / span.heads * half;
                    turn(head, &cos[at..at + half], &sin[at..at + half], heads.halves);
                }
            }
            self.write(&span.out, &out);
        }
    }
}

/// The columns of a span.
fn cut(y: &[f32], stride: usize, span: &Span, width: usize) -> Vec<f32> {
    let rows = y.chunks_exact(stride);
    rows.flat_map(|row| &row[span.column..span.column + span.heads * width])
        .copied()
        .collect()
}

fn turn(head: &mut [f32], cos: &[f32], sin: &[f32], halves: bool) {
    let half = cos.len();
    for pair in 0..half {
        let [first, second] = if halves {
            [pair, pair + half]
        } else {
            [2 * pair, 2 * pair + 1]
        };
        let (a, b) = (head[first], head[second]);
        head[first] = a * cos[pair] - b * sin[pair];
        head[second] = a * sin[pair] + b * cos[pair];
    }
}

fn root_mean_square(row: &mut [f32], weight: &[f32], eps: f32) {
    let inverse = (mean(row.iter().map(|x| x * x)) + eps).sqrt().recip();
    for (x, weight) in row.iter_mut().zip(weight) {
        *x *= inverse * weight;
    }
}

#[allow(clippy::cast_precision_loss, reason = "a row is far below 2^24 long")]
fn mean(values: impl ExactSizeIterator<Item = f32>) -> f32 {
    let count = values.len() as f32;
    values.sum::<f32>() / count
}
