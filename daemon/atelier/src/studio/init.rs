//! The picture that a job begins from, and its mask: from files to what the engine takes.

use std::path::PathBuf;

use atelier_flux::{Draft, EngineError, Extend, Init};
use atelier_manifest::{Job, JobInit};
use atelier_provenance::{Operation, ReferenceFacts, Role};
use image::{DynamicImage, GrayImage, Luma};

use super::digest::sha256_hex;
use super::picture::{self, Input};
use super::prepare::Prepared;
use crate::fault::{Fault, Stage};

/// Reads what the job begins from, if it does; `inputs` are the files that follow the references'.
///
/// # Errors
///
/// When a file cannot be read, or picture, mask and size do not fit together.
pub(super) fn prepare(job: &Job, inputs: &[PathBuf], prepared: &mut Prepared) -> Result<(), Fault> {
    let Some(init) = &job.init else {
        return Ok(());
    };
    let mut inputs = inputs.iter();
    let mut read = |input: Input, role: Role| {
        let path = inputs.next().ok_or_else(|| {
            let missing = format!("{input} was not kept with the job");
            Fault::fatal(Stage::Prepare, "input-missing", missing)
        })?;
        let bytes = picture::read(path, input)?;
        let (picture, media) = picture::decode(&bytes, input)?;
        prepared.facts.push(ReferenceFacts {
            number: u32::try_from(prepared.facts.len() + 1).unwrap_or(u32::MAX),
            role,
            sha256: sha256_hex(&bytes),
            format: Some(media.to_owned()),
            bytes: Some(bytes.into()),
            prepared_by: Vec::new(),
        });
        Ok::<_, Fault>(picture)
    };
    let picture = read(Input::Init, Role::Base)?;
    let mask = match &init.mask {
        Some(_) => Some(black_and_white(&read(Input::Mask, Role::Mask)?)),
        None => None,
    };
    let draft = Draft {
        picture: picture.into_rgba8(),
        mask,
        extend: extend(init),
    };
    let fitted = draft
        .fit(job.width, job.height, init.strength)
        .map_err(|error| Fault::engine(Stage::Prepare, &EngineError::from(error)))?;
    prepared.init = Some(fitted);
    Ok(())
}

/// What was done: an edit where pixels of the picture are kept.
pub(super) fn operation(init: Option<&Init>, facts: &[ReferenceFacts]) -> Operation {
    let keeps = init
        .and_then(|init| init.mask.as_ref())
        .is_some_and(|mask| mask.pixels().any(|value| value[0] < 128));
    let base = facts.iter().find(|facts| facts.role == Role::Base);
    match base {
        Some(base) if keeps => Operation::Edit { base: base.number },
        _ => Operation::Generate,
    }
}

/// A mask's lightness; what is transparent in it counts as black.
fn black_and_white(mask: &DynamicImage) -> GrayImage {
    let seen = mask.to_luma_alpha8();
    GrayImage::from_fn(seen.width(), seen.height(), |x, y| {
        let [lightness, alpha] = seen.get_pixel(x, y).0;
        let visible = u32::from(lightness) * u32::from(alpha) / 255;
        Luma([u8::try_from(visible).unwrap_or(u8::MAX)])
    })
}

fn extend(init: &JobInit) -> Extend {
    Extend {
        left: init.extend.left,
        right: init.extend.right,
        top: init.extend.top,
        bottom: init.extend.bottom,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use image::{LumaA, RgbImage};

    use super::*;

    #[test]
    fn what_is_transparent_in_a_mask_is_black() {
        let pixels = [[255, 255], [255, 0], [200, 128], [0, 255]];
        let mask = image::GrayAlphaImage::from_fn(4, 1, |x, _| LumaA(pixels[x as usize]));
        let mask = black_and_white(&DynamicImage::ImageLumaA8(mask));
        assert_eq!(mask.as_raw(), &[255, 0, 100, 0]);
    }

    #[test]
    fn only_what_keeps_pixels_is_an_edit() {
        let facts = |role, number| ReferenceFacts {
            number,
            role,
            ..ReferenceFacts::default()
        };
        let facts = [
            facts(Role::Reference, 1),
            facts(Role::Base, 2),
            facts(Role::Mask, 3),
        ];
        let with = |mask: Option<[u8; 2]>| Init {
            picture: RgbImage::new(2, 1),
            strength: 1.0,
            mask: mask.map(|values| GrayImage::from_raw(2, 1, values.to_vec()).unwrap()),
        };
        let edit = Operation::Edit { base: 2 };
        for (init, expected) in [
            (None, Operation::Generate),
            (Some(with(None)), Operation::Generate),
            (Some(with(Some([255, 128]))), Operation::Generate),
            (Some(with(Some([255, 127]))), edit),
        ] {
            assert_eq!(operation(init.as_ref(), &facts), expected);
        }
    }
}
