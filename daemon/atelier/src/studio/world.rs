//! What a manifest's checks may ask about the world: which models, plugins and folders there are.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use atelier_manifest::{Format, ModelChoice, ModelProblem, ReferenceCap, World};

use super::{Studio, picture};
use crate::encode;

/// The world around one manifest, or around a command line.
pub(crate) struct Surroundings<'a> {
    studio: &'a Studio,
    folder: PathBuf,
    allowed: Vec<PathBuf>,
    templates: PathBuf,
}

impl<'a> Surroundings<'a> {
    /// The world of a manifest that lies in `folder`.
    pub(crate) fn new(
        studio: &'a Studio,
        folder: &Path,
        allowed: &[PathBuf],
        templates: PathBuf,
    ) -> Self {
        Self {
            studio,
            folder: folder.to_path_buf(),
            allowed: allowed.to_vec(),
            templates,
        }
    }

    /// The world of a command line: who types it may name any file.
    pub(crate) fn for_command(studio: &'a Studio, templates: PathBuf) -> Self {
        let here = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/"));
        Self::new(studio, &here, &[PathBuf::from("/")], templates)
    }
}

impl World for Surroundings<'_> {
    fn model(&self, name: Option<&str>) -> Result<ModelChoice, ModelProblem> {
        let models = self.studio.models();
        // A model's path in a manifest is relative to it, like all its paths.
        let beside = name
            .map(|name| self.folder.join(name))
            .filter(|path| path.join("model_index.json").is_file() || path.is_file());
        let asked = beside.as_ref().and_then(|path| path.to_str()).or(name);
        if asked.is_none() && models.default_name().is_none() {
            return Err(ModelProblem::Unset);
        }
        let found = models
            .find(asked)
            .map_err(|fault| match fault.code.as_str() {
                "model-unknown" | "model-missing" => ModelProblem::Unknown {
                    known: models.list().into_keys().collect(),
                },
                _ => ModelProblem::Unusable(match fault.hint {
                    Some(hint) => format!("{}; {hint}", fault.message),
                    None => fault.message,
                }),
            })?;
        let info = atelier_flux::inspect_source(&found.source)
            .map_err(|error| ModelProblem::Unusable(error.to_string()))?;
        Ok(ModelChoice {
            name: found.name,
            path: found.source.path().to_owned(),
            default_steps: info.default_steps,
            default_guidance: info.default_guidance,
            default_size: (info.default_side, info.default_side),
        })
    }

    fn plugins(&self) -> Vec<String> {
        self.studio.plugins().names()
    }

    fn formats(&self) -> &[Format] {
        encode::FORMATS
    }

    fn template(&self, name: &str) -> Option<Result<String, String>> {
        let path = self.templates.join(format!("{name}.toml"));
        path.exists()
            .then(|| fs::read_to_string(path).map_err(|cause| cause.to_string()))
    }

    fn templates(&self) -> Vec<String> {
        fs::read_dir(&self.templates)
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|entry| {
                Some(
                    entry
                        .file_name()
                        .to_str()?
                        .strip_suffix(".toml")?
                        .to_owned(),
                )
            })
            .collect()
    }

    fn folder(&self) -> &Path {
        &self.folder
    }

    fn allowed_folders(&self) -> &[PathBuf] {
        &self.allowed
    }

    fn lora(&self, path: &Path) -> Result<(), String> {
        atelier_flux::check_lora(path).map_err(|error| {
            let said = error.to_string();
            let place = format!("{}: ", path.display());
            said.strip_prefix(&place).unwrap_or(&said).to_owned()
        })
    }

    fn picture_size(&self, file: &mut File) -> Result<(u32, u32), String> {
        picture::size(file)
    }

    fn reference_cap(&self) -> ReferenceCap {
        self.studio.reference_cap()
    }
}
