//! Putting back what was to stay.

use image::{GrayImage, Rgb, RgbImage};

use super::WHITE;

/// How many pixels on the white side of a mask's edge go over from the old picture to the new.
const FEATHER: u8 = 4;

/// The painted picture where the mask is white and the original, bit for bit, where it is black. All
/// three are of one size. The first [`FEATHER`] pixels inside a white area are mixtures, so that what
/// the autoencoder changed in tone leaves no line; the picture's own edges are no edges of the mask.
pub(crate) fn composite(painted: &RgbImage, original: &RgbImage, mask: &GrayImage) -> RgbImage {
    let depths = depths(mask);
    RgbImage::from_fn(painted.width(), painted.height(), |x, y| {
        let depth = u32::from(depths[y as usize * painted.width() as usize + x as usize]);
        let (new, old) = (painted.get_pixel(x, y), original.get_pixel(x, y));
        Rgb([0, 1, 2].map(|channel| {
            let whole = u32::from(FEATHER) + 1;
            let mixed = u32::from(new[channel]) * depth + u32::from(old[channel]) * (whole - depth);
            // At depth 0 and at `whole` it is the one or the other exactly.
            u8::try_from((mixed + whole / 2) / whole).unwrap_or(u8::MAX)
        }))
    })
}

/// How deep in a white area each pixel lies, in steps to the nearest black one, diagonal ones
/// included; 0 for a black one, at most `FEATHER + 1`.
fn depths(mask: &GrayImage) -> Vec<u8> {
    let (width, height) = (mask.width() as usize, mask.height() as usize);
    let mut depths: Vec<u8> = mask
        .as_raw()
        .iter()
        .map(|&value| if value >= WHITE { FEATHER + 1 } else { 0 })
        .collect();
    for y in 0..height {
        for x in 0..width {
            let above = y.checked_sub(1);
            let left = x.checked_sub(1);
            let right = Some(x + 1).filter(|&x| x < width);
            let before = [
                (left, Some(y)),
                (left, above),
                (Some(x), above),
                (right, above),
            ];
            relax(&mut depths, width, (x, y), before);
        }
    }
    for y in (0..height).rev() {
        for x in (0..width).rev() {
            let below = Some(y + 1).filter(|&y| y < height);
            let left = x.checked_sub(1);
            let right = Some(x + 1).filter(|&x| x < width);
            let after = [
                (right, Some(y)),
                (right, below),
                (Some(x), below),
                (left, below),
            ];
            relax(&mut depths, width, (x, y), after);
        }
    }
    depths
}

/// A pixel is at most one step deeper than its neighbours.
fn relax(
    depths: &mut [u8],
    width: usize,
    (x, y): (usize, usize),
    neighbours: [(Option<usize>, Option<usize>); 4],
) {
    let least = neighbours
        .iter()
        .filter_map(|&(x, y)| Some(depths[y? * width + x?] + 1))
        .min();
    if let Some(least) = least {
        let depth = &mut depths[y * width + x];
        *depth = least.min(*depth);
    }
}

#[cfg(test)]
mod tests {
    use image::Luma;

    use super::*;

    #[test]
    fn black_stays_bit_for_bit_and_the_seam_is_soft_on_the_white_side() {
        let original = RgbImage::from_fn(24, 12, |x, y| Rgb([x as u8, y as u8, 3]));
        let painted = RgbImage::from_pixel(24, 12, Rgb([250; 3]));
        let mask = GrayImage::from_fn(24, 12, |x, _| Luma([if x < 9 { 127 } else { 128 }]));
        let whole = composite(&painted, &original, &mask);
        for (x, y, pixel) in whole.enumerate_pixels() {
            match x {
                0..9 => assert_eq!(pixel, original.get_pixel(x, y), "{x}, {y}"),
                13.. => assert_eq!(pixel, painted.get_pixel(x, y), "{x}, {y}"),
                _ => assert!(
                    pixel[0] > whole.get_pixel(x - 1, y)[0]
                        && pixel[0] < whole.get_pixel(x + 1, y)[0],
                    "{x}, {y}"
                ),
            }
        }
    }

    #[test]
    fn depth_is_measured_to_the_nearest_black_pixel_in_any_direction() {
        let mut mask = GrayImage::from_pixel(9, 9, Luma([255]));
        assert!(depths(&mask).iter().all(|&depth| depth == FEATHER + 1));
        mask.put_pixel(4, 4, Luma([0]));
        for (place, depth) in depths(&mask).into_iter().enumerate() {
            let (x, y) = (place % 9, place / 9);
            let steps = x.abs_diff(4).max(y.abs_diff(4));
            assert_eq!(usize::from(depth), steps.min(5), "{x}, {y}");
        }
    }
}
