//! Whether what came out is what a case expects.

use std::fs;
use std::path::Path;

use image::{ImageFormat, RgbaImage};
use serde_json::Value;

use crate::{Case, Made};

/// How far a number of the keypoints may be from the expected one.
const NEAR: f64 = 0.01;

impl Case {
    /// Whether what a plugin made, or the message with which it failed, is what the case expects.
    ///
    /// # Errors
    ///
    /// A sentence that says what is not.
    pub fn judge(&self, made: Result<Made, String>) -> Result<(), String> {
        let made = match (made, &self.fails) {
            (Err(message), Some(words)) if message.contains(words) => return Ok(()),
            (Err(message), _) => return Err(message),
            (Ok(_), Some(words)) => return Err(format!("it did not fail with {words:?}")),
            (Ok(made), None) => made,
        };
        as_many(self, &made)?;
        for (picture, path) in made.pictures.iter().zip(&self.pictures) {
            let expected = image::open(path).map_err(|cause| named(path, &cause))?;
            let far = near(picture, &expected.into_rgba8(), self.tolerance);
            far.map_err(|problem| named(path, &problem))?;
        }
        if made.prompt != self.prompt {
            return Err(format!(
                "its words are {:?}, not {:?}",
                made.prompt, self.prompt
            ));
        }
        match (&made.keypoints, &self.keypoints) {
            (_, None) => Ok(()),
            (None, Some(_)) => Err("it gave no keypoints".to_owned()),
            (Some(made), Some(path)) => same_keypoints(made, path),
        }
    }

    /// Writes what a plugin made where the case expects it.
    ///
    /// # Errors
    ///
    /// A sentence that says what is not as the case expects and no file's, or what cannot be written.
    pub fn bless(&self, made: Result<Made, String>) -> Result<(), String> {
        if self.fails.is_some() {
            return self.judge(made);
        }
        let made = made?;
        as_many(self, &made)?;
        for (picture, path) in made.pictures.iter().zip(&self.pictures) {
            let saved = picture.save_with_format(path, ImageFormat::Png);
            saved.map_err(|cause| named(path, &cause))?;
        }
        if let (Some(keypoints), Some(path)) = (&made.keypoints, &self.keypoints) {
            fs::write(path, keypoints).map_err(|cause| named(path, &cause))?;
        }
        if made.prompt == self.prompt {
            return Ok(());
        }
        Err(format!(
            "its words are {:?}; write them into case.toml",
            made.prompt
        ))
    }
}

fn same_keypoints(made: &str, path: &Path) -> Result<(), String> {
    let parse =
        |text: &str| serde_json::from_str::<Value>(text).map_err(|cause| named(path, &cause));
    let text = fs::read_to_string(path).map_err(|cause| named(path, &cause))?;
    if alike(&parse(made)?, &parse(&text)?) {
        return Ok(());
    }
    Err(named(path, &"its keypoints are others"))
}

fn as_many(case: &Case, made: &Made) -> Result<(), String> {
    let (is, should) = (made.pictures.len(), case.pictures.len());
    if is == should {
        Ok(())
    } else {
        Err(format!(
            "it made {is} pictures, and case.toml names {should}"
        ))
    }
}

fn named(path: &Path, what: &dyn std::fmt::Display) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    format!("{name}: {what}")
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
