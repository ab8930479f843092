//! What the network on a host takes, for whoever measures.

use std::sync::PoisonError;

use super::machine::{Host, Traffic};

/// What a network takes of a device.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Held {
    /// Bytes of its memory that weights take, the places of those that come and go included.
    pub(crate) weights: u64,
    /// What comes in each step, if anything does.
    pub(crate) traffic: Option<Traffic>,
}

impl Host {
    /// What the network that came last takes, if there is one.
    pub(crate) fn held(&self) -> Option<Held> {
        let resident = self.resident.lock().unwrap_or_else(PoisonError::into_inner);
        resident.last().map(|(_, machine)| Held {
            weights: machine.weights(),
            traffic: machine.traffic(),
        })
    }
}
