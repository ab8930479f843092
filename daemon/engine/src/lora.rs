//! LoRA files: small trained changes to the transformer's linear layers.
//!
//! A LoRA never touches the weights. Where a layer computes `y = x·Wᵀ`, an adapter adds
//! `scale·(x·Aᵀ)·Bᵀ` beside it (`layers::Side`), so it works the same on bf16, fp8 and
//! GGUF weights, nothing is quantised a second time (a change smaller than half a step of e4m3 would
//! vanish), and taking it away costs nothing. The factors stay in their file as weights do.
//!
//! - [`keys`]: what a tensor's name means, in every spelling that trainers write
//! - [`names`]: which of the model's layers a name means
//! - [`adapter`]: the factors of one layer's change
//! - [`config`]: what a file's header says about all of them
//! - [`mod@file`]: one file, opened and checked in full
//! - [`adapters`]: several files fitted to one model
//! - [`cache`]: files that were used lately, and the last network built with some
//!
//! What implementations got wrong before, and where it is settled here:
//!
//! - `.alpha` scales by alpha / rank, and no alpha means 1. With `LoKr` it counts only where a factor is
//!   itself factored ([`adapter`]); trainers write absurd alphas where it does not.
//! - A fused qkv of the BFL layout is one change to three layers that models keep stacked: it is applied
//!   to their rows together and never cut, since a Kronecker product cannot be. kohya's block-sparse
//!   factors need nothing special: their zeros multiply out ([`adapters`]).
//! - Names written with underscores cannot be split at them; they are looked up whole ([`names`]).
//! - The change of the last modulation is applied to diffusers' order of its halves as it stands in the
//!   file, whatever the spelling, as diffusers does. `ComfyUI` applies it to the BFL order, so a file of
//!   that spelling that was trained on this layer (most are not) differs between the two.
//! - `DoRA`'s magnitudes are left out, as diffusers does, and the caller is told ([`Notice`]).
//! - What the file holds for other networks (the text encoder, another model) is counted and told. A
//!   file of which nothing fits is an error, never a picture without the style that was asked for.

mod adapter;
mod adapters;
mod cache;
mod config;
mod error;
mod file;
mod keys;
mod merge;
mod names;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

pub(crate) use adapter::Delta;
pub(crate) use adapters::{Adapters, Fitted};
pub(crate) use cache::Cache;
pub use error::LoraError;
pub(crate) use file::LoraFile;
pub(crate) use merge::Merge;

use crate::error::EngineError;
#[cfg(doc)]
use crate::observer::Notice;

/// The most LoRA files of one request.
pub(crate) const MAX_LORAS: usize = 8;
/// A scale runs from minus this to this.
const MAX_SCALE: f32 = 10.0;

/// A LoRA file, and how strongly it is applied.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Lora {
    /// A safetensors file.
    pub path: PathBuf,
    /// −10 to 10; 1 is as trained, 0 leaves the file out.
    pub scale: f32,
}

impl Lora {
    /// Checks that there are not too many and that scales are in range.
    ///
    /// # Errors
    /// `request-invalid`.
    pub(crate) fn check(loras: &[Self]) -> Result<(), EngineError> {
        if loras.len() > MAX_LORAS {
            return Err(EngineError::request(
                "loras",
                format!("{} are more than {MAX_LORAS}", loras.len()),
            ));
        }
        match loras
            .iter()
            .find(|lora| lora.scale.is_nan() || lora.scale.abs() > MAX_SCALE)
        {
            Some(lora) => Err(EngineError::request(
                "loras",
                format!(
                    "the scale {} is not between −{MAX_SCALE} and {MAX_SCALE}",
                    lora.scale
                ),
            )),
            None => Ok(()),
        }
    }
}

/// Checks the header of a LoRA file: that it can be read, and that pairs and ranks in it agree. Whether it
/// fits a model is known when a picture is asked for with it.
///
/// # Errors
/// Any [`LoraError`] but [`Shape`](LoraError::Shape); `lora-matches-nothing` where no layer is
/// one that FLUX.2 has.
pub fn check_lora(path: &Path) -> Result<(), LoraError> {
    let file = file::LoraFile::open(path)?;
    if file.changes.is_empty() {
        let reason = adapters::why_no_changes(&file);
        return Err(LoraError::MatchesNothing {
            path: path.to_owned(),
            reason,
        });
    }
    Ok(())
}
