//! The autoencoder for pictures that a card has no room for.
//!
//! A program computes in one arena, which must fit beside its weights; how much is free for it is known only when
//! the transformer has left the card. The stages of the processor make the same picture, in tiles if need be,
//! and far more slowly; but every step before them has been paid for.

use burn::tensor::Device;
use tracing::warn;

use super::layered::Layered;
use crate::config::VaeConfig;
use crate::error::EngineError;
use crate::weights::{Scope, Weights};

/// What it takes to read the stages; they are not kept, because such pictures are rare.
pub(super) struct Spare {
    config: VaeConfig,
    weights: Weights,
}

impl std::fmt::Debug for Spare {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Spare")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

impl Spare {
    pub(super) fn new(config: &VaeConfig, weights: &Weights) -> Self {
        Self {
            config: config.clone(),
            weights: weights.clone(),
        }
    }
}

/// The stages, if there is a spare and it was for want of the card's memory that a program did not run.
///
/// # Errors
/// The error, if it was anything else; a tensor that the stages need and the files lack.
pub(super) fn instead(spare: Option<&Spare>, error: EngineError) -> Result<Layered, EngineError> {
    let (Some(spare), EngineError::DeviceMemory { needed, free, .. }) = (spare, &error) else {
        return Err(error);
    };
    warn!(
        needed_mib = needed >> 20,
        free_mib = free >> 20,
        "the card has no room for the autoencoder: the processor takes its place"
    );
    let device = Device::flex();
    let scope = Scope::root(&spare.weights, &device);
    Ok(Layered::load(&scope, &spare.config)?)
}
