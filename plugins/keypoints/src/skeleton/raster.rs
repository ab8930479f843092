//! Pixels, and the rows of a shape.

use atelier_plugin::Size;

use super::colours::Colour;

/// An opaque picture that starts black. Everything may be drawn anywhere; what is outside is not
/// seen.
#[derive(Debug)]
pub struct Raster {
    width: i64,
    height: i64,
    rgba: Vec<u8>,
}

impl Raster {
    /// A black picture.
    pub(crate) fn black(size: Size) -> Self {
        let pixels = size.bytes().unwrap_or(0) / 4;
        Self {
            width: size.width.into(),
            height: size.height.into(),
            rgba: [0, 0, 0, 255].repeat(pixels),
        }
    }

    /// width × height × 4 bytes.
    pub fn rgba(&self) -> &[u8] {
        &self.rgba
    }

    /// Colours a row from `left` to `right`, both included.
    pub(crate) fn row(&mut self, y: i64, left: i64, right: i64, [r, g, b]: Colour) {
        let (left, right) = (left.max(0), right.min(self.width - 1));
        if left > right || !(0..self.height).contains(&y) {
            return;
        }
        let start = (y * self.width + left) as usize * 4;
        let end = (y * self.width + right + 1) as usize * 4;
        for pixel in self.rgba[start..end].chunks_exact_mut(4) {
            pixel.copy_from_slice(&[r, g, b, 255]);
        }
    }

    /// Colours what lies between the outermost pixels of every row.
    pub(crate) fn fill(&mut self, spans: &Spans, colour: Colour) {
        for (y, &(left, right)) in (spans.top..).zip(&spans.rows) {
            self.row(y, left, right, colour);
        }
    }

    /// An empty shape whose rows are this picture's.
    pub(crate) fn spans(&self, top: i64, bottom: i64) -> Spans {
        let (top, bottom) = (top.max(0), bottom.min(self.height - 1));
        let rows = usize::try_from(bottom - top + 1).unwrap_or(0);
        Spans {
            top,
            rows: vec![(i64::MAX, i64::MIN); rows],
        }
    }
}

/// The outermost pixels of a shape without hollows, row by row.
#[derive(Debug)]
pub(crate) struct Spans {
    top: i64,
    rows: Vec<(i64, i64)>,
}

impl Spans {
    /// Widens a row to reach a pixel.
    pub(crate) fn reach(&mut self, x: i64, y: i64) {
        let row = usize::try_from(y - self.top).ok();
        if let Some((left, right)) = row.and_then(|row| self.rows.get_mut(row)) {
            (*left, *right) = (x.min(*left), x.max(*right));
        }
    }
}
