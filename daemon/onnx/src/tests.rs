//! Models made here byte by byte, whole and broken.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod conversion;
mod forge;
mod hostile;
mod sharing;
mod stopping;

use std::path::Path;

use crate::{Limits, Models, Numbers, Tensor, Trouble};

/// A folder with one file, and the models in it under their names without the ending.
fn models_of(content: &[u8], limits: Limits) -> (tempfile::TempDir, Models) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("it.onnx"), content).unwrap();
    let models = models_in(folder.path(), limits);
    (folder, models)
}

fn models_in(folder: &Path, limits: Limits) -> Models {
    let folder = folder.to_owned();
    Models::looking(
        move |name| Some(folder.join(format!("{name}.onnx"))),
        limits,
    )
}

/// Runs a file once with the usual limits.
fn run(content: &[u8], inputs: Vec<Tensor>) -> Result<Vec<Tensor>, Trouble> {
    let (_folder, models) = models_of(content, Limits::default());
    models.run("it", inputs, &|| false)
}

fn floats(name: &str, shape: &[u32], numbers: &[f32]) -> Tensor {
    Tensor {
        name: name.to_owned(),
        shape: shape.to_vec(),
        numbers: Numbers::Floats(numbers.to_vec()),
    }
}

/// What is wrong with a file.
fn unusable(content: &[u8]) -> String {
    match run(content, vec![floats("x", &[1, 2], &[1.0, 2.0])]) {
        Err(Trouble::Unusable { message, .. }) => message,
        other => panic!("{other:?}"),
    }
}

/// What is wrong with inputs.
fn refused(content: &[u8], inputs: Vec<Tensor>) -> String {
    match run(content, inputs) {
        Err(Trouble::Input { message, .. }) => message,
        other => panic!("{other:?}"),
    }
}
