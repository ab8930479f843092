//! Laying a colour over a pixel.
//!
//! Porter and Duff's "source over" for colours that are not premultiplied, in whole numbers and
//! rounded once: alpha = s + d · (1 − s), and each channel is the mean of both channels by the
//! weights s and d · (1 − s), where s is the colour's alpha times the coverage and d the alpha of
//! the pixel.

use crate::Colour;

/// A pixel that is covered wholly.
pub(crate) const WHOLE: u32 = 4096;

/// An alpha of 255 times a whole coverage.
const OPAQUE: u64 = 255 * WHOLE as u64;

/// Lays a colour over the four bytes of a pixel; `coverage` is at most [`WHOLE`].
pub(crate) fn over(pixel: &mut [u8], colour: Colour, coverage: u32) {
    let Colour { r, g, b, a } = colour;
    let source = u64::from(a) * u64::from(coverage);
    if source == 0 {
        return;
    }
    let [.., below] = *pixel else { return };
    if source >= OPAQUE {
        pixel.copy_from_slice(&[r, g, b, 255]);
        return;
    }
    // In units of 1 / (255 · OPAQUE).
    let (over, under) = (source * 255, u64::from(below) * (OPAQUE - source));
    let alpha = divided(over + under, OPAQUE);
    if alpha == 0 {
        return;
    }
    for (channel, colour) in pixel.iter_mut().zip([r, g, b]) {
        let sum = u64::from(colour) * over + u64::from(*channel) * under;
        *channel = divided(sum, over + under);
    }
    pixel[3] = alpha;
}

/// A quotient of at most 255, to the nearest whole number.
fn divided(dividend: u64, divisor: u64) -> u8 {
    ((dividend + divisor / 2) / divisor) as u8
}

#[cfg(test)]
mod tests {
    use super::{WHOLE, over};
    use crate::Colour;

    const HALF_RED: Colour = Colour {
        r: 255,
        g: 0,
        b: 0,
        a: 128,
    };

    fn laid(below: [u8; 4], colour: Colour, coverage: u32) -> [u8; 4] {
        let mut pixel = below;
        over(&mut pixel, colour, coverage);
        pixel
    }

    #[test]
    fn what_is_under_shows_by_its_own_alpha() {
        // 128/255 of red over opaque blue: 128 red and 127 blue.
        assert_eq!(laid([0, 0, 255, 255], HALF_RED, WHOLE), [128, 0, 127, 255]);
        // Over nothing the colour stays pure, whatever black lies there.
        assert_eq!(laid([0, 0, 0, 0], HALF_RED, WHOLE), [255, 0, 0, 128]);
        // s = 128/255, d = 128/255: alpha = s + d (1 − s) = 0.7520, red = s / alpha = 0.6675.
        assert_eq!(laid([0, 0, 255, 128], HALF_RED, WHOLE), [170, 0, 85, 192]);
    }

    #[test]
    fn coverage_weighs_like_alpha() {
        let red = Colour { a: 255, ..HALF_RED };
        assert_eq!(laid([0, 0, 0, 255], red, WHOLE / 2), [128, 0, 0, 255]);
        assert_eq!(laid([7, 8, 9, 10], red, 0), [7, 8, 9, 10]);
        assert_eq!(laid([7, 8, 9, 10], red, WHOLE), [255, 0, 0, 255]);
    }

    #[test]
    fn nothing_leaves_no_trace() {
        let faint = Colour { a: 1, ..HALF_RED };
        assert_eq!(laid([0, 0, 0, 0], faint, 1), [0, 0, 0, 0]);
        assert_eq!(
            laid([7, 8, 9, 255], Colour { a: 0, ..HALF_RED }, WHOLE),
            [7, 8, 9, 255]
        );
    }
}
