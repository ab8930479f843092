//! Where people land in the picture, and how large it is.

use super::{SIZE, dancer, dancer_joints, pose};
use atelier_plugin::Size;
use serde_json::{Value, json};

/// The joints that the outcome says were drawn.
fn joints(document: &Value, parameters: &Value, output: Size) -> (Size, Vec<[f64; 3]>) {
    let outcome = pose(&document.to_string(), &parameters.to_string(), output).unwrap();
    let keypoints: Value = serde_json::from_str(&outcome.keypoints.unwrap()).unwrap();
    let size = outcome.pictures[0].size();
    assert_eq!(keypoints["canvas_width"], size.width);
    assert_eq!(keypoints["canvas_height"], size.height);
    let flat = keypoints["people"][0]["pose_keypoints_2d"]
        .as_array()
        .unwrap();
    let numbers: Vec<f64> = flat.iter().map(|number| number.as_f64().unwrap()).collect();
    (
        size,
        numbers.chunks(3).map(|c| [c[0], c[1], c[2]]).collect(),
    )
}

#[test]
fn the_same_canvas_changes_nothing() {
    let (size, placed) = joints(&dancer(), &json!({}), SIZE);
    assert_eq!(size, SIZE);
    assert_eq!(placed, dancer_joints());
}

#[test]
fn a_wider_picture_has_the_canvas_in_its_middle() {
    let (size, placed) = joints(&dancer(), &json!({ "width": 768, "height": 768 }), SIZE);
    assert_eq!(size, Size::new(768, 768));
    for (placed, joint) in placed.iter().zip(dancer_joints()) {
        assert!(
            (placed[0] - (joint[0] * 2.0 + 128.0)).abs() < 1e-3,
            "{placed:?}"
        );
        assert!((placed[1] - joint[1] * 2.0).abs() < 1e-3, "{placed:?}");
    }
}

#[test]
fn people_without_a_canvas_are_fitted_with_a_margin() {
    let mut document = dancer();
    document["canvas_width"] = Value::Null;
    for number in document["people"][0]["pose_keypoints_2d"]
        .as_array_mut()
        .unwrap()
    {
        let value = number.as_f64().unwrap();
        *number = json!(if value > 1.0 {
            value * 7.0 + 3000.0
        } else {
            value
        });
    }
    let (_, placed) = joints(&document, &json!({}), SIZE);
    let side = |axis: usize| {
        let values = placed.iter().map(move |joint| joint[axis]);
        (
            values.clone().fold(f64::MAX, f64::min),
            values.fold(f64::MIN, f64::max),
        )
    };
    let ((left, right), (top, bottom)) = (side(0), side(1));
    assert!(
        left > 0.0 && right < 256.0 && top > 0.0 && bottom < 384.0,
        "{placed:?}"
    );
    assert!((left + right - 256.0).abs() < 0.1 && (top + bottom - 384.0).abs() < 0.1);
    assert!(
        bottom - top > 300.0,
        "the body fills the picture: {top} to {bottom}"
    );
}

#[test]
fn the_stated_canvas_wins() {
    let parameters = json!({ "canvas_width": 512, "canvas_height": 768 });
    let (_, placed) = joints(&dancer(), &parameters, SIZE);
    assert!((placed[0][0] - dancer_joints()[0][0] / 2.0).abs() < 1e-3);
}

#[test]
fn the_picture_is_small_unless_its_size_is_asked_for() {
    let output = Size::new(1536, 1024);
    assert_eq!(joints(&dancer(), &json!({}), output).0, Size::new(768, 512));
    let width = json!({ "width": 1536 });
    assert_eq!(joints(&dancer(), &width, output).0, output);
    let both = json!({ "width": 512, "height": 768 });
    assert_eq!(joints(&dancer(), &both, output).0, Size::new(512, 768));
}
