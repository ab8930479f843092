//! Sizes and rectangles, and the few questions that every plugin asks of them.

/// Models take sides in multiples of this; others are cropped.
const MULTIPLE: u32 = 16;

/// Width and height in pixels.
///
/// ```
/// use atelier_plugin::Size;
///
/// let photo = Size::new(4000, 3000);
/// assert_eq!(photo.inside(Size::new(768, 768)), Size::new(768, 576));
/// assert_eq!(photo.covering(Size::new(768, 768)), Size::new(1024, 768));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Size {
    /// Pixels from left to right.
    pub width: u32,
    /// Pixels from top to bottom.
    pub height: u32,
}

impl Size {
    /// A size of `width` × `height` pixels.
    pub const fn new(width: u32, height: u32) -> Self {
        Self { width, height }
    }

    /// How many pixels that is.
    pub fn pixels(self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }

    /// How many bytes its RGBA pixels take, or none where that exceeds the address space.
    pub fn bytes(self) -> Option<usize> {
        usize::try_from(self.pixels()).ok()?.checked_mul(4)
    }

    /// The largest size of this aspect inside `frame`, larger or smaller than this one; each side
    /// is rounded to the nearest pixel and at least 1.
    pub fn inside(self, frame: Size) -> Size {
        if self.is_wider_than(frame) {
            Size::new(frame.width, share(frame.width, self.height, self.width))
        } else {
            Size::new(share(frame.height, self.width, self.height), frame.height)
        }
    }

    /// The smallest size of this aspect that covers `frame`, rounded like [`Size::inside`].
    pub fn covering(self, frame: Size) -> Size {
        if self.is_wider_than(frame) {
            Size::new(share(frame.height, self.width, self.height), frame.height)
        } else {
            Size::new(frame.width, share(frame.width, self.height, self.width))
        }
    }

    /// This size, scaled down where its longer side is over `longest`, each side brought to the
    /// nearest multiple of 16, which is what models take without cropping. A reference costs time
    /// by its area, so what has no fine detail, a skeleton say, should be no larger than it needs.
    ///
    /// ```
    /// use atelier_plugin::Size;
    ///
    /// assert_eq!(Size::new(1536, 1024).economical(768), Size::new(768, 512));
    /// assert_eq!(Size::new(100, 60).economical(768), Size::new(96, 64));
    /// ```
    #[must_use]
    pub fn economical(self, longest: u32) -> Size {
        let longest = self.width.max(self.height).min(longest);
        let size = self.inside(Size::new(longest, longest));
        let round =
            |side: u32| (side.saturating_add(MULTIPLE / 2) / MULTIPLE * MULTIPLE).max(MULTIPLE);
        Size::new(round(size.width), round(size.height))
    }

    /// This size with the sides that are given; where only one is, the other follows it in this
    /// size's aspect.
    ///
    /// ```
    /// use atelier_plugin::Size;
    ///
    /// let output = Size::new(1024, 768);
    /// assert_eq!(output.with_sides(None, None), output);
    /// assert_eq!(output.with_sides(Some(512), None), Size::new(512, 384));
    /// assert_eq!(output.with_sides(Some(512), Some(512)), Size::new(512, 512));
    /// ```
    pub fn with_sides(self, width: Option<u32>, height: Option<u32>) -> Size {
        match (width, height) {
            (None, None) => self,
            (Some(width), None) => Size::new(width, share(width, self.height, self.width)),
            (None, Some(height)) => Size::new(share(height, self.width, self.height), height),
            (Some(width), Some(height)) => Size::new(width, height),
        }
    }

    fn is_wider_than(self, other: Size) -> bool {
        u64::from(self.width) * u64::from(other.height)
            > u64::from(other.width) * u64::from(self.height)
    }
}

impl std::fmt::Display for Size {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}×{}", self.width, self.height)
    }
}

/// `side` × `part` / `whole`, to the nearest pixel, at least 1.
fn share(side: u32, part: u32, whole: u32) -> u32 {
    let whole = u64::from(whole.max(1));
    let rounded = (u64::from(side) * u64::from(part) + whole / 2) / whole;
    u32::try_from(rounded).unwrap_or(u32::MAX).max(1)
}

/// A rectangle of a picture: its top left corner and its size, in pixels.
///
/// ```
/// use atelier_plugin::{Region, Size};
///
/// let rows = Region::rows(Size::new(640, 480), 16, 8);
/// assert_eq!(rows, Region { x: 0, y: 16, width: 640, height: 8 });
/// assert!(rows.lies_in(Size::new(640, 480)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Region {
    /// Pixels left of it.
    pub x: u32,
    /// Pixels above it.
    pub y: u32,
    /// Pixels from its left to its right.
    pub width: u32,
    /// Pixels from its top to its bottom.
    pub height: u32,
}

impl Region {
    /// All of a picture of this size.
    pub const fn whole(of: Size) -> Self {
        Self {
            x: 0,
            y: 0,
            width: of.width,
            height: of.height,
        }
    }

    /// `count` full rows of a picture of this size, from row `y` on.
    pub const fn rows(of: Size, y: u32, count: u32) -> Self {
        Self {
            x: 0,
            y,
            width: of.width,
            height: count,
        }
    }

    /// Its size.
    pub const fn size(self) -> Size {
        Size::new(self.width, self.height)
    }

    /// Whether no part of it is outside a picture of this size.
    pub fn lies_in(self, of: Size) -> bool {
        u64::from(self.x) + u64::from(self.width) <= u64::from(of.width)
            && u64::from(self.y) + u64::from(self.height) <= u64::from(of.height)
    }
}

#[cfg(test)]
mod tests {
    use super::{Region, Size};

    #[test]
    fn an_aspect_that_fits_stays_as_it_is() {
        let size = Size::new(300, 200);
        assert_eq!(size.inside(Size::new(600, 400)), Size::new(600, 400));
        assert_eq!(size.covering(Size::new(600, 400)), Size::new(600, 400));
    }

    #[test]
    fn a_thread_is_never_scaled_to_nothing() {
        let thread = Size::new(1, 100_000);
        assert_eq!(thread.inside(Size::new(64, 64)), Size::new(1, 64));
        assert_eq!(Size::new(9, 0).covering(Size::new(0, 9)).height, 9);
    }

    #[test]
    fn an_economical_size_is_small_and_in_multiples() {
        for (size, expected) in [
            ((1024, 1024), (768, 768)),
            ((1024, 1536), (512, 768)),
            ((1360, 768), (768, 432)),
            ((512, 512), (512, 512)),
            ((4096, 16), (768, 16)),
            ((0, 0), (16, 16)),
        ] {
            let economical = Size::new(size.0, size.1).economical(768);
            assert_eq!((economical.width, economical.height), expected, "{size:?}");
        }
    }

    #[test]
    fn extreme_sizes_do_not_overflow() {
        let huge = Size::new(u32::MAX, 1);
        assert_eq!(huge.covering(Size::new(u32::MAX, u32::MAX)).width, u32::MAX);
        assert!(huge.bytes().is_some());
        assert_eq!(Size::new(u32::MAX, u32::MAX).bytes(), None);
    }

    #[test]
    fn a_region_past_the_end_of_u32_is_outside() {
        let region = Region {
            x: u32::MAX,
            y: 0,
            width: 2,
            height: 1,
        };
        assert!(!region.lies_in(Size::new(u32::MAX, 1)));
    }
}
