//! The pixels that are drawn on, and everything that can be drawn.

use crate::blend::{WHOLE, over};
use crate::{Undrawable, capsules, corners, oval, refused};

/// A place in pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// From the left edge.
    pub x: f32,
    /// From the top edge.
    pub y: f32,
}

/// A colour, not premultiplied, sRGB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Colour {
    /// Red.
    pub r: u8,
    /// Green.
    pub g: u8,
    /// Blue.
    pub b: u8,
    /// Opacity: 255 hides what is below.
    pub a: u8,
}

/// Pixels that can be drawn on.
#[derive(Debug)]
pub struct Surface<'pixels> {
    width: usize,
    height: usize,
    pixels: &'pixels mut [u8],
}

impl<'pixels> Surface<'pixels> {
    /// A surface of these pixels, or none where a side is 0 or the bytes are not
    /// `width` × `height` × 4.
    pub fn new(width: u32, height: u32, pixels: &'pixels mut [u8]) -> Option<Self> {
        let bytes = (width as usize)
            .checked_mul(height as usize)?
            .checked_mul(4)?;
        (bytes > 0 && bytes == pixels.len()).then_some(Self {
            width: width as usize,
            height: height as usize,
            pixels,
        })
    }

    /// Lines from each point to the next, `width` thick, round at their ends and corners. All of
    /// them are one shape: an alpha below 255 shows no joints and no crossings. One point is a
    /// dot, none is nothing.
    ///
    /// # Errors
    ///
    /// [`Undrawable`] for a coordinate that is not finite, a width that is not above 0, and more
    /// than [`MOST_POINTS`](crate::MOST_POINTS) points; nothing is drawn then.
    pub fn lines(
        &mut self,
        through: &[Point],
        width: f32,
        colour: Colour,
    ) -> Result<(), Undrawable> {
        refused::points(through)?;
        refused::above_zero("the width", width)?;
        capsules::draw(self, through, f64::from(width) / 2.0, colour);
        Ok(())
    }

    /// A filled disc.
    ///
    /// # Errors
    ///
    /// [`Undrawable`] for a coordinate that is not finite and a radius that is not above 0.
    pub fn disc(&mut self, centre: Point, radius: f32, colour: Colour) -> Result<(), Undrawable> {
        refused::points(&[centre])?;
        refused::above_zero("the radius", radius)?;
        let radii = Point {
            x: radius,
            y: radius,
        };
        oval::draw(self, centre, radii, 0.0, colour);
        Ok(())
    }

    /// A filled ellipse with these halves of its axes; the first is turned by `degrees` clockwise
    /// from the right.
    ///
    /// # Errors
    ///
    /// [`Undrawable`] for a number that is not finite and a radius that is not above 0.
    pub fn ellipse(
        &mut self,
        centre: Point,
        radii: Point,
        degrees: f32,
        colour: Colour,
    ) -> Result<(), Undrawable> {
        refused::points(&[centre])?;
        refused::above_zero("a radius", radii.x)?;
        refused::above_zero("a radius", radii.y)?;
        refused::finite("the turn", degrees)?;
        oval::draw(self, centre, radii, f64::from(degrees), colour);
        Ok(())
    }

    /// A filled polygon, closed from the last corner to the first. Where it crosses itself, what
    /// an odd number of edges surrounds is inside. Fewer than three corners are nothing.
    ///
    /// # Errors
    ///
    /// [`Undrawable`] for a coordinate that is not finite and more than
    /// [`MOST_POINTS`](crate::MOST_POINTS) corners; nothing is drawn then.
    pub fn polygon(&mut self, corners: &[Point], colour: Colour) -> Result<(), Undrawable> {
        refused::points(corners)?;
        corners::draw(self, corners, colour);
        Ok(())
    }

    /// Lays RGBA pixels over the surface by their alpha, the top left one at (`x`, `y`), which may
    /// lie outside; what falls outside is dropped.
    ///
    /// # Errors
    ///
    /// [`Undrawable::WrongBytes`] where `source` is not `source_width` × `source_height` × 4
    /// bytes.
    pub fn overlay(
        &mut self,
        source: &[u8],
        source_width: u32,
        source_height: u32,
        x: i64,
        y: i64,
    ) -> Result<(), Undrawable> {
        let pixels = u64::from(source_width) * u64::from(source_height);
        let needed = pixels.saturating_mul(4);
        if needed != source.len() as u64 {
            let given = source.len();
            return Err(Undrawable::WrongBytes { needed, given });
        }
        let (columns, skipped) = overlap(self.width, source_width as usize, x);
        let (rows, above) = overlap(self.height, source_height as usize, y);
        if columns.is_empty() {
            return Ok(());
        }
        for (row, from) in rows.zip(above..) {
            let start = (from * source_width as usize + skipped) * 4;
            let line = &source[start..start + columns.len() * 4];
            let to = (row * self.width + columns.start) * 4;
            let under = &mut self.pixels[to..to + columns.len() * 4];
            for (pixel, new) in under.chunks_exact_mut(4).zip(line.chunks_exact(4)) {
                if let [r, g, b, a] = *new {
                    over(pixel, Colour { r, g, b, a }, WHOLE);
                }
            }
        }
        Ok(())
    }

    /// Pixels across.
    pub(crate) fn width(&self) -> usize {
        self.width
    }

    /// Pixels down.
    pub(crate) fn height(&self) -> usize {
        self.height
    }

    /// Lays a colour over one row from the pixel `left` on, by a coverage for each pixel, at most
    /// [`WHOLE`]; the row and its pixels must exist.
    pub(crate) fn cover(
        &mut self,
        row: usize,
        left: usize,
        coverages: impl IntoIterator<Item = u32>,
        colour: Colour,
    ) {
        let start = (row * self.width + left) * 4;
        let end = (row + 1) * self.width * 4;
        let pixels = self.pixels[start..end].chunks_exact_mut(4);
        for (pixel, coverage) in pixels.zip(coverages) {
            over(pixel, colour, coverage);
        }
    }

    /// The rows and columns with a pixel between two coordinates, as a range that is empty where
    /// there are none; `side` is how many there are.
    pub(crate) fn touched(side: usize, low: f64, high: f64) -> std::ops::Range<usize> {
        // Casts saturate: what lies far outside becomes 0 or the side.
        let first = (low.floor().max(0.0) as usize).min(side);
        let end = (high.ceil().max(0.0) as usize).min(side);
        first..end.max(first)
    }
}

/// Which of `side` pixels a line of `count` pixels at `at` covers, and how many of its own lie
/// before the first of them.
fn overlap(side: usize, count: usize, at: i64) -> (std::ops::Range<usize>, usize) {
    let (side, count, at) = (side as i128, count as i128, i128::from(at));
    let first = at.clamp(0, side);
    let end = (at + count).clamp(first, side);
    let skipped = (first - at).clamp(0, count);
    (first as usize..end as usize, skipped as usize)
}
