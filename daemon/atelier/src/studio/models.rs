//! Which models there are, by what names, and what each one's bytes digest to.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use atelier_flux::{ModelInfo, ModelParts, ModelSource, SharedParts};
use atelier_manifest::{Job, JobModel};

use super::digest::Digests;
use super::starter::{self, Starter};
use crate::config::{Config, ModelEntry};
use crate::fault::{Fault, Stage};
use crate::home::Home;

/// The file that makes a folder a diffusers pipeline.
const INDEX: &str = "model_index.json";

/// The models that a job may name.
pub(crate) struct Models {
    named: BTreeMap<String, ModelEntry>,
    shared: SharedParts,
    default: Option<String>,
    folder: PathBuf,
    starter: Starter,
    digests: Digests,
}

/// A model that is there, by the name to tell it by.
pub(crate) struct Found {
    /// Its name.
    pub(crate) name: String,
    /// Its files.
    pub(crate) source: ModelSource,
}

impl Models {
    /// Models from the settings, and from the home's `models/`.
    pub(super) fn new(home: &Home, config: &Config) -> Self {
        Self {
            named: config.models.clone(),
            shared: config.parts.shared(),
            default: config.model.clone(),
            folder: home.models(),
            starter: Starter::new(home.cache()),
            digests: Digests::new(home.cache()),
        }
    }

    /// Every model that has a name, by it: the user's own, and the starter.
    pub(crate) fn list(&self) -> BTreeMap<String, PathBuf> {
        let mut all = self.own();
        all.entry(starter::NAME.to_owned())
            .or_insert_with(|| self.starter.folder().to_owned());
        all
    }

    /// The user's models: those of the settings, and in the home's `models/` pipeline folders and
    /// transformers' files. A name in the settings hides one there.
    fn own(&self) -> BTreeMap<String, PathBuf> {
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let mut all: BTreeMap<String, PathBuf> = entries
            .map(|entry| entry.path())
            .filter(|path| path.join(INDEX).is_file() || is_transformer(path))
            .filter_map(|path| Some((own_name(&path)?, path)))
            .collect();
        let named = self.named.iter();
        all.extend(named.map(|(name, entry)| (name.clone(), entry.path.clone())));
        all
    }

    /// The model of jobs that name none: the settings' choice, or the only one there is, or the starter
    /// where there is none.
    pub(crate) fn default_name(&self) -> Option<String> {
        self.default.clone().or_else(|| {
            let mut names = self.own().into_keys();
            match (names.next(), names.next()) {
                (None, _) => Some(starter::NAME.to_owned()),
                (only, None) => only,
                _ => None,
            }
        })
    }

    /// Whether a model is the starter, by where it is.
    pub(crate) fn is_starter(path: &Path) -> bool {
        Starter::is_at(path)
    }

    /// Finds a model by name or path; `None` asks for the default.
    ///
    /// # Errors
    ///
    /// When there is none, saying which there are; and when its parts cannot be found.
    pub(crate) fn find(&self, asked: Option<&str>) -> Result<Found, Fault> {
        let Some(name) = asked.map(str::to_owned).or_else(|| self.default_name()) else {
            return Err(Fault::missing(
                Stage::Check,
                "model-unknown",
                "no model is named, several are there, and the settings name no default",
            )
            .hint("set `model` in config.toml, or name one"));
        };
        if let Some(entry) = self.named.get(&name) {
            let source = self.source_at(&entry.path, &entry.parts)?;
            return Ok(Found { name, source });
        }
        let listed = self.listed(&name)?;
        let path = listed.clone().unwrap_or_else(|| PathBuf::from(&name));
        if !path.exists() {
            return Err(self.unknown(&name));
        }
        let name = match listed {
            Some(_) => name,
            None => title(&path).unwrap_or(name),
        };
        let source = self.source_at(&path, &ModelParts::default())?;
        Ok(Found { name, source })
    }

