//! The moments that group normalisations use.
//!
//! A group normalisation sees the whole picture. Where a picture is made in parts, every part must use
//! the same moments, or each gets a contrast and a tint of its own and seams show; no blending hides that.
//! So moments are an input here: they are measured on what is at hand, or given from before, and while
//! they are given, what they should have been is measured.

use super::field::Field;
use crate::cpu::picture::Moments;

/// The moments of each group, for each normalisation in the order in which they are met.
pub(super) type Statistics = Vec<Vec<Moments>>;

/// Where the moments come from.
#[derive(Debug)]
pub(super) enum Norms<'a> {
    /// From the fields at hand, which are the whole picture or stand for it.
    Measured(&'a mut Statistics),
    /// From before.
    Given {
        used: &'a Statistics,
        /// Those of the fields met so far.
        met: &'a mut Statistics,
        /// Which normalisation is next.
        next: usize,
    },
}

impl Norms<'_> {
    /// The moments that the next normalisation, in so many groups, uses on these fields.
    pub(super) fn next(&mut self, fields: &[Field], groups: usize) -> Vec<Moments> {
        let found = Field::moments(fields, groups);
        match self {
            Self::Measured(statistics) => {
                statistics.push(found.clone());
                found
            }
            Self::Given { used, met, next } => {
                match met.get_mut(*next) {
                    Some(sums) => {
                        for (sum, found) in sums.iter_mut().zip(&found) {
                            *sum = sum.join(*found);
                        }
                    }
                    None => met.push(found.clone()),
                }
                *next += 1;
                used.get(*next - 1).cloned().unwrap_or(found)
            }
        }
    }
}

/// How far moments that were used are from those that were met: the root of the mean square, over the
/// groups of a normalisation, of the shift and of the change in scale that a normalised value suffers; of
/// the normalisation where it is largest, because one that is off spoils all that follows. A value that is
/// normalised has a deviation of 1.
pub(super) fn distance(used: &Statistics, met: &Statistics) -> f64 {
    let of_one = |(used, met): (&Vec<Moments>, &Vec<Moments>)| {
        let squares = used.iter().zip(met).map(|(used, met)| {
            let deviation = met.variance().sqrt().max(f64::MIN_POSITIVE);
            let shift = (used.mean() - met.mean()) / deviation;
            let scale = used.variance().sqrt() / deviation - 1.0;
            shift * shift + scale * scale
        });
        (squares.sum::<f64>() / met.len().max(1) as f64).sqrt()
    };
    used.iter().zip(met).map(of_one).fold(0.0, f64::max)
}
