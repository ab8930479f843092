//! The JSON files of a pipeline folder that say how the model is built.
//!
//! Nothing in this engine is hard-coded to a size: widths, depths, heads and frequencies come from
//! here. Keys that are left out take the value that diffusers or transformers would take; keys that
//! are not known are ignored, because every release adds some. Each config has a `check` that
//! refuses what the engine would compute wrongly or panic on, so the modules may rely on it.

pub(crate) mod from_tensors;
mod model_index;
mod text_encoder;
mod transformer;
mod vae;

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::EngineError;

pub(crate) use model_index::ModelIndex;
pub(crate) use text_encoder::TextEncoderConfig;
pub(crate) use transformer::TransformerConfig;
pub(crate) use vae::VaeConfig;

/// Reads and parses one JSON file.
///
/// # Errors
/// `model-incomplete` if the file is missing, `model-unreadable`, `model-config-invalid`.
pub(crate) fn read<T: DeserializeOwned>(path: &Path) -> Result<T, EngineError> {
    serde_json::from_str(&read_text(path)?).map_err(|error| malformed(path, &error))
}

/// Parses a config that is already JSON; `path` is the file that it speaks of.
///
/// # Errors
/// `model-config-invalid`.
pub(crate) fn parse<T: DeserializeOwned>(path: &Path, config: Value) -> Result<T, EngineError> {
    serde_json::from_value(config).map_err(|error| malformed(path, &error))
}

fn malformed(path: &Path, error: &serde_json::Error) -> EngineError {
    EngineError::Config {
        path: path.to_owned(),
        problem: error.to_string(),
    }
}

/// Reads one text file of a model.
pub(crate) fn read_text(path: &Path) -> Result<String, EngineError> {
    fs::read_to_string(path).map_err(|source| match source.kind() {
        ErrorKind::NotFound => EngineError::FileMissing {
            path: path.to_owned(),
        },
        _ => EngineError::Unreadable {
            path: path.to_owned(),
            source,
        },
    })
}

/// A check's outcome: what is wrong, in words that follow the file's name.
pub(crate) type Check = Result<(), String>;

/// Turns a failed check into an error that names the file.
pub(crate) fn refuse(path: &Path, check: Check) -> Result<(), EngineError> {
    check.map_err(|problem| EngineError::Config {
        path: path.to_owned(),
        problem,
    })
}

/// Fails with `problem` unless `condition` holds.
fn ensure(condition: bool, problem: impl FnOnce() -> String) -> Check {
    if condition { Ok(()) } else { Err(problem()) }
}

/// Fails unless a size is between 1 and a million: beyond that no real model lies, and products of
/// sizes cannot overflow.
fn ensure_size(name: &str, size: usize) -> Check {
    ensure((1..=1_000_000).contains(&size), || {
        format!("{name} is {size}")
    })
}
