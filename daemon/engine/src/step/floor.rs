//! An arena whose bytes are handed out and taken back, before anything runs.
//!
//! A step's numbers live from beginning to end. A picture on its way through an autoencoder is made anew by every
//! layer, and at the large end two of them are as much as a card may have: so a place is given back as soon as what
//! lies there was read for the last time, and what is laid out next gets it. Order is all that keeps this right:
//! operations run one after another as they were laid out.

use std::collections::BTreeMap;

use super::place::{ALIGNMENT, Address, Kind, Matrix, Space};

/// The bytes of an arena in the making.
#[derive(Debug, Default)]
pub(super) struct Floor {
    /// Where each free gap begins, and its bytes; never two that touch.
    gaps: BTreeMap<usize, usize>,
    /// Bytes that are in use or were.
    end: usize,
}

impl Floor {
    /// The most bytes that were in use at once, with the gaps between them.
    pub(super) fn bytes(&self) -> usize {
        self.end
    }

    /// The smallest gap that is large enough, or what lies behind all.
    pub(super) fn take(&mut self, bytes: usize) -> Address {
        let bytes = rounded(bytes);
        let fitting = self.gaps.iter().filter(|(_, gap)| **gap >= bytes);
        let best = fitting.min_by_key(|(_, gap)| **gap);
        let (start, gap) = match best.map(|(start, gap)| (*start, *gap)) {
            Some(best) => best,
            None => {
                // A gap at the end grows.
                let last = self
                    .gaps
                    .last_key_value()
                    .map(|(start, gap)| (*start, *gap));
                let start = match last.filter(|(start, gap)| start + gap == self.end) {
                    Some((start, _)) => start,
                    None => self.end,
                };
                self.end = start + bytes;
                (start, bytes)
            }
        };
        self.gaps.remove(&start);
        if gap > bytes {
            self.gaps.insert(start + bytes, gap - bytes);
        }
        Address {
            space: Space::Arena,
            offset: start,
        }
    }

    /// What lies there is not read any more; `bytes` are as many as were taken.
    pub(super) fn give(&mut self, at: Address, bytes: usize) {
        let (mut start, mut end) = (at.offset, at.offset + rounded(bytes));
        if let Some(gap) = self.gaps.remove(&end) {
            end += gap;
        }
        let before = self.gaps.range(..start).next_back();
        if let Some((first, gap)) = before.map(|(first, gap)| (*first, *gap)) {
            debug_assert!(first + gap <= start, "given back once");
            if first + gap == start {
                start = first;
            }
        }
        self.gaps.insert(start, end - start);
    }

    pub(super) fn matrix(&mut self, rows: usize, columns: usize, kind: Kind) -> Matrix {
        Matrix {
            at: self.take(rows * columns * kind.bytes()),
            rows,
            columns,
            kind,
        }
    }

    /// As [`give`](Self::give), of all rows that were taken together.
    pub(super) fn give_matrix(&mut self, matrix: Matrix) {
        self.give(matrix.at, matrix.bytes());
    }
}

fn rounded(bytes: usize) -> usize {
    bytes.max(1).next_multiple_of(ALIGNMENT)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_was_given_back_is_taken_again() {
        let mut floor = Floor::default();
        let [a, b, c] = [1000, 2000, 3000].map(|bytes| (floor.take(bytes), bytes));
        assert_eq!(floor.bytes(), 1024 + 2048 + 3072);
        floor.give(b.0, b.1);
        assert_eq!(floor.take(500).offset, b.0.offset);
        assert_eq!(floor.take(1500).offset, b.0.offset + 512);
        floor.give(c.0, c.1);
        // The gap at the end grows by what is missing.
        assert_eq!(floor.take(4000).offset, c.0.offset);
        assert_eq!(floor.bytes(), 1024 + 2048 + 4096);
        assert_eq!(a.0.offset, 0);
    }

    proptest! {
        /// Nothing that is in use overlaps anything else, and when all is given back there is one gap.
        #[test]
        fn places_in_use_never_overlap(
            moves in prop::collection::vec((1_usize..5000, any::<prop::sample::Index>(), any::<bool>()), 1..80),
        ) {
            let mut floor = Floor::default();
            let mut used: Vec<(usize, usize)> = Vec::new();
            for (bytes, which, gives) in moves {
                if gives && !used.is_empty() {
                    let (offset, bytes) = used.swap_remove(which.index(used.len()));
                    floor.give(Address { space: Space::Arena, offset }, bytes);
                } else {
                    let offset = floor.take(bytes).offset;
                    prop_assert!(offset.is_multiple_of(ALIGNMENT));
                    prop_assert!(offset + bytes <= floor.bytes());
                    for (other, length) in &used {
                        prop_assert!(offset + bytes <= *other || other + length <= offset);
                    }
                    used.push((offset, bytes));
                }
            }
            for (offset, bytes) in used {
                floor.give(Address { space: Space::Arena, offset }, bytes);
            }
            let all: Vec<_> = floor.gaps.clone().into_iter().collect();
            prop_assert_eq!(all, vec![(0, floor.bytes())]);
        }
    }
}
