//! What says that a weight is scaled, and how: tags of layers, notes in headers, markers of files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::super::{Encoding, Stored, Weights, WeightsError};
use super::PREFIXES;

/// The member of `__metadata__` that holds formats by layer.
const HEADER_KEY: &str = "_quantization_metadata";
/// What the name of a layer's tag ends with.
const TAG: &str = ".comfy_quant";
/// What a marker is called, after a prefix with a dot at its end.
const MARKER: &str = "scaled_fp8";
/// A tag is a line of JSON; whatever is longer is none.
const TAG_LIMIT: usize = 1 << 16;

/// All that a part's files say.
#[derive(Default)]
pub(super) struct Tags {
    layers: BTreeMap<String, Tag>,
    markers: Vec<Marker>,
}

/// What a file says about one layer.
pub(super) struct Tag {
    path: PathBuf,
    /// What says it, for messages.
    pub(super) told_by: String,
    encoding: Encoding,
    pub(super) full_precision: bool,
    /// The name of its tensor, if it has one.
    tensor: Option<String>,
}

/// A tensor that says that all fp8 weights whose names begin like its own are scaled.
pub(super) struct Marker {
    pub(super) name: String,
    /// Written for layers that are to be multiplied in full precision.
    pub(super) full_precision: bool,
}

/// A tag's JSON.
#[derive(Deserialize)]
struct Format {
    format: String,
    #[serde(default)]
    full_precision_matrix_mult: bool,
    /// The weight was rotated before it was rounded, which no scale undoes.
    #[serde(default)]
    convrot: bool,
}

/// A header's note.
#[derive(Deserialize)]
struct HeaderNote {
    layers: BTreeMap<String, Format>,
}

impl Tags {
    /// Reads the note in the header of the file at `path`.
    pub(super) fn read_header(
        &mut self,
        path: &Path,
        metadata: &BTreeMap<String, String>,
    ) -> Result<(), WeightsError> {
        let Some(text) = metadata.get(HEADER_KEY) else {
            return Ok(());
        };
        let note: HeaderNote =
            serde_json::from_str(text).map_err(|error| WeightsError::Malformed {
                path: path.to_owned(),
                problem: format!("its {HEADER_KEY} is not valid: {error}"),
            })?;
        for (layer, format) in note.layers {
            let tag = format.into_tag(path, &layer, HEADER_KEY.into(), None)?;
            self.layers.insert(layer, tag);
        }
        Ok(())
    }

    /// Takes tags and markers out of the part's tensors.
    pub(super) fn take(&mut self, weights: &mut Weights) -> Result<(), WeightsError> {
        for (name, other) in weights.others.extract_if(.., |name, _| name.ends_with(TAG)) {
            let layer = name.strip_suffix(TAG).unwrap_or(&name);
            let path = other.file.path.as_path();
            let bytes = other.bytes();
            let json = bytes.get(..bytes.len().min(TAG_LIMIT)).unwrap_or_default();
            let format: Format = serde_json::from_slice(json).map_err(|error| {
                WeightsError::QuantisationMalformed {
                    path: path.to_owned(),
                    tensor: format!("{layer}.weight"),
                    told_by: name.clone(),
                    problem: format!("is not valid: {error}"),
                }
            })?;
            let tag = format.into_tag(path, layer, name.clone(), Some(name.clone()))?;
            self.layers.insert(layer.to_owned(), tag);
        }
        let is_marker = |name: &str| {
            name.strip_suffix(MARKER)
                .is_some_and(|prefix| prefix.is_empty() || prefix.ends_with('.'))
        };
        // Of the kind that a float has, for it names the kind of fp8; its numbers mean nothing.
        for (name, marker) in weights.tensors.extract_if(.., |name, _| is_marker(name)) {
            self.markers.push(Marker {
                name,
                full_precision: marker.elements() == 2,
            });
        }
        Ok(())
    }

    /// Whether no file says anything.
    pub(super) fn is_empty(&self) -> bool {
        self.layers.is_empty() && self.markers.is_empty()
    }

    /// What is said about this layer.
    pub(super) fn of(&self, layer: &str) -> Option<&Tag> {
        PREFIXES
            .iter()
            .filter_map(|prefix| layer.strip_prefix(prefix))
            .find_map(|layer| self.layers.get(layer))
    }

    /// The marker that this weight is under.
    pub(super) fn marker(&self, weight: &str) -> Option<&Marker> {
        let prefix = |marker: &Marker| marker.name.len() - MARKER.len();
        self.markers
            .iter()
            .find(|marker| weight.starts_with(&marker.name[..prefix(marker)]))
    }

    /// Refuses tags whose weight is not there. A header may speak of layers that this file does not
    /// have: it is copied along when a file is cut.
    pub(super) fn refuse_alone(&self, weights: &Weights) -> Result<(), WeightsError> {
        for (layer, tag) in &self.layers {
            let weight = format!("{layer}.weight");
            let Some(tensor) = &tag.tensor else { continue };
            if let Some(other) = weights.others.get(&weight) {
                return Err(tag.contradicted(&weight, &other.dtype.to_string()));
            }
            if !weights.contains(&weight) {
                return Err(WeightsError::ScaleAlone {
                    path: tag.path.clone(),
                    tensor: tensor.clone(),
                    weight,
                    problem: "which is not there",
                });
            }
        }
        Ok(())
    }
}

impl Tag {
    /// Checks that the weight called `name` is what this says.
    pub(super) fn check(&self, name: &str, weight: &Stored) -> Result<(), WeightsError> {
        let mut encodings = weight.encodings();
        match encodings.find(|(encoding, _)| *encoding != self.encoding) {
            Some((encoding, _)) => Err(self.contradicted(name, &encoding.to_string())),
            None => Ok(()),
        }
    }

    fn contradicted(&self, weight: &str, found: &str) -> WeightsError {
        WeightsError::QuantisationMalformed {
            path: self.path.clone(),
            tensor: weight.to_owned(),
            told_by: self.told_by.clone(),
            problem: format!("is that it is {}, but it is {found}", self.encoding),
        }
    }
}

impl Format {
    fn into_tag(
        self,
        path: &Path,
        layer: &str,
        told_by: String,
        tensor: Option<String>,
    ) -> Result<Tag, WeightsError> {
        let encoding = match self.format.as_str() {
            // By rows or as a whole, the scale's own shape says.
            "float8_e4m3fn" | "float8_e4m3fn_rowwise" => Some(Encoding::E4M3),
            "float8_e5m2" => Some(Encoding::E5M2),
            _ => None,
        };
        let path = path.to_owned();
        match encoding.filter(|_| !self.convrot) {
            Some(encoding) => Ok(Tag {
                path,
                told_by,
                encoding,
                full_precision: self.full_precision_matrix_mult,
                tensor,
            }),
            None => Err(WeightsError::QuantisationUnknown {
                path,
                tensor: format!("{layer}.weight"),
                format: self.format + if self.convrot { " with convrot" } else { "" },
            }),
        }
    }
}
