//! Beginning from a picture: image-to-image, inpainting and outpainting.
//!
//! Without a mask, the noise of the first steps is replaced by a mixture of noise and the picture's
//! latent, and the fewer steps are left, the more of the picture stays. With a mask, the latent is
//! painted anew where the mask is white and led back to the picture's own where it is black, after
//! every step; the picture is also shown to the model as the first reference, so that what is painted
//! fits. As such it does not change from step to step, so klein KV reads it once, as any reference.
//! Both follow diffusers' `Flux2KleinInpaintPipeline`.
//!
//! What the user does not want changed must not change. The latent cannot promise that: the
//! autoencoder loses something everywhere, and a token covers 16 by 16 pixels. So at the end every
//! pixel where the mask is black is put back as it was, bit for bit; a seam is softened on the white
//! side only.
//!
//! - [`Draft`]: what a user gives, made to fit by [`Draft::fit`]
//! - [`Init`]: what a [`Request`](crate::Request) takes, of the picture's exact size
//! - `fill`: colours for what is not known yet; `mask`: from pixels to tokens; `composite`: the end

mod composite;
mod draft;
mod fill;
mod mask;

pub use draft::{Draft, Extend};

pub(crate) use composite::composite;
pub(crate) use mask::of_tokens;

use image::{GrayImage, RgbImage};

/// The picture to begin from.
#[derive(Debug, Clone)]
pub struct Init {
    /// As wide and high as the picture that is made.
    pub picture: RgbImage,
    /// How much of it may change: of N steps the last `N · strength` are done, at least one. More than
    /// 0 and at most 1, which begins from noise alone. It is an f64 because diffusers' is: which step
    /// is the first turns on its last bit.
    pub strength: f64,
    /// Where it is painted anew: from 128 up; below, the picture stays. Of the same size. With a mask
    /// the picture is also the first reference, image 1, and other references count from 2.
    pub mask: Option<GrayImage>,
}

/// The least value of a mask that means "paint anew": half of the range, as diffusers rounds it.
const WHITE: u8 = 128;

/// Why a picture cannot be begun from.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InitError {
    /// Picture and mask are not of one size.
    #[error(
        "the mask is {}×{} and the picture {}×{}; they must be of one size",
        mask.0, mask.1, picture.0, picture.1
    )]
    MaskSize {
        /// Width and height of the mask in pixels.
        mask: (u32, u32),
        /// Width and height of the picture in pixels.
        picture: (u32, u32),
    },
    /// The mask, or the picture's transparency, lets nothing be painted.
    #[error("the mask is white in no place large enough to be painted anew")]
    MaskEmpty,
    /// No pixel of the picture can be seen.
    #[error("the picture to begin from is transparent everywhere")]
    Transparent,
    /// The size asked for is not the one that the picture is extended to.
    #[error(
        "the extended picture is {}×{}, not {}×{}",
        canvas.0, canvas.1, asked.0, asked.1
    )]
    Extended {
        /// Width and height that the extended picture has.
        canvas: (u32, u32),
        /// Width and height that were asked for.
        asked: (u32, u32),
    },
}

impl InitError {
    /// A stable name for scripts and reports.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::MaskSize { .. } => "mask-size",
            Self::MaskEmpty => "mask-empty",
            Self::Transparent => "init-transparent",
            Self::Extended { .. } => "extend-size",
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some(
            match self {
                Self::MaskSize { .. } => "draw the mask over the picture itself, in its size",
                Self::MaskEmpty => {
                    "white is what is painted anew, in squares of 16 pixels; paint a wider area"
                }
                Self::Transparent => "leave visible what is to stay",
                Self::Extended { .. } => "leave width and height out",
            }
            .to_owned(),
        )
    }
}
