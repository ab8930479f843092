//! From a picture as a user has it to one that can be begun from: extended, filled, scaled, cropped.

use image::imageops::{self, FilterType};
use image::{GrayImage, Luma, Rgb, RgbImage, RgbaImage};

use super::{Init, InitError, WHITE, fill, mask};
use crate::latent::{Grid, TOKEN_PIXELS};
use crate::reference;

/// How far a picture is to grow on each side, in pixels.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Extend {
    /// To the left.
    pub left: u32,
    /// To the right.
    pub right: u32,
    /// Upwards.
    pub top: u32,
    /// Downwards.
    pub bottom: u32,
}

/// A picture to begin from as a user gives it.
#[derive(Debug, Clone)]
pub struct Draft {
    /// The picture. Where it is transparent (alpha under 128) it is painted anew.
    pub picture: RgbaImage,
    /// As [`Init::mask`], of the picture's size; the picture's transparency is added to it.
    pub mask: Option<GrayImage>,
    /// New area around the picture, which is painted.
    pub extend: Extend,
}

impl Extend {
    /// Whether nothing is added.
    #[must_use]
    pub fn is_none(self) -> bool {
        self == Self::default()
    }

    /// The size of a picture of this size when it is extended and its sides are made multiples of 16:
    /// an axis that grows, grows to the next one; another loses up to 15 pixels.
    #[must_use]
    pub fn canvas(self, width: u32, height: u32) -> (u32, u32) {
        (
            axis(width, self.left, self.right),
            axis(height, self.top, self.bottom),
        )
    }
}

fn axis(side: u32, before: u32, after: u32) -> u32 {
    match before.saturating_add(after) {
        0 => side - side % TOKEN_PIXELS,
        added => {
            let whole = side.saturating_add(added);
            whole
                .checked_next_multiple_of(TOKEN_PIXELS)
                .unwrap_or(whole - whole % TOKEN_PIXELS)
        }
    }
}

/// Where a side of the picture begins on its axis of the canvas. What rounding adds lies where the
/// picture grows, at the end if it grows both ways.
fn offset(side: u32, before: u32, after: u32, whole: u32) -> i64 {
    match (before, after) {
        (0, 0) => -i64::from((side - whole) / 2),
        (_, 0) => i64::from(whole) - i64::from(side),
        _ => i64::from(before),
    }
}

impl Draft {
    /// The picture to begin from, `width`×`height` pixels.
    ///
    /// A picture of that size, or one that is less than 16 pixels larger each way, keeps its pixels as
    /// they are; the middle is taken of one that is larger. Any other is scaled (Lanczos) until it
    /// covers the size, and its middle is taken. An extended picture is never scaled: the size must
    /// be that of [`Extend::canvas`], and what is missing to it is added where the picture grows.
    ///
    /// A strength that is left out is 1 where a part is painted anew, and else 0.6.
    ///
    /// # Errors
    /// Another size of the mask, a mask without white, a picture without a visible pixel, a size that
    /// is not the extended picture's.
    pub fn fit(&self, width: u32, height: u32, strength: Option<f64>) -> Result<Init, InitError> {
        let (own_width, own_height) = self.picture.dimensions();
        if let Some(mask) = &self.mask
            && mask.dimensions() != (own_width, own_height)
        {
            return Err(InitError::MaskSize {
                mask: mask.dimensions(),
                picture: (own_width, own_height),
            });
        }
        let canvas = self.extend.canvas(own_width, own_height);
        if !self.extend.is_none() && canvas != (width, height) {
            return Err(InitError::Extended {
                canvas,
                asked: (width, height),
            });
        }
        let (picture, repaint) = if self.extend.is_none() {
            let (picture, repaint) = self.laid_out(own_width, own_height, 0, 0)?;
            covering(&picture, &repaint, width, height)
        } else {
            let Extend {
                left,
                right,
                top,
                bottom,
            } = self.extend;
            let left = offset(own_width, left, right, width);
            let top = offset(own_height, top, bottom, height);
            self.laid_out(width, height, left, top)?
        };
        let white = repaint.pixels().any(|pixel| pixel[0] >= WHITE);
        let mask = (white || self.mask.is_some()).then_some(repaint);
        if let Some(mask) = &mask {
            let tokens = mask::of_tokens(mask, Grid::of_picture(width, height));
            if tokens.iter().all(|&token| token == 0.0) {
                return Err(InitError::MaskEmpty);
            }
        }
        let usual = if mask.is_some() { 1.0 } else { 0.6 };
        Ok(Init {
            picture,
            strength: strength.unwrap_or(usual),
            mask,
        })
    }

