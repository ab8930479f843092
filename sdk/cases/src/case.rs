//! A case as its `case.toml` says it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Map, Value};
use thiserror::Error;

/// Why there is no telling what a case says.
#[derive(Debug, Error)]
pub enum CaseError {
    /// A file or folder cannot be read.
    #[error("{}: {cause}", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why not.
        cause: io::Error,
    },
    /// A `case.toml` is not what it must be.
    #[error("{}: {problem}", path.display())]
    Invalid {
        /// Which.
        path: PathBuf,
        /// What is wrong, with line and column.
        problem: String,
    },
}

impl CaseError {
    /// The stable name of this error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "plugin-case-unreadable",
            Self::Invalid { .. } => "plugin-case-invalid",
        }
    }
}

/// The keys of a `case.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stated {
    inputs: Vec<PathBuf>,
    #[serde(default)]
    parameters: Map<String, Value>,
    #[serde(default = "square")]
    output: (u32, u32),
    #[serde(default)]
    seed: u64,
    #[serde(default)]
    pictures: Vec<PathBuf>,
    #[serde(default)]
    tolerance: u8,
    prompt: Option<String>,
    keypoints: Option<PathBuf>,
    fails: Option<String>,
}

fn square() -> (u32, u32) {
    (1024, 1024)
}

/// A case; its files are paths that can be opened.
#[derive(Debug, Clone)]
pub struct Case {
    /// What goes in: pictures and documents, in order.
    pub inputs: Vec<PathBuf>,
    /// The parameters of the job's `prepare` entry.
    pub parameters: Map<String, Value>,
    /// Width and height of the job's picture, in pixels. 1024 × 1024 unless stated.
    pub output: (u32, u32),
    /// The job's seed. 0 unless stated.
    pub seed: u64,
    /// The pictures that must come out.
    pub pictures: Vec<PathBuf>,
    /// How far each channel of each pixel may be from the expected one. 0 unless stated.
    pub tolerance: u8,
    /// The words for the prompt that must come out; none must where none are stated.
    pub prompt: Option<String>,
    /// The keypoints that must come out; any may where none are stated.
    pub keypoints: Option<PathBuf>,
    /// Words of the message that it must fail with.
    pub fails: Option<String>,
}

impl Case {
    /// The case in a folder.
    ///
    /// # Errors
    ///
    /// [`CaseError`] where there is no `case.toml` or it says something else.
    pub fn read(folder: &Path) -> Result<Self, CaseError> {
        let path = folder.join("case.toml");
        let text = fs::read_to_string(&path).map_err(|cause| CaseError::Unreadable {
            path: path.clone(),
            cause,
        })?;
        let stated: Stated = toml::from_str(&text).map_err(|error| CaseError::Invalid {
            path,
            problem: error.to_string().trim_end().to_owned(),
        })?;
        let beside = |names: Vec<PathBuf>| names.iter().map(|name| folder.join(name)).collect();
        Ok(Self {
            inputs: beside(stated.inputs),
            parameters: stated.parameters,
            output: stated.output,
            seed: stated.seed,
            pictures: beside(stated.pictures),
            tolerance: stated.tolerance,
            prompt: stated.prompt,
            keypoints: stated.keypoints.map(|name| folder.join(name)),
            fails: stated.fails,
        })
    }
}

/// The folders of a project's cases, by their names; none where it has no folder `cases`.
///
/// # Errors
///
/// [`CaseError::Unreadable`].
pub fn all(project: &Path) -> Result<Vec<PathBuf>, CaseError> {
    let folder = project.join("cases");
    let unreadable = |cause| CaseError::Unreadable {
        path: folder.clone(),
        cause,
    };
    let entries = match fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(cause) => return Err(unreadable(cause)),
    };
    let mut cases = Vec::new();
    for entry in entries {
        let path = entry.map_err(unreadable)?.path();
        if path.join("case.toml").is_file() {
            cases.push(path);
        }
    }
    cases.sort();
    Ok(cases)
}
