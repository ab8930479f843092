//! Where a picture lies in its frame.

use atelier_plugin::{Region, Size};

use crate::parameters::{Anchor, Mode};
use crate::window::Window;

/// A picture's way to its place: `part` of it scaled to `scaled`, its top left corner put at (`x`, `y`)
/// of a canvas of size `canvas`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Placing {
    pub(crate) part: Region,
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
        let (across, down) = anchor.sixths();
        Self {
            part: Region::whole(from),
            scaled,
            canvas,
            x: offset(canvas.width, scaled.width, across),
            y: offset(canvas.height, scaled.height, down),
        }
    }

    /// The placing of what a window shows of a picture of size `from`, as large as a `frame`. A window
    /// has a frame's aspect, and shows something.
    pub(crate) fn of_window(window: Window, from: Size, frame: Size) -> Self {
        let across = Span::of(window.x, window.width, from.width, frame.width);
        let down = Span::of(window.y, window.height, from.height, frame.height);
        Self {
            part: Region {
                x: across.start,
                y: down.start,
                width: across.length,
                height: down.length,
            },
            scaled: Size::new(across.scaled, down.scaled),
            canvas: frame,
            x: across.offset,
            y: down.offset,
        }
    }

    /// Whether the picture leaves some of the canvas uncovered.
    pub(crate) fn leaves_room(self) -> bool {
        let ends = |at: i32, scaled: u32, canvas: u32| {
            at > 0 || i64::from(at) + i64::from(scaled) < i64::from(canvas)
        };
        ends(self.x, self.scaled.width, self.canvas.width)
            || ends(self.y, self.scaled.height, self.canvas.height)
    }
}

/// What is shown of one side of a picture: where it starts and how long it is, there and on the canvas.
struct Span {
    start: u32,
    length: u32,
    scaled: u32,
    offset: i32,
}

impl Span {
    /// Of a window from `at` on, of `length` pixels, that becomes a side of `frame` pixels.
    fn of(at: f64, length: f64, picture: u32, frame: u32) -> Self {
        let scale = f64::from(frame) / length;
        let picture = f64::from(picture);
        let start = at.round().clamp(0.0, picture - 1.0);
        let end = (at + length).round().clamp(start + 1.0, picture);
        // A window inside the picture fills the frame, whatever rounding to its pixels did.
        let inside = at > -0.5 && at + length < picture + 0.5;
        let (scaled, offset) = if inside {
            (f64::from(frame), 0.0)
        } else {
            ((end - start) * scale, (start - at) * scale)
        };
        Self {
            start: start as u32,
            length: (end - start) as u32,
            scaled: scaled.round().max(1.0) as u32,
            offset: offset.round() as i32,
        }
    }
}

/// Sixths of the room that is free, or of what is over, which counts as negative room.
fn offset(canvas: u32, scaled: u32, sixths: i64) -> i32 {
    let room = i64::from(canvas) - i64::from(scaled);
    let offset = (room * sixths).div_euclid(6);
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
    fn the_upper_third_line_stays_where_it_is() {
        let tall = Placing::of(
            Size::new(300, 900),
            Size::new(300, 300),
            Mode::Crop,
            Anchor::Thirds,
        );
        // 300 of 900 pixels down is 100 of 300.
        assert_eq!((tall.x, tall.y + 300), (0, 100));
        assert_eq!(place(Mode::Pad, Anchor::Thirds).3, 16);
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
