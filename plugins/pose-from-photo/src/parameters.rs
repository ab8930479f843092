//! The parameters, as `parameters.schema.json` describes them. What is drawn has those of plugin
//! `pose`, with the same meaning.

use atelier_plugin::{Decimal, Size, Within};
use serde::Deserialize;

/// The longer side of the skeleton picture where the job does not say, in pixels. A reference
/// costs tokens by its area, and a skeleton has no detail to lose.
const LONGEST_SIDE: u32 = 768;

/// The model takes sides in multiples of this; others would be cropped.
const MULTIPLE: u32 = 16;

/// A side of the result, in pixels.
type Side = Within<64, 4096>;

/// Which MoveNet looks.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Model {
    #[default]
    Lightning,
    Thunder,
}

impl Model {
    /// The host's name for it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Lightning => "movenet-lightning",
            Self::Thunder => "movenet-thunder",
        }
    }

    /// The side of the square that it sees, in pixels.
    pub(crate) fn side(self) -> u32 {
        match self {
            Self::Lightning => 192,
            Self::Thunder => 256,
        }
    }
}

/// What a job's `prepare` entry may say.
#[derive(Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Parameters {
    pub(crate) model: Model,
    pub(crate) width: Option<Side>,
    pub(crate) height: Option<Side>,
    pub(crate) stick_width: Within<1, 64>,
    pub(crate) threshold: Decimal<0, 1000>,
    pub(crate) prompt: bool,
}

impl Default for Parameters {
    fn default() -> Self {
        Self {
            model: Model::default(),
            width: None,
            height: None,
            stick_width: const { bounded(4) },
            threshold: const { confidence(300) },
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
        let bounded = |side: u32| side.clamp(MULTIPLE, 4096);
        Size::new(bounded(size.width), bounded(size.height))
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
