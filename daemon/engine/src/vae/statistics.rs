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

/// How far moments that were used are from those that were met: the root of the mean square, over all
/// groups and normalisations, of the shift and of the change in scale that a normalised value suffers.
/// A value that is normalised has a deviation of 1.
pub(super) fn distance(used: &Statistics, met: &Statistics) -> f64 {
    let pairs = used.iter().flatten().zip(met.iter().flatten());
    let (mut sum, mut count) = (0.0, 0.0);
    for (used, met) in pairs {
        let deviation = met.variance().sqrt().max(f64::MIN_POSITIVE);
        let shift = (used.mean() - met.mean()) / deviation;
        let scale = used.variance().sqrt() / deviation - 1.0;
        sum += shift * shift + scale * scale;
        count += 1.0;
    }
    (sum / f64::max(count, 1.0)).sqrt()
}