    /// The picture on a canvas, its upper left corner at `left`, `top`, with what is not known filled;
    /// and where to paint.
    fn laid_out(
        &self,
        width: u32,
        height: u32,
        left: i64,
        top: i64,
    ) -> Result<(RgbImage, GrayImage), InitError> {
        let own = |x: u32, y: u32| {
            let x = u32::try_from(i64::from(x) - left).ok()?;
            let y = u32::try_from(i64::from(y) - top).ok()?;
            (x < self.picture.width() && y < self.picture.height()).then_some((x, y))
        };
        let mut picture = RgbImage::new(width, height);
        let mut repaint = GrayImage::new(width, height);
        let mut unknown = Vec::with_capacity(width as usize * height as usize);
        for y in 0..height {
            for x in 0..width {
                let seen = own(x, y).filter(|&(x, y)| self.picture.get_pixel(x, y)[3] >= WHITE);
                unknown.push(seen.is_none());
                let white = seen.is_none_or(|(x, y)| {
                    let mask = self.mask.as_ref();
                    mask.is_some_and(|mask| mask.get_pixel(x, y)[0] >= WHITE)
                });
                repaint.put_pixel(x, y, Luma([if white { u8::MAX } else { 0 }]));
                if let Some((from_x, from_y)) = seen {
                    let [red, green, blue, _] = self.picture.get_pixel(from_x, from_y).0;
                    picture.put_pixel(x, y, Rgb([red, green, blue]));
                }
            }
        }
        if unknown.contains(&true) && !fill::from_edges(&mut picture, &unknown) {
            return Err(InitError::Transparent);
        }
        Ok((picture, repaint))
    }
}

/// The middle, after scaling where the sizes differ by a token or more.
fn covering(
    picture: &RgbImage,
    repaint: &GrayImage,
    width: u32,
    height: u32,
) -> (RgbImage, GrayImage) {
    let (own_width, own_height) = picture.dimensions();
    let near = |own: u32, side: u32| own >= side && own - side < TOKEN_PIXELS;
    if near(own_width, width) && near(own_height, height) {
        return middle(picture, repaint, width, height);
    }
    let scale = f64::max(
        f64::from(width) / f64::from(own_width),
        f64::from(height) / f64::from(own_height),
    );
    let scaled = |own: u32, least: u32| ((f64::from(own) * scale).round() as u32).max(least);
    let (scaled_width, scaled_height) = (scaled(own_width, width), scaled(own_height, height));
    let picture = reference::resize(picture, scaled_width, scaled_height);
    let repaint = imageops::resize(repaint, scaled_width, scaled_height, FilterType::Triangle);
    middle(&picture, &repaint, width, height)
}

