//! Previews: the latent on its way, as a small picture that costs next to nothing.
//!
//! Each of a latent's 32 channels has a typical colour, so 32 numbers times a 32×3 matrix give a
//! pixel. What is shown is not the noisy latent but the clean one that the model predicts at the
//! step, x₀ = x − σ·v. The factors belong to the *normalised* latent, the one that is denoised: with
//! the restored one, which the decoder takes, colours are wrong.
//!
//! A preview is a convenience. Nothing here may fail a picture, change it, or be taken for it.

use image::{Rgb, RgbImage};

use crate::latent::Grid;

/// Channels of a token: 32 of the latent, at 2×2 places.
const TOKEN_CHANNELS: usize = 128;

/// Red, green and blue of each channel, and [`BIAS`]: published with ComfyUI (`latent_formats.py`,
/// class `Flux2`).
const FACTORS: [[f32; 3]; 32] = [
    [0.0058, 0.0113, 0.0073],
    [0.0495, 0.0443, 0.0836],
    [-0.0099, 0.0096, 0.0644],
    [0.2144, 0.3009, 0.3652],
    [0.0166, -0.0039, -0.0054],
    [0.0157, 0.0103, -0.0160],
    [-0.0398, 0.0902, -0.0235],
    [-0.0052, 0.0095, 0.0109],
    [-0.3527, -0.2712, -0.1666],
    [-0.0301, -0.0356, -0.0180],
    [-0.0107, 0.0078, 0.0013],
    [0.0746, 0.0090, -0.0941],
    [0.0156, 0.0169, 0.0070],
    [-0.0034, -0.0040, -0.0114],
    [0.0032, 0.0181, 0.0080],
    [-0.0939, -0.0008, 0.0186],
    [0.0018, 0.0043, 0.0104],
    [0.0284, 0.0056, -0.0127],
    [-0.0024, -0.0022, -0.0030],
    [0.1207, -0.0026, 0.0065],
    [0.0128, 0.0101, 0.0142],
    [0.0137, -0.0072, -0.0007],
    [0.0095, 0.0092, -0.0059],
    [0.0000, -0.0077, -0.0049],
    [-0.0465, -0.0204, -0.0312],
    [0.0095, 0.0012, -0.0066],
    [0.0290, -0.0034, 0.0025],
    [0.0220, 0.0169, -0.0048],
    [-0.0332, -0.0457, -0.0468],
    [-0.0085, 0.0389, 0.0609],
    [-0.0076, 0.0003, -0.0043],
    [-0.0111, -0.0460, -0.0614],
];

/// The colour of a latent of zeros, from −1 to 1.
const BIAS: [f32; 3] = [-0.0329, -0.0718, -0.0851];

/// The picture of clean normalised tokens, `[tokens, 128]` row-major, an eighth as wide and high as
/// what they stand for; `None` for a latent of another make, of which no colours are known.
pub(crate) fn from_tokens(grid: Grid, values: &[f32]) -> Option<RgbImage> {
    if values.len() != grid.tokens() * TOKEN_CHANNELS {
        return None;
    }
    let columns = grid.columns as usize;
    let picture = RgbImage::from_fn(2 * grid.columns, 2 * grid.rows, |x, y| {
        let token = (y / 2) as usize * columns + (x / 2) as usize;
        let place = 2 * (y % 2) as usize + (x % 2) as usize;
        let channels = &values[token * TOKEN_CHANNELS..][..TOKEN_CHANNELS];
        let channels = channels.iter().skip(place).step_by(4);
        let colour = channels
            .zip(&FACTORS)
            .fold(BIAS, |colour, (&value, factors)| {
                [0, 1, 2].map(|at| colour[at] + value * factors[at])
            });
        Rgb(colour.map(to_byte))
    });
    Some(picture)
}

/// −1 … 1 as a byte; what is not a number is black.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the value is between 0 and 255, or not a number, which becomes 0"
)]
fn to_byte(value: f32) -> u8 {
    ((value / 2.0 + 0.5).clamp(0.0, 1.0) * 255.0) as u8
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    const GRID: Grid = Grid {
        rows: 1,
        columns: 2,
    };

    #[test]
    fn a_latent_of_zeros_has_the_colour_of_the_bias() {
        let picture = from_tokens(GRID, &[0.0; 256]).unwrap();
        assert_eq!(picture.dimensions(), (4, 2));
        assert!(picture.pixels().all(|pixel| pixel.0 == [123, 118, 116]));
    }

    #[test]
    fn a_channel_colours_its_own_place() {
        let mut values = [0.0; 256];
        // Channel 3, second row, first column of the second token.
        values[128 + 3 * 4 + 2] = 2.0;
        let picture = from_tokens(GRID, &values).unwrap();
        assert_eq!(picture[(2, 1)].0, [177, 195, 209]);
        assert_eq!(picture[(2, 0)], picture[(0, 0)]);
        assert_eq!(picture[(3, 1)], picture[(0, 0)]);
    }

    #[test]
    fn nonsense_gives_some_picture_and_another_latent_none() {
        assert!(from_tokens(GRID, &[f32::NAN; 256]).is_some());
        assert!(from_tokens(GRID, &[f32::INFINITY; 256]).is_some());
        assert!(from_tokens(GRID, &[0.0; 64]).is_none());
    }
}
