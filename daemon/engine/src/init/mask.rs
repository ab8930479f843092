//! A mask as tokens see it.

use image::GrayImage;

use super::WHITE;
use crate::latent::{Grid, TOKEN_PIXELS};

/// How much of each token is painted anew, row-major, each 0, ¼, ½, ¾ or 1.
///
/// diffusers scales the black and white mask down to one value for each token with bilinear
/// interpolation and no filter: of a token's 16×16 pixels only the middle 2×2 count.
pub(crate) fn of_tokens(mask: &GrayImage, grid: Grid) -> Vec<f32> {
    let middle = TOKEN_PIXELS / 2 - 1;
    let token = |row: u32, column: u32| {
        let (x, y) = (TOKEN_PIXELS * column + middle, TOKEN_PIXELS * row + middle);
        let pixels = [(x, y), (x + 1, y), (x, y + 1), (x + 1, y + 1)];
        pixels
            .map(|(x, y)| {
                if mask.get_pixel(x, y)[0] >= WHITE {
                    0.25
                } else {
                    0.0
                }
            })
            .iter()
            .sum()
    };
    (0..grid.rows)
        .flat_map(|row| (0..grid.columns).map(move |column| token(row, column)))
        .collect()
}

#[cfg(test)]
mod tests {
    use image::Luma;

    use super::*;

    #[test]
    fn the_middle_of_a_token_counts_and_half_is_white() {
        let mut mask = GrayImage::from_pixel(48, 16, Luma([255]));
        for (x, y) in [(7, 7), (8, 7), (7, 8)] {
            mask.put_pixel(x, y, Luma([127]));
        }
        mask.put_pixel(16 + 7, 7, Luma([128]));
        for y in 7..9 {
            for x in 7..9 {
                mask.put_pixel(32 + x, y, Luma([0]));
            }
        }
        assert_eq!(of_tokens(&mask, Grid::of_picture(48, 16)), [0.25, 1.0, 0.0]);
    }
}
