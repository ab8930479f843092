//! Drawing on a canvas, done by the host: lines, discs, ellipses, polygons, and parts of pictures.
//!
//! Everything is smooth at its edges and laid over what is there, by the alpha of its colour. In
//! `cargo test` the same code draws as in the host, so the pixels are the same too; only
//! [`Canvas::blit`] may differ by the rounding of its resampling.

use crate::{Canvas, Picture, Refused, Region};

/// A place on a canvas in pixels: (0, 0) is its top left corner and (0.5, 0.5) the middle of its
/// first pixel. It may lie outside.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// From the left edge.
    pub x: f32,
    /// From the top edge.
    pub y: f32,
}

impl Point {
    /// The place (`x`, `y`).
    pub const fn new(x: f32, y: f32) -> Self {
        Self { x, y }
    }
}

/// Where a picture goes: the pixel of its top left corner, which may lie outside, and the size
/// that it gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Frame {
    /// Pixels left of it.
    pub x: i32,
    /// Pixels above it.
    pub y: i32,
    /// Pixels from its left to its right, at least 1.
    pub width: u32,
    /// Pixels from its top to its bottom, at least 1.
    pub height: u32,
}

/// Colours are R, G, B and A, not premultiplied. What lies outside is dropped.
impl Canvas {
    /// Lines from each point to the next, round at their ends and corners. All of them are one
    /// shape, so an alpha shows no joints. One point is a dot.
    ///
    /// ```
    /// use atelier_plugin::{Canvas, Point, Size};
    ///
    /// let canvas = Canvas::new(Size::new(20, 20))?;
    /// let corner = [Point::new(2.0, 10.0), Point::new(10.0, 10.0), Point::new(10.0, 2.0)];
    /// canvas.lines(&corner, 4.0, [255, 0, 0, 255])?;
    /// assert_eq!(canvas.rgba()[(9 * 20 + 5) * 4..][..4], [255, 0, 0, 255]);
    /// # Ok::<(), atelier_plugin::Refused>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Refused`] for a coordinate that is no finite number, a width that is not above 0, and
    /// more than 10000 points.
    pub fn lines(&self, through: &[Point], width: f32, colour: [u8; 4]) -> Result<(), Refused> {
        self.0.lines(through, width, colour)
    }

    /// A filled disc.
    ///
    /// # Errors
    ///
    /// [`Refused`] for a number that is not finite and a radius that is not above 0.
    pub fn disc(&self, centre: Point, radius: f32, colour: [u8; 4]) -> Result<(), Refused> {
        self.0.disc(centre, radius, colour)
    }

    /// A filled ellipse: half its axes, and the turn of the first from the right, clockwise, in
    /// degrees.
    ///
    /// ```
    /// use atelier_plugin::{Canvas, Point, Size};
    ///
    /// let canvas = Canvas::new(Size::new(20, 20))?;
    /// canvas.ellipse(Point::new(10.0, 10.0), Point::new(8.0, 2.0), 90.0, [0, 0, 0, 255])?;
    /// let alpha = |x: usize, y: usize| canvas.rgba()[(y * 20 + x) * 4 + 3];
    /// assert_eq!((alpha(10, 4), alpha(4, 10)), (255, 0));
    /// # Ok::<(), atelier_plugin::Refused>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Refused`] for a number that is not finite and a radius that is not above 0.
    pub fn ellipse(
        &self,
        centre: Point,
        radii: Point,
        degrees: f32,
        colour: [u8; 4],
    ) -> Result<(), Refused> {
        self.0.ellipse(centre, radii, degrees, colour)
    }

    /// A filled polygon, closed from the last corner to the first; where it crosses itself, the
    /// even-odd rule says what is inside.
    ///
    /// # Errors
    ///
    /// [`Refused`] for a coordinate that is no finite number and more than 10000 corners.
    pub fn polygon(&self, corners: &[Point], colour: [u8; 4]) -> Result<(), Refused> {
        self.0.polygon(corners, colour)
    }

    /// A part of a picture, brought to another size (Lanczos, three lobes) and laid over the
    /// canvas by its alpha. [`Canvas::paste`] replaces instead, and keeps the size.
    ///
    /// ```
    /// use atelier_plugin::{Canvas, Frame, Picture, Region, Size};
    ///
    /// let canvas = Canvas::new(Size::new(4, 4))?;
    /// let red = Picture::from_rgba(Size::new(1, 1), vec![255, 0, 0, 255])?;
    /// let middle = Frame { x: 1, y: 1, width: 2, height: 2 };
    /// canvas.blit(&red, Region::whole(red.size()), middle)?;
    /// assert_eq!(canvas.rgba().chunks(4).filter(|pixel| pixel[3] == 255).count(), 4);
    /// # Ok::<(), atelier_plugin::Refused>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Refused`] where the part is not inside the picture, and where the frame is empty or more
    /// than the job allows.
    pub fn blit(&self, source: &Picture, part: Region, to: Frame) -> Result<(), Refused> {
        self.0.blit(&source.0, part, to)
    }
}
