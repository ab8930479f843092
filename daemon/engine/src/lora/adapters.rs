//! LoRA files fitted to one model.
//!
//! Adapters are found by the diffusers name of a layer, as its weights are. One that changes several
//! layers (a fused qkv) is kept under the first of them, with their number: models stack exactly those
//! layers into one, so its rows follow one another there too.

use std::collections::BTreeMap;

use super::adapter::Adapter;
use super::error::LoraError;
use super::file::{Change, LoraFile};
use crate::observer::Notice;
use crate::weights::{Stored, Weights};

/// All changes to one model, by layer.
#[derive(Debug, Default)]
pub(crate) struct Adapters {
    by_layer: BTreeMap<String, Vec<Fitted>>,
}

/// An adapter that fits.
#[derive(Debug, Clone)]
pub(crate) struct Fitted {
    /// With the scale that was asked for.
    pub(crate) adapter: Adapter,
    /// How many stacked layers it changes, from the one that it is kept under.
    pub(crate) layers: usize,
}

/// Whether the model has a change's layers, and of what size they are.
enum Fit {
    Fits,
    Absent,
    Differs { expected: [usize; 2] },
}

impl Adapters {
    /// The adapters of the layer with this diffusers name.
    pub(crate) fn of(&self, layer: &str) -> &[Fitted] {
        self.by_layer.get(layer).map_or(&[], Vec::as_slice)
    }

    /// Adds a file's changes, and says what of it is left out.
    ///
    /// # Errors
    /// `lora-matches-nothing`, or `lora-shape` where some layers fit and others do not.
    pub(crate) fn add(
        &mut self,
        file: &LoraFile,
        scale: f32,
        model: &Weights,
    ) -> Result<Vec<Notice>, LoraError> {
        let fits: Vec<_> = file
            .changes
            .iter()
            .map(|change| (change, fit(change, model)))
            .collect();
        let fitting = fits
            .iter()
            .filter(|(_, fit)| matches!(fit, Fit::Fits))
            .count();
        if fitting == 0 {
            return Err(LoraError::MatchesNothing {
                path: file.path.clone(),
                reason: why_nothing(file, model),
            });
        }
        for (change, fit) in &fits {
            if let Fit::Differs { expected } = *fit {
                return Err(LoraError::Shape {
                    path: file.path.clone(),
                    key: change.spelled.clone(),
                    expected,
                    found: change.adapter.shape(),
                });
            }
        }
        if scale != 0.0 {
            let fits = fits.iter().filter(|(_, fit)| matches!(fit, Fit::Fits));
            for (change, _) in fits {
                let mut adapter = change.adapter.clone();
                adapter.scale *= scale;
                let layers = change.layers.len();
                let fitted = Fitted { adapter, layers };
                self.by_layer
                    .entry(change.layers[0].clone())
                    .or_default()
                    .push(fitted);
            }
        }
        Ok(notices(file, fitting))
    }
}

/// Opens nothing: shapes are in the headers.
fn fit(change: &Change, model: &Weights) -> Fit {
    let mut expected = [0, 0];
    for layer in &change.layers {
        let Ok(weight) = model.get(&format!("{layer}.weight")) else {
            return Fit::Absent;
        };
        expected = [expected[0] + weight.rows(), weight.row_length()];
    }
    if change.adapter.shape() == expected {
        Fit::Fits
    } else {
        Fit::Differs { expected }
    }
}

fn notices(file: &LoraFile, matched: usize) -> Vec<Notice> {
    let path = || file.path.clone();
    let total = file.changes.len() + file.unknown.len();
    let mut notices = Vec::new();
    if matched < total {
        notices.push(Notice::LoraPartial {
            path: path(),
            matched,
            total,
        });
    }
    if file.text_encoder > 0 {
        notices.push(Notice::LoraTextEncoder {
            path: path(),
            tensors: file.text_encoder,
        });
    }
    if file.magnitudes > 0 {
        notices.push(Notice::LoraMagnitudes {
            path: path(),
            layers: file.magnitudes,
        });
    }
    notices
}

/// Why a file has nothing for FLUX.2 at all.
pub(super) fn why_no_changes(file: &LoraFile) -> String {
    match file.unknown.first() {
        Some(layer) => format!(
            "none of its {} layers is one that FLUX.2 has; the first is {layer}",
            file.unknown.len()
        ),
        None if file.text_encoder > 0 => {
            "it changes text encoders only, and those are not changed here".into()
        }
        None => "it holds no LoRA tensors".into(),
    }
}

/// What a file that fits nowhere looks made for.
fn why_nothing(file: &LoraFile, model: &Weights) -> String {
    if file.changes.is_empty() {
        return why_no_changes(file);
    }
    let width = model.get("x_embedder.weight").map_or(0, Stored::rows);
    match file.changes.iter().find_map(hidden_width) {
        Some(found) if found != width => format!(
            "it was made for a model {found} wide{}, and this one is {width} wide{}",
            known_by_width(found),
            known_by_width(width)
        ),
        _ => {
            let change = &file.changes[0];
            let [outputs, inputs] = change.adapter.shape();
            match fit(change, model) {
                Fit::Differs {
                    expected: [rows, length],
                } => format!(
                    "its first layer, {}, has {outputs} outputs and {inputs} inputs, and the \
                     model's has {rows} and {length}",
                    change.spelled
                ),
                Fit::Absent | Fit::Fits => format!(
                    "it has none of the file's {} layers, of which the first is {}; a model \
                     with more blocks would",
                    file.changes.len(),
                    change.spelled
                ),
            }
        }
    }
}

/// The hidden width of the model that a change was made for, where the layer tells it.
fn hidden_width(change: &Change) -> Option<usize> {
    let [outputs, inputs] = change.adapter.shape();
    let layer = change.layers.first()?;
    let ends = |leaves: &[&str]| leaves.iter().any(|leaf| layer.ends_with(leaf));
    if ends(&[
        "attn.to_q",
        "attn.to_k",
        "attn.to_v",
        "_q_proj",
        "_k_proj",
        "_v_proj",
    ]) || ends(&[
        "to_qkv_mlp_proj",
        "linear_in",
        "to_out.0",
        "to_add_out",
        "proj_out",
    ]) {
        Some(inputs)
    } else if ends(&[
        "attn.to_out",
        "linear_out",
        "x_embedder",
        "context_embedder",
    ]) {
        Some(outputs)
    } else {
        None
    }
}

fn known_by_width(width: usize) -> &'static str {
    match width {
        3072 => " (as klein 4B is)",
        4096 => " (as klein 9B is)",
        6144 => " (as dev is)",
        _ => "",
    }
}
