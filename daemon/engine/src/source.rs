//! Which files make up a model.
//!
//! A model is a diffusers pipeline folder, or a transformer's file with a text encoder, a tokenizer and
//! a VAE from elsewhere; and a part of a folder may be replaced. [`ModelSource`] is the answer, complete
//! but unread. Parts that the user does not name are taken from the settings' defaults, else looked for
//! beside the transformer, and taken only where exactly one file fits by its content and its sizes: a
//! text encoder of the wrong size gives an error later, but another VAE, or the same encoder in another
//! precision, gives another picture without a word.

mod discover;
mod error;
mod tokenizer;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::EngineError;
use crate::layout::Kind;
use crate::part::{self, Part};
use crate::variant::Variant;

pub use error::SourceError;
pub(crate) use tokenizer::tokenizer;

/// The file that makes a folder a pipeline.
pub(crate) const INDEX: &str = "model_index.json";

/// What a user says of a model beside its path. What is left out is found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ModelParts {
    /// The transformer's file or folder, where the path is a pipeline folder with another one.
    pub transformer: Option<PathBuf>,
    /// The text encoder's file or folder.
    pub text_encoder: Option<PathBuf>,
    /// The tokenizer's folder or file.
    pub tokenizer: Option<PathBuf>,
    /// The VAE's file or folder.
    pub vae: Option<PathBuf>,
    /// Which FLUX.2 it is.
    pub variant: Option<Variant>,
}

/// Parts that models share: for each, the first that fits is taken.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SharedParts {
    /// Files or folders of text encoders.
    pub text_encoder: Vec<PathBuf>,
    /// Folders or files of tokenizers.
    pub tokenizer: Vec<PathBuf>,
    /// Files or folders of VAEs.
    pub vae: Vec<PathBuf>,
}

/// The files of a model, found and not yet read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelSource {
    /// What the user names the model by: the pipeline folder or the transformer's file.
    path: PathBuf,
    /// The pipeline folder, if it is one.
    pub(crate) folder: Option<PathBuf>,
    pub(crate) transformer: PathBuf,
    pub(crate) text_encoder: PathBuf,
    /// Where the user or the folder says that the tokenizer is.
    pub(crate) tokenizer: Option<PathBuf>,
    /// Tokenizers to choose from where nothing else says which.
    pub(crate) shared_tokenizers: Vec<PathBuf>,
    pub(crate) vae: PathBuf,
    pub(crate) variant: Option<Variant>,
}

impl ModelSource {
    /// The model at `path`: a pipeline folder; a transformer's file, with its other parts beside it, in
    /// the same folder or in the folders that ComfyUI has for them; or a folder with one such file.
    ///
    /// # Errors
    /// As [`find`](Self::find).
    pub fn discover(path: &Path) -> Result<Self, EngineError> {
        Self::find(path, &ModelParts::default(), &SharedParts::default())
    }

    /// The model at `path` with the parts that the user names. Only headers are read.
    ///
    /// # Errors
    /// `model-missing` and `model-invalid` for the path, `model-part-invalid` for a file that holds
    /// something else than it is named for, `model-parts-missing` and `model-parts-ambiguous` with what
    /// was found and which settings to write; and any error of a weight file.
    pub fn find(
        path: &Path,
        parts: &ModelParts,
        shared: &SharedParts,
    ) -> Result<Self, EngineError> {
        if !path.exists() {
            return Err(EngineError::ModelMissing {
                path: path.to_owned(),
            });
        }
        if path.join(INDEX).is_file() {
            return Ok(Self::of_folder(path, parts));
        }
        let file = if path.is_dir() {
            only_transformer(path)?
        } else {
            path.to_owned()
        };
        let transformer = parts.transformer.as_ref().unwrap_or(&file);
        let opened = Part::transformer(transformer)?;
        let found = discover::Search::new(&opened).complete(parts, shared)?;
        Ok(Self {
            path: path.to_owned(),
            folder: None,
            transformer: transformer.clone(),
            text_encoder: found.text_encoder,
            tokenizer: parts.tokenizer.clone(),
            shared_tokenizers: shared.tokenizer.clone(),
            vae: found.vae,
            variant: parts.variant,
        })
    }

    fn of_folder(root: &Path, parts: &ModelParts) -> Self {
        let part = |named: &Option<PathBuf>, name| named.clone().unwrap_or_else(|| root.join(name));
        Self {
            path: root.to_owned(),
            folder: Some(root.to_owned()),
            transformer: part(&parts.transformer, Kind::Transformer.name()),
            text_encoder: part(&parts.text_encoder, Kind::TextEncoder.name()),
            // A text encoder from elsewhere brings its own.
            tokenizer: match (&parts.tokenizer, &parts.text_encoder) {
                (Some(named), _) => Some(named.clone()),
                (None, Some(_)) => None,
                (None, None) => Some(root.join("tokenizer")),
            },
            shared_tokenizers: Vec::new(),
            vae: part(&parts.vae, Kind::Vae.name()),
            variant: parts.variant,
        }
    }

    /// What the user names the model by: the pipeline folder or the transformer's file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the transformer is the pipeline folder's own, so that its index speaks of it.
    pub(crate) fn has_own_transformer(&self) -> bool {
        let own = self.folder.as_ref();
        own.is_some_and(|folder| self.transformer.starts_with(folder))
    }

    /// Whether a file holds a FLUX.2 transformer, so that [`discover`](Self::discover) has a chance.
    pub fn is_transformer(file: &Path) -> bool {
        part::holds(Kind::Transformer, file)
    }
}

/// The one transformer among a folder's files.
fn only_transformer(folder: &Path) -> Result<PathBuf, EngineError> {
    let mut files = part::weight_files(folder);
    files.retain(|file| part::holds(Kind::Transformer, file));
    match files.len() {
        1 => Ok(files.swap_remove(0)),
        0 => Err(EngineError::NotAModel {
            path: folder.to_owned(),
            reason: format!("it is a folder without a {INDEX}, and no file in it is a transformer"),
        }),
        _ => Err(SourceError::Ambiguous {
            model: folder.to_owned(),
            part: Kind::Transformer.name(),
            candidates: files,
        }
        .into()),
    }
}
