//! Which fp8 weight has which scale: the spellings in use, and what each of them promises.
//!
//! | spelling | says which layers are scaled | the scale of `LAYER.weight` |
//! |---|---|---|
//! | plain cast | nothing | there is none: the numbers are what they are |
//! | `ComfyUI`, old | a tensor `PREFIXscaled_fp8`: all of them | `LAYER.scale_weight`, `LAYER.scale_input` |
//! | `ComfyUI`, now | a tensor `LAYER.comfy_quant` of JSON | `LAYER.weight_scale`, `LAYER.input_scale` |
//! | header | `_quantization_metadata` in `__metadata__` | as above |
//! | none of these | that there are scales at all | as above |
//!
//! A file may mix precisions as it likes, so each tensor is judged by its own element type, never by
//! its name or its neighbours. A scale that is promised and not there must be an error: without it the
//! numbers are off by a factor of hundreds, and programs that went on made white pictures and said
//! nothing. So must be a quantisation of another name, whose bytes may well look like fp8.
//!
//! All of this is settled when a part is opened. Afterwards the scales are part of the tensors they
//! belong to, and nobody sees the notes again.

mod scales;
mod tags;

use std::collections::BTreeMap;
use std::path::Path;

use super::{Stored, Weights, WeightsError};
use scales::Scales;
use tags::{Tag, Tags};

/// Names that other quantisations' tensors end with, and what they mean.
const FOREIGN: [(&str, &str); 6] = [
    (".weight_scale_2", "nvfp4"),
    (".pre_quant_scale", "weights with a pre_quant_scale"),
    (
        ".weight_scale_inv",
        "fp8 in blocks, by its weight_scale_inv",
    ),
    (".weight_zero_point", "integers with a zero point"),
    (".qweight", "GPTQ or AWQ"),
    (".weight.absmax", "bitsandbytes"),
];
/// The prefixes that single files put before a transformer's names, and headers may leave out.
const PREFIXES: [&str; 3] = ["", "model.diffusion_model.", "diffusion_model."];

/// What a layer's file says about how it wants to be multiplied where the device knows fp8.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Hints {
    /// The layer's input divided by this fits into fp8; without it, look at the input.
    pub(crate) input_scale: Option<f32>,
    /// The layer loses too much in fp8: widen the weight and multiply in full precision.
    pub(crate) full_precision: bool,
}

/// What the files' headers say, gathered while they are opened.
#[derive(Default)]
pub(super) struct Notes {
    tags: Tags,
}

impl Notes {
    /// Reads the notes in the `__metadata__` of the file at `path`.
    pub(super) fn read_header(
        &mut self,
        path: &Path,
        metadata: &BTreeMap<String, String>,
    ) -> Result<(), WeightsError> {
        self.tags.read_header(path, metadata)
    }

    /// Gives each weight its scale, and takes scales, tags and markers out of the tensors.
    pub(super) fn settle(self, weights: &mut Weights) -> Result<(), WeightsError> {
        let mut tags = self.tags;
        tags.take(weights)?;
        refuse_foreign(weights)?;
        let scales = Scales::take(weights)?;
        let mut unscaled: BTreeMap<String, Stored> = BTreeMap::new();
        for (name, tensor) in &mut weights.tensors {
            let layer = name.strip_suffix(".weight").unwrap_or(name);
            let tag = tags.of(layer);
            if let Some(tag) = tag {
                tag.check(name, tensor)?;
            }
            let input_scale = scales.input(layer)?;
            let Some(scale) = scales.of(layer, tensor)? else {
                if let Some(told_by) = promise(tag, input_scale.is_some(), tensor) {
                    return Err(missing(name, tensor, &told_by));
                }
                if is_fp8_matrix(tensor) && name.ends_with(".weight") {
                    unscaled.insert(name.clone(), tensor.clone());
                }
                continue;
            };
            let hints = Hints {
                input_scale,
                full_precision: tag.is_some_and(|tag| tag.full_precision)
                    || tags
                        .marker(name)
                        .is_some_and(|marker| marker.full_precision),
            };
            *tensor = tensor.clone().scaled(&scale, hints);
        }
        scales.refuse_alone(weights)?;
        tags.refuse_alone(weights)?;
        for (name, tensor) in &unscaled {
            if let Some(told_by) = unwritten_promise(&tags, &scales, name) {
                return Err(missing(name, tensor, &told_by));
            }
        }
        Ok(())
    }
}

/// What promises a scale for this tensor, of those things that speak of it alone.
fn promise(tag: Option<&Tag>, has_input_scale: bool, tensor: &Stored) -> Option<String> {
    match tag {
        Some(tag) => Some(tag.told_by.clone()),
        None if has_input_scale && is_fp8_matrix(tensor) => Some("its input scale".into()),
        None => None,
    }
}

/// What promises a scale for an fp8 weight that has none, of those things that speak of the whole file.
fn unwritten_promise(tags: &Tags, scales: &Scales, name: &str) -> Option<String> {
    if let Some(marker) = tags.marker(name) {
        return Some(format!("the marker {}", marker.name));
    }
    let other = scales.any().filter(|_| tags.is_empty())?;
    Some(format!("the scale {other} of another weight"))
}

fn missing(name: &str, tensor: &Stored, told_by: &str) -> WeightsError {
    WeightsError::ScaleMissing {
        path: tensor.path().to_owned(),
        tensor: name.to_owned(),
        scale: format!("{name}_scale"),
        told_by: told_by.to_owned(),
    }
}

fn is_fp8_matrix(tensor: &Stored) -> bool {
    let is_fp8 = tensor.encodings().any(|(encoding, _)| encoding.is_fp8());
    is_fp8 && tensor.shape().len() > 1
}

fn refuse_foreign(weights: &Weights) -> Result<(), WeightsError> {
    let tensors = weights.tensors.iter();
    let tensors = tensors.map(|(name, tensor)| (name, tensor.path()));
    let others = weights.others.iter();
    let others = others.map(|(name, other)| (name, other.file.path.as_path()));
    for (name, path) in tensors.chain(others) {
        if let Some((_, format)) = FOREIGN.iter().find(|(ending, _)| name.ends_with(ending)) {
            return Err(WeightsError::QuantisationUnknown {
                path: path.to_owned(),
                tensor: name.clone(),
                format: (*format).to_owned(),
            });
        }
    }
    Ok(())
}
