//! Pictures as plain memory, for an author's `cargo test`.
//!
//! They follow the rules of `sdk/wit/plugin.wit` to the letter: what the host refuses is refused
//! here too, so that a test finds it first.

mod shapes;

use std::cell::RefCell;

use atelier_draw::{Surface, Undrawable};

use crate::{Frame, Refused, Region, Size, resample};

/// Stands for the host's `picture`.
#[derive(Debug)]
pub(crate) struct Picture {
    size: Size,
    pixels: Vec<u8>,
    format: Option<String>,
}

impl Picture {
    pub(crate) fn of(size: Size, pixels: Vec<u8>) -> Result<Self, Refused> {
        let expected = bytes_of(size)?;
        if pixels.len() != expected {
            let given = pixels.len();
            let reason = format!("a picture of {size} needs {expected} bytes, not {given}");
            return Err(Refused::because(reason));
        }
        Ok(Self {
            size,
            pixels,
            format: None,
        })
    }

    pub(crate) fn with_format(mut self, media_type: String) -> Self {
        self.format = Some(media_type);
        self
    }

    pub(crate) fn size(&self) -> Size {
        self.size
    }

    pub(crate) fn format(&self) -> Option<String> {
        self.format.clone()
    }

    pub(crate) fn read(&self, at: Region) -> Result<Vec<u8>, Refused> {
        check_region(at, self.size)?;
        let rows = at.y..at.y + at.height;
        let row = |y| &self.pixels[span(self.size, at.x, y, at.width)];
        Ok(rows.flat_map(row).copied().collect())
    }

    pub(crate) fn resized(&self, to: Size) -> Result<Self, Refused> {
        bytes_of(to)?;
        let pixels = resample::lanczos(&self.pixels, self.size, to);
        Ok(Self {
            size: to,
            pixels,
            format: self.format.clone(),
        })
    }
}

/// Stands for the host's `canvas`. Its pixels are in a cell because a handle is shared by nature.
#[derive(Debug)]
pub(crate) struct Canvas {
    size: Size,
    pixels: RefCell<Vec<u8>>,
}

impl Canvas {
    pub(crate) fn create(size: Size) -> Result<Self, Refused> {
        let pixels = RefCell::new(vec![0; bytes_of(size)?]);
        Ok(Self { size, pixels })
    }

    pub(crate) fn size(&self) -> Size {
        self.size
    }

    pub(crate) fn rgba(&self) -> Vec<u8> {
        self.pixels.borrow().clone()
    }

    pub(crate) fn write(&self, at: Region, pixels: &[u8]) -> Result<(), Refused> {
        check_region(at, self.size)?;
        let expected = bytes_of(at.size())?;
        if pixels.len() != expected {
            let (size, given) = (at.size(), pixels.len());
            let reason = format!("a region of {size} needs {expected} bytes, not {given}");
            return Err(Refused::because(reason));
        }
        let mut own = self.pixels.borrow_mut();
        for (y, row) in (at.y..).zip(pixels.chunks_exact(at.width as usize * 4)) {
            own[span(self.size, at.x, y, at.width)].copy_from_slice(row);
        }
        Ok(())
    }

    pub(crate) fn fill(&self, at: Region, colour: [u8; 4]) -> Result<(), Refused> {
        let pixels = at.size().bytes().unwrap_or(0) / 4;
        check_region(at, self.size)?;
        self.write(at, &colour.repeat(pixels))
    }

    pub(crate) fn paste(&self, source: &Picture, x: i32, y: i32) {
        // What is visible, in canvas coordinates; 64 bits hold every sum of an i32 and a u32.
        let (left, top) = (i64::from(x), i64::from(y));
        let right = (left + i64::from(source.size.width)).min(i64::from(self.size.width));
        let bottom = (top + i64::from(source.size.height)).min(i64::from(self.size.height));
        let (first, start) = (left.max(0), top.max(0));
        if first >= right {
            return;
        }
        let width = (right - first) as u32;
        let mut own = self.pixels.borrow_mut();
        for row in start..bottom {
            let from = span(
                source.size,
                (first - left) as u32,
                (row - top) as u32,
                width,
            );
            let to = span(self.size, first as u32, row as u32, width);
            own[to].copy_from_slice(&source.pixels[from]);
        }
    }

    pub(crate) fn snapshot(&self) -> Result<Picture, Refused> {
        Picture::of(self.size, self.rgba())
    }

