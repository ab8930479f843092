//! The parameters, as `parameters.schema.json` describes them.

use atelier_keypoints::Extent;
use atelier_keypoints::parameters::{
    self, CanvasSide, FIRST_FRAME, Frame, STICK_WIDTH, Side, StickWidth, THRESHOLD, Threshold,
};
use atelier_plugin::{Failure, Size};
use serde::Deserialize;

/// What a job's `prepare` entry may say.
#[derive(Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Parameters {
    pub(crate) width: Option<Side>,
    pub(crate) height: Option<Side>,
    pub(crate) stick_width: StickWidth,
    pub(crate) threshold: Threshold,
    pub(crate) hands: bool,
    pub(crate) face: bool,
    pub(crate) frame: Frame,
    pub(crate) canvas_width: Option<CanvasSide>,
    pub(crate) canvas_height: Option<CanvasSide>,
    pub(crate) prompt: bool,
}

impl Default for Parameters {
    fn default() -> Self {
        Self {
            width: None,
            height: None,
            stick_width: STICK_WIDTH,
            threshold: THRESHOLD,
            hands: true,
            face: true,
            frame: FIRST_FRAME,
            canvas_width: None,
            canvas_height: None,
            prompt: false,
        }
    }
}

impl Parameters {
    /// The size of the skeleton picture, given the size of the picture that the job makes.
    pub(crate) fn size(&self, output: Size) -> Size {
        parameters::size(output, self.width, self.height)
    }

    /// The canvas that the user states.
    pub(crate) fn canvas(&self) -> Result<Option<Extent>, Failure> {
        parameters::canvas(self.canvas_width, self.canvas_height)
    }
}
