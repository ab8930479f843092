//! Reading the golden data that `make_golden.py` made.

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

/// The path of a file beside this one.
pub(crate) fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(name)
}

/// The rows of a golden file.
pub(crate) fn rows<T: DeserializeOwned>(name: &str) -> Vec<T> {
    serde_json::from_str(&std::fs::read_to_string(path(name)).unwrap()).unwrap()
}
