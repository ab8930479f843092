//! Pillow's Lanczos resampling of 8-bit pictures, bit for bit.
//!
//! Two passes, one per side, with the result of the first rounded to 8 bits: so their order shows,
//! and it is that of Pillow 13 (older ones always began with the rows). The weights are computed in
//! f64 and then held as integers with 22 fractional bits; sums of products are integers, so there
//! is nothing left to differ in the last bit.

use std::f64::consts::PI;

use image::RgbImage;

/// Half the width of the filter, in source pixels at scale 1.
const SUPPORT: f64 = 3.0;
/// Fractional bits of a weight: 32, less 8 for the pixel and 2 for what weights above 1 and below
/// 0 add.
const PRECISION: u32 = 22;
const CHANNELS: usize = 3;

/// The source pixels that make one target pixel, and how much each counts.
struct Window {
    first: usize,
    weights: Vec<i32>,
}

/// `picture` scaled to `width`×`height` as Pillow's `Image.resize(size, LANCZOS)` scales it. A pass
/// whose side does not change is left out, as Pillow does; so is all, where neither changes.
///
/// A picture without pixels gives a black one.
#[must_use]
pub fn resize(picture: &RgbImage, width: u32, height: u32) -> RgbImage {
    if picture.is_empty() {
        return RgbImage::new(width, height);
    }
    let (old_width, old_height) = picture.dimensions();
    match (width == old_width, height == old_height) {
        (true, true) => picture.clone(),
        (true, false) => vertical(picture, height),
        (false, true) => horizontal(picture, width),
        (false, false) => {
            // Much lower and not much narrower: fewer pixels remain for the other pass this way.
            let lower = i64::from(old_height) - i64::from(height);
            let narrower = i64::from(old_width) - i64::from(width);
            if lower > 0 && lower > 2 * narrower {
                horizontal(&vertical(picture, height), width)
            } else {
                vertical(&horizontal(picture, width), height)
            }
        }
    }
}

/// Scales every row.
fn horizontal(picture: &RgbImage, width: u32) -> RgbImage {
    let windows = windows(picture.width(), width);
    let mut target = RgbImage::new(width, picture.height());
    let row = picture.width() as usize * CHANNELS;
    let target_row = width as usize * CHANNELS;
    for (source, target) in picture
        .as_raw()
        .chunks_exact(row)
        .zip(target.chunks_exact_mut(target_row.max(1)))
    {
        for (window, pixel) in windows.iter().zip(target.chunks_exact_mut(CHANNELS)) {
            let pixels = source.chunks_exact(CHANNELS).skip(window.first);
            let mut sums = [HALF; CHANNELS];
            for (source, weight) in pixels.zip(&window.weights) {
                for (sum, value) in sums.iter_mut().zip(source) {
                    *sum += i32::from(*value) * weight;
                }
            }
            for (value, sum) in pixel.iter_mut().zip(sums) {
                *value = to_u8(sum);
            }
        }
    }
    target
}

/// Scales every column.
fn vertical(picture: &RgbImage, height: u32) -> RgbImage {
    let mut target = RgbImage::new(picture.width(), height);
    let row = (picture.width() as usize * CHANNELS).max(1);
    let mut sums = vec![HALF; row];
    for (window, target) in windows(picture.height(), height)
        .iter()
        .zip(target.chunks_exact_mut(row))
    {
        sums.fill(HALF);
        let rows = picture.as_raw().chunks_exact(row).skip(window.first);
        for (source, weight) in rows.zip(&window.weights) {
            for (sum, value) in sums.iter_mut().zip(source) {
                *sum += i32::from(*value) * weight;
            }
        }
        for (value, sum) in target.iter_mut().zip(&sums) {
            *value = to_u8(*sum);
        }
    }
    target
}

/// One half, as a sum starts with it to be rounded.
const HALF: i32 = 1 << (PRECISION - 1);

/// A sum as a pixel value: rounded and kept within 0 … 255.
fn to_u8(sum: i32) -> u8 {
    (sum >> PRECISION).clamp(0, 255) as u8
}

/// The window of each target pixel when `old` pixels become `new`.
fn windows(old: u32, new: u32) -> Vec<Window> {
    let scale = f64::from(old) / f64::from(new);
    // Scaling down widens the filter, scaling up does not narrow it.
    let stretch = scale.max(1.0);
    let support = SUPPORT * stretch;
    // Pillow multiplies by the inverse, which is not always what dividing gives.
    let inverse = 1.0 / stretch;
    (0..new)
        .map(|target| {
            let centre = (f64::from(target) + 0.5) * scale;
            let first = (centre - support + 0.5).max(0.0) as u32;
            let end = ((centre + support + 0.5) as u32).min(old);
            let weights: Vec<f64> = (first..end)
                .map(|source| lanczos((f64::from(source) - centre + 0.5) * inverse))
                .collect();
            let total: f64 = weights.iter().sum();
            let normal = |weight: f64| if total == 0.0 { weight } else { weight / total };
            let fixed =
                |weight: f64| (weight * f64::from(1 << PRECISION) + 0.5f64.copysign(weight)) as i32;
            Window {
                first: first as usize,
                weights: weights.into_iter().map(normal).map(fixed).collect(),
            }
        })
        .collect()
}

/// The windowed sinc, zero outside [−3, 3).
fn lanczos(x: f64) -> f64 {
    if (-SUPPORT..SUPPORT).contains(&x) {
        sinc(x) * sinc(x / SUPPORT)
    } else {
        0.0
    }
}

/// sin(πx) / πx.
fn sinc(x: f64) -> f64 {
    if x == 0.0 {
        return 1.0;
    }
    let x = x * PI;
    x.sin() / x
}
