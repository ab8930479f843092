//! Reference pictures, made ready for the VAE encoder: checked, capped in area, cropped to whole
//! latent patches, turned into numbers.
//!
//! All of it follows diffusers' `Flux2KleinPipeline` and its `Flux2ImageProcessor` to the bit,
//! including the resampling of Pillow that they call: a reference that is scaled a little
//! differently is another reference. Colours are taken as they are; what a file's orientation,
//! profile or transparency mean is settled before a picture comes here.

mod lanczos;

pub use lanczos::resize;

use image::{RgbImage, imageops};
use serde::{Deserialize, Serialize};

/// What sides are cropped to a multiple of, in pixels: 8 (the VAE) times 2 (the patch).
pub const SIDE_MULTIPLE: u32 = 16;
/// The shortest side a reference may have, in pixels.
pub const MIN_SIDE: u32 = 64;
/// The most that the longer side may exceed the shorter one.
pub const MAX_ASPECT: u32 = 8;

/// The area above which a reference is scaled down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum PixelCap {
    /// 1024² pixels, whatever the number of references: what diffusers does.
    #[default]
    Megapixel,
    /// 2024² pixels: what Black Forest Labs' own code gives a reference that is the only one.
    FourMegapixels,
    /// Another area, in pixels.
    Area(u32),
}

impl PixelCap {
    /// The cap in pixels.
    #[must_use]
    pub const fn area(self) -> u32 {
        match self {
            Self::Megapixel => 1024 * 1024,
            Self::FourMegapixels => 2024 * 2024,
            Self::Area(area) => area,
        }
    }
}

/// Which cap references have, as users name it: `1MP` or `bfl`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum ReferenceCap {
    /// [`PixelCap::Megapixel`] for each, as diffusers does.
    #[default]
    Megapixel,
    /// As Black Forest Labs' own code: [`PixelCap::FourMegapixels`] for the only one,
    /// [`PixelCap::Megapixel`] for each of several.
    Bfl,
}

impl ReferenceCap {
    /// The cap of each of so many references.
    #[must_use]
    pub const fn of(self, references: usize) -> PixelCap {
        match (self, references) {
            (Self::Bfl, 1) => PixelCap::FourMegapixels,
            _ => PixelCap::Megapixel,
        }
    }
}

/// Why a picture cannot be a reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    /// A side is under [`MIN_SIDE`].
    #[error(
        "the reference is too small: {width}×{height}, both sides must be at least {MIN_SIDE} pixels"
    )]
    TooSmall {
        /// The picture's width in pixels.
        width: u32,
        /// The picture's height in pixels.
        height: u32,
    },
    /// One side is more than [`MAX_ASPECT`] times the other.
    #[error(
        "the reference is too elongated: {width}×{height}, one side may be at most {MAX_ASPECT} times the other"
    )]
    TooElongated {
        /// The picture's width in pixels.
        width: u32,
        /// The picture's height in pixels.
        height: u32,
    },
    /// Scaled to a small cap, a side falls under one patch.
    #[error(
        "the reference of {width}×{height} has no whole patch left when it is scaled to {area} pixels"
    )]
    CapTooSmall {
        /// The picture's width in pixels.
        width: u32,
        /// The picture's height in pixels.
        height: u32,
        /// The cap in pixels.
        area: u32,
    },
}

impl ReferenceError {
    /// A stable name for scripts and reports.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooSmall { .. } => "reference-too-small",
            Self::TooElongated { .. } => "reference-too-elongated",
            Self::CapTooSmall { .. } => "reference-cap-too-small",
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::TooSmall { .. } => {
                format!("use a larger picture; {MIN_SIDE}×{MIN_SIDE} is the least")
            }
            Self::TooElongated { .. } => {
                "crop or pad the picture first, for example with the plugin fit".to_owned()
            }
            Self::CapTooSmall { .. } => "raise the cap on a reference's area".to_owned(),
        })
    }
}

/// The part of a picture that the model sees, at the size it sees it: over the cap, the picture is
/// scaled down to it (Lanczos, sides truncated); then its centre is cut to multiples of
/// [`SIDE_MULTIPLE`].
///
/// # Errors
/// [`ReferenceError`] where the picture is too small or too elongated.
pub fn fit(picture: &RgbImage, cap: PixelCap) -> Result<RgbImage, ReferenceError> {
    let (width, height) = picture.dimensions();
    if width.min(height) < MIN_SIDE {
        return Err(ReferenceError::TooSmall { width, height });
    }
    if u64::from(width.max(height)) > u64::from(width.min(height)) * u64::from(MAX_ASPECT) {
        return Err(ReferenceError::TooElongated { width, height });
    }
    let scaled = match capped(width, height, cap.area()) {
        Some((0, _) | (_, 0)) => {
            return Err(ReferenceError::CapTooSmall {
                width,
                height,
                area: cap.area(),
            });
        }
        Some((width, height)) => &resize(picture, width, height),
        None => picture,
    };
    let (whole_width, whole_height) = scaled.dimensions();
    let cut = |side: u32| side - side % SIDE_MULTIPLE;
    let (cut_width, cut_height) = (cut(whole_width), cut(whole_height));
    if cut_width == 0 || cut_height == 0 {
        return Err(ReferenceError::CapTooSmall {
            width,
            height,
            area: cap.area(),
        });
    }
    let (left, top) = (
        (whole_width - cut_width) / 2,
        (whole_height - cut_height) / 2,
    );
    Ok(imageops::crop_imm(scaled, left, top, cut_width, cut_height).to_image())
}

/// The size to scale to, when the area is over the cap.
fn capped(width: u32, height: u32, cap: u32) -> Option<(u32, u32)> {
    let area = u64::from(width) * u64::from(height);
    (area > u64::from(cap)).then(|| {
        let scale = (f64::from(cap) / area as f64).sqrt();
        (
            (f64::from(width) * scale) as u32,
            (f64::from(height) * scale) as u32,
        )
    })
}

/// A picture as the VAE encoder takes it: `[3, height, width]`, each value 0 … 255 mapped to
/// −1 … 1 as `2 · (value / 255) − 1` in f32.
#[must_use]
pub fn to_chw(picture: &RgbImage) -> Vec<f32> {
    let plane = |channel: usize| {
        picture
            .pixels()
            .map(move |pixel| 2.0 * (f32::from(pixel[channel]) / 255.0) - 1.0)
    };
    plane(0).chain(plane(1)).chain(plane(2)).collect()
}