    /// What a user should know of a job's picture before it is made, if anything.
    pub(crate) fn warning(&self, job: &Job, info: &ModelInfo) -> Option<String> {
        let side = info.default_side;
        let unlike = job.width != side || job.height != side;
        (unlike && Self::is_starter(&job.model.path)).then(|| {
            format!(
                "the starter model draws at {side}×{side} alone: expect little of {}×{}; `atelier doctor` says how \
                 to have FLUX.2 itself",
                job.width, job.height
            )
        })
    }

    /// The transformer of a model, by the model's name or path: a pipeline folder, or a file, whose other
    /// parts need not be there.
    ///
    /// # Errors
    ///
    /// When there is none, saying which there are.
    pub(crate) fn transformer(&self, asked: &str) -> Result<PathBuf, Fault> {
        if let Some(entry) = self.named.get(asked) {
            let transformer = entry.parts.transformer.as_ref();
            return Ok(transformer.unwrap_or(&entry.path).clone());
        }
        let path = self.listed(asked)?;
        let path = path.unwrap_or_else(|| PathBuf::from(asked));
        if path.exists() {
            return Ok(absolute(&path));
        }
        Err(self.unknown(asked))
    }

    /// The files of a job's model, which was found when the job was checked.
    ///
    /// # Errors
    ///
    /// When they are no longer there.
    pub(crate) fn of_job(&self, model: &JobModel) -> Result<ModelSource, Fault> {
        let named = self.named.get(&model.name);
        let parts = named
            .filter(|entry| absolute(&entry.path) == model.path)
            .map_or_else(ModelParts::default, |entry| entry.parts.clone());
        if Self::is_starter(&model.path) && !model.path.exists() {
            // The cache was emptied, or by another version of the program: the job means the starter there is.
            return self.source_at(self.starter.unpack()?, &parts);
        }
        self.source_at(&model.path, &parts)
    }

    /// Where the model of a name is; the starter is there from now on.
    fn listed(&self, name: &str) -> Result<Option<PathBuf>, Fault> {
        let path = self.list().remove(name);
        if path.as_deref() == Some(self.starter.folder()) {
            self.starter.unpack()?;
        }
        Ok(path)
    }

    fn source_at(&self, path: &Path, parts: &ModelParts) -> Result<ModelSource, Fault> {
        let path = absolute(path);
        ModelSource::find(&path, parts, &self.shared).map_err(|e| Fault::engine(Stage::Check, &e))
    }

    fn unknown(&self, name: &str) -> Fault {
        let known = self.list().into_keys().collect::<Vec<_>>().join(", ");
        let message = format!("there is no model `{name}`");
        Fault::missing(Stage::Check, "model-unknown", message).hint(format!(
            "a model is a name ({known}), or the path of a diffusers pipeline folder or of a \
             transformer's .safetensors or .gguf file"
        ))
    }

    /// The digest of a LoRA file.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub(crate) fn lora_digest(&self, path: &Path) -> Result<String, Fault> {
        self.digests.of_file(path)
    }

    /// The digest of everything that decides a model's pictures.
    ///
    /// # Errors
    ///
    /// When a file cannot be read.
    pub(crate) fn digest(&self, info: &ModelInfo) -> Result<String, Fault> {
        self.digests.of_model(&info.named_files())
    }
}

/// Whether a file in `models/` is a transformer, and not a part that one of them needs.
fn is_transformer(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str());
    matches!(ending, Some("safetensors" | "gguf")) && ModelSource::is_transformer(path)
}

/// A folder's name, or a file's less its ending.
fn title(path: &Path) -> Option<String> {
    let name = if path.is_dir() {
        absolute(path).file_name()?.to_owned()
    } else {
        path.file_stem()?.to_owned()
    };
    name.into_string().ok()
}

/// What an entry of the models' folder is called there, a link included.
fn own_name(path: &Path) -> Option<String> {
    let name = if path.is_dir() {
        path.file_name()
    } else {
        path.file_stem()
    };
    name?.to_str().map(str::to_owned)
}

/// A path that a change of the working folder leaves alone. A folder's links are followed; a file's
/// are not, for what lies beside the link counts, and its name.
fn absolute(path: &Path) -> PathBuf {
    let full = if path.is_dir() {
        path.canonicalize()
    } else {
        std::path::absolute(path)
    };
    full.unwrap_or_else(|_| path.to_owned())
}
