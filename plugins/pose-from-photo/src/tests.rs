//! The whole plugin, as the host would call it: with answers that were recorded, and with the
//! model itself on the host's runner.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod contract;
mod found;
mod runner;

use std::cell::RefCell;
use std::rc::Rc;

use atelier_plugin::infer::{self, Tensor};
use atelier_plugin::{Failure, Outcome, Picture, Plugin, Request, Size};
use serde_json::Value;

use crate::PoseFromPhoto;

/// The size of `tests/figure.png`.
const SIZE: Size = Size::new(400, 640);

/// Draws the skeleton over the photograph, pixel by pixel.
const SAME_SIZE: &str = r#"{ "width": 400, "height": 640 }"#;

/// The drawn person of `tests/figure.py`.
fn figure() -> Picture {
    let png = include_bytes!("../tests/figure.png");
    let pixels = image::load_from_memory(png).unwrap().to_rgba8();
    Picture::from_rgba(SIZE, pixels.into_raw()).unwrap()
}

fn prepare(photo: Picture, parameters: &str) -> Result<Outcome, Failure> {
    PoseFromPhoto::prepare(Request::of_picture(photo, parameters, SIZE))
}

/// What onnxruntime made of the figure.
fn reference() -> Value {
    serde_json::from_str(include_str!("../tests/reference.json")).unwrap()
}

/// The model's answer: y, x and score of each joint.
fn recorded() -> Vec<f32> {
    let numbers = reference()["output"].clone();
    serde_json::from_value(numbers).unwrap()
}

/// The models that were run, each with what went in.
type Asked = Rc<RefCell<Vec<(String, Vec<Tensor>)>>>;

/// Answers each look with the next of these, the last again and again, and remembers the looks.
fn answer(answers: Vec<Vec<f32>>) -> Asked {
    let looks = Rc::new(RefCell::new(Vec::new()));
    let seen = looks.clone();
    infer::answer_with(move |model, inputs| {
        let mut seen = seen.borrow_mut();
        let numbers = answers[seen.len().min(answers.len() - 1)].clone();
        seen.push((model.to_owned(), inputs));
        Ok(vec![Tensor::floats([1, 1, 17, 3], numbers).named("output")])
    });
    looks
}

/// The 18 joints of an outcome as x, y and confidence.
fn joints(outcome: &Outcome) -> Vec<[f64; 3]> {
    let document: Value = serde_json::from_str(outcome.keypoints.as_ref().unwrap()).unwrap();
    let flat = &document["people"][0]["pose_keypoints_2d"];
    let numbers: Vec<f64> = serde_json::from_value(flat.clone()).unwrap();
    numbers.chunks(3).map(|c| [c[0], c[1], c[2]]).collect()
}

fn note(outcome: &Outcome, key: &str) -> Option<String> {
    let found = outcome.notes.iter().find(|note| note.key == key);
    found.map(|note| note.value.clone())
}
