//! OpenPose JSON, as OpenPose itself, DWPose and the user interfaces of diffusion models write
//! it: `people`, each with `pose_keypoints_2d` and perhaps hands and face, and perhaps the size
//! of the canvas. Any key can be null.

use atelier_plugin::Failure;
use serde_json::Value;

use crate::read::{Bodies, Object, Points, points};
use crate::{Extent, Format, Found, HAND, JOINTS, Person, Point};

/// Where each of the 18 joints is among the 25 of BODY_25, which has the middle of the hips at 8
/// and the feet from 19 on.
const OF_25: [usize; JOINTS] = [
    0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18,
];

/// One object with `people`.
pub(crate) fn frame(object: &Object) -> Result<Found, Failure> {
    let people = match object.get("people") {
        Some(Value::Array(people)) => people.as_slice(),
        Some(Value::Null) | None => &[],
        Some(_) => return Err(Failure::source("\"people\" is a list")),
    };
    let mut bodies = Bodies::default();
    for (index, value) in people.iter().enumerate() {
        let place = format!("person {}", index + 1);
        let person = value
            .as_object()
            .ok_or_else(|| Failure::source(format!("{place} is not an object")))?;
        let person = self::person(person, &place, &mut bodies)?;
        bodies.people.push(person);
    }
    if bodies.people.is_empty() {
        return Err(Failure::source("the document has no people in it"));
    }
    let side = |key| object.get(key).and_then(Value::as_f64).unwrap_or(0.0);
    let canvas = Extent::new(side("canvas_width"), side("canvas_height"));
    // Hands and faces alone are a document of this kind, too.
    bodies.format.get_or_insert(Format::OpenPose18);
    bodies.found().map(|found| Found { canvas, ..found })
}

fn person(object: &Object, place: &str, bodies: &mut Bodies) -> Result<Person, Failure> {
    let part = |key: &str| match object.get(key) {
        Some(value) => points(value, &format!("{place}, {key}")),
        None => Ok(Points::new()),
    };
    let hand = |key: &str| {
        let points = part(key)?;
        match points.len() {
            0 | HAND => Ok(points),
            other => Err(Failure::source(format!(
                "{place}, {key}: {other} points, and a hand has {HAND}"
            ))),
        }
    };
    let mut person = bodies.add(part("pose_keypoints_2d")?, place)?;
    // 133 points have hands and a face already; what is written apart counts more.
    let replace = |place: &mut Points, points: Points| {
        if !points.is_empty() {
            *place = points;
        }
    };
    replace(&mut person.hands[0], hand("hand_left_keypoints_2d")?);
    replace(&mut person.hands[1], hand("hand_right_keypoints_2d")?);
    replace(&mut person.face, part("face_keypoints_2d")?);
    Ok(person)
}

/// The joints of 18 points, which are in order already.
pub(crate) fn joints_of_18(points: &[Option<Point>]) -> [Option<Point>; JOINTS] {
    std::array::from_fn(|joint| points[joint])
}

/// The joints among 25 points.
pub(crate) fn joints_of_25(points: &[Option<Point>]) -> [Option<Point>; JOINTS] {
    OF_25.map(|index| points[index])
}
