//! Documents that nobody should send. None may panic: in a component that would be a trap.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{DANCER, dancer, joints, people, retarget};

#[test]
fn a_body_in_one_point_has_no_length() {
    let point = dancer(|_, _| [100.0, 100.0, 1.0]);
    let refused = retarget(&[DANCER, &point], &json!({}))
        .unwrap_err()
        .to_string();
    assert!(refused.contains("no limb"), "{refused}");
    // The other way round there is nothing to make longer.
    assert!(retarget(&[&point, DANCER], &json!({})).is_err());
    let alone = joints(&people(&[&point], &json!({ "arms": 400 })));
    assert!(alone.iter().all(|joint| joint[..2] == [100.0, 100.0]));
}

#[test]
fn a_tiny_torso_makes_no_giant() {
    let tiny = dancer(|index, [x, y, c]| match index {
        1 => [128.0, 200.0, c],
        8 | 11 => [128.0, 200.000_001, c],
        _ => [x, y, c],
    });
    let joints = joints(&people(&[DANCER, &tiny], &json!({})));
    assert!(
        joints.iter().all(|joint| joint[0].abs() < 4000.0),
        "{joints:?}"
    );
}

#[test]
fn who_leaves_every_picture_is_gone() {
    let far = dancer(|_, [x, y, c]| [x * 200.0, y * 150.0, c]);
    let parameters = json!({ "scale": 1000, "legs": 400, "arms": 400 });
    let joints = joints(&people(&[&far], &parameters));
    assert!(joints.iter().any(|joint| joint[2] == 0.0), "{joints:?}");
}

#[test]
fn whose_document_is_wrong_is_told() {
    let wrong = retarget(&[DANCER, "{}"], &json!({}))
        .unwrap_err()
        .to_string();
    assert!(
        wrong.starts_with("the body to take the proportions of: "),
        "{wrong}"
    );
    let nobody = dancer(|_, [x, y, _]| [x, y, 0.1]);
    for documents in [[nobody.as_str(), DANCER], [DANCER, nobody.as_str()]] {
        let wrong = retarget(&documents, &json!({})).unwrap_err().to_string();
        assert!(wrong.contains("no person has a joint"), "{wrong}");
    }
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

fn body(flat: &[Value], hand: &[Value], face: &[Value]) -> String {
    json!({ "people": [{
        "pose_keypoints_2d": flat, "hand_right_keypoints_2d": hand, "face_keypoints_2d": face,
    }], "canvas_width": 256, "canvas_height": 384 })
    .to_string()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_numbers_are_retargeted_or_refused(
        (pose, hand, face, other) in (triples(18), triples(21), triples(70), triples(18)),
        (head, legs, scale) in (25u32..=400, 25u32..=400, 10u32..=1000),
        (dx, dy) in (-100.0..=100.0f64, -100.0..=100.0f64),
        mirror in any::<bool>(),
    ) {
        let parameters = json!({
            "head": head, "legs": legs, "scale": scale, "dx": dx, "dy": dy, "mirror": mirror,
            "threshold": 0,
        });
        let documents = [body(&pose, &hand, &face), body(&other, &[], &[])];
        if let Ok(outcome) = retarget(&[&documents[0], &documents[1]], &parameters) {
            let written: Value = serde_json::from_str(&outcome.keypoints.unwrap()).unwrap();
            let numbers = written["people"][0]["pose_keypoints_2d"].as_array().unwrap();
            prop_assert!(numbers.iter().all(|n| n.as_f64().is_some_and(|n| n.abs() <= 65_536.0)));
        }
    }
}
