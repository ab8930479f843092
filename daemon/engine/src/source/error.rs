//! What can be wrong with the choice of a model's files.

use std::path::PathBuf;

/// Why the files of a model are not all known.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// A file is not what it is used as.
    #[error("{} holds no {part}", path.display())]
    NotThisPart {
        /// The file.
        path: PathBuf,
        /// The part in words.
        part: &'static str,
    },
    /// Parts are neither named nor found.
    #[error("{}: its {} {} not named, and nothing beside it fits{}", model.display(), parts.join(" and "), if parts.len() == 1 { "is" } else { "are" }, list(rejected))]
    Missing {
        /// The transformer's file.
        model: PathBuf,
        /// The settings' keys of what is missing.
        parts: Vec<&'static str>,
        /// What was found and does not fit, with the reason.
        rejected: Vec<String>,
    },
    /// More than one file could be the part.
    #[error("{}: more than one file could be its {part}: {}", model.display(), names(candidates))]
    Ambiguous {
        /// The transformer's file, or the folder that was looked into.
        model: PathBuf,
        /// The settings' key of the part.
        part: &'static str,
        /// The files that fit.
        candidates: Vec<PathBuf>,
    },
}

impl SourceError {
    /// A stable name for scripts and result files.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotThisPart { .. } => "model-part-invalid",
            Self::Missing { .. } => "model-parts-missing",
            Self::Ambiguous { .. } => "model-parts-ambiguous",
        }
    }

    /// What the user can do about it.
    pub fn hint(&self) -> Option<String> {
        let write = |parts: &[&str]| {
            let keys: Vec<_> = parts.iter().map(|part| format!("{part} = \"…\"")).collect();
            format!(
                "write {} under [models.NAME], or under [parts] for all models, in config.toml",
                keys.join(" and ")
            )
        };
        match self {
            Self::NotThisPart { .. } => {
                Some("name the file that holds this part, or the model's folder".into())
            }
            Self::Missing { parts, .. } => Some(write(parts)),
            Self::Ambiguous { part, .. } => Some(write(&[part])),
        }
    }
}

fn list(rejected: &[String]) -> String {
    if rejected.is_empty() {
        String::new()
    } else {
        format!(" ({})", rejected.join("; "))
    }
}

fn names(candidates: &[PathBuf]) -> String {
    let names: Vec<_> = candidates
        .iter()
        .map(|it| it.display().to_string())
        .collect();
    names.join(", ")
}