fn middle(
    picture: &RgbImage,
    repaint: &GrayImage,
    width: u32,
    height: u32,
) -> (RgbImage, GrayImage) {
    let left = (picture.width() - width) / 2;
    let top = (picture.height() - height) / 2;
    (
        imageops::crop_imm(picture, left, top, width, height).to_image(),
        imageops::crop_imm(repaint, left, top, width, height).to_image(),
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use image::Rgba;

    use super::*;

    fn draft(width: u32, height: u32) -> Draft {
        let pixel = |x: u32, y: u32| Rgba([x as u8, y as u8, (x ^ y) as u8, 255]);
        Draft {
            picture: RgbaImage::from_fn(width, height, pixel),
            mask: None,
            extend: Extend::default(),
        }
    }

    fn same(init: &Init, draft: &Draft, at: (u32, u32), from: (u32, u32), size: (u32, u32)) {
        for y in 0..size.1 {
            for x in 0..size.0 {
                let [red, green, blue, _] = draft.picture.get_pixel(from.0 + x, from.1 + y).0;
                let found = init.picture.get_pixel(at.0 + x, at.1 + y).0;
                assert_eq!(found, [red, green, blue], "{x}, {y}");
            }
        }
    }

    #[test]
    fn pixels_stay_as_they_are_where_the_size_is_nearly_right() {
        let own = draft(79, 70);
        assert_eq!(own.extend.canvas(79, 70), (64, 64));
        let init = own.fit(64, 64, None).unwrap();
        same(&init, &own, (0, 0), (7, 3), (64, 64));
        assert!(init.mask.is_none());
        assert_eq!(init.strength, 0.6);
        assert_eq!(own.fit(64, 64, Some(0.3)).unwrap().strength, 0.3);
    }

    #[test]
    fn another_size_is_covered_and_its_mask_with_it() {
        let mut own = draft(200, 100);
        own.mask = Some(GrayImage::from_fn(200, 100, |x, _| {
            Luma([if x < 100 { 255 } else { 0 }])
        }));
        let init = own.fit(128, 128, None).unwrap();
        assert_eq!(init.picture.dimensions(), (128, 128));
        let mask = init.mask.unwrap();
        assert_eq!(mask.dimensions(), (128, 128));
        assert!(mask.get_pixel(62, 5)[0] >= WHITE && mask.get_pixel(65, 5)[0] < WHITE);
    }

    #[test]
    fn an_extended_picture_lies_untouched_inside_its_new_area() {
        let mut own = draft(70, 70);
        own.extend = Extend {
            left: 5,
            right: 20,
            ..Extend::default()
        };
        assert_eq!(own.extend.canvas(70, 70), (96, 64));
        let init = own.fit(96, 64, None).unwrap();
        assert_eq!(init.strength, 1.0);
        same(&init, &own, (5, 0), (0, 3), (70, 64));
        let mask = init.mask.unwrap();
        for (x, y, value) in mask.enumerate_pixels() {
            assert_eq!(value[0] < WHITE, (5..75).contains(&x), "{x}, {y}");
        }
        // The edge goes on.
        assert_eq!(init.picture.get_pixel(95, 9), init.picture.get_pixel(74, 9));

        own.extend = Extend {
            top: 10,
            ..Extend::default()
        };
        let init = own.fit(64, 80, None).unwrap();
        same(&init, &own, (0, 10), (3, 0), (64, 70));
        let error = own.fit(64, 96, None).unwrap_err();
        assert_eq!(error.code(), "extend-size");
        assert_eq!(
            error.to_string(),
            "the extended picture is 64×80, not 64×96"
        );
    }

    #[test]
    fn what_is_transparent_is_painted_together_with_the_mask() {
        let mut own = draft(64, 64);
        for (x, _, pixel) in own.picture.enumerate_pixels_mut() {
            if x < 20 {
                *pixel = Rgba([255, 0, 255, 127]);
            }
        }
        own.mask = Some(GrayImage::from_fn(64, 64, |x, _| {
            Luma([if x < 40 { 0 } else { 255 }])
        }));
        let init = own.fit(64, 64, None).unwrap();
        let mask = init.mask.unwrap();
        assert!(
            mask.enumerate_pixels()
                .all(|(x, _, value)| (value[0] < WHITE) == (20..40).contains(&x))
        );
        assert_eq!(
            init.picture.get_pixel(3, 30),
            init.picture.get_pixel(20, 30)
        );
        own.picture.pixels_mut().for_each(|pixel| pixel[3] = 0);
        assert_eq!(own.fit(64, 64, None).unwrap_err(), InitError::Transparent);
    }

    #[test]
    fn masks_that_cannot_be_meant_are_refused() {
        let mut own = draft(64, 64);
        own.mask = Some(GrayImage::new(64, 48));
        assert_eq!(own.fit(64, 64, None).unwrap_err().code(), "mask-size");
        let mut thin = GrayImage::new(64, 64);
        for y in 0..64 {
            thin.put_pixel(16, y, Luma([255]));
        }
        for mask in [GrayImage::new(64, 64), thin] {
            own.mask = Some(mask);
            assert_eq!(own.fit(64, 64, None).unwrap_err().code(), "mask-empty");
        }
    }
}
