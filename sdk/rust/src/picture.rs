//! Pictures to read and canvases to make.
//!
//! In a component both are handles: the pixels stay with the host until a region is asked for. In
//! `cargo test` they are memory with the same rules. Pixels are always RGBA, 8 bits each, not
//! premultiplied, sRGB, rows top to bottom.

#[cfg(target_arch = "wasm32")]
use crate::component as backing;
#[cfg(not(target_arch = "wasm32"))]
use crate::memory as backing;
use crate::{Region, Size};

/// A picture that exists; it cannot be changed.
#[derive(Debug)]
pub struct Picture(pub(crate) backing::Picture);

impl Picture {
    /// Its size.
    pub fn size(&self) -> Size {
        self.0.size()
    }

    /// The pixels of a region: width × height × 4 bytes.
    ///
    /// ```
    /// use atelier_plugin::{Picture, Region, Size};
    ///
    /// let picture = Picture::from_rgba(Size::new(2, 1), vec![1, 2, 3, 4, 5, 6, 7, 8])?;
    /// let right = Region { x: 1, y: 0, width: 1, height: 1 };
    /// assert_eq!(picture.read(right)?, [5, 6, 7, 8]);
    /// # Ok::<(), atelier_plugin::Refused>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Refused`] where the region is empty or not inside the picture.
    pub fn read(&self, at: Region) -> Result<Vec<u8>, Refused> {
        self.0.read(at)
    }

    /// A copy of another size, made by the host with a Lanczos filter of three lobes. This is
    /// quicker than any resampling in a plugin. In `cargo test` the pixels may differ from the
    /// host's by rounding.
    ///
    /// # Errors
    ///
    /// [`Refused`] where the size is 0 or more than the job allows.
    pub fn resized(&self, to: Size) -> Result<Picture, Refused> {
        self.0.resized(to).map(Picture)
    }

    /// The media type of the file that it came from, `image/jpeg` say; none for a picture that
    /// another plugin made. It says how good the pixels can be, not how they are laid out: they
    /// are upright and sRGB whatever the file said.
    pub fn format(&self) -> Option<String> {
        self.0.format()
    }
}

/// A new picture, all pixels transparent black until written.
#[derive(Debug)]
pub struct Canvas(pub(crate) backing::Canvas);

impl Canvas {
    /// A blank canvas.
    ///
    /// # Errors
    ///
    /// [`Refused`] where the size is 0 or more than the job allows.
    pub fn new(of: Size) -> Result<Canvas, Refused> {
        backing::Canvas::create(of).map(Canvas)
    }

    /// A canvas with all its pixels: width × height × 4 bytes.
    ///
    /// # Errors
    ///
    /// [`Refused`] where [`Canvas::new`] or [`Canvas::write`] is.
    pub fn of_pixels(of: Size, pixels: &[u8]) -> Result<Canvas, Refused> {
        let canvas = Self::new(of)?;
        canvas.write(Region::whole(of), pixels)?;
        Ok(canvas)
    }

    /// Its size.
    pub fn size(&self) -> Size {
        self.0.size()
    }

    /// Puts width × height × 4 bytes at a region.
    ///
    /// # Errors
    ///
    /// [`Refused`] where the region is not inside the canvas or the bytes are not as many as it
    /// needs.
    pub fn write(&self, at: Region, pixels: &[u8]) -> Result<(), Refused> {
        self.0.write(at, pixels)
    }

    /// Fills a region with one colour: R, G, B and A.
    ///
    /// ```
    /// use atelier_plugin::{Canvas, Region, Size};
    ///
    /// let canvas = Canvas::new(Size::new(8, 8))?;
    /// canvas.fill(Region::whole(canvas.size()), [255, 255, 255, 255])?;
    /// assert_eq!(canvas.rgba(), [255; 8 * 8 * 4]);
    /// # Ok::<(), atelier_plugin::Refused>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Refused`] where the region is not inside the canvas.
    pub fn fill(&self, at: Region, colour: [u8; 4]) -> Result<(), Refused> {
        self.0.fill(at, colour)
    }

    /// Puts a picture's pixels, alpha and all, with its top left corner at (`x`, `y`), which may
    /// lie outside; what falls outside is dropped.
    pub fn paste(&self, source: &Picture, x: i32, y: i32) {
        self.0.paste(&source.0, x, y);
    }

    /// What is on it now, as a picture that can be read, resized, pasted and blitted.
    ///
    /// ```
    /// use atelier_plugin::{Canvas, Region, Size};
    ///
    /// let canvas = Canvas::new(Size::new(4, 4))?;
    /// canvas.fill(Region::whole(canvas.size()), [9, 9, 9, 255])?;
    /// let before = canvas.snapshot()?;
    /// canvas.fill(Region::whole(canvas.size()), [0, 0, 0, 255])?;
    /// assert_eq!(before.read(Region::rows(before.size(), 0, 4))?, [9, 9, 9, 255].repeat(16));
    /// # Ok::<(), atelier_plugin::Refused>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Refused`] where that would be more pixels than the job allows.
    pub fn snapshot(&self) -> Result<Picture, Refused> {
        self.0.snapshot().map(Picture)
    }
}

/// Only outside a component, for an author's tests.
#[cfg(not(target_arch = "wasm32"))]
impl Picture {
    /// A picture with these pixels: width × height × 4 bytes. Only in native tests; in a
    /// component pictures come from the host.
    ///
    /// # Errors
    ///
    /// [`Refused`] where the size is 0 or the bytes are not as many as it needs.
    pub fn from_rgba(size: Size, pixels: Vec<u8>) -> Result<Picture, Refused> {
        backing::Picture::of(size, pixels).map(Picture)
    }

    /// The same as if it came from a file of this media type. Only in native tests.
    #[must_use]
    pub fn with_format(self, media_type: impl Into<String>) -> Picture {
        Picture(self.0.with_format(media_type.into()))
    }
}

/// Only outside a component, for an author's tests.
#[cfg(not(target_arch = "wasm32"))]
impl Canvas {
    /// A copy of all pixels. Only in native tests; in a component,
    /// [`Canvas::snapshot`] makes a picture that can be read.
    pub fn rgba(&self) -> Vec<u8> {
        self.0.rgba()
    }
}

/// The host's reason for not doing what it was asked. With `?` it becomes
/// [`Failure::Other`](crate::Failure::Other).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused(String);

impl Refused {
    pub(crate) fn because(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}

impl std::fmt::Display for Refused {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for Refused {}
