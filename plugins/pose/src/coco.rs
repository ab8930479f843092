//! COCO keypoints: 17 points without a neck, left before right, as MoveNet, YOLO and ViTPose
//! give them, bare or in COCO's annotations.

use std::collections::BTreeSet;

use atelier_plugin::Failure;
use serde_json::Value;

use crate::keypoints::{Extent, Found, JOINTS, Person, Point};
use crate::parse::{Bodies, Object, points};

/// Where each of the 18 joints is among COCO's 17; the neck, joint 1, is made of the shoulders.
const OF_17: [usize; JOINTS] = [
    0, NECK, 6, 8, 10, 5, 7, 9, 12, 14, 16, 11, 13, 15, 2, 1, 4, 3,
];
const NECK: usize = usize::MAX;
const SHOULDERS: [usize; 2] = [5, 6];

/// The joints of 17 points.
pub(crate) fn joints(points: &[Option<Point>]) -> [Option<Point>; JOINTS] {
    OF_17.map(|index| match index {
        NECK => neck(SHOULDERS.map(|shoulder| points[shoulder])),
        index => points[index],
    })
}

/// The middle of both shoulders, as sure as the less sure of them.
fn neck(shoulders: [Option<Point>; 2]) -> Option<Point> {
    let [Some(left), Some(right)] = shoulders else {
        return None;
    };
    Point::new(
        (left.x + right.x) / 2.0,
        (left.y + right.y) / 2.0,
        left.confidence.min(right.confidence),
    )
}

/// A COCO file: `annotations`, perhaps with `images` that have sizes. It must be of one image,
/// because nothing says which of several is meant.
pub(crate) fn file(object: &Object) -> Result<Found, Failure> {
    let list = |key| object.get(key).and_then(Value::as_array);
    let entries = list("annotations").ok_or_else(|| {
        Failure::source("\"annotations\" is a list of objects with \"keypoints\"")
    })?;
    let mut found = annotations(entries.iter().filter_map(Value::as_object))?;
    if let Some([Value::Object(image)]) = list("images").map(Vec::as_slice) {
        let side = |key| image.get(key).and_then(Value::as_f64).unwrap_or(0.0);
        found.canvas = Extent::new(side("width"), side("height"));
    }
    Ok(found)
}

/// Annotations or results, one person each.
pub(crate) fn annotations<'a>(
    objects: impl IntoIterator<Item = &'a Object>,
) -> Result<Found, Failure> {
    let mut images = BTreeSet::new();
    let mut bodies = Bodies::default();
    for (index, object) in objects.into_iter().enumerate() {
        let place = format!("annotation {}", index + 1);
        let Some(keypoints) = object.get("keypoints") else {
            continue;
        };
        images.extend(object.get("image_id").map(Value::to_string));
        let body = bodies.add(points(keypoints, &place)?, &place)?;
        bodies.people.push(Person {
            body,
            ..Person::default()
        });
    }
    if images.len() > 1 {
        let count = images.len();
        return Err(Failure::source(format!(
            "the annotations are of {count} images; keep those of one"
        )));
    }
    bodies.found()
}
