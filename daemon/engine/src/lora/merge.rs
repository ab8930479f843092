//! Adapters as part of a weight, where there is no room or time for paths beside it.
//!
//! On a card a weight is brought there once, so what adapters add is added on the way, in f32, and rounded
//! together with the weight. The factors are widened whole, they are small; the product is never formed but for
//! the rows that are asked for.

use super::adapter::{Delta, Product};
use super::adapters::Fitted;
use crate::weights::Stored;

/// What an adapter adds to rows of a weight.
pub(crate) struct Merge {
    /// The weight's first row that it changes.
    first: usize,
    scale: f32,
    form: Form,
}

enum Form {
    LowRank { up: Dense, down: Dense },
    Kronecker { left: Dense, right: Dense },
}

/// A matrix in f32.
struct Dense {
    columns: usize,
    values: Vec<f32>,
}

impl Merge {
    /// Of an adapter to the layer whose rows begin at `first`.
    pub(crate) fn of(first: usize, fitted: &Fitted) -> Self {
        let form = match &fitted.adapter.delta {
            Delta::LowRank(product) => match product.as_slice() {
                [up, down] => Form::LowRank {
                    up: Dense::of(up),
                    down: Dense::of(down),
                },
                _ => Form::Kronecker {
                    left: Dense::one(),
                    right: Dense::product(product),
                },
            },
            Delta::Kronecker { left, right } => Form::Kronecker {
                left: Dense::product(left),
                right: Dense::product(right),
            },
        };
        Self {
            first,
            scale: fitted.adapter.scale,
            form,
        }
    }

    /// Adds to whole rows of the weight, from the row `first` on.
    pub(crate) fn add(&self, first: usize, length: usize, values: &mut [f32]) {
        for (row, values) in (first..).zip(values.chunks_exact_mut(length)) {
            if let Some(own) = row.checked_sub(self.first) {
                self.add_row(own, values);
            }
        }
    }

    fn add_row(&self, row: usize, values: &mut [f32]) {
        match &self.form {
            Form::LowRank { up, down } => {
                let Some(weights) = up.row(row) else { return };
                for (weight, direction) in weights.iter().zip(down.rows()) {
                    add_scaled(self.scale * weight, direction, values);
                }
            }
            Form::Kronecker { left, right } => {
                let inner = right.values.len() / right.columns;
                let (Some(outer), Some(own)) = (left.row(row / inner), right.row(row % inner))
                else {
                    return;
                };
                for (weight, values) in outer.iter().zip(values.chunks_exact_mut(right.columns)) {
                    add_scaled(self.scale * weight, own, values);
                }
            }
        }
    }
}

impl Dense {
    fn of(stored: &Stored) -> Self {
        Self {
            columns: stored.row_length().max(1),
            values: stored.widen(),
        }
    }

    fn one() -> Self {
        Self {
            columns: 1,
            values: vec![1.0],
        }
    }

    fn product(factors: &Product) -> Self {
        let all = factors.iter().map(Self::of);
        all.reduce(|left, right| left.times(&right))
            .unwrap_or_else(Self::one)
    }

    fn times(&self, other: &Self) -> Self {
        let mut values = Vec::new();
        for row in self.rows() {
            let mut out = vec![0.0; other.columns];
            for (weight, direction) in row.iter().zip(other.rows()) {
                add_scaled(*weight, direction, &mut out);
            }
            values.extend(out);
        }
        Self {
            columns: other.columns,
            values,
        }
    }

    fn rows(&self) -> impl Iterator<Item = &[f32]> {
        self.values.chunks_exact(self.columns)
    }

    fn row(&self, row: usize) -> Option<&[f32]> {
        let start = row.checked_mul(self.columns)?;
        self.values.get(start..start + self.columns)
    }
}

fn add_scaled(weight: f32, direction: &[f32], values: &mut [f32]) {
    for (value, step) in values.iter_mut().zip(direction) {
        *value += weight * step;
    }
}
