//! One LoRA file, opened and checked.
//!
//! Everything that can be known without a model is checked here, before any work: pairs are whole, ranks
//! agree, numbers are numbers. That reads the file once; its pages stay in the system's cache.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::adapter::{Adapter, Tensors};
use super::error::LoraError;
use super::keys::{self, Role};
use super::names;
use crate::weights::{Stored, Weights};

/// Numbers that are looked at together for NaN: 256 KiB of f32.
const SCANNED_AT_ONCE: usize = 64 << 10;

/// A LoRA file. Its factors stay mapped.
#[derive(Debug)]
pub(crate) struct LoraFile {
    pub(crate) path: PathBuf,
    /// Changes to layers that FLUX.2 has.
    pub(crate) changes: Vec<Change>,
    /// Layers, as the file spells them, that FLUX.2 has not, or whose change is of an unknown form.
    pub(crate) unknown: Vec<String>,
    /// Tensors of text encoders.
    pub(crate) text_encoder: usize,
    /// Layers with `DoRA` magnitudes.
    pub(crate) magnitudes: usize,
}

/// The change to one layer, or to several that models keep stacked.
#[derive(Debug)]
pub(crate) struct Change {
    /// The layer as the file spells it, for messages.
    pub(crate) spelled: String,
    /// The layers' diffusers names, in the order of their rows.
    pub(crate) layers: Vec<String>,
    pub(crate) adapter: Adapter,
}

impl LoraFile {
    /// Opens and checks a file.
    ///
    /// # Errors
    /// Any [`LoraError`] but those that need a model.
    pub(crate) fn open(path: &Path) -> Result<Self, LoraError> {
        if !path.is_file() {
            return Err(LoraError::Missing {
                path: path.to_owned(),
            });
        }
        let weights = Weights::open_file(path)?;
        Self::read(path, &weights)
    }

    fn read(path: &Path, weights: &Weights) -> Result<Self, LoraError> {
        let mut file = Self {
            path: path.to_owned(),
            changes: Vec::new(),
            unknown: Vec::new(),
            text_encoder: 0,
            magnitudes: 0,
        };
        for (spelled, tensors) in file.sort(weights)? {
            file.magnitudes += usize::from(tensors.contains_key(&Role::Magnitude));
            let adapter =
                Adapter::of(&tensors).map_err(|(key, problem)| file.invalid(key, problem))?;
            match (adapter, names::layers(&spelled)) {
                (Some(adapter), Some(layers)) => file.changes.push(Change {
                    spelled,
                    layers,
                    adapter,
                }),
                _ => file.unknown.push(spelled),
            }
        }
        file.check_once()?;
        for factor in file
            .changes
            .iter()
            .flat_map(|change| change.adapter.factors())
        {
            if let Some(value) = not_finite(factor) {
                return Err(file.invalid(factor.name().into(), format!("holds the value {value}")));
            }
        }
        Ok(file)
    }

    /// The tensors by layer, as the file spells it, and role.
    fn sort(&mut self, weights: &Weights) -> Result<BTreeMap<String, Tensors>, LoraError> {
        let mut layers: BTreeMap<String, Tensors> = BTreeMap::new();
        for name in weights.names() {
            if keys::is_of_text_encoder(name) {
                self.text_encoder += 1;
                continue;
            }
            let Some((layer, role)) = keys::split(name) else {
                // Of an unknown form: the layer's name ends somewhere within.
                let layer = name.rsplit_once('.').map_or(name, |(layer, _)| layer);
                layers.entry(layer.to_owned()).or_default();
                continue;
            };
            let tensor = weights.get(name)?.clone();
            if layers
                .entry(layer.to_owned())
                .or_default()
                .insert(role, tensor)
                .is_some()
            {
                return Err(self.invalid(name.into(), "is there twice, in two spellings".into()));
            }
        }
        Ok(layers)
    }

    /// Two spellings of one layer in one file would apply its change twice.
    fn check_once(&self) -> Result<(), LoraError> {
        let mut seen: BTreeMap<&[String], &str> = BTreeMap::new();
        for change in &self.changes {
            if let Some(other) = seen.insert(&change.layers, &change.spelled) {
                let problem = format!("is the layer {other} in another spelling");
                return Err(self.invalid(change.spelled.clone(), problem));
            }
        }
        Ok(())
    }

    fn invalid(&self, key: String, problem: String) -> LoraError {
        LoraError::Invalid {
            path: self.path.clone(),
            key,
            problem,
        }
    }
}

/// The first number that is none.
fn not_finite(tensor: &Stored) -> Option<f32> {
    let length = tensor.row_length();
    let at_once = (SCANNED_AT_ONCE / length.max(1)).max(1);
    let mut values = vec![0.0; at_once.min(tensor.rows()) * length];
    (0..tensor.rows()).step_by(at_once).find_map(|first| {
        let rows = at_once.min(tensor.rows() - first);
        let values = &mut values[..rows * length];
        tensor.widen_rows(first, values);
        values.iter().copied().find(|value| !value.is_finite())
    })
}
