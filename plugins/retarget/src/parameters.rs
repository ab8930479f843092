//! The parameters, as `parameters.schema.json` describes them. What is drawn has those of plugin
//! `pose`, with the same meaning.

use atelier_keypoints::Extent;
use atelier_keypoints::parameters::{
    self, CanvasSide, FIRST_FRAME, Frame, STICK_WIDTH, Side, StickWidth, THRESHOLD, Threshold,
};
use atelier_plugin::{Decimal, Failure, Size, Within};
use serde::Deserialize;

use crate::limbs::Part;

/// How long the limbs of a part of the body become, in percent.
type Length = Within<25, 400>;

/// How far everybody moves, in percent of a side of the picture.
type Move = Decimal<-100_000, 100_000>;

/// What a job's `prepare` entry may say.
#[derive(Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Parameters {
    head: Length,
    torso: Length,
    arms: Length,
    legs: Length,
    pub(crate) mirror: bool,
    scale: Within<10, 1000>,
    dx: Move,
    dy: Move,
    width: Option<Side>,
    height: Option<Side>,
    pub(crate) stick_width: StickWidth,
    pub(crate) threshold: Threshold,
    pub(crate) frame: Frame,
    canvas_width: Option<CanvasSide>,
    canvas_height: Option<CanvasSide>,
    pub(crate) prompt: bool,
}

impl Default for Parameters {
    fn default() -> Self {
        const AS_IT_IS: Length = Length::constant(100);
        const NOWHERE: Move = Move::constant(0);
        Self {
            head: AS_IT_IS,
            torso: AS_IT_IS,
            arms: AS_IT_IS,
            legs: AS_IT_IS,
            mirror: false,
            scale: const { Within::constant(100) },
            dx: NOWHERE,
            dy: NOWHERE,
            width: None,
            height: None,
            stick_width: STICK_WIDTH,
            threshold: THRESHOLD,
            frame: FIRST_FRAME,
            canvas_width: None,
            canvas_height: None,
            prompt: false,
        }
    }
}

impl Parameters {
    /// How many times as long as they would be the limbs of a part become.
    pub(crate) fn factor(&self, part: Part) -> f64 {
        let percent = match part {
            Part::Head => self.head,
            Part::Torso => self.torso,
            Part::Arms => self.arms,
            Part::Legs => self.legs,
        };
        f64::from(percent.get()) / 100.0
    }

    /// How many times as large everybody becomes.
    pub(crate) fn scale(&self) -> f64 {
        f64::from(self.scale.get()) / 100.0
    }

    /// How far everybody moves in a picture of this size, in pixels to the right and down.
    pub(crate) fn moves(&self, size: Size) -> [f64; 2] {
        let pixels = |percent: Move, side: u32| percent.get() / 100.0 * f64::from(side);
        [pixels(self.dx, size.width), pixels(self.dy, size.height)]
    }

    /// The size of the skeleton picture, given the size of the picture that the job makes.
    pub(crate) fn size(&self, output: Size) -> Size {
        parameters::size(output, self.width, self.height)
    }

    /// The canvas of the pose that the user states.
    pub(crate) fn canvas(&self) -> Result<Option<Extent>, Failure> {
        parameters::canvas(self.canvas_width, self.canvas_height)
    }
}
