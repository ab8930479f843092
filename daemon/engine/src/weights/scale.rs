//! What decoded numbers are multiplied by.
//!
//! fp8 reaches from 2^−9 to 448, so files store a weight divided by a scale, which is one number for
//! the tensor or one for each of its rows. A scale belongs to its stretch of the file: it goes along
//! when a tensor is cut into parts or stacked, and tensors of different scales may be stacked.

use std::sync::Arc;

/// The scale of one stretch of a file.
#[derive(Debug, Clone)]
pub(crate) enum Scale {
    /// One for all numbers.
    One(f32),
    /// One for each row.
    Rows {
        /// All of the tensor's scales, whichever rows this stretch has.
        scales: Arc<[f32]>,
        /// Numbers in a row that has one scale.
        length: usize,
        /// How many numbers of the tensor come before this stretch.
        before: usize,
    },
}

impl Scale {
    /// No scale: the numbers are what they are.
    pub(crate) const NONE: Self = Self::One(1.0);

    /// The scale of the stretch that begins `skipped` numbers into this one.
    pub(super) fn from(&self, skipped: usize) -> Self {
        match self {
            Self::One(scale) => Self::One(*scale),
            Self::Rows {
                scales,
                length,
                before,
            } => Self::Rows {
                scales: scales.clone(),
                length: *length,
                before: before + skipped,
            },
        }
    }

    /// Runs of numbers with one scale, from the number `first` of the stretch on, `count` in all: how
    /// many numbers, and their scale.
    pub(super) fn runs(&self, first: usize, count: usize) -> impl Iterator<Item = (usize, f32)> {
        let mut done = 0;
        std::iter::from_fn(move || {
            let left = count.checked_sub(done).filter(|&left| left > 0)?;
            let (run, scale) = match self {
                Self::One(scale) => (left, *scale),
                Self::Rows {
                    scales,
                    length,
                    before,
                } => {
                    let at = before + first + done;
                    let scale = scales.get(at / length).copied().unwrap_or(f32::NAN);
                    (left.min(length - at % length), scale)
                }
            };
            done += run;
            Some((run, scale))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_end_where_rows_end() {
        let rows = Scale::Rows {
            scales: [1.0, 2.0, 3.0].into(),
            length: 4,
            before: 0,
        };
        let runs: Vec<_> = rows.runs(2, 8).collect();
        assert_eq!(runs, [(2, 1.0), (4, 2.0), (2, 3.0)]);
        let runs: Vec<_> = rows.from(4).runs(4, 3).collect();
        assert_eq!(runs, [(3, 3.0)]);
        assert_eq!(Scale::One(5.0).runs(7, 9).collect::<Vec<_>>(), [(9, 5.0)]);
        assert_eq!(Scale::NONE.runs(0, 0).count(), 0);
    }
}
