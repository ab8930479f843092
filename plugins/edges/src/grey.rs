//! The brightness of a picture, row by row, so that no picture is ever here as a whole.

use atelier_plugin::{Failure, Picture, Region, Size};

/// How many pixels are asked of the host at once, at most, unless one row has more: 1 MiB.
const AT_ONCE: u32 = 1 << 18;

/// The weights of red, green and blue in parts of 32768: those of ITU-R BT.601, as OpenCV rounds them.
const WEIGHTS: [u32; 3] = [9798, 19235, 3735];

/// Rows of brightness, 0 to 255, to be asked for from top to bottom.
#[derive(Debug)]
pub(crate) struct Grey<'a> {
    picture: &'a Picture,
    size: Size,
    /// The brightness of some rows, and which of them is the first.
    strip: Vec<u8>,
    first: u32,
}

impl<'a> Grey<'a> {
    pub(crate) fn of(picture: &'a Picture) -> Self {
        Self {
            picture,
            size: picture.size(),
            strip: Vec::new(),
            first: 0,
        }
    }

    pub(crate) fn size(&self) -> Size {
        self.size
    }

    /// A row of the picture.
    pub(crate) fn row(&mut self, y: u32) -> Result<&[u8], Failure> {
        let width = self.size.width as usize;
        let rows = (self.strip.len() / width) as u32;
        if !(self.first..self.first + rows).contains(&y) {
            let count = (AT_ONCE / self.size.width).clamp(1, self.size.height - y);
            let pixels = self.picture.read(Region::rows(self.size, y, count))?;
            let (pixels, _) = pixels.as_chunks::<4>();
            self.strip.clear();
            self.strip.extend(pixels.iter().map(brightness));
            self.first = y;
        }
        let start = (y - self.first) as usize * width;
        Ok(&self.strip[start..start + width])
    }
}

/// Of a pixel; what is transparent is seen on white.
fn brightness(&[r, g, b, a]: &[u8; 4]) -> u8 {
    let weighted = [r, g, b].into_iter().zip(WEIGHTS);
    let sum: u32 = weighted
        .map(|(channel, weight)| u32::from(channel) * weight)
        .sum();
    let grey = (sum + (1 << 14)) >> 15;
    let alpha = u32::from(a);
    ((grey * alpha + 255 * (255 - alpha) + 127) / 255) as u8
}

#[cfg(test)]
mod tests {
    use super::brightness;

    #[test]
    fn grey_is_itself_and_colours_weigh_what_they_should() {
        for grey in 0..=255 {
            assert_eq!(brightness(&[grey, grey, grey, 255]), grey);
        }
        let colours = [[255, 0, 0, 255], [0, 255, 0, 255], [0, 0, 255, 255]];
        assert_eq!(colours.map(|colour| brightness(&colour)), [76, 150, 29]);
        assert_eq!(brightness(&[0, 0, 0, 0]), 255);
        assert_eq!(brightness(&[0, 0, 0, 128]), 127);
    }
}
