//! Which weights stay on a device, and which come through a ring.
//!
//! Where a card is too small for a network, some blocks are left in the host's memory and brought for each step
//! through two slots: while one block is computed, the next comes. The arithmetic of the blocks that stay hides the
//! transfer of those that do not, so these are spread evenly among them, and there are no more of them than must be.

use super::bank::Bank;

/// Where each group's weights are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Residency {
    /// The groups that stay.
    pub(crate) stays: Vec<bool>,
    /// Bytes of each of the two slots; 0 if all stay.
    pub(crate) slot: usize,
    /// Bytes of what stays, and of the slots.
    pub(crate) bytes: usize,
    /// Bytes that come in each step.
    pub(crate) streamed: usize,
}

/// Slots of the ring.
pub(crate) const SLOTS: usize = 2;

impl Residency {
    /// What stays in so many bytes; without a number, everything. `None` if not even the ring fits beside what
    /// must stay.
    pub(crate) fn within(bank: &Bank, budget: Option<usize>) -> Option<Self> {
        let sizes: Vec<_> = (0..bank.groups()).map(|group| bank.bytes(group)).collect();
        Self::of(&sizes, budget)
    }

    /// The fewest bytes that any plan for a bank takes.
    pub(crate) fn least(bank: &Bank) -> usize {
        let sizes: Vec<_> = (0..bank.groups()).map(|group| bank.bytes(group)).collect();
        let plans = (0..sizes.len()).map(|streams| Self::spread(&sizes, streams).bytes);
        plans.min().unwrap_or(0)
    }

    /// The first group always stays: it holds what is in no block.
    fn of(sizes: &[usize], budget: Option<usize>) -> Option<Self> {
        let blocks = sizes.len().saturating_sub(1);
        let fits = |plan: &Self| budget.is_none_or(|budget| plan.bytes <= budget);
        (0..=blocks)
            .map(|streams| Self::spread(sizes, streams))
            .find(fits)
    }

    /// With so many blocks that do not stay.
    fn spread(sizes: &[usize], streams: usize) -> Self {
        let blocks = sizes.len().saturating_sub(1);
        let stays = |group: usize| match group.checked_sub(1) {
            None => true,
            // As a line is drawn with dots: block b streams if the count of streams rises there.
            Some(block) => (block + 1) * streams / blocks == block * streams / blocks,
        };
        let stays: Vec<_> = (0..sizes.len()).map(stays).collect();
        let of = |kept: bool| {
            let both = sizes.iter().zip(&stays);
            both.filter(move |(_, stays)| **stays == kept)
                .map(|(size, _)| *size)
        };
        let slot = of(false).max().unwrap_or(0);
        Self {
            slot,
            bytes: of(true).sum::<usize>() + SLOTS * slot,
            streamed: of(false).sum(),
            stays,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_stays_where_there_is_room() {
        let sizes = [10, 26, 26, 13, 13, 13];
        for budget in [None, Some(101)] {
            let plan =
                Residency::of(&sizes, budget).map(|plan| (plan.bytes, plan.slot, plan.streamed));
            assert_eq!(plan, Some((101, 0, 0)));
        }
    }

    #[test]
    fn only_what_does_not_fit_streams_and_it_is_spread() {
        let sizes = [10, 20, 20, 20, 20, 20, 20, 20, 20];
        // Four may stay beside two slots of 20.
        let plan = Residency::of(&sizes, Some(10 + 4 * 20 + 2 * 20));
        let plan = plan.map(|plan| (plan.stays, plan.streamed));
        let (stays, streams) = (true, false);
        let expected = [
            stays, stays, streams, stays, streams, stays, streams, stays, streams,
        ];
        assert_eq!(plan, Some((expected.to_vec(), 80)));
    }

    #[test]
    fn a_plan_never_takes_more_than_it_may() {
        let sizes = [5, 26, 26, 26, 13, 13, 13, 13, 13];
        for budget in 0..200 {
            match Residency::of(&sizes, Some(budget)) {
                Some(plan) => {
                    assert!(plan.bytes <= budget);
                    let kept: usize = sizes
                        .iter()
                        .zip(&plan.stays)
                        .filter(|it| *it.1)
                        .map(|it| it.0)
                        .sum();
                    assert_eq!(kept + plan.streamed, sizes.iter().sum::<usize>());
                }
                // All blocks through the ring is the least there is.
                None => assert!(budget < 5 + 2 * 26),
            }
        }
    }
}
