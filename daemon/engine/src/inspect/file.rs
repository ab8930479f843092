//! What one file holds, without a model around it.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;

use crate::lora::{LoraError, LoraFile};
use crate::weights::{Weights, WeightsError};

/// A weight file, read from its first byte to its last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WeightsInfo {
    /// Tensors that a network computes with.
    pub tensors: usize,
    /// Numbers in them.
    pub parameters: u64,
    /// Bytes of them by element type.
    pub precision: BTreeMap<String, u64>,
    /// Bytes of them.
    pub bytes: u64,
}

impl WeightsInfo {
    /// Reads a safetensors or GGUF file in full: its header, the scales of what is quantised, and
    /// every number.
    ///
    /// # Errors
    /// Any [`WeightsError`] that a file can have by itself, a number that is none among them.
    pub fn read(path: &Path) -> Result<Self, WeightsError> {
        let weights = Weights::open_file(path)?;
        weights.check_finite()?;
        let precision = weights.bytes_by_dtype();
        Ok(Self {
            tensors: weights.names().count(),
            parameters: weights.parameters(),
            bytes: precision.values().sum(),
            precision,
        })
    }
}

/// A LoRA file, read from its first byte to its last, before it is known which model it is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LoraInfo {
    /// Changes to layers that FLUX.2 has.
    pub changes: usize,
    /// Layers, as the file spells them, that FLUX.2 has not, or whose change is of an unknown form.
    pub unknown: Vec<String>,
    /// Tensors of text encoders, which are not used.
    pub text_encoder: usize,
    /// Layers with `DoRA` magnitudes, which are not used.
    pub magnitudes: usize,
}

impl LoraInfo {
    /// Reads a LoRA file in full.
    ///
    /// # Errors
    /// Any [`LoraError`] that a file can have by itself.
    pub fn read(path: &Path) -> Result<Self, LoraError> {
        let file = LoraFile::open_whole(path)?;
        Ok(Self {
            changes: file.changes.len(),
            unknown: file.unknown,
            text_encoder: file.text_encoder,
            magnitudes: file.magnitudes,
        })
    }
}
