//! Lanczos resampling for [`Picture::resized`](crate::Picture::resized) in native tests. In a
//! component the host does it.

use std::f64::consts::PI;

use crate::Size;

/// Lobes on each side.
const LOBES: f64 = 3.0;

/// RGBA pixels of size `from`, resampled to size `to`; neither is empty.
pub(crate) fn lanczos(pixels: &[u8], from: Size, to: Size) -> Vec<u8> {
    let (across, down) = (
        weights(from.width, to.width),
        weights(from.height, to.height),
    );
    let stride = from.width as usize * 4;
    let mut narrow = Vec::with_capacity(to.width as usize * from.height as usize * 4);
    for row in pixels.chunks_exact(stride) {
        for (start, taps) in &across {
            narrow.extend(pixel(taps, |tap, channel| {
                f64::from(row[(start + tap) * 4 + channel])
            }));
        }
    }
    let stride = to.width as usize * 4;
    let mut out = Vec::with_capacity(stride * to.height as usize);
    for (start, taps) in &down {
        for x in 0..to.width as usize {
            let sums = pixel(taps, |tap, channel| {
                narrow[(start + tap) * stride + x * 4 + channel]
            });
            out.extend(sums.map(|sum| sum.round().clamp(0.0, 255.0) as u8));
        }
    }
    out
}

fn pixel(taps: &[f64], sample: impl Fn(usize, usize) -> f64) -> [f64; 4] {
    std::array::from_fn(|channel| {
        let products = taps.iter().enumerate();
        products.map(|(tap, w)| w * sample(tap, channel)).sum()
    })
}

/// For each pixel of the new side: the first old pixel that counts, and the weights from there
/// on, which sum to 1. Where the side shrinks, the filter widens with it.
fn weights(from: u32, to: u32) -> Vec<(usize, Vec<f64>)> {
    let ratio = f64::from(from) / f64::from(to);
    let scale = ratio.max(1.0);
    let reach = LOBES * scale;
    let last = f64::from(from - 1);
    (0..to)
        .map(|index| {
            let centre = (f64::from(index) + 0.5) * ratio - 0.5;
            let first = (centre - reach).ceil().clamp(0.0, last) as usize;
            let end = (centre + reach).floor().clamp(0.0, last) as usize;
            let raw: Vec<f64> = (first..=end)
                .map(|old| kernel((old as f64 - centre) / scale))
                .collect();
            let sum: f64 = raw.iter().sum();
            (first, raw.into_iter().map(|weight| weight / sum).collect())
        })
        .collect()
}

/// sinc(x) · sinc(x / 3) for |x| < 3, else 0.
fn kernel(x: f64) -> f64 {
    let sinc = |x: f64| if x == 0.0 { 1.0 } else { x.sin() / x };
    if x.abs() < LOBES {
        sinc(PI * x) * sinc(PI * x / LOBES)
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::lanczos;
    use crate::Size;

    #[test]
    fn the_same_size_is_the_same_picture() {
        let pixels: Vec<u8> = (0..3 * 5 * 4).map(|n| n * 4).collect();
        let size = Size::new(3, 5);
        assert_eq!(lanczos(&pixels, size, size), pixels);
    }

    #[test]
    fn one_colour_stays_one_colour() {
        let pixels = [10, 20, 30, 255].repeat(7 * 3);
        for to in [Size::new(1, 1), Size::new(20, 2), Size::new(2, 20)] {
            let expected = [10, 20, 30, 255].repeat(to.pixels() as usize);
            assert_eq!(lanczos(&pixels, Size::new(7, 3), to), expected);
        }
    }

    #[test]
    fn halving_keeps_left_and_right_apart() {
        let row: Vec<u8> = [[0; 4]; 8]
            .into_iter()
            .chain([[255; 4]; 8])
            .flatten()
            .collect();
        let out = lanczos(&row, Size::new(16, 1), Size::new(8, 1));
        assert!(out[0] < 8 && out[31] > 247, "{out:?}");
    }
}
