//! What a check must know of the machine it runs on, asked through one trait.
//!
//! The program answers for the real machine, tests for an invented one. Answers are about this
//! moment and must be cheap: a check never loads a model or compiles a plugin.

use std::fs::File;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::format::Format;
use crate::job::ReferenceCap;
use crate::problem::{Code, Fault, quoted};
use crate::suggest;

/// The machine, as far as a manifest can depend on it.
pub trait World {
    /// The model of this name or path, or the default one. Which paths a manifest may name a model
    /// by is for the answer to decide; [`crate::paths::resolve`] confines one as files are.
    ///
    /// # Errors
    ///
    /// Why there is none; see [`ModelProblem`].
    fn model(&self, name: Option<&str>) -> Result<ModelChoice, ModelProblem>;

    /// The names of the plugins that are installed.
    fn plugins(&self) -> Vec<String>;

    /// The picture formats that can be written and signed.
    fn formats(&self) -> &[Format];

    /// The text of the template of this name (a plain file stem); none where there is no such
    /// template, an error (in words, without paths) where it cannot be read.
    fn template(&self, name: &str) -> Option<Result<String, String>>;

    /// The names of the templates there are, to suggest one.
    fn templates(&self) -> Vec<String> {
        Vec::new()
    }

    /// The manifest's own folder; relative paths start here.
    fn folder(&self) -> &Path;

    /// Other folders, absolute, whose files may be named.
    fn allowed_folders(&self) -> &[PathBuf];

    /// Width and height in pixels of the picture in a file that is open at its beginning, as it is
    /// seen: turned as it says of itself.
    ///
    /// # Errors
    ///
    /// Why there are none, in words, without paths.
    fn picture_size(&self, file: &mut File) -> Result<(u32, u32), String>;

    /// The area above which references are scaled down.
    fn reference_cap(&self) -> ReferenceCap {
        ReferenceCap::default()
    }

    /// Looks into a file that is to be used as a LoRA; its path is resolved and allowed.
    ///
    /// # Errors
    ///
    /// Why it cannot be used, in words, without paths.
    fn lora(&self, path: &Path) -> Result<(), String>;
}

/// A model that can be used, and what it does where a manifest says nothing.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelChoice {
    /// Its name in the config, or what the manifest called it.
    pub name: String,
    /// Where it is, absolute.
    pub path: PathBuf,
    /// Denoising steps, 1 to [`crate::MAX_STEPS`].
    pub default_steps: u32,
    /// Guidance scale, 0 to [`crate::MAX_GUIDANCE`].
    pub default_guidance: f32,
    /// Width and height in pixels, usually 1024 each.
    pub default_size: (u32, u32),
}

/// Why there is no model.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ModelProblem {
    /// None was named and the config has no default.
    #[error("no model is named, and the config has no default")]
    Unset,
    /// There is none of this name or at this path.
    #[error("no such model")]
    Unknown {
        /// The names that the config has.
        known: Vec<String>,
    },
    /// There is one and it cannot be used; why, in words, without paths.
    #[error("the model cannot be used: {0}")]
    Unusable(String),
}

impl ModelProblem {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.kind().as_str()
    }

    fn kind(&self) -> Code {
        match self {
            Self::Unset => Code::ModelUnset,
            Self::Unknown { .. } => Code::ModelUnknown,
            Self::Unusable(_) => Code::ModelUnusable,
        }
    }

    pub(crate) fn into_fault(self, named: Option<&str>) -> Fault {
        let code = self.kind();
        match (self, named) {
            (Self::Unset, _) => Fault::of_key(code, "is not given, and the config has no default")
                .hint("name a model: model = \"klein-4b\""),
            (Self::Unknown { known }, Some(name)) => {
                let says = format!("is {}, and no such model is known here", quoted(name));
                Fault::of_key(code, says).maybe_hint(suggest::advice(name, &known))
            }
            (Self::Unusable(why), Some(name)) => {
                let says = format!("is {}, which cannot be used: {why}", quoted(name));
                Fault::of_key(code, says)
            }
            (problem, None) => Fault::whole(code, format!("the config's default model: {problem}"))
                .hint("the config's default model must be put right"),
        }
    }
}
