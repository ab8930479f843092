//! Documents that nobody should send. None may panic: in a component that would be a trap.

use super::{SIZE, dancer, drawn, pose, refused};
use proptest::prelude::*;
use serde_json::{Value, json};

fn body(flat: Vec<Value>) -> String {
    json!({ "people": [{ "pose_keypoints_2d": flat }], "canvas_width": 256, "canvas_height": 384 })
        .to_string()
}

#[test]
fn huge_coordinates_cost_their_joint_only() {
    for huge in [1e7, -1e7, 1e300, -1e308, f64::MAX] {
        let mut document = dancer();
        document["people"][0]["pose_keypoints_2d"][12] = json!(huge);
        let mut without = dancer();
        without["people"][0]["pose_keypoints_2d"][14] = json!(0.0);
        assert_eq!(drawn(&document), drawn(&without), "{huge}");
    }
}

#[test]
fn negative_coordinates_are_outside_but_point_there() {
    let mut document = dancer();
    document["people"][0]["pose_keypoints_2d"][12] = json!(-300.0);
    let outside = drawn(&document);
    document["people"][0]["pose_keypoints_2d"][14] = json!(0.0);
    assert_ne!(outside, drawn(&document), "the upper arm is still seen");
}

#[test]
fn nobody_there_is_said() {
    assert!(refused(&body(vec![json!(0); 54])).contains("0.3"));
    assert!(refused(&body(vec![json!(1e9); 54])).contains("no person"));
    let faint = [json!(100), json!(100), json!(0.2)].into_iter().cycle();
    let faint = body(faint.take(54).collect());
    assert!(refused(&faint).contains("no person"));
    assert!(pose(&faint, r#"{ "threshold": 0.1 }"#, SIZE).is_ok());
}

#[test]
fn a_tiny_canvas_throws_nobody_out_of_range() {
    let points = [json!(1000), json!(900_000), json!(1)].into_iter().cycle();
    let document = json!({
        "people": [{ "pose_keypoints_2d": points.take(54).collect::<Vec<_>>() }],
        "canvas_width": 1, "canvas_height": 1,
    });
    let black = [0, 0, 0, 255].repeat(SIZE.pixels() as usize);
    assert_eq!(drawn(&document), black);
}

#[test]
fn a_deep_document_is_refused() {
    let deep = "[".repeat(100_000) + &"]".repeat(100_000);
    assert!(refused(&deep).contains("recursion limit"));
}

/// A number as a hostile document would have it.
fn number() -> impl Strategy<Value = Value> {
    prop_oneof![
        4 => (-600.0..900.0f64).prop_map(|n| json!(n)),
        1 => (-1.0..1.0f64).prop_map(|n| json!(n)),
        1 => any::<f64>().prop_map(|n| json!(n)),
        1 => any::<i64>().prop_map(|n| json!(n)),
        1 => Just(Value::Null),
    ]
}

fn triples(count: usize) -> impl Strategy<Value = Vec<Value>> {
    proptest::collection::vec(number(), count * 3)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_numbers_are_drawn_or_refused(
        (body, hand, face) in (triples(18), triples(21), triples(70)),
        (width, height) in (number(), number()),
        stick in 1u32..=64,
        side in 64u32..=512,
    ) {
        let document = json!({
            "people": [{
                "pose_keypoints_2d": body,
                "hand_left_keypoints_2d": hand,
                "face_keypoints_2d": face,
            }],
            "canvas_width": width, "canvas_height": height,
        });
        let parameters = json!({ "stick_width": stick, "width": side, "threshold": 0 });
        if let Ok(outcome) = pose(&document.to_string(), &parameters.to_string(), SIZE) {
            let picture = outcome.pictures[0].rgba();
            prop_assert!(picture.chunks(4).all(|pixel| pixel[3] == 255));
        }
    }

    #[test]
    fn any_text_is_refused_or_read(text in r#"[\[\]\{\}":,0-9a-z .\-]{0,80}"#) {
        let _ = atelier_keypoints::read::document(&text, 1);
    }
}
