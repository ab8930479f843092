//! The parameters, as `parameters.schema.json` describes them.

use atelier_plugin::{Decimal, Failure, Size, Within};
use serde::Deserialize;

/// A side of the size to fit into, in pixels.
type Side = Within<16, 8192>;

/// How steep the brightness is: the sum of both of Sobel's differences.
type Steepness = Within<0, 2000>;

/// What a job's `prepare` entry may say.
#[derive(Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Parameters {
    low: Steepness,
    high: Steepness,
    blur: Decimal<0, 10_000>,
    pub(crate) invert: bool,
    width: Option<Side>,
    height: Option<Side>,
}

impl Default for Parameters {
    fn default() -> Self {
        Self {
            low: const { Steepness::constant(100) },
            high: const { Steepness::constant(200) },
            blur: const { Decimal::constant(0) },
            invert: false,
            width: None,
            height: None,
        }
    }
}

impl Parameters {
    /// Both thresholds.
    ///
    /// # Errors
    ///
    /// [`Failure::Parameter`] where the low one is over the high one.
    pub(crate) fn thresholds(&self) -> Result<Thresholds, Failure> {
        let (low, high) = (self.low.get(), self.high.get());
        if low > high {
            let message = format!("is {low}, and \"high\" is only {high}");
            return Err(Failure::parameter("low", message));
        }
        Ok(Thresholds { low, high })
    }

    /// The standard deviation of the blur, in pixels.
    pub(crate) fn blur(&self) -> f64 {
        self.blur.get()
    }

    /// The size of the drawing of a picture, given the size of the picture that the job makes.
    pub(crate) fn size(&self, picture: Size, output: Size) -> Size {
        let frame = output.with_sides(self.width.map(Side::get), self.height.map(Side::get));
        picture.inside(frame)
    }
}

/// How steep a line is: everywhere over `low`, and somewhere over `high`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Thresholds {
    pub(crate) low: u32,
    pub(crate) high: u32,
}
