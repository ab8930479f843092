//! Whether what came out is what a case expects, by the rules of `atelier plugin test`.

use std::fs;
use std::path::Path;

use atelier_plugin::{Canvas, Failure, Outcome};
use image::RgbaImage;
use serde_json::Value;

use crate::case::Case;

/// How far a number of the keypoints may be from the expected one.
const NEAR: f64 = 0.01;

/// The error says what is not as expected.
pub(crate) fn compare(case: &Case, made: Result<Outcome, Failure>) -> Result<(), String> {
    let made = match (made, &case.fails) {
        (Err(error), Some(words)) if error.to_string().contains(words) => return Ok(()),
        (Err(error), _) => return Err(error.to_string()),
        (Ok(_), Some(words)) => return Err(format!("it did not fail with {words:?}")),
        (Ok(made), None) => made,
    };
    as_many(case, &made)?;
    for (canvas, path) in made.pictures.iter().zip(&case.pictures) {
        let expected = image::open(path).map_err(|cause| named(path, &cause))?;
        let far = near(&picture(canvas)?, &expected.into_rgba8(), case.tolerance);
        far.map_err(|problem| named(path, &problem))?;
    }
    if made.prompt != case.prompt {
        return Err(format!(
            "its words are {:?}, not {:?}",
            made.prompt, case.prompt
        ));
    }
    match (&made.keypoints, &case.keypoints) {
        (_, None) => Ok(()),
        (None, Some(_)) => Err("it gave no keypoints".to_owned()),
        (Some(made), Some(path)) => {
            let text = fs::read_to_string(path).map_err(|cause| named(path, &cause))?;
            let parse = |text: &str| {
                serde_json::from_str::<Value>(text).map_err(|cause| named(path, &cause))
            };
            if alike(&parse(made)?, &parse(&text)?) {
                Ok(())
            } else {
                Err(named(path, &"its keypoints are others"))
            }
        }
    }
}

/// Writes what came out where the case expects it.
pub(crate) fn bless(case: &Case, made: Result<Outcome, Failure>) -> Result<(), String> {
    if case.fails.is_some() {
        return compare(case, made);
    }
    let made = made.map_err(|error| error.to_string())?;
    as_many(case, &made)?;
    for (canvas, path) in made.pictures.iter().zip(&case.pictures) {
        let saved = picture(canvas)?.save(path);
        saved.map_err(|cause| named(path, &cause))?;
    }
    if let (Some(keypoints), Some(path)) = (&made.keypoints, &case.keypoints) {
        fs::write(path, keypoints).map_err(|cause| named(path, &cause))?;
    }
    if made.prompt == case.prompt {
        Ok(())
    } else {
        Err(format!(
            "its words are {:?}; write them into case.toml",
            made.prompt
        ))
    }
}

fn as_many(case: &Case, made: &Outcome) -> Result<(), String> {
    let (is, should) = (made.pictures.len(), case.pictures.len());
    if is == should {
        Ok(())
    } else {
        Err(format!("it made {is} pictures, not {should}"))
    }
}

fn named(path: &Path, what: &dyn std::fmt::Display) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    format!("{name}: {what}")
}

fn picture(canvas: &Canvas) -> Result<RgbaImage, String> {
    let size = canvas.size();
    RgbaImage::from_raw(size.width, size.height, canvas.rgba())
        .ok_or_else(|| format!("a canvas of {size} has not the bytes of one"))
}

fn near(made: &RgbaImage, expected: &RgbaImage, tolerance: u8) -> Result<(), String> {
    if made.dimensions() != expected.dimensions() {
        let (is, should) = (made.dimensions(), expected.dimensions());
        return Err(format!("it is {is:?} pixels, not {should:?}"));
    }
    let is_far = |one: [u8; 4], other: [u8; 4]| {
        let mut pairs = one.into_iter().zip(other);
        pairs.any(|(one, other)| one.abs_diff(other) > tolerance)
    };
    let pairs = made.enumerate_pixels().zip(expected.pixels());
    let mut far = pairs.filter(|((_, _, one), other)| is_far(one.0, other.0));
    match far.next() {
        None => Ok(()),
        Some(((x, y, _), _)) => Err(format!(
            "{} pixels differ, the first at ({x}, {y})",
            far.count() + 1
        )),
    }
}

/// The same JSON, but for what numbers lose in computing.
fn alike(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => match (one.as_f64(), other.as_f64()) {
            (Some(one), Some(other)) => (one - other).abs() <= NEAR,
            _ => false,
        },
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| alike(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            let same = |(key, value)| other.get(key).is_some_and(|other| alike(value, other));
            one.len() == other.len() && one.iter().all(same)
        }
        _ => one == other,
    }
}
