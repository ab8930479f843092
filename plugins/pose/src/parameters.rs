//! The parameters, as `parameters.schema.json` describes them.

use atelier_keypoints::Extent;
use atelier_plugin::{Failure, Size, Within};
use serde::Deserialize;

/// The longer side of the skeleton picture where the job does not say, in pixels. A reference
/// costs tokens by its area, and a skeleton has no detail to lose.
const LONGEST_SIDE: u32 = 768;

/// The model takes sides in multiples of this; others would be cropped.
const MULTIPLE: u32 = 16;

/// A side of the result, in pixels.
pub(crate) type Side = Within<64, 4096>;

/// A side of the picture that the keypoints were found in, in pixels.
pub(crate) type CanvasSide = Within<1, 1_000_000>;

/// What a job's `prepare` entry may say.
#[derive(Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Parameters {
    pub(crate) width: Option<Side>,
    pub(crate) height: Option<Side>,
    pub(crate) stick_width: Within<1, 64>,
    pub(crate) threshold: Confidence,
    pub(crate) hands: bool,
    pub(crate) face: bool,
    pub(crate) frame: Within<1, 1_000_000>,
    pub(crate) canvas_width: Option<CanvasSide>,
    pub(crate) canvas_height: Option<CanvasSide>,
    pub(crate) prompt: bool,
}

impl Default for Parameters {
    fn default() -> Self {
        Self {
            width: None,
            height: None,
            stick_width: const { bounded(4) },
            threshold: Confidence(0.3),
            hands: true,
            face: true,
            frame: const { bounded(1) },
            canvas_width: None,
            canvas_height: None,
            prompt: false,
        }
    }
}

impl Parameters {
    /// The size of the skeleton picture, given the size of the picture that the job makes.
    pub(crate) fn size(&self, output: Size) -> Size {
        if self.width.is_none() && self.height.is_none() {
            return usual_size(output);
        }
        let size = output.with_sides(self.width.map(Side::get), self.height.map(Side::get));
        let bounded = |side: u32| side.clamp(MULTIPLE, 4096);
        Size::new(bounded(size.width), bounded(size.height))
    }

    /// The canvas that the user states.
    pub(crate) fn canvas(&self) -> Result<Option<Extent>, Failure> {
        match (self.canvas_width, self.canvas_height) {
            (None, None) => Ok(None),
            (Some(width), Some(height)) => Ok(Extent::new(width.get().into(), height.get().into())),
            (Some(_), None) => Err(Failure::parameter(
                "canvas_height",
                "is required with canvas_width",
            )),
            (None, Some(_)) => Err(Failure::parameter(
                "canvas_width",
                "is required with canvas_height",
            )),
        }
    }
}

/// The output's size, at most 768 on its longer side, each side the nearest multiple of 16.
fn usual_size(output: Size) -> Size {
    let longest = output.width.max(output.height).min(LONGEST_SIDE);
    let size = output.inside(Size::new(longest, longest));
    let round = |side: u32| (side + MULTIPLE / 2) / MULTIPLE * MULTIPLE;
    Size::new(
        round(size.width).max(MULTIPLE),
        round(size.height).max(MULTIPLE),
    )
}

/// A default that is checked when the plugin is compiled.
const fn bounded<const LOW: u32, const HIGH: u32>(number: u32) -> Within<LOW, HIGH> {
    match Within::new(number) {
        Some(within) => within,
        None => panic!("the default is out of bounds"),
    }
}

/// A number from 0 to 1.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[serde(try_from = "f64")]
pub(crate) struct Confidence(f64);

impl Confidence {
    pub(crate) fn get(self) -> f64 {
        self.0
    }
}

impl TryFrom<f64> for Confidence {
    type Error = String;

    fn try_from(number: f64) -> Result<Self, String> {
        if (0.0..=1.0).contains(&number) {
            Ok(Self(number))
        } else {
            Err(format!("must be 0 to 1, not {number}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use atelier_plugin::Size;

    use super::usual_size;

    #[test]
    fn the_usual_size_is_small_and_in_multiples() {
        for (output, expected) in [
            ((1024, 1024), (768, 768)),
            ((1024, 1536), (512, 768)),
            ((1360, 768), (768, 432)),
            ((512, 512), (512, 512)),
            ((100, 60), (96, 64)),
            ((4096, 16), (768, 16)),
        ] {
            let size = usual_size(Size::new(output.0, output.1));
            assert_eq!((size.width, size.height), expected, "for {output:?}");
        }
    }
}
