//! The same person in every form that writers use.

use super::{SIZE, dancer, dancer_joints, drawn, pose, refused};
use atelier_keypoints::{Format, read};
use serde_json::{Value, json};

/// The dancer's joints as COCO orders them, without the neck.
fn coco_points() -> Vec<[f64; 3]> {
    let joints = dancer_joints();
    let order = [0, 15, 14, 17, 16, 5, 2, 6, 3, 7, 4, 11, 8, 12, 9, 13, 10];
    order.map(|joint| joints[joint]).to_vec()
}

/// The dancer with the neck that COCO's shoulders give.
fn with_coco_neck() -> Value {
    let mut joints = dancer_joints();
    let (right, left) = (joints[2], joints[5]);
    joints[1] = std::array::from_fn(|axis| (right[axis] + left[axis]) / 2.0);
    openpose(joints.concat())
}

fn openpose(flat: Vec<f64>) -> Value {
    json!({
        "canvas_width": SIZE.width, "canvas_height": SIZE.height,
        "people": [{ "pose_keypoints_2d": flat }],
    })
}

fn format_of(document: &Value) -> Format {
    read::document(&document.to_string(), 1).unwrap().format
}

#[test]
fn body_25_loses_its_hips_and_feet() {
    let mut joints = dancer_joints();
    joints.insert(8, [1.0, 1.0, 1.0]);
    joints.extend([[2.0, 2.0, 1.0]; 6]);
    let document = openpose(joints.concat());
    assert_eq!(format_of(&document), Format::OpenPose25);
    assert_eq!(drawn(&document), drawn(&dancer()));
}

#[test]
fn shares_of_the_canvas_are_pixels_of_it() {
    // A quarter of a pixel to the right, so that no rounding falls over a pixel's edge.
    let shift = |joint: [f64; 3]| [joint[0].floor() + 0.25, joint[1].floor() + 0.25, joint[2]];
    let pixels: Vec<_> = dancer_joints().into_iter().map(shift).collect();
    let share = |p: &[f64; 3]| {
        [
            p[0] / f64::from(SIZE.width),
            p[1] / f64::from(SIZE.height),
            p[2],
        ]
    };
    let shares: Vec<_> = pixels.iter().map(share).collect();
    let expected = drawn(&openpose(pixels.concat()));
    assert_eq!(drawn(&openpose(shares.concat())), expected);
    let nowhere = json!({ "people": [{ "pose_keypoints_2d": shares.concat() }] });
    assert_eq!(drawn(&nowhere), expected);
}

