//! Placed people as OpenPose JSON with 18 joints, in pixels of the picture.

use atelier_plugin::Size;
use serde_json::{Map, Value, json};

use crate::{Person, Point};

/// One frame with all people. Parts that a person does not have are left out.
pub fn openpose(people: &[Person], size: Size) -> String {
    let people: Vec<Value> = people.iter().map(person).collect();
    json!({
        "version": 1.3,
        "canvas_width": size.width,
        "canvas_height": size.height,
        "people": people,
    })
    .to_string()
}

fn person(person: &Person) -> Value {
    let parts: [(&str, &[Option<Point>]); 4] = [
        ("pose_keypoints_2d", &person.body),
        ("hand_left_keypoints_2d", &person.hands[0]),
        ("hand_right_keypoints_2d", &person.hands[1]),
        ("face_keypoints_2d", &person.face),
    ];
    let parts = parts.into_iter().filter(|(_, points)| !points.is_empty());
    let object: Map<String, Value> = parts
        .map(|(key, points)| (key.to_owned(), points.iter().flat_map(triple).collect()))
        .collect();
    Value::Object(object)
}

/// x, y and confidence to a thousandth; three zeros for a missing point.
fn triple(point: &Option<Point>) -> [f64; 3] {
    let round = |number: f64| (number * 1000.0).round() / 1000.0;
    match point {
        Some(point) => [point.x, point.y, point.confidence].map(round),
        None => [0.0; 3],
    }
}
