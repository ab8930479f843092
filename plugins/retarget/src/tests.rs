//! The whole plugin, as the host would call it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod contract;
mod hostile;
mod proportions;
mod turning;

use atelier_plugin::{Failure, Outcome, Plugin, Request, Size, Source};
use serde_json::{Value, json};

use crate::Retarget;

/// The size of the dancer's canvas.
const SIZE: Size = Size::new(256, 384);

/// A body in OpenPose's 18 joints, in pixels of a canvas of [`SIZE`].
const DANCER: &str = include_str!("../../pose/tests/golden/dancer.json");

/// One with hands and a face.
const WHOLE: &str = include_str!("../../pose/tests/golden/hands-and-face.json");

/// Several people.
const CROWD: &str = include_str!("../../pose/tests/golden/crowd.json");

#[test]
fn the_cases_hold() {
    let problems = atelier_cases::problems::<Retarget>(env!("CARGO_MANIFEST_DIR"));
    assert_eq!(problems, Vec::<String>::new());
}

fn retarget(documents: &[&str], parameters: &Value) -> Result<Outcome, Failure> {
    let canvas: Value = serde_json::from_str(documents[0]).unwrap_or_default();
    let side =
        |key: &str, otherwise: u32| canvas[key].as_u64().map_or(otherwise, |side| side as u32);
    let output = Size::new(side("canvas_width", 256), side("canvas_height", 384));
    let mut parameters = parameters.clone();
    parameters["width"] = json!(output.width);
    parameters["height"] = json!(output.height);
    let sources = documents
        .iter()
        .map(|text| Source::Document((*text).to_owned()));
    Retarget::prepare(Request::new(
        sources.collect(),
        parameters.to_string(),
        output,
    ))
}

/// The people that came out.
fn people(documents: &[&str], parameters: &Value) -> Value {
    let outcome = retarget(documents, parameters).unwrap();
    let document: Value = serde_json::from_str(&outcome.keypoints.unwrap()).unwrap();
    document["people"].clone()
}

fn document(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// Points as [x, y, confidence]; none where the person has no such part.
fn points(person: &Value, part: &str) -> Vec<[f64; 3]> {
    let flat: Vec<f64> = serde_json::from_value(person[part].clone()).unwrap_or_default();
    flat.chunks(3).map(|c| [c[0], c[1], c[2]]).collect()
}

/// The 18 joints of the first person.
fn joints(people: &Value) -> Vec<[f64; 3]> {
    points(&people[0], "pose_keypoints_2d")
}

/// A document of the dancer's joints, changed.
fn dancer(change: impl Fn(usize, [f64; 3]) -> [f64; 3]) -> String {
    let mut dancer = document(DANCER);
    let changed = joints(&dancer["people"]).into_iter().enumerate();
    let changed: Vec<_> = changed.map(|(index, joint)| change(index, joint)).collect();
    dancer["people"][0]["pose_keypoints_2d"] = json!(changed.concat());
    dancer.to_string()
}

fn distance(one: [f64; 3], other: [f64; 3]) -> f64 {
    (one[0] - other[0]).hypot(one[1] - other[1])
}

/// The middle of two points.
fn between(one: [f64; 3], other: [f64; 3]) -> [f64; 3] {
    [0, 1, 2].map(|index| f64::midpoint(one[index], other[index]))
}

/// Whether all numbers of two people are the same to two thousandths, which two roundings lose.
fn assert_same(one: &Value, other: &Value) {
    for part in [
        "pose_keypoints_2d",
        "hand_left_keypoints_2d",
        "hand_right_keypoints_2d",
        "face_keypoints_2d",
    ] {
        let (one, other) = (points(one, part), points(other, part));
        assert_eq!(one.len(), other.len(), "{part}");
        for (index, (one, other)) in one.into_iter().zip(other).enumerate() {
            assert!(
                distance(one, other) <= 0.002,
                "{part} {index}: {one:?}, {other:?}"
            );
            assert!((one[2] - other[2]).abs() < 1e-9, "{part} {index}");
        }
    }
}
