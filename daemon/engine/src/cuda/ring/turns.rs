//! Whose turn it is: which block comes to which slot, and what waits for what.
//!
//! No call of a driver is here, so the order of copies and waits is tested on machines that have no card.

use crate::error::EngineError;
use crate::step::residency::SLOTS;

/// Work done in the order in which it was given.
pub(super) trait Lane {
    /// A moment of it.
    type Mark;

    /// The moment when all that was given so far is done.
    fn mark(&self) -> Result<Self::Mark, EngineError>;

    /// What is given next begins after this moment of another.
    fn wait(&self, mark: &Self::Mark) -> Result<(), EngineError>;
}

/// Blocks that take turns in the slots.
#[derive(Debug)]
pub(super) struct Turns<M> {
    /// In the order in which they are used.
    groups: Vec<usize>,
    slots: [Slot<M>; SLOTS],
    /// How many were used, and how many brought, since the beginning.
    used: usize,
    brought: usize,
}

#[derive(Debug)]
struct Slot<M> {
    /// That its block has come.
    filled: Option<M>,
    /// That its block has been used.
    free: Option<M>,
}

impl<M> Turns<M> {
    pub(super) fn new(groups: Vec<usize>) -> Self {
        Self {
            groups,
            slots: std::array::from_fn(|_| Slot {
                filled: None,
                free: None,
            }),
            used: 0,
            brought: 0,
        }
    }

    /// Lets the next block come to the slot whose block was used the longest ago; `bring` puts the copy of a block,
    /// by its place in the order, to a slot on the lane.
    pub(super) fn bring(
        &mut self,
        side: &impl Lane<Mark = M>,
        bring: impl FnOnce(usize, usize) -> Result<(), EngineError>,
    ) -> Result<(), EngineError> {
        let slot = self.brought % SLOTS;
        if let Some(free) = &self.slots[slot].free {
            side.wait(free)?;
        }
        bring(self.brought % self.groups.len(), slot)?;
        self.slots[slot].filled = Some(side.mark()?);
        self.brought += 1;
        Ok(())
    }

    /// The slot of a block; what `compute` is given from now on finds it there. `None` if it is none of these.
    pub(super) fn enter(
        &self,
        group: usize,
        compute: &impl Lane<Mark = M>,
    ) -> Result<Option<usize>, EngineError> {
        if !self.groups.contains(&group) {
            return Ok(None);
        }
        let due = self.groups[self.used % self.groups.len()];
        if due != group {
            return Err(EngineError::Compute {
                reason: format!("block {group} was asked for when {due} was due"),
            });
        }
        let slot = self.used % SLOTS;
        if let Some(filled) = &self.slots[slot].filled {
            compute.wait(filled)?;
        }
        Ok(Some(slot))
    }

    /// The block that was entered is used by nothing that `compute` is given from now on, so that the next may come
    /// to its slot. Says whether it is one of these.
    pub(super) fn leave(
        &mut self,
        group: usize,
        compute: &impl Lane<Mark = M>,
    ) -> Result<bool, EngineError> {
        if !self.groups.contains(&group) {
            return Ok(false);
        }
        self.slots[self.used % SLOTS].free = Some(compute.mark()?);
        self.used += 1;
        Ok(true)
    }
}

#[cfg(test)]
mod tests;
