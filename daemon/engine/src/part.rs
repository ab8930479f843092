//! One part of a model, opened: its weights under canonical names, and its config.
//!
//! A part is a folder as diffusers and transformers save it, a folder that holds one file of any
//! origin, or a file. A folder's `config.json` is believed; where there is none, and for a file, the
//! config is what the tensors' shapes say. Either way it passes the same checks.

use std::fs;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::config::{self, Check, TextEncoderConfig, TransformerConfig, VaeConfig, from_tensors};
use crate::error::EngineError;
use crate::family::Family;
use crate::layout::{self, Kind};
use crate::rope::Pairing;
use crate::source::SourceError;
use crate::weights::{Weights, WeightsError};

/// What diffusers calls its weight files.
const DIFFUSERS_STEM: &str = "diffusion_pytorch_model";
/// What transformers calls its weight files.
const TRANSFORMERS_STEM: &str = "model";
/// What the files end in that weights are read from.
const ENDINGS: [&str; 2] = ["safetensors", "gguf"];

/// An opened part.
pub(crate) struct Part<C> {
    /// The folder or file that it was opened from.
    pub(crate) path: PathBuf,
    /// The file that its config was read from; none if the config is what tensors say.
    pub(crate) config_path: Option<PathBuf>,
    pub(crate) config: C,
    /// Its tensors under canonical names.
    pub(crate) weights: Weights,
    found: Option<layout::Found>,
}

impl<C> Part<C> {
    /// The error of building the part's network, with the tensor by the name that it has in the file.
    pub(crate) fn explain(&self, error: WeightsError) -> WeightsError {
        match &self.found {
            Some(found) => found.explain(error),
            None => error,
        }
    }
}

impl Part<TransformerConfig> {
    pub(crate) fn transformer(path: &Path) -> Result<Self, EngineError> {
        let opened = Opened::new(Kind::Transformer, path)?;
        opened.with_config(from_tensors::transformer, TransformerConfig::check)
    }
}

impl Part<TextEncoderConfig> {
    pub(crate) fn text_encoder(path: &Path) -> Result<Self, EngineError> {
        let opened = Opened::new(Kind::TextEncoder, path)?;
        let is_reordered = opened
            .found
            .as_ref()
            .is_some_and(|found| found.is_llama_cpp());
        let mut part: Self =
            opened.with_config(from_tensors::text_encoder, TextEncoderConfig::check)?;
        // See `layout::text_encoder`: of the two families, llama.cpp reorders Mistral's rows.
        if is_reordered && part.config.family == Family::Dev {
            part.config.pairing = Pairing::Adjacent;
        }
        Ok(part)
    }
}

impl Part<VaeConfig> {
    pub(crate) fn vae(path: &Path) -> Result<Self, EngineError> {
        let opened = Opened::new(Kind::Vae, path)?;
        opened.with_config(from_tensors::vae, VaeConfig::check)
    }
}

/// Whether the file holds this part of a model. Its header is read; a file that cannot be opened holds
/// nothing.
pub(crate) fn holds(kind: Kind, file: &Path) -> bool {
    held(file).is_ok_and(|kinds| kinds.contains(&kind))
}

/// The parts that the file holds.
///
/// # Errors
/// Any error of a weight file.
pub(crate) fn held(file: &Path) -> Result<Vec<Kind>, WeightsError> {
    let weights = Weights::open_file(file)?;
    let mut kinds = vec![Kind::TextEncoder, Kind::Transformer, Kind::Vae];
    kinds.retain(|&kind| layout::find(kind, &weights).is_some());
    Ok(kinds)
}

/// The files in a folder whose names say that they hold weights, sorted.
pub(crate) fn weight_files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files: Vec<_> = entries
        .map(|entry| entry.path())
        .filter(|path| {
            let ending = path.extension().and_then(|ending| ending.to_str());
            ending.is_some_and(|it| ENDINGS.contains(&it)) && path.is_file()
        })
        .collect();
    files.sort();
    files
}

/// A part whose config is not known yet.
struct Opened {
    path: PathBuf,
    weights: Weights,
    found: Option<layout::Found>,
}

impl Opened {
    fn new(kind: Kind, path: &Path) -> Result<Self, EngineError> {
        let weights = if path.is_dir() {
            open_folder(kind, path)?
        } else {
            Weights::open_file(path)?
        };
        let found = layout::find(kind, &weights);
        // A folder's name says what it should be, so what it lacks is named instead.
        if found.is_none() && !path.is_dir() {
            return Err(SourceError::NotThisPart {
                path: path.to_owned(),
                part: kind.words(),
            }
            .into());
        }
        Ok(Self {
            path: path.to_owned(),
            weights: layout::canonical(kind, weights)?,
            found,
        })
    }

    fn with_config<C: DeserializeOwned>(
        self,
        derive: fn(&Weights) -> Result<Value, WeightsError>,
        check: fn(&C) -> Check,
    ) -> Result<Part<C>, EngineError> {
        let beside = self.path.join("config.json");
        let (config, config_path) = if self.path.is_dir() && beside.is_file() {
            (config::read(&beside)?, Some(beside))
        } else {
            let derived = derive(&self.weights).map_err(|error| match &self.found {
                Some(found) => found.explain(error),
                None => error,
            })?;
            (config::parse(&self.path, derived)?, None)
        };
        let source = config_path.as_ref().unwrap_or(&self.path);
        config::refuse(source, check(&config))?;
        Ok(Part {
            path: self.path,
            config_path,
            config,
            weights: self.weights,
            found: self.found,
        })
    }
}

/// Opens the weights in a part's folder: as diffusers or transformers name them, else the only file
/// there is.
pub(crate) fn open_folder(kind: Kind, folder: &Path) -> Result<Weights, EngineError> {
    let usual = match kind {
        Kind::Transformer | Kind::Vae => DIFFUSERS_STEM,
        Kind::TextEncoder => TRANSFORMERS_STEM,
    };
    for stem in [usual, DIFFUSERS_STEM, TRANSFORMERS_STEM] {
        let file = folder.join(format!("{stem}.safetensors"));
        let index = folder.join(format!("{stem}.safetensors.index.json"));
        if file.is_file() || index.is_file() {
            return Ok(Weights::open(folder, stem)?);
        }
    }
    let files = weight_files(folder);
    match files.as_slice() {
        [only] => Ok(Weights::open_file(only)?),
        [] => Ok(Weights::open(folder, usual)?),
        _ => Err(SourceError::Ambiguous {
            model: folder.to_owned(),
            part: kind.name(),
            candidates: files,
        }
        .into()),
    }
}
