//! Colours for what is not known yet: what lies beyond a picture's edges, or was erased.
//!
//! It is painted over in the end, but the autoencoder looks at it first, and its view of the pixels
//! near the edge, which stay, depends on their neighbours. Grey or noise there tints the edge, and as
//! the picture is also shown to the model as a reference, it is copied too. So what is unknown gets
//! the colour of the nearest pixel that is known, as if the edge went on.

use image::RgbImage;

/// A place no distance is measured from yet.
const FAR: (u32, u32) = (u32::MAX, u32::MAX);

/// Gives every pixel for which `unknown` is true the colour of a nearest one for which it is false;
/// returns whether there is one. `unknown` is row-major, one for each pixel.
///
/// Two passes carry the nearest known place along rows and columns: exact at straight edges, and
/// within a pixel or so where an erased area is ragged.
pub(super) fn from_edges(picture: &mut RgbImage, unknown: &[bool]) -> bool {
    let (width, height) = picture.dimensions();
    let at = |x: u32, y: u32| y as usize * width as usize + x as usize;
    let mut nearest: Vec<(u32, u32)> = (0..height)
        .flat_map(|y| (0..width).map(move |x| (x, y)))
        .zip(unknown)
        .map(|(place, &unknown)| if unknown { FAR } else { place })
        .collect();
    if nearest.iter().all(|&place| place == FAR) {
        return false;
    }
    let mut visit = |x: u32, y: u32, neighbours: [(i64, i64); 4]| {
        for (dx, dy) in neighbours {
            let (nx, ny) = (i64::from(x) + dx, i64::from(y) + dy);
            let (Ok(nx), Ok(ny)) = (u32::try_from(nx), u32::try_from(ny)) else {
                continue;
            };
            if nx < width && ny < height {
                let candidate = nearest[at(nx, ny)];
                if distance(candidate, (x, y)) < distance(nearest[at(x, y)], (x, y)) {
                    nearest[at(x, y)] = candidate;
                }
            }
        }
    };
    for y in 0..height {
        for x in 0..width {
            visit(x, y, [(-1, 0), (0, -1), (-1, -1), (1, -1)]);
        }
        for x in (0..width).rev() {
            visit(x, y, [(1, 0), (0, -1), (-1, -1), (1, -1)]);
        }
    }
    for y in (0..height).rev() {
        for x in (0..width).rev() {
            visit(x, y, [(1, 0), (0, 1), (1, 1), (-1, 1)]);
        }
        for x in 0..width {
            visit(x, y, [(-1, 0), (0, 1), (1, 1), (-1, 1)]);
        }
    }
    for y in 0..height {
        for x in 0..width {
            let (from_x, from_y) = nearest[at(x, y)];
            // A known pixel is its own nearest.
            if (from_x, from_y) != (x, y) {
                picture.put_pixel(x, y, *picture.get_pixel(from_x, from_y));
            }
        }
    }
    true
}

/// Squared.
fn distance(from: (u32, u32), to: (u32, u32)) -> u64 {
    if from == FAR {
        return u64::MAX;
    }
    let square = |a: u32, b: u32| u64::from(a.abs_diff(b)).pow(2);
    square(from.0, to.0) + square(from.1, to.1)
}

#[cfg(test)]
mod tests {
    use image::Rgb;

    use super::*;

    #[test]
    fn an_edge_goes_on_outwards() {
        let colour = |x: u32, y: u32| Rgb([10 * x as u8, 10 * y as u8, 7]);
        let inside = |x: u32, y: u32| (3..6).contains(&x) && (2..4).contains(&y);
        let mut picture = RgbImage::from_fn(9, 6, |x, y| {
            if inside(x, y) {
                colour(x, y)
            } else {
                Rgb([255; 3])
            }
        });
        let unknown: Vec<bool> = (0..6)
            .flat_map(|y| (0..9).map(move |x| !inside(x, y)))
            .collect();
        assert!(from_edges(&mut picture, &unknown));
        for (x, y, found) in picture.enumerate_pixels() {
            assert_eq!(*found, colour(x.clamp(3, 5), y.clamp(2, 3)), "{x}, {y}");
        }
    }

    #[test]
    fn where_nothing_is_known_nothing_is_filled() {
        let mut picture = RgbImage::from_pixel(3, 2, Rgb([9; 3]));
        assert!(!from_edges(&mut picture, &[true; 6]));
        assert!(from_edges(&mut picture, &[false; 6]));
        assert!(picture.pixels().all(|pixel| pixel.0 == [9; 3]));
    }
}
