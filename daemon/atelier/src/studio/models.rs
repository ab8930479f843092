//! Which models there are, by what names, and what each one's bytes digest to.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use atelier_flux::ModelInfo;

use super::digest::Digests;
use crate::config::Config;
use crate::fault::{Fault, Stage};
use crate::home::Home;

/// The file that makes a folder a diffusers pipeline.
const INDEX: &str = "model_index.json";

/// The models that a job may name.
pub(crate) struct Models {
    named: BTreeMap<String, PathBuf>,
    default: Option<String>,
    folder: PathBuf,
    digests: Digests,
}

impl Models {
    /// Models from the settings, and from the home's `models/`.
    pub(super) fn new(home: &Home, config: &Config) -> Self {
        Self {
            named: config.models.clone(),
            default: config.model.clone(),
            folder: home.models(),
            digests: Digests::new(home.cache()),
        }
    }

    /// Every model that has a name, by it. A name in the settings hides a folder of that name.
    pub(crate) fn list(&self) -> BTreeMap<String, PathBuf> {
        let mut all: BTreeMap<String, PathBuf> = fs::read_dir(&self.folder)
            .into_iter()
            .flatten()
            .flatten()
            .filter(|entry| entry.path().join(INDEX).is_file())
            .filter_map(|entry| Some((entry.file_name().into_string().ok()?, entry.path())))
            .collect();
        all.extend(self.named.clone());
        all
    }

    /// The model of jobs that name none: the settings' choice, or the only one there is.
    pub(crate) fn default_name(&self) -> Option<String> {
        self.default.clone().or_else(|| {
            let mut names = self.list().into_keys();
            names.next().filter(|_| names.next().is_none())
        })
    }

    /// Finds a model by name or path; `None` asks for the default.
    ///
    /// # Errors
    ///
    /// When there is none, saying which there are.
    pub(crate) fn find(&self, asked: Option<&str>) -> Result<(String, PathBuf), Fault> {
        let Some(name) = asked.map(str::to_owned).or_else(|| self.default_name()) else {
            return Err(Fault::missing(
                Stage::Check,
                "model-unknown",
                "no model is named, and the settings name no default",
            )
            .hint(format!(
                "set `model` in config.toml, put one model folder into {}, or name one",
                self.folder.display()
            )));
        };
        if let Some(path) = self.list().remove(&name) {
            return existing(&name, path);
        }
        let path = PathBuf::from(&name);
        if path.exists() {
            let title = path.canonicalize().ok();
            let title = title
                .as_deref()
                .and_then(Path::file_name)
                .map(|n| n.to_string_lossy().into_owned());
            return existing(&title.unwrap_or(name), path);
        }
        let known: Vec<String> = self.list().into_keys().collect();
        let known = if known.is_empty() {
            "none is configured".to_owned()
        } else {
            known.join(", ")
        };
        Err(Fault::missing(
            Stage::Check,
            "model-unknown",
            format!("there is no model `{name}`"),
        )
        .hint(format!(
            "a model is a name ({known}) or the path of a diffusers pipeline folder"
        )))
    }

    /// The digest of everything that decides a model's pictures.
    ///
    /// # Errors
    ///
    /// When a file cannot be read.
    pub(crate) fn digest(&self, root: &Path, info: &ModelInfo) -> Result<String, Fault> {
        self.digests.of_model(root, &info.weight_files())
    }
}

fn existing(name: &str, path: PathBuf) -> Result<(String, PathBuf), Fault> {
    match path.canonicalize() {
        Ok(path) => Ok((name.to_owned(), path)),
        Err(cause) => Err(Fault::io(Stage::Check, "model-unknown", &path, &cause)
            .hint("correct the path in [models] of config.toml")),
    }
}
