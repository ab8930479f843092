//! The job: a manifest with every question answered, ready to be claimed and run.
//!
//! A [`Job`] says everything that decides the pictures, save seeds that are still to be drawn. It
//! is stored as JSON in the ledger, and so outlives the program that wrote it: a field that a later
//! version adds gets `#[serde(default)]`, and [`JOB_VERSION`] rises when an old program must not
//! run what a new one wrote.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use thiserror::Error;

use crate::format::Format;
use crate::seeds::Seeds;

mod path_text;

/// The version of the stored form. Since 2 a job may begin from a picture, since 3 a reference may take
/// several files; a program that knows less would leave them out.
pub const JOB_VERSION: u32 = 3;

/// One job, checked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Job {
    /// The version of the stored form: [`JOB_VERSION`].
    pub version: u32,
    /// What the picture shows.
    pub prompt: String,
    /// What it must not show; empty where nothing was said.
    #[serde(default)]
    pub negative: String,
    /// The model that makes it.
    pub model: JobModel,
    /// Width in pixels, a multiple of 16.
    pub width: u32,
    /// Height in pixels, a multiple of 16.
    pub height: u32,
    /// Denoising steps.
    pub steps: u32,
    /// Guidance scale.
    pub guidance: f32,
    /// Seeds, one for each picture.
    pub seeds: Seeds,
    /// The stem of the outputs' names; none: the manifest's.
    #[serde(default)]
    pub stem: Option<String>,
    /// −10 to 10; higher ones run first.
    #[serde(default)]
    pub priority: i8,
    /// References, in the order of their numbers.
    #[serde(default)]
    pub references: Vec<JobReference>,
    /// The area above which references are scaled down.
    #[serde(default)]
    pub reference_cap: ReferenceCap,
    /// The picture that is begun from.
    #[serde(default)]
    pub init: Option<JobInit>,
    /// LoRA files, in order.
    #[serde(default)]
    pub loras: Vec<JobLora>,
    /// How the pictures are written.
    pub output: Output,
    /// What is signed into them beyond what always is.
    pub provenance: Provenance,
}

/// The model of a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobModel {
    /// Its name.
    pub name: String,
    /// Where it is, absolute.
    #[serde(with = "path_text")]
    pub path: PathBuf,
}

/// A reference of a job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JobReference {
    /// Its number in the prompt, from 1.
    pub number: usize,
    /// The file, canonical and absolute.
    #[serde(with = "path_text")]
    pub path: PathBuf,
    /// More files for the first plugin, canonical and absolute.
    #[serde(default, with = "path_text::list")]
    pub also: Vec<PathBuf>,
    /// What is done to it first; where this is empty, the file begins like a picture.
    #[serde(default)]
    pub prepare: Vec<Preparation>,
}

/// The area above which references are scaled down.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ReferenceCap {
    /// A megapixel each, as diffusers does.
    #[default]
    #[serde(rename = "1MP")]
    Megapixel,
    /// Four megapixels for the only one, a megapixel for each of several, as Black Forest Labs does.
    #[serde(rename = "bfl")]
    Bfl,
}

/// The picture that a job begins from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JobInit {
    /// The file, canonical and absolute.
    #[serde(with = "path_text")]
    pub path: PathBuf,
    /// The mask's file, canonical and absolute: white is painted anew. It has the picture's size.
    #[serde(default, with = "path_text::maybe")]
    pub mask: Option<PathBuf>,
    /// How much may change, over 0 and up to 1. Left out: 1 where a part is painted anew (by the mask,
    /// the extension or the picture's transparency), else 0.6.
    #[serde(default)]
    pub strength: Option<f64>,
    /// How far the picture grows on each side.
    #[serde(default)]
    pub extend: Extend,
}

/// How far a picture grows on each side, in pixels.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extend {
    /// To the left.
    #[serde(default)]
    pub left: u32,
    /// To the right.
    #[serde(default)]
    pub right: u32,
    /// Upwards.
    #[serde(default)]
    pub top: u32,
    /// Downwards.
    #[serde(default)]
    pub bottom: u32,
}

/// One step of preparing a reference.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Preparation {
    /// The name of an installed plugin.
    pub plugin: String,
    /// Its parameters, which only the plugin can judge.
    #[serde(default)]
    pub parameters: Map<String, Value>,
}

/// A LoRA file of a job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JobLora {
    /// The file, canonical and absolute.
    #[serde(with = "path_text")]
    pub path: PathBuf,
    /// How strongly it acts.
    pub scale: f32,
}

/// How the pictures of a job are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Output {
    /// The format.
    pub format: Format,
    /// Quality, 1 to 100, of the lossy formats.
    pub quality: u8,
}

impl Default for Output {
    /// PNG; quality 95 where the format has one.
    fn default() -> Self {
        Self {
            format: Format::default(),
            quality: 95,
        }
    }
}

/// What a job's pictures tell of themselves beyond what always is told.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    /// Whether the prompt is signed into the picture; false unless asked for.
    #[serde(default)]
    pub include_prompt: bool,
    /// A title.
    #[serde(default)]
    pub title: Option<String>,
}

/// Why stored text is not a job.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum JobError {
    /// A newer program wrote it.
    #[error(
        "the job was stored by a newer version (form {found}, this program knows {JOB_VERSION})"
    )]
    Newer {
        /// The version it says.
        found: u32,
    },
    /// It is not the JSON of a job.
    #[error("the stored job cannot be read: {0}")]
    Malformed(#[from] serde_json::Error),
}

impl JobError {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Newer { .. } => "job-newer",
            Self::Malformed(_) => "job-malformed",
        }
    }
}

impl Job {
    /// The form that the ledger stores.
    ///
    /// # Errors
    ///
    /// [`JobError::Malformed`], which would be a fault of this program.
    pub fn to_json(&self) -> Result<String, JobError> {
        Ok(serde_json::to_string(self)?)
    }

    /// A job from the form that the ledger stores.
    ///
    /// # Errors
    ///
    /// [`JobError::Newer`] if a newer program stored it, else [`JobError::Malformed`].
    pub fn from_json(text: &str) -> Result<Self, JobError> {
        #[derive(Deserialize)]
        struct Stamp {
            version: u32,
        }
        let Stamp { version } = serde_json::from_str(text)?;
        if version > JOB_VERSION {
            return Err(JobError::Newer { found: version });
        }
        Ok(serde_json::from_str(text)?)
    }

    /// The files that it reads besides the model and the LoRA files, in the order in which they are
    /// kept with it: the references, what they take besides, the picture to begin from, its mask.
    #[must_use]
    pub fn inputs(&self) -> Vec<PathBuf> {
        let references = self.references.iter().map(|reference| &reference.path);
        let also = self.references.iter().flat_map(|reference| &reference.also);
        let init = self.init.iter().map(|init| &init.path);
        let mask = self.init.iter().filter_map(|init| init.mask.as_ref());
        references.chain(also).chain(init).chain(mask).cloned().collect()
    }

    /// How many pictures it makes.
    #[must_use]
    pub fn renders(&self) -> usize {
        self.seeds.count()
    }

    /// The names of its pictures, in the order of the seeds: `stem.png` for one; for several
    /// `stem-1.png`, `stem-2.png` …, numbers padded with zeros so that names sort by number.
    #[must_use]
    pub fn outputs(&self, stem: &str) -> Vec<String> {
        let count = self.renders();
        let extension = self.output.format.name();
        if count == 1 {
            return vec![format!("{stem}.{extension}")];
        }
        let digits = count.to_string().len();
        (1..=count)
            .map(|number| format!("{stem}-{number:0digits$}.{extension}"))
            .collect()
    }
}
