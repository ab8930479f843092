//! From the decoder's numbers to a picture of bytes.

use image::{Rgb, RgbImage};

use crate::error::EngineError;
use crate::latent::{Grid, TOKEN_PIXELS};

/// `[3, height, width]` in about −1 … 1 as 8-bit RGB: `round(clamp(x/2 + ½, 0, 1)·255)`, halves to
/// even as numpy rounds.
///
/// # Errors
/// `not-finite` if there is a NaN or an infinity, which no intact model gives.
pub(crate) fn from_chw(grid: Grid, values: &[f32]) -> Result<RgbImage, EngineError> {
    if !values.iter().all(|value| value.is_finite()) {
        return Err(EngineError::NotFinite { what: "picture" });
    }
    let (width, height) = (grid.columns * TOKEN_PIXELS, grid.rows * TOKEN_PIXELS);
    let plane = width as usize * height as usize;
    Ok(RgbImage::from_fn(width, height, |x, y| {
        let at = y as usize * width as usize + x as usize;
        Rgb([0, 1, 2].map(|channel| to_byte(values[channel * plane + at])))
    }))
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the value is a whole number from 0 to 255"
)]
fn to_byte(value: f32) -> u8 {
    ((value / 2.0 + 0.5).clamp(0.0, 1.0) * 255.0).round_ties_even() as u8
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    const GRID: Grid = Grid {
        rows: 1,
        columns: 1,
    };

    #[test]
    fn values_are_clamped_and_planes_interleaved() {
        let mut values = vec![-1.0_f32; 256];
        values.extend([0.0; 256]);
        values.extend([7.0; 256]);
        let picture = from_chw(GRID, &values).unwrap();
        assert_eq!(picture.dimensions(), (16, 16));
        // 0.5·255 = 127.5 goes to the even 128.
        assert!(picture.pixels().all(|pixel| pixel.0 == [0, 128, 255]));
    }

    #[test]
    fn a_picture_of_nonsense_is_an_error() {
        let mut values = vec![0.0_f32; 768];
        values[700] = f32::NAN;
        assert_eq!(from_chw(GRID, &values).unwrap_err().code(), "not-finite");
    }
}
