//! What cannot be drawn, as a sentence that a plugin's author reads.

use std::fmt;

use crate::Point;

/// The most points that one call takes.
pub const MOST_POINTS: usize = 10_000;

/// Why nothing was drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Undrawable {
    /// A number that is infinite or none at all.
    NotFinite {
        /// What the number is: "a coordinate", "the width".
        what: &'static str,
        /// The number.
        value: f32,
    },
    /// A width or a radius that is 0 or less.
    NotAboveZero {
        /// What the number is: "the width", "the radius".
        what: &'static str,
        /// The number.
        value: f32,
    },
    /// More than [`MOST_POINTS`]; how many there were.
    TooManyPoints(usize),
    /// The bytes of a picture are not as many as its size needs.
    WrongBytes {
        /// Width × height × 4.
        needed: u64,
        /// How many there were.
        given: usize,
    },
}

impl fmt::Display for Undrawable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFinite { what, value } => {
                write!(formatter, "{what} is {value}, which is no finite number")
            }
            Self::NotAboveZero { what, value } => {
                write!(formatter, "{what} is {value}, and it must be above 0")
            }
            Self::TooManyPoints(count) => write!(
                formatter,
                "{count} points are more than the {MOST_POINTS} that one call draws"
            ),
            Self::WrongBytes { needed, given } => {
                write!(formatter, "the picture needs {needed} bytes, not {given}")
            }
        }
    }
}

impl std::error::Error for Undrawable {}

/// Refuses more points than a call takes, and coordinates that are no finite numbers.
pub(crate) fn points(points: &[Point]) -> Result<(), Undrawable> {
    if points.len() > MOST_POINTS {
        return Err(Undrawable::TooManyPoints(points.len()));
    }
    points.iter().try_for_each(|point| {
        finite("a coordinate", point.x)?;
        finite("a coordinate", point.y)
    })
}

/// Refuses what is infinite or no number.
pub(crate) fn finite(what: &'static str, value: f32) -> Result<(), Undrawable> {
    if value.is_finite() {
        Ok(())
    } else {
        Err(Undrawable::NotFinite { what, value })
    }
}

/// Refuses what is not finite and above 0.
pub(crate) fn above_zero(what: &'static str, value: f32) -> Result<(), Undrawable> {
    finite(what, value)?;
    if value > 0.0 {
        Ok(())
    } else {
        Err(Undrawable::NotAboveZero { what, value })
    }
}
