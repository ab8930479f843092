//! The parameters, as `parameters.schema.json` describes them. What is drawn has those of plugin
//! `pose`, with the same meaning.

use atelier_keypoints::parameters::{self, STICK_WIDTH, Side, StickWidth, THRESHOLD, Threshold};
use atelier_plugin::Size;
use serde::Deserialize;

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
    pub(crate) stick_width: StickWidth,
    pub(crate) threshold: Threshold,
    pub(crate) prompt: bool,
}

impl Default for Parameters {
    fn default() -> Self {
        Self {
            model: Model::default(),
            width: None,
            height: None,
            stick_width: STICK_WIDTH,
            threshold: THRESHOLD,
            prompt: false,
        }
    }
}

impl Parameters {
    /// The size of the skeleton picture, given the size of the picture that the job makes.
    pub(crate) fn size(&self, output: Size) -> Size {
        parameters::size(output, self.width, self.height)
    }
}