    pub(crate) fn blit(&self, source: &Picture, part: Region, to: Frame) -> Result<(), Refused> {
        let pixels = source.read(part)?;
        let size = Size::new(to.width, to.height);
        bytes_of(size)?;
        let scaled = resample::lanczos(&pixels, part.size(), size);
        self.draw(|surface| surface.overlay(&scaled, to.width, to.height, to.x.into(), to.y.into()))
    }

    /// Draws with the same crate as the host.
    pub(crate) fn draw(
        &self,
        draw: impl FnOnce(&mut Surface<'_>) -> Result<(), Undrawable>,
    ) -> Result<(), Refused> {
        let mut pixels = self.pixels.borrow_mut();
        let Some(mut surface) = Surface::new(self.size.width, self.size.height, &mut pixels) else {
            return Err(Refused::because("the canvas is empty"));
        };
        draw(&mut surface).map_err(|reason| Refused::because(reason.to_string()))
    }
}

/// Where `count` pixels from (`x`, `y`) on lie in a picture's bytes.
fn span(size: Size, x: u32, y: u32, count: u32) -> std::ops::Range<usize> {
    let start = (y as usize * size.width as usize + x as usize) * 4;
    start..start + count as usize * 4
}

fn bytes_of(size: Size) -> Result<usize, Refused> {
    if size.width == 0 || size.height == 0 {
        return Err(Refused::because(format!("a picture of {size} is empty")));
    }
    size.bytes()
        .ok_or_else(|| Refused::because(format!("a picture of {size} is too large")))
}

fn check_region(at: Region, of: Size) -> Result<(), Refused> {
    bytes_of(at.size())?;
    if at.lies_in(of) {
        return Ok(());
    }
    let (size, x, y) = (at.size(), at.x, at.y);
    let reason = format!("a region of {size} at ({x}, {y}) does not lie in a picture of {of}");
    Err(Refused::because(reason))
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        reason = "a test fails by panicking"
    )]

    use crate::{Canvas, Picture, Region, Size};

    /// A picture whose pixels are numbered from 1, the same number in all four bytes.
    fn numbered(width: u32, height: u32) -> Picture {
        let pixels = (1..=(width * height) as u8).flat_map(|n| [n; 4]).collect();
        Picture::from_rgba(Size::new(width, height), pixels).unwrap()
    }

    fn reds(canvas: &Canvas) -> Vec<u8> {
        canvas.rgba().chunks(4).map(|pixel| pixel[0]).collect()
    }

    #[test]
    fn a_paste_over_the_edges_keeps_what_is_inside() {
        for (x, y, expected) in [
            (0, 0, [1, 2, 0, 3, 4, 0]),
            (-1, -1, [4, 0, 0, 0, 0, 0]),
            (2, 1, [0, 0, 0, 0, 0, 1]),
            (3, 0, [0; 6]),
            (i32::MIN, i32::MAX, [0; 6]),
        ] {
            let canvas = Canvas::new(Size::new(3, 2)).unwrap();
            canvas.paste(&numbered(2, 2), x, y);
            assert_eq!(reds(&canvas), expected, "at ({x}, {y})");
        }
    }

    #[test]
    fn a_region_is_written_and_read_row_by_row() {
        let at = Region {
            x: 1,
            y: 1,
            width: 2,
            height: 2,
        };
        let picture = numbered(3, 3);
        let pixels = picture.read(at).unwrap();
        assert_eq!(pixels, [[5; 4], [6; 4], [8; 4], [9; 4]].concat());
        let canvas = Canvas::new(picture.size()).unwrap();
        canvas.write(at, &pixels).unwrap();
        assert_eq!(reds(&canvas), [0, 0, 0, 0, 5, 6, 0, 8, 9]);
    }

    #[test]
    fn what_the_host_refuses_is_refused() {
        assert!(Canvas::new(Size::new(0, 4)).is_err());
        assert!(Picture::from_rgba(Size::new(2, 2), vec![0; 15]).is_err());
        let canvas = Canvas::new(Size::new(2, 2)).unwrap();
        let whole = Region::whole(canvas.size());
        assert!(canvas.write(whole, &[0; 15]).is_err());
        let outside = Region { x: 1, ..whole };
        assert!(canvas.fill(outside, [0; 4]).is_err());
        assert!(numbered(2, 2).read(outside).is_err());
        assert!(numbered(2, 2).resized(Size::new(1, 0)).is_err());
    }
}
