//! The pictures of one call. Pixels live in the host: a plugin reads the regions that it needs and
//! writes regions of new pictures, so its own memory stays small and every bound is checked here,
//! in arithmetic that cannot overflow. What a call makes is counted against its budget of pixels
//! until the plugin lets go of it.

use std::sync::Arc;

use atelier_draw::{Surface, Undrawable};
use bytes::Bytes;
use image::{RgbaImage, imageops};
use thiserror::Error;
use wasmtime::component::{Resource, ResourceTable, ResourceTableError};

use crate::limits::Limits;
use crate::region::{PIXEL, Region, overlap};
use crate::resample;

/// The longest side of a picture that a plugin makes. A strip of one by millions of pixels would
/// pass the budget and then cost whoever scales it dearly.
const LONGEST_SIDE: u32 = 16_384;

/// A picture that exists and does not change.
#[allow(
    unreachable_pub,
    reason = "the generated bindings re-export it inside their module"
)]
pub struct Picture {
    pixels: Arc<RgbaImage>,
    /// The media type of its file.
    format: Option<String>,
    /// Pixels to give back to the budget; 0 for what the host handed in.
    charged: u64,
}

/// A picture's pixels as bytes.
struct Lent(Arc<RgbaImage>);

impl AsRef<[u8]> for Lent {
    fn as_ref(&self) -> &[u8] {
        self.0.as_raw()
    }
}

/// A picture being made.
#[allow(
    unreachable_pub,
    reason = "the generated bindings re-export it inside their module"
)]
pub struct Canvas {
    pixels: RgbaImage,
}

