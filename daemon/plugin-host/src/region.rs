//! Rectangles of pixels, and where their bytes lie. A plugin gives the numbers, so none is trusted
//! and no sum of them may overflow.

use image::RgbaImage;

/// Bytes of a pixel: R, G, B, A.
pub(crate) const PIXEL: usize = 4;

/// A rectangle in pixels, as a plugin gave it: unchecked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Region {
    pub(crate) x: u32,
    pub(crate) y: u32,
    pub(crate) width: u32,
    pub(crate) height: u32,
}

impl Region {
    /// Whether it has a pixel and lies inside the picture.
    pub(crate) fn is_inside(self, pixels: &RgbaImage) -> bool {
        let fits = |start: u32, length: u32, whole: u32| {
            length > 0 && start.checked_add(length).is_some_and(|end| end <= whole)
        };
        let (width, height) = pixels.dimensions();
        fits(self.x, self.width, width) && fits(self.y, self.height, height)
    }

    /// The bytes of each row, for a region that lies inside.
    pub(crate) fn rows(self, pixels: &RgbaImage) -> impl Iterator<Item = &[u8]> {
        let [x, y, width, height] = self.in_bytes();
        pixels
            .chunks_exact(pixels.width() as usize * PIXEL)
            .skip(y)
            .take(height)
            .map(move |row| &row[x..x + width])
    }

    /// The bytes of each row, to be changed, for a region that lies inside.
    pub(crate) fn rows_mut(self, pixels: &mut RgbaImage) -> impl Iterator<Item = &mut [u8]> {
        let [x, y, width, height] = self.in_bytes();
        let stride = pixels.width() as usize * PIXEL;
        pixels
            .chunks_exact_mut(stride)
            .skip(y)
            .take(height)
            .map(move |row| &mut row[x..x + width])
    }

    /// Bytes across, rows down.
    fn in_bytes(self) -> [usize; 4] {
        let Self {
            x,
            y,
            width,
            height,
        } = self;
        let [x, y, width, height] = [x, y, width, height].map(|value| value as usize);
        [x * PIXEL, y, width * PIXEL, height]
    }
}

/// The parts of two pictures that cover each other when the top left corner of one of `source`
/// pixels lies at `at` in one of `target` pixels: where to read, and where to write.
pub(crate) fn overlap(
    at: (i32, i32),
    source: (u32, u32),
    target: (u32, u32),
) -> Option<(Region, Region)> {
    let across = Shared::of(at.0, source.0, target.0)?;
    let down = Shared::of(at.1, source.1, target.1)?;
    let region = |x, y| Region {
        x,
        y,
        width: across.length,
        height: down.length,
    };
    Some((
        region(across.source, down.source),
        region(across.target, down.target),
    ))
}

/// What two lines share: where it starts in each, and how long it is.
struct Shared {
    source: u32,
    target: u32,
    length: u32,
}

impl Shared {
    fn of(at: i32, source: u32, target: u32) -> Option<Self> {
        let at = i64::from(at);
        let start = at.max(0);
        let end = (at + i64::from(source)).min(i64::from(target));
        let length = u32::try_from(end - start).ok()?;
        (length > 0).then_some(Self {
            source: u32::try_from(start - at).ok()?,
            target: u32::try_from(start).ok()?,
            length,
        })
    }
}
