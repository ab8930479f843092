//! Finding the parts that go with a transformer's file.
//!
//! Where: in the same file, for a checkpoint may hold all parts; in the same folder and in folders in
//! it that are called like the part; and where ComfyUI keeps parts, which is in folders beside the one
//! of transformers. How: by content. A file's name is never asked.

use std::path::{Path, PathBuf};

use super::{ModelParts, SharedParts, SourceError};
use crate::config::TransformerConfig;
use crate::error::EngineError;
use crate::fit;
use crate::layout::Kind;
use crate::part::{self, Part};

/// ComfyUI's folders of transformers and of whole checkpoints.
const TRANSFORMER_FOLDERS: [&str; 4] = ["diffusion_models", "unet", "unet_gguf", "checkpoints"];
/// How far above a file ComfyUI's folder may be: people sort files into folders of their own.
const LEVELS_UP: usize = 3;

/// A search for what goes with one transformer.
pub(super) struct Search<'a> {
    transformer: &'a Part<TransformerConfig>,
}

/// The parts that were named or found.
pub(super) struct Found {
    pub(super) text_encoder: PathBuf,
    pub(super) vae: PathBuf,
}

impl<'a> Search<'a> {
    pub(super) fn new(transformer: &'a Part<TransformerConfig>) -> Self {
        Self { transformer }
    }

    /// The parts: those that are named, else the first shared one that fits, else the only one beside
    /// the transformer that fits.
    pub(super) fn complete(
        &self,
        named: &ModelParts,
        shared: &SharedParts,
    ) -> Result<Found, EngineError> {
        let mut missing = Vec::new();
        let mut rejected = Vec::new();
        let mut choose = |kind: Kind, named: &Option<PathBuf>, shared: &[PathBuf]| {
            if let Some(path) = named {
                return Ok(path.clone());
            }
            for path in shared {
                match self.fits(kind, path) {
                    Ok(()) => return Ok(path.clone()),
                    Err(error) => rejected.push(error.to_string()),
                }
            }
            let chosen = self.beside(kind, &mut rejected)?;
            Ok::<_, EngineError>(chosen.unwrap_or_else(|| {
                missing.push(kind.name());
                PathBuf::new()
            }))
        };
        let found = Found {
            text_encoder: choose(Kind::TextEncoder, &named.text_encoder, &shared.text_encoder)?,
            vae: choose(Kind::Vae, &named.vae, &shared.vae)?,
        };
        if missing.is_empty() {
            return Ok(found);
        }
        Err(SourceError::Missing {
            model: self.transformer.path.clone(),
            parts: missing,
            rejected,
        }
        .into())
    }

    /// The only file or folder beside the transformer that fits.
    fn beside(
        &self,
        kind: Kind,
        rejected: &mut Vec<String>,
    ) -> Result<Option<PathBuf>, EngineError> {
        let mut fitting = Vec::new();
        for candidate in self.candidates(kind) {
            match self.fits(kind, &candidate) {
                Ok(()) => fitting.push(candidate),
                Err(error) => rejected.push(error.to_string()),
            }
        }
        match fitting.len() {
            0 => Ok(None),
            1 => Ok(fitting.pop()),
            _ => Err(SourceError::Ambiguous {
                model: self.transformer.path.clone(),
                part: kind.name(),
                candidates: fitting,
            }
            .into()),
        }
    }

    /// Whether what is there can be opened as this part and goes with the transformer.
    fn fits(&self, kind: Kind, path: &Path) -> Result<(), EngineError> {
        let transformer = &self.transformer.config;
        match kind {
            Kind::Transformer => Ok(()),
            Kind::TextEncoder => fit::text_encoder(&Part::text_encoder(path)?, transformer),
            Kind::Vae => fit::vae(&Part::vae(path)?, transformer),
        }
    }

    /// Files and folders near the transformer that hold the part.
    fn candidates(&self, kind: Kind) -> Vec<PathBuf> {
        let file = &self.transformer.path;
        let holds = |file: &PathBuf| part::holds(kind, file);
        if !file.is_dir() && holds(file) {
            return vec![file.clone()];
        }
        let beside = file.parent().unwrap_or(Path::new(""));
        let beside = if beside.as_os_str().is_empty() {
            Path::new(".")
        } else {
            beside
        };
        let mut found: Vec<_> = part::weight_files(beside);
        found.retain(|candidate| candidate != file && holds(candidate));
        let mut folders = vec![beside.join(kind.name())];
        if let Some(models) = comfy_root(beside) {
            folders.extend(comfy_folders(kind).iter().map(|name| models.join(name)));
        }
        for folder in folders {
            found.extend(in_folder(kind, &folder));
        }
        found.sort();
        found.dedup();
        found
    }
}

/// ComfyUI's `models/` if the folder lies in it.
fn comfy_root(folder: &Path) -> Option<PathBuf> {
    let folder = std::path::absolute(folder).ok()?;
    let mut above = folder.ancestors().take(LEVELS_UP);
    let name_of = |folder: &Path| folder.file_name()?.to_str().map(str::to_owned);
    let transformers = above.find(|folder| {
        name_of(folder).is_some_and(|name| TRANSFORMER_FOLDERS.contains(&name.as_str()))
    })?;
    transformers.parent().map(Path::to_owned)
}

/// ComfyUI's folders of this part.
fn comfy_folders(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Transformer => &TRANSFORMER_FOLDERS,
        Kind::TextEncoder => &["text_encoders", "clip", "clip_gguf"],
        Kind::Vae => &["vae"],
    }
}

/// What in this folder holds the part: a file, the folder itself if it is a part as transformers and
/// diffusers save one, or a folder in it.
fn in_folder(kind: Kind, folder: &Path) -> Vec<PathBuf> {
    if is_saved_part(folder) {
        return vec![folder.to_owned()];
    }
    let mut found = part::weight_files(folder);
    found.retain(|file| part::holds(kind, file));
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    for inner in entries
        .map(|entry| entry.path())
        .filter(|path| path.is_dir())
    {
        if is_saved_part(&inner) {
            found.push(inner);
        } else {
            let mut files = part::weight_files(&inner);
            files.retain(|file| part::holds(kind, file));
            found.extend(files);
        }
    }
    found
}

fn is_saved_part(folder: &Path) -> bool {
    folder.join("config.json").is_file()
}
