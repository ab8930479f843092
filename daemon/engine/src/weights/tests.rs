//! Parts as a whole: files of the formats' own libraries read right, and lying files refused.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod fp8;
mod gguf;
mod gguf_writer;
mod golden;
mod pages;
mod safetensors_writer;
mod stacks;

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::{Weights, WeightsError};

/// A file that the formats' own libraries wrote.
fn golden(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden/weights")
        .join(file)
}

/// Opens a file of these bytes; the folder must be kept for as long as the weights.
fn open_bytes(bytes: &[u8]) -> (TempDir, Result<Weights, WeightsError>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("some.weights");
    std::fs::write(&path, bytes).unwrap();
    let weights = Weights::open_file(&path);
    (folder, weights)
}

/// Expects that a file of these bytes is refused with `code`, and a message with each of `words`.
#[track_caller]
fn refused(bytes: &[u8], code: &str, words: &[&str]) {
    let (_folder, weights) = open_bytes(bytes);
    let error = weights.err().expect("the damage goes unnoticed");
    assert_eq!(error.code(), code, "{error}");
    let message = error.to_string();
    for word in ["some.weights"].iter().chain(words) {
        assert!(message.contains(word), "{message} does not say {word}");
    }
    assert!(error.hint().is_some(), "{message}");
}
