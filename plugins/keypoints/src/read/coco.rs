//! COCO keypoints: 17 points without a neck, left before right, as MoveNet, YOLO and ViTPose
//! give them, bare or in COCO's annotations; and COCO-WholeBody's, as DWPose and RTMPose give
//! them: the same 17, 6 of the feet, 68 of the face, 21 of each hand.

use std::collections::BTreeSet;

use atelier_plugin::Failure;
use serde_json::Value;

use crate::read::{Bodies, Object, points};
use crate::{Extent, Format, Found, HAND, JOINTS, Person, Point};

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

/// How many points COCO-WholeBody has.
pub(crate) const WHOLE_BODY: usize = 133;

/// Where its face is, between the feet and the hands.
const FACE: std::ops::Range<usize> = 23..91;

/// A person of [`WHOLE_BODY`] points. The feet are not drawn and not kept.
pub(crate) fn whole_body(points: &[Option<Point>]) -> Person {
    let hand = |start: usize| points[start..start + HAND].to_vec();
    Person {
        body: joints(points),
        hands: [hand(FACE.end), hand(FACE.end + HAND)],
        face: points[FACE].to_vec(),
    }
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
        let mut person = bodies.add(points(keypoints, &place)?, &place)?;
        if add_parts(&mut person, object, &place)? {
            bodies.format = Some(Format::Coco133);
        }
        bodies.people.push(person);
    }
    if images.len() > 1 {
        let count = images.len();
        return Err(Failure::source(format!(
            "the annotations are of {count} images; keep those of one"
        )));
    }
    bodies.found()
}

/// Adds the hands and the face that an annotation of COCO-WholeBody's files has beside its body;
/// whether it has any.
fn add_parts(person: &mut Person, object: &Object, place: &str) -> Result<bool, Failure> {
    let mut any = false;
    let [left, right] = &mut person.hands;
    for (key, count, part) in [
        ("lefthand_kpts", HAND, left),
        ("righthand_kpts", HAND, right),
        ("face_kpts", FACE.len(), &mut person.face),
    ] {
        let place = format!("{place}, {key}");
        let found = points(object.get(key).unwrap_or(&Value::Null), &place)?;
        match found.len() {
            0 => continue,
            found if found == count => {}
            other => {
                return Err(Failure::source(format!(
                    "{place}: {other} points, and it has {count}"
                )));
            }
        }
        *part = found;
        any = true;
    }
    Ok(any)
}
