//! From a JSON text to people, whichever of the usual forms it has.
//!
//! Writers differ in everything but the numbers, so the form is told by its look: OpenPose
//! objects have `people`, COCO objects have `keypoints` or `annotations`, and bare lists of
//! numbers or points are one body or several.

mod coco;
mod openpose;

use atelier_plugin::Failure;
use serde_json::{Map, Value};

use crate::{Format, Found, JOINTS, Person, Point};

/// A JSON object.
pub(crate) type Object = Map<String, Value>;

/// Points as a document writes them, before anyone knows which joints they are.
pub(crate) type Points = Vec<Option<Point>>;

/// Reads a document. `frame` counts from 1 and matters where a document lists frames.
///
/// # Errors
///
/// [`Failure::Source`] with what is wrong and where; [`Failure::Parameter`] for a frame that the
/// document does not have.
pub fn document(text: &str, frame: u32) -> Result<Found, Failure> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let value: Value = serde_json::from_str(text)
        .map_err(|error| Failure::source(format!("the keypoints are not JSON: {error}")))?;
    match &value {
        Value::Object(object) => of_object(object),
        Value::Array(list) => of_list(&value, list, frame),
        _ => Err(unknown_form()),
    }
}

fn of_object(object: &Object) -> Result<Found, Failure> {
    if object.contains_key("people") {
        openpose::frame(object)
    } else if object.contains_key("annotations") {
        coco::file(object)
    } else if object.contains_key("keypoints") {
        coco::annotations([object])
    } else {
        Err(unknown_form())
    }
}

fn of_list(value: &Value, list: &[Value], frame: u32) -> Result<Found, Failure> {
    match list.first() {
        Some(Value::Object(first)) if first.contains_key("people") => {
            let object = frame_of(list, frame)?;
            openpose::frame(object)
        }
        Some(Value::Object(_)) => {
            let objects: Vec<&Object> = list.iter().filter_map(Value::as_object).collect();
            coco::annotations(objects)
        }
        Some(_) if is_body(list) => of_bodies(std::slice::from_ref(value)),
        Some(_) => of_bodies(list),
        None => Err(Failure::source("the keypoints are an empty list")),
    }
}

fn frame_of(list: &[Value], frame: u32) -> Result<&Object, Failure> {
    let index = frame as usize - 1;
    list.get(index).and_then(Value::as_object).ok_or_else(|| {
        let frames = list.len();
        Failure::parameter("frame", format!("the document has {frames}, not {frame}"))
    })
}

/// Whether a list is one body, flat or as points, and not a list of bodies.
fn is_body(list: &[Value]) -> bool {
    let is_point = |value: &Value| match value {
        Value::Array(point) => point.len() <= 3 && !point.iter().any(Value::is_array),
        Value::Number(_) | Value::Null => true,
        _ => false,
    };
    list.iter().all(is_point)
}

fn of_bodies(list: &[Value]) -> Result<Found, Failure> {
    let mut bodies = Bodies::default();
    for (index, value) in list.iter().enumerate() {
        let place = format!("person {}", index + 1);
        let person = bodies.add(points(value, &place)?, &place)?;
        bodies.people.push(person);
    }
    bodies.found()
}

/// The bodies of a document on their way into [`Found`]; they share one format.
#[derive(Debug, Default)]
pub(crate) struct Bodies {
    pub(crate) people: Vec<Person>,
    pub(crate) format: Option<Format>,
}

impl Bodies {
    /// Puts a person's points in the order of the 18 joints, and those of hands and face where
    /// they belong; without points there are none.
    pub(crate) fn add(&mut self, points: Points, place: &str) -> Result<Person, Failure> {
        let of_body = |body: [Option<Point>; JOINTS]| Person {
            body,
            ..Person::default()
        };
        let (format, person) = match points.len() {
            0 => return Ok(Person::default()),
            17 => (Format::Coco17, of_body(coco::joints(&points))),
            18 => (Format::OpenPose18, of_body(openpose::joints_of_18(&points))),
            25 => (Format::OpenPose25, of_body(openpose::joints_of_25(&points))),
            coco::WHOLE_BODY => (Format::Coco133, coco::whole_body(&points)),
            other => {
                return Err(Failure::source(format!(
                    "{place} has {other} body points; 17 (COCO), 18 and 25 (OpenPose) and 133 \
                     (COCO-WholeBody) are known"
                )));
            }
        };
        self.format.get_or_insert(format);
        Ok(person)
    }

    /// All of them, without a canvas.
    pub(crate) fn found(self) -> Result<Found, Failure> {
        let format = self.format;
        let format = format.ok_or_else(|| Failure::source("the document has no body in it"))?;
        Ok(Found {
            people: self.people,
            format,
            canvas: None,
        })
    }
}

/// Points as a flat list of x, y, confidence, or as a list of [x, y] or [x, y, confidence].
/// A null, for a point or for one of its numbers, is a point that is missing.
pub(crate) fn points(value: &Value, place: &str) -> Result<Points, Failure> {
    let wrong = |what: &str| Failure::source(format!("{place}: {what}"));
    let list = match value {
        Value::Null => return Ok(Points::new()),
        Value::Array(list) => list,
        _ => return Err(wrong("keypoints are a list of numbers")),
    };
    if list.iter().any(Value::is_array) {
        let point = |value: &Value| match value {
            Value::Array(numbers) if matches!(numbers.len(), 2 | 3) => point(numbers, place),
            Value::Null => Ok(None),
            _ => Err(wrong("a point is [x, y] or [x, y, confidence]")),
        };
        return list.iter().map(point).collect();
    }
    if list.len() % 3 != 0 {
        let count = list.len();
        return Err(wrong(&format!(
            "{count} numbers are not triples of x, y and confidence"
        )));
    }
    list.chunks_exact(3)
        .map(|triple| point(triple, place))
        .collect()
}

fn point(numbers: &[Value], place: &str) -> Result<Option<Point>, Failure> {
    let mut read = [0.0, 0.0, 1.0];
    for (to, value) in read.iter_mut().zip(numbers) {
        match value {
            Value::Null => return Ok(None),
            value => {
                *to = value
                    .as_f64()
                    .ok_or_else(|| Failure::source(format!("{place}: {value} is not a number")))?;
            }
        }
    }
    let [x, y, confidence] = read;
    Ok(Point::new(x, y, confidence))
}

fn unknown_form() -> Failure {
    Failure::source(
        "the keypoints are neither OpenPose (\"people\") nor COCO (\"keypoints\", \
         \"annotations\" or a list of points)",
    )
}
