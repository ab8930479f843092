//! The whole plugin, as the host would call it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod contract;
mod formats;
mod golden;
mod hostile;
mod placing;

use atelier_plugin::{Failure, Outcome, Plugin, Request, Size};
use serde_json::Value;

use crate::Pose;

/// The size of the golden dancer.
const SIZE: Size = Size::new(256, 384);

#[test]
fn the_cases_hold() {
    let problems = atelier_cases::problems::<Pose>(env!("CARGO_MANIFEST_DIR"));
    assert_eq!(problems, Vec::<String>::new());
}

fn pose(document: &str, parameters: &str, output: Size) -> Result<Outcome, Failure> {
    Pose::prepare(Request::of_document(document, parameters, output))
}

/// What is drawn with the default parameters.
fn drawn(document: &Value) -> Vec<u8> {
    let outcome = pose(&document.to_string(), "{}", SIZE).unwrap();
    outcome.pictures[0].rgba()
}

/// The message of a document that is refused.
fn refused(document: &str) -> String {
    match pose(document, "{}", SIZE) {
        Err(Failure::Source(message)) => message,
        other => panic!("{document:.80} gave {other:?}"),
    }
}

/// The golden dancer: a full body in OpenPose's 18 joints, in pixels of a canvas of [`SIZE`].
fn dancer() -> Value {
    serde_json::from_str(include_str!("../tests/golden/dancer.json")).unwrap()
}

/// The dancer's joints as [x, y, confidence].
fn dancer_joints() -> Vec<[f64; 3]> {
    let document = dancer();
    let flat = document["people"][0]["pose_keypoints_2d"]
        .as_array()
        .unwrap();
    let numbers: Vec<f64> = flat.iter().map(|number| number.as_f64().unwrap()).collect();
    numbers.chunks(3).map(|c| [c[0], c[1], c[2]]).collect()
}