/// What was wrong with what a plugin asked. All but the last are told to the plugin, which may go
/// on.
#[derive(Debug, Error)]
pub(crate) enum PictureError {
    #[error("a picture of {width} x {height} pixels has none")]
    Empty { width: u32, height: u32 },
    #[error("{width} x {height} pixels: a side may have {LONGEST_SIDE}")]
    Side { width: u32, height: u32 },
    #[error("{width} x {height} pixels are more than the {left} that this call has left")]
    Budget { width: u32, height: u32, left: u64 },
    #[error("scaling to {width} x {height} takes too much memory in one step")]
    Step { width: u32, height: u32 },
    #[error("{} x {} pixels at ({}, {}) do not lie inside {width} x {height}", at.width, at.height, at.x, at.y)]
    Outside { at: Region, width: u32, height: u32 },
    #[error("a region of {width} x {height} pixels is {expected} bytes, not {got}")]
    Length {
        width: u32,
        height: u32,
        expected: u64,
        got: usize,
    },
    #[error(
        "a region of {width} x {height} pixels is too much to pass at once; at most {most} bytes are passed"
    )]
    Long {
        width: u32,
        height: u32,
        most: usize,
    },
    #[error(transparent)]
    Undrawable(#[from] Undrawable),
    #[error("this call has {most} pictures already, and may have no more")]
    Handles { most: usize },
    /// A handle that means nothing: the adapter turns it into a trap.
    #[error("a picture's handle is not valid: {0}")]
    Handle(#[from] ResourceTableError),
}

/// The pictures that one call holds, and its budget.
pub(crate) struct Studio {
    table: ResourceTable,
    pixels: u64,
    pixels_left: u64,
    bytes_at_once: usize,
}

impl Studio {
    pub(crate) fn new(limits: &Limits) -> Self {
        let mut table = ResourceTable::new();
        table.set_max_capacity(limits.handles);
        Self {
            table,
            pixels: limits.output_pixels,
            pixels_left: limits.output_pixels,
            bytes_at_once: limits.hostcall_bytes,
        }
    }

    /// Hands a picture to the plugin; it shares the host's pixels and costs no budget.
    pub(crate) fn admit(
        &mut self,
        pixels: Arc<RgbaImage>,
        format: Option<String>,
    ) -> Result<Resource<Picture>, PictureError> {
        self.keep(Picture {
            pixels,
            format,
            charged: 0,
        })
    }

    pub(crate) fn format(
        &self,
        picture: &Resource<Picture>,
    ) -> Result<Option<String>, PictureError> {
        Ok(self.table.get(picture)?.format.clone())
    }

    pub(crate) fn picture_size(
        &self,
        picture: &Resource<Picture>,
    ) -> Result<(u32, u32), PictureError> {
        Ok(self.table.get(picture)?.pixels.dimensions())
    }

    /// The bytes of a region, row by row. Whole rows are lent, not copied.
    pub(crate) fn read(
        &self,
        picture: &Resource<Picture>,
        at: Region,
    ) -> Result<Bytes, PictureError> {
        let pixels = &self.table.get(picture)?.pixels;
        let length = self.checked(at, pixels)?;
        if at.width == pixels.width() {
            let start = at.y as usize * at.width as usize * PIXEL;
            return Ok(Bytes::from_owner(Lent(Arc::clone(pixels))).slice(start..start + length));
        }
        let mut bytes = Vec::with_capacity(length);
        for row in at.rows(pixels) {
            bytes.extend_from_slice(row);
        }
        Ok(bytes.into())
    }

    /// A copy of another size.
    pub(crate) fn resized(
        &mut self,
        picture: &Resource<Picture>,
        width: u32,
        height: u32,
    ) -> Result<Resource<Picture>, PictureError> {
        let source = Arc::clone(&self.table.get(picture)?.pixels);
        self.affordable(width, height)?;
        self.one_step(&source, height, (width, height))?;
        self.made(resample::resized(&source, width, height))
    }

    /// What is on a canvas now, as a picture.
    pub(crate) fn snapshot(
        &mut self,
        canvas: &Resource<Canvas>,
    ) -> Result<Resource<Picture>, PictureError> {
        let (width, height) = self.table.get(canvas)?.pixels.dimensions();
        self.affordable(width, height)?;
        let pixels = self.table.get(canvas)?.pixels.clone();
        self.made(pixels)
    }

    /// Keeps a picture that the call made, and counts it.
    fn made(&mut self, pixels: RgbaImage) -> Result<Resource<Picture>, PictureError> {
        let charged = area(pixels.width(), pixels.height());
        let picture = self.keep(Picture {
            pixels: Arc::new(pixels),
            format: None,
            charged,
        })?;
        self.pixels_left -= charged;
        Ok(picture)
    }

    /// Whether scaling holds no more in memory than a call may.
    fn one_step(
        &self,
        source: &RgbaImage,
        height: u32,
        to: (u32, u32),
    ) -> Result<(), PictureError> {
        if resample::pixels_between(source, height) > self.pixels {
            let (width, height) = to;
            return Err(PictureError::Step { width, height });
        }
        Ok(())
    }

    /// Lets go of a picture.
    pub(crate) fn drop_picture(&mut self, picture: Resource<Picture>) -> Result<(), PictureError> {
        let picture = self.table.delete(picture)?;
        self.pixels_left += picture.charged;
        Ok(())
    }

    /// A blank canvas, transparent black.
    pub(crate) fn create(
        &mut self,
        width: u32,
        height: u32,
    ) -> Result<Resource<Canvas>, PictureError> {
        let charged = self.affordable(width, height)?;
        let canvas = self.keep(Canvas {
            pixels: RgbaImage::new(width, height),
        })?;
        self.pixels_left -= charged;
        Ok(canvas)
    }

    pub(crate) fn canvas_size(
        &self,
        canvas: &Resource<Canvas>,
    ) -> Result<(u32, u32), PictureError> {
        Ok(self.table.get(canvas)?.pixels.dimensions())
    }

    /// Puts the bytes of a region, row by row.
    pub(crate) fn write(
        &mut self,
        canvas: &Resource<Canvas>,
        at: Region,
        bytes: &[u8],
    ) -> Result<(), PictureError> {
        let mut held = self.lend(canvas)?;
        let result = self.write_on(&mut held, at, bytes);
        self.give_back(canvas, held)?;
        result
    }

    /// A canvas for as long as what is written on it lies beside this studio, in the plugin's memory.
    pub(crate) fn lend(&mut self, canvas: &Resource<Canvas>) -> Result<Canvas, PictureError> {
        let canvas = self.table.get_mut(canvas)?;
        Ok(Canvas {
            pixels: std::mem::take(&mut canvas.pixels),
        })
    }

    /// After [`lend`](Self::lend).
    pub(crate) fn give_back(
        &mut self,
        canvas: &Resource<Canvas>,
        lent: Canvas,
    ) -> Result<(), PictureError> {
        *self.table.get_mut(canvas)? = lent;
        Ok(())
    }

    /// Puts the bytes of a region on a canvas that was lent.
    pub(crate) fn write_on(
        &self,
        canvas: &mut Canvas,
        at: Region,
        bytes: &[u8],
    ) -> Result<(), PictureError> {
        let expected = self.checked(at, &canvas.pixels)?;
        if bytes.len() != expected {
            let Region { width, height, .. } = at;
            let expected = expected as u64;
            return Err(PictureError::Length {
                width,
                height,
                expected,
                got: bytes.len(),
            });
        }
        let sources = bytes.chunks_exact(at.width as usize * PIXEL);
        for (target, source) in at.rows_mut(&mut canvas.pixels).zip(sources) {
            target.copy_from_slice(source);
        }
        Ok(())
    }

    /// Fills a region with one colour.
    pub(crate) fn fill(
        &mut self,
        canvas: &Resource<Canvas>,
        at: Region,
        colour: [u8; PIXEL],
    ) -> Result<(), PictureError> {
        let pixels = &mut self.table.get_mut(canvas)?.pixels;
        inside(at, pixels)?;
        for row in at.rows_mut(pixels) {
            for pixel in row.chunks_exact_mut(PIXEL) {
                pixel.copy_from_slice(&colour);
            }
        }
        Ok(())
    }

    /// Puts a picture with its top left corner at (x, y); what falls outside is dropped.
    pub(crate) fn paste(
        &mut self,
        canvas: &Resource<Canvas>,
        source: &Resource<Picture>,
        x: i32,
        y: i32,
    ) -> Result<(), PictureError> {
        let source = Arc::clone(&self.table.get(source)?.pixels);
        let target = &mut self.table.get_mut(canvas)?.pixels;
        let covered = overlap((x, y), source.dimensions(), target.dimensions());
        if let Some((from, to)) = covered {
            for (target, source) in to.rows_mut(target).zip(from.rows(&source)) {
                target.copy_from_slice(source);
            }
        }
        Ok(())
    }

    /// Draws on a canvas.
    pub(crate) fn draw(
        &mut self,
        canvas: &Resource<Canvas>,
        stroke: impl FnOnce(&mut Surface<'_>) -> Result<(), Undrawable>,
    ) -> Result<(), PictureError> {
        let pixels = &mut self.table.get_mut(canvas)?.pixels;
        let (width, height) = pixels.dimensions();
        let mut surface =
            Surface::new(width, height, pixels).ok_or(PictureError::Empty { width, height })?;
        Ok(stroke(&mut surface)?)
    }

    /// Lays a part of a picture over a canvas, at another size and by its alpha.
    pub(crate) fn blit(
        &mut self,
        canvas: &Resource<Canvas>,
        source: &Resource<Picture>,
        part: Region,
        (x, y): (i32, i32),
        (width, height): (u32, u32),
    ) -> Result<(), PictureError> {
        let source = Arc::clone(&self.table.get(source)?.pixels);
        inside(part, &source)?;
        self.affordable(width, height)?;
        let part = imageops::crop_imm(&*source, part.x, part.y, part.width, part.height).to_image();
        self.one_step(&part, height, (width, height))?;
        let scaled = resample::resized(&part, width, height);
        self.draw(canvas, |surface| {
            surface.overlay(&scaled, width, height, i64::from(x), i64::from(y))
        })
    }

    /// Takes a canvas out of the plugin's hands.
    pub(crate) fn take(&mut self, canvas: Resource<Canvas>) -> Result<RgbaImage, PictureError> {
        let pixels = self.table.delete(canvas)?.pixels;
        self.pixels_left += area(pixels.width(), pixels.height());
        Ok(pixels)
    }

    fn keep<T: Send + 'static>(&mut self, thing: T) -> Result<Resource<T>, PictureError> {
        self.table.push(thing).map_err(|error| match error {
            ResourceTableError::Full => PictureError::Handles {
                most: self.table.max_capacity(),
            },
            other => other.into(),
        })
    }

    /// The pixels of a new picture, if it may be made.
    fn affordable(&self, width: u32, height: u32) -> Result<u64, PictureError> {
        if width == 0 || height == 0 {
            return Err(PictureError::Empty { width, height });
        }
        if width > LONGEST_SIDE || height > LONGEST_SIDE {
            return Err(PictureError::Side { width, height });
        }
        let (pixels, left) = (area(width, height), self.pixels_left);
        if pixels > left {
            return Err(PictureError::Budget {
                width,
                height,
                left,
            });
        }
        Ok(pixels)
    }

    /// The bytes of a region that lies inside and may pass at once.
    fn checked(&self, at: Region, pixels: &RgbaImage) -> Result<usize, PictureError> {
        inside(at, pixels)?;
        let bytes = area(at.width, at.height) * PIXEL as u64;
        match usize::try_from(bytes) {
            Ok(bytes) if bytes <= self.bytes_at_once => Ok(bytes),
            _ => Err(PictureError::Long {
                width: at.width,
                height: at.height,
                most: self.bytes_at_once,
            }),
        }
    }
}

fn area(width: u32, height: u32) -> u64 {
    u64::from(width) * u64::from(height)
}

fn inside(at: Region, pixels: &RgbaImage) -> Result<(), PictureError> {
    if at.is_inside(pixels) {
        return Ok(());
    }
    let (width, height) = pixels.dimensions();
    Err(PictureError::Outside { at, width, height })
}

#[cfg(test)]
mod tests;