#[test]
fn a_list_of_frames_is_read_frame_by_frame() {
    let mut other = dancer();
    other["people"][0]["pose_keypoints_2d"][0] = json!(20.0);
    let frames = json!([other, dancer()]);
    assert_eq!(drawn(&frames), drawn(&other));
    let second = pose(&frames.to_string(), r#"{ "frame": 2 }"#, SIZE).unwrap();
    assert_eq!(second.pictures[0].rgba(), drawn(&dancer()));
    let third = pose(&frames.to_string(), r#"{ "frame": 3 }"#, SIZE).unwrap_err();
    assert_eq!(
        third.to_string(),
        "parameter \"frame\": the document has 2, not 3"
    );
}

#[test]
fn nulls_are_nothing() {
    let mut document = dancer();
    let person = &mut document["people"][0];
    person["face_keypoints_2d"] = Value::Null;
    person["hand_left_keypoints_2d"] = Value::Null;
    person["hand_right_keypoints_2d"] = json!([]);
    assert_eq!(drawn(&document), drawn(&dancer()));

    let mut without_nose = dancer();
    let nose = |number: Value| [number.clone(), number.clone(), number];
    for (index, zero) in nose(json!(0)).into_iter().enumerate() {
        without_nose["people"][0]["pose_keypoints_2d"][index] = zero;
        document["people"][0]["pose_keypoints_2d"][index] = Value::Null;
    }
    assert_eq!(drawn(&document), drawn(&without_nose));
    assert_ne!(drawn(&document), drawn(&dancer()));
}

#[test]
fn coco_comes_in_many_wrappings() {
    let canvas = r#"{ "canvas_width": 256, "canvas_height": 384 }"#;
    let expected = drawn(&with_coco_neck());
    let points = coco_points();
    let flat = points.concat();
    for document in [
        json!(points),
        json!(flat),
        json!([points]),
        json!([flat]),
        json!({ "keypoints": flat, "num_keypoints": 17 }),
        json!([{ "image_id": 3, "category_id": 1, "keypoints": flat, "score": 0.9 }]),
        json!({ "annotations": [{ "image_id": 3, "keypoints": flat }, { "bbox": [] }] }),
    ] {
        assert_eq!(format_of(&document), Format::Coco17, "{document}");
        let outcome = pose(&document.to_string(), canvas, SIZE).unwrap();
        assert_eq!(outcome.pictures[0].rgba(), expected, "{document}");
    }
}

#[test]
fn a_coco_file_knows_its_canvas() {
    let file = json!({
        "images": [{ "id": 3, "width": 256, "height": 384 }],
        "annotations": [{ "image_id": 3, "keypoints": coco_points().concat() }],
    });
    assert_eq!(drawn(&file), drawn(&with_coco_neck()));
}

/// COCO-WholeBody's points: the dancer's body, feet far away, and a face and hands whose points
/// are told apart by where they are.
fn whole_body_points() -> Vec<[f64; 3]> {
    let mut points = coco_points();
    points.extend([[1.0, 1.0, 1.0]; 6]);
    let part = |count: usize, y: f64| (0..count).map(move |n| [40.0 + 2.0 * n as f64, y, 0.9]);
    points.extend(part(68, 20.0));
    points.extend(part(21, 60.0));
    points.extend(part(21, 90.0));
    points
}

#[test]
fn whole_bodies_have_hands_and_a_face_but_no_feet() {
    let points = whole_body_points();
    let mut expected = with_coco_neck();
    let person = &mut expected["people"][0];
    person["face_keypoints_2d"] = json!(points[23..91].concat());
    person["hand_left_keypoints_2d"] = json!(points[91..112].concat());
    person["hand_right_keypoints_2d"] = json!(points[112..].concat());
    let canvas = r#"{ "canvas_width": 256, "canvas_height": 384 }"#;
    let flat = |range: std::ops::Range<usize>| points[range].concat();
    for document in [
        json!(points),
        json!([{ "keypoints": points.concat() }]),
        json!({ "keypoints": flat(0..17), "foot_kpts": flat(17..23), "face_kpts": flat(23..91),
            "lefthand_kpts": flat(91..112), "righthand_kpts": flat(112..133) }),
    ] {
        assert_eq!(format_of(&document), Format::Coco133, "{document:.80}");
        let outcome = pose(&document.to_string(), canvas, SIZE).unwrap();
        assert_eq!(
            outcome.pictures[0].rgba(),
            drawn(&expected),
            "{document:.80}"
        );
        assert_eq!(outcome.notes[1].value, "coco-wholebody-133");
    }
    let short = json!({ "keypoints": flat(0..17), "face_kpts": flat(23..90) });
    assert!(refused(&short.to_string()).contains("face_kpts: 67 points, and it has 68"));
}

#[test]
fn a_bare_list_of_eighteen_points_is_openpose() {
    let document = json!(dancer_joints());
    assert_eq!(format_of(&document), Format::OpenPose18);
}

#[test]
fn points_without_confidence_are_sure() {
    let points: Vec<_> = coco_points().iter().map(|p| [p[0], p[1]]).collect();
    let found = read::document(&json!(points).to_string(), 1).unwrap();
    assert_eq!(
        found.people[0].body[0].map(|nose| nose.confidence),
        Some(1.0)
    );
}

#[test]
fn the_neck_is_as_sure_as_the_less_sure_shoulder() {
    let mut points = coco_points();
    points[5][2] = 0.4;
    let found = read::document(&json!(points).to_string(), 1).unwrap();
    let neck = found.people[0].body[1].unwrap();
    assert!((neck.confidence - 0.4).abs() < 1e-9, "{neck:?}");
    points[6][2] = 0.0;
    let found = read::document(&json!(points).to_string(), 1).unwrap();
    assert_eq!(found.people[0].body[1], None);
}

#[test]
fn unknown_forms_are_told_what_is_known() {
    for (document, part) in [
        ("", "not JSON"),
        (r#"{ "people": [ "#, "not JSON"),
        ("[[NaN, 1, 1]]", "line 1 column 3"),
        ("3", "neither OpenPose"),
        ("{}", "neither OpenPose"),
        ("[]", "empty list"),
        (r#"{ "annotations": [] }"#, "no body"),
        (r#"{ "people": [] }"#, "no people"),
        (r#"{ "people": 3 }"#, "is a list"),
        (r#"{ "people": [3] }"#, "person 1 is not an object"),
        (
            r#"{ "people": [{ "pose_keypoints_2d": [1, 2] }] }"#,
            "2 numbers are not triples",
        ),
        (
            r#"{ "people": [{ "pose_keypoints_2d": [1, 2, 1] }] }"#,
            "1 body points",
        ),
        (
            r#"{ "people": [{ "hand_left_keypoints_2d": [1, 2, 1] }] }"#,
            "a hand has 21",
        ),
        (r#"{ "keypoints": ["a", 1, 1] }"#, "\"a\" is not a number"),
        (r#"{ "annotations": {} }"#, "\"annotations\" is a list"),
        (r#"[[[1, 2, 3, 4]]]"#, "a point is [x, y]"),
    ] {
        let message = refused(document);
        assert!(message.contains(part), "{document}: {message}");
    }
}

#[test]
fn annotations_of_several_images_are_refused() {
    let one = |image| json!({ "image_id": image, "keypoints": coco_points().concat() });
    let message = refused(&json!([one(1), one(2)]).to_string());
    assert!(message.contains("2 images"), "{message}");
}
