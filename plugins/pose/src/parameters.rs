//! The parameters, as `parameters.schema.json` describes them.

use atelier_keypoints::Extent;
use atelier_plugin::{Decimal, Failure, Size, Within};
use serde::Deserialize;

/// The longer side of the skeleton picture where the job does not say, in pixels. A reference
/// costs tokens by its area, and a skeleton has no detail to lose.
const LONGEST_SIDE: u32 = 768;

/// The shortest side of the picture, which the job's aspect can give.
const SHORTEST_SIDE: u32 = 16;

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
    pub(crate) threshold: Decimal<0, 1000>,
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
            threshold: const { confidence(300) },
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
            return output.economical(LONGEST_SIDE);
        }
        let size = output.with_sides(self.width.map(Side::get), self.height.map(Side::get));
        let bounded = |side: u32| side.clamp(SHORTEST_SIDE, 4096);
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

/// A default that is checked when the plugin is compiled.
const fn bounded<const LOW: u32, const HIGH: u32>(number: u32) -> Within<LOW, HIGH> {
    match Within::new(number) {
        Some(within) => within,
        None => panic!("the default is out of bounds"),
    }
}

/// The same of thousandths.
const fn confidence(thousandths: i32) -> Decimal<0, 1000> {
    match Decimal::of_thousandths(thousandths) {
        Some(decimal) => decimal,
        None => panic!("the default is out of bounds"),
    }
}
