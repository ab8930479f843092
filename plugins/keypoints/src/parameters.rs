//! What a job may say of a skeleton picture: the same, with the same bounds and defaults, for every
//! plugin that draws one. Each plugin has its own struct of parameters, and its fields are of these
//! types.

use atelier_plugin::{Decimal, Failure, Size, Within};

use crate::Extent;

/// The longer side of the skeleton picture where the job does not say, in pixels. A reference
/// costs tokens by its area, and a skeleton has no detail to lose.
const LONGEST_SIDE: u32 = 768;

/// The shortest side of the picture, which the job's aspect can give.
const SHORTEST_SIDE: u32 = 16;

/// The longest, as [`Side`] has it.
const LONGEST: u32 = 4096;

/// A side of the picture, in pixels.
pub type Side = Within<64, LONGEST>;

/// Half the thickness of a limb and the radius of a joint, in pixels.
pub type StickWidth = Within<1, 64>;

/// The usual stick width.
pub const STICK_WIDTH: StickWidth = StickWidth::constant(4);

/// The confidence that a point needs, from 0 to 1.
pub type Threshold = Decimal<0, 1000>;

/// The usual threshold.
pub const THRESHOLD: Threshold = Threshold::constant(300);

/// Which of a document's frames, from 1.
pub type Frame = Within<1, 1_000_000>;

/// The only frame of most documents.
pub const FIRST_FRAME: Frame = Frame::constant(1);

/// A side of the picture that the keypoints were found in, in pixels.
pub type CanvasSide = Within<1, 1_000_000>;

/// The size of the skeleton picture, given the size of the picture that the job makes.
pub fn size(output: Size, width: Option<Side>, height: Option<Side>) -> Size {
    if width.is_none() && height.is_none() {
        return output.economical(LONGEST_SIDE);
    }
    let size = output.with_sides(width.map(Side::get), height.map(Side::get));
    let bounded = |side: u32| side.clamp(SHORTEST_SIDE, LONGEST);
    Size::new(bounded(size.width), bounded(size.height))
}

/// The canvas that the user states.
///
/// # Errors
///
/// [`Failure::Parameter`] where only one of its sides is stated.
pub fn canvas(
    width: Option<CanvasSide>,
    height: Option<CanvasSide>,
) -> Result<Option<Extent>, Failure> {
    match (width, height) {
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
