//! The resized copy of a picture that a plugin may ask for: Lanczos with three lobes, on colours
//! weighted by their alpha, so that the colour of a transparent pixel does not bleed into its
//! neighbours.

use image::imageops::{self, FilterType};
use image::{GenericImageView, Rgba, RgbaImage};

/// Pixels of the picture between the two passes, which is held at 16 bytes each: the resampler
/// works on columns first.
pub(crate) fn pixels_between(source: &RgbaImage, height: u32) -> u64 {
    u64::from(source.width()) * u64::from(height)
}

/// `source` at `width` × `height` pixels, all of them at least 1.
pub(crate) fn resized(source: &RgbaImage, width: u32, height: u32) -> RgbaImage {
    if source.dimensions() == (width, height) {
        return source.clone();
    }
    let weighted = imageops::resize(&Weighted(source), width, height, FilterType::Lanczos3);
    RgbaImage::from_fn(width, height, |x, y| unweighted(*weighted.get_pixel(x, y)))
}

/// A picture seen as colours times alpha, on a scale of 0 to 255².
struct Weighted<'a>(&'a RgbaImage);

impl GenericImageView for Weighted<'_> {
    type Pixel = Rgba<u16>;

    fn dimensions(&self) -> (u32, u32) {
        self.0.dimensions()
    }

    fn get_pixel(&self, x: u32, y: u32) -> Rgba<u16> {
        let [r, g, b, a] = self.0.get_pixel(x, y).0.map(u16::from);
        Rgba([r * a, g * a, b * a, a * 255])
    }
}

fn unweighted(Rgba([r, g, b, a]): Rgba<u16>) -> Rgba<u8> {
    // The lobes overshoot, so a colour can come out above its alpha.
    let byte = |value: u32| u8::try_from(value).unwrap_or(u8::MAX);
    let alpha = u32::from(a);
    if alpha == 0 {
        return Rgba([0; 4]);
    }
    let colour = |weighted: u16| byte((u32::from(weighted) * 255 + alpha / 2) / alpha);
    Rgba([colour(r), colour(g), colour(b), byte((alpha + 127) / 255)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_colour_stays_one_colour() {
        let source = RgbaImage::from_pixel(40, 30, Rgba([200, 100, 7, 255]));
        let small = resized(&source, 13, 9);
        assert_eq!(
            small,
            RgbaImage::from_pixel(13, 9, Rgba([200, 100, 7, 255]))
        );
    }

    #[test]
    fn the_colour_of_a_transparent_pixel_does_not_bleed() {
        let source = RgbaImage::from_fn(64, 64, |x, _| match x {
            0..32 => Rgba([255, 0, 0, 255]),
            _ => Rgba([0, 255, 0, 0]),
        });
        let small = resized(&source, 16, 16);
        assert!(
            small.pixels().all(|pixel| pixel.0[1] == 0),
            "green came from under the alpha"
        );
        assert_eq!(small.get_pixel(0, 0).0, [255, 0, 0, 255]);
        assert_eq!(small.get_pixel(15, 15).0[3], 0);
    }
}
