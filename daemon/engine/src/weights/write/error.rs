//! What can go wrong when a file is written.

use std::io;
use std::path::{Path, PathBuf};

/// Why a file could not be written. Every variant names the file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// There is something at the target, and overwriting was not asked for.
    #[error("{} exists", path.display())]
    Exists {
        /// The target.
        path: PathBuf,
    },
    /// Somebody else is writing the same file.
    #[error("{} is being written by another process", path.display())]
    Busy {
        /// The target.
        path: PathBuf,
    },
    /// The system refuses to write.
    #[error("cannot write {}: {source}", path.display())]
    Unwritable {
        /// The target.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The tensors cannot be laid out, or were not given the bytes that they were announced with.
    #[error("{}: the tensor {tensor} {problem}", path.display())]
    Tensor {
        /// The target.
        path: PathBuf,
        /// The tensor.
        tensor: String,
        /// What is wrong with it.
        problem: String,
    },
}

impl WriteError {
    /// The system's refusal to write this file.
    pub(super) fn unwritable(path: &Path, source: io::Error) -> Self {
        Self::Unwritable {
            path: path.to_owned(),
            source,
        }
    }

    /// A stable name for scripts.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Exists { .. } => "output-exists",
            Self::Busy { .. } => "output-busy",
            Self::Unwritable { source, .. } if is_full(source) => "disk-full",
            Self::Unwritable { .. } => "output-unwritable",
            Self::Tensor { .. } => "output-inconsistent",
        }
    }

    /// What the user can do about it, where there is something to do.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Exists { .. } => Some("give it another name, or ask to overwrite it".into()),
            Self::Busy { .. } => Some("wait for it, or give the file another name".into()),
            Self::Unwritable { source, .. } if is_full(source) => {
                Some("make room, or write to another disk; nothing was left behind".into())
            }
            _ => None,
        }
    }
}

fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
    )
}
