//! One LoRA file, opened and checked.
//!
//! Everything that can be known without a model is checked here, before any work: pairs are whole, ranks
//! agree, numbers are numbers.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::adapter::{Adapter, Tensors};
use super::config::Config;
use super::error::LoraError;
use super::keys::{self, Role};
use super::names;
use crate::weights::{Dtype, Weights};

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
    /// Opens a file and checks its header: names, pairs and ranks.
    ///
    /// # Errors
    /// Any [`LoraError`] but those that need a model or the tensors' numbers.
    pub(crate) fn open(path: &Path) -> Result<Self, LoraError> {
        Self::read(path, &Self::weights(path)?)
    }

    /// Opens a file and checks its numbers too, which reads it from its first byte to its last.
    ///
    /// # Errors
    /// Any [`LoraError`] but those that need a model.
    pub(crate) fn open_whole(path: &Path) -> Result<Self, LoraError> {
        let weights = Self::weights(path)?;
        let file = Self::read(path, &weights)?;
        weights.check_finite()?;
        Ok(file)
    }

    fn weights(path: &Path) -> Result<Weights, LoraError> {
        if !path.is_file() {
            return Err(LoraError::Missing {
                path: path.to_owned(),
            });
        }
        Ok(Weights::open_file(path)?)
    }

    fn read(path: &Path, weights: &Weights) -> Result<Self, LoraError> {
        let mut file = Self {
            path: path.to_owned(),
            changes: Vec::new(),
            unknown: Vec::new(),
            text_encoder: 0,
            magnitudes: 0,
        };
        let config = Config::read(weights.metadata()).map_err(|problem| {
            file.invalid("its header".into(), format!("is no JSON: {problem}"))
        })?;
        for (spelled, tensors) in file.sort(weights)? {
            file.magnitudes += usize::from(tensors.by_role.contains_key(&Role::Magnitude));
            let adapter =
                Adapter::of(&tensors).map_err(|(key, problem)| file.invalid(key, problem))?;
            match (adapter, names::layers(&spelled)) {
                (Some(mut adapter), Some(layers)) => {
                    if let (None, Some(rank)) = (tensors.alpha, adapter.rank()) {
                        adapter.scale = config.scale(&layers[0], rank);
                    }
                    file.changes.push(Change {
                        spelled,
                        layers,
                        adapter,
                    });
                }
                _ => file.unknown.push(spelled),
            }
        }
        file.check_once()?;
        Ok(file)
    }

    /// The tensors by layer, as the file spells it, and role.
    fn sort(&mut self, weights: &Weights) -> Result<BTreeMap<String, Tensors>, LoraError> {
        let mut layers: BTreeMap<String, Tensors> = BTreeMap::new();
        let others = weights.others().iter();
        let others = others.map(|(name, other)| (name.as_str(), Some(other.dtype())));
        for (name, dtype) in weights.names().map(|name| (name, None)).chain(others) {
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
            let tensors = layers.entry(layer.to_owned()).or_default();
            let is_second = if role == Role::Alpha {
                let alpha = self.alpha(weights, name, dtype)?;
                tensors.alpha.replace(alpha).is_some()
            } else {
                let tensor = weights.get(name)?.clone();
                tensors.by_role.insert(role, tensor).is_some()
            };
            if is_second {
                return Err(self.invalid(name.into(), "is there twice, in two spellings".into()));
            }
        }
        Ok(layers)
    }

    /// An alpha, which some trainers write as a whole number.
    #[allow(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        reason = "an alpha is a small number"
    )]
    fn alpha(&self, weights: &Weights, name: &str, other: Option<Dtype>) -> Result<f32, LoraError> {
        let value = match other {
            None => {
                let alpha = weights.get(name)?;
                if alpha.elements() != 1 {
                    let problem =
                        format!("has the shape {:?}; an alpha is one number", alpha.shape());
                    return Err(self.invalid(name.into(), problem));
                }
                alpha.widen()[0]
            }
            Some(dtype) => {
                let bytes = weights.raw(name).unwrap_or_default();
                let value = match dtype {
                    Dtype::I64 => bytes
                        .try_into()
                        .ok()
                        .map(|it| i64::from_le_bytes(it) as f32),
                    Dtype::I32 => bytes
                        .try_into()
                        .ok()
                        .map(|it| i32::from_le_bytes(it) as f32),
                    Dtype::F64 => bytes
                        .try_into()
                        .ok()
                        .map(|it| f64::from_le_bytes(it) as f32),
                    _ => None,
                };
                let problem =
                    || self.invalid(name.into(), format!("is {dtype}; an alpha is one number"));
                value.ok_or_else(problem)?
            }
        };
        if value.is_finite() {
            return Ok(value);
        }
        Err(self.invalid(name.into(), format!("is {value}")))
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
