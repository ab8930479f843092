//! Where a picture lies in its frame.

use atelier_plugin::Size;

use crate::parameters::{Anchor, Mode};

/// A picture's way to its place: scaled to `scaled`, its top left corner put at (`x`, `y`) of a
/// canvas of size `canvas`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Placing {
    pub(crate) scaled: Size,
    pub(crate) canvas: Size,
    pub(crate) x: i32,
    pub(crate) y: i32,
}

impl Placing {
    /// The placing of a picture of size `from` in a `frame`.
    pub(crate) fn of(from: Size, frame: Size, mode: Mode, anchor: Anchor) -> Self {
        let (scaled, canvas) = match mode {
            Mode::Crop => (from.covering(frame), frame),
            Mode::Pad => (from.inside(frame), frame),
            Mode::Contain => (from.inside(frame), from.inside(frame)),
            Mode::Stretch => (frame, frame),
        };
        let (across, down) = anchor.halves();
        Self {
            scaled,
            canvas,
            x: offset(canvas.width, scaled.width, across),
            y: offset(canvas.height, scaled.height, down),
        }
    }

    /// Whether the picture leaves some of the canvas uncovered.
    pub(crate) fn leaves_room(self) -> bool {
        self.scaled.width < self.canvas.width || self.scaled.height < self.canvas.height
    }
}

/// Halves of the room that is free, or of what is over, which counts as negative room.
fn offset(canvas: u32, scaled: u32, halves: i64) -> i32 {
    let room = i64::from(canvas) - i64::from(scaled);
    let offset = (room * halves).div_euclid(2);
    offset.clamp(i64::from(i32::MIN), i64::from(i32::MAX)) as i32
}

#[cfg(test)]
mod tests {
    use atelier_plugin::Size;

    use super::Placing;
    use crate::parameters::{Anchor, Mode};

    const LANDSCAPE: Size = Size::new(400, 200);
    const SQUARE: Size = Size::new(100, 100);

    fn place(mode: Mode, anchor: Anchor) -> (Size, Size, i32, i32) {
        let placing = Placing::of(LANDSCAPE, SQUARE, mode, anchor);
        (placing.scaled, placing.canvas, placing.x, placing.y)
    }

    #[test]
    fn each_mode_keeps_its_promise() {
        let half = Size::new(100, 50);
        let double = Size::new(200, 100);
        let center = Anchor::Center;
        assert_eq!(place(Mode::Crop, center), (double, SQUARE, -50, 0));
        assert_eq!(place(Mode::Pad, center), (half, SQUARE, 0, 25));
        assert_eq!(place(Mode::Contain, center), (half, half, 0, 0));
        assert_eq!(place(Mode::Stretch, center), (SQUARE, SQUARE, 0, 0));
    }

    #[test]
    fn the_anchor_says_what_stays() {
        assert_eq!(place(Mode::Crop, Anchor::Left).2, 0);
        assert_eq!(place(Mode::Crop, Anchor::BottomRight).2, -100);
        assert_eq!(place(Mode::Pad, Anchor::Top).3, 0);
        assert_eq!(place(Mode::Pad, Anchor::Bottom).3, 50);
    }

    #[test]
    fn a_crop_covers_every_frame_and_a_pad_never_overflows() {
        for width in [16, 17, 333, 1024] {
            for height in [16, 19, 512, 1023] {
                let (from, frame) = (Size::new(333, 517), Size::new(width, height));
                let crop = Placing::of(from, frame, Mode::Crop, Anchor::Center);
                assert!(!crop.leaves_room(), "{crop:?}");
                assert!(crop.x <= 0 && crop.y <= 0, "{crop:?}");
                let pad = Placing::of(from, frame, Mode::Pad, Anchor::Center);
                assert!(pad.x >= 0 && pad.y >= 0, "{pad:?}");
            }
        }
    }

    #[test]
    fn a_thread_of_a_picture_does_not_overflow() {
        let thread = Size::new(1, u32::MAX);
        let crop = Placing::of(thread, Size::new(8192, 16), Mode::Crop, Anchor::Bottom);
        assert_eq!(crop.y, i32::MIN);
    }
}
