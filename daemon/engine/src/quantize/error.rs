//! Why a model could not be quantised.

use std::path::PathBuf;

use crate::error::EngineError;
use crate::weights::{WeightsError, WriteError};

/// Why a model could not be quantised. Every variant but one names a file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum QuantizeError {
    /// There is nothing at the path.
    #[error("there is no model at {}", path.display())]
    Missing {
        /// The path that was asked for.
        path: PathBuf,
    },
    /// The weights are not those of a FLUX.2 transformer.
    #[error("{}: {problem}", path.display())]
    NotATransformer {
        /// The file or folder.
        path: PathBuf,
        /// What speaks against it.
        problem: String,
    },
    /// The weights have been quantised before.
    #[error("{}: the tensor {tensor} is {encoding}: these weights are quantised already", path.display())]
    AlreadyQuantised {
        /// The file.
        path: PathBuf,
        /// The first tensor found to be so.
        tensor: String,
        /// What it is stored as.
        encoding: String,
    },
    /// A weight is no number, or infinite.
    #[error("{}: the tensor {tensor} is not finite", path.display())]
    NotFinite {
        /// The file.
        path: PathBuf,
        /// The tensor.
        tensor: String,
    },
    /// The model is none that is known, or damaged.
    #[error(transparent)]
    Model(#[from] EngineError),
    /// The weights cannot be read.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// The result cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// Whoever watches asked to stop.
    #[error("cancelled")]
    Cancelled,
}

impl QuantizeError {
    /// A stable name for scripts.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Missing { .. } => "model-missing",
            Self::NotATransformer { .. } => "model-invalid",
            Self::AlreadyQuantised { .. } => "already-quantised",
            Self::NotFinite { .. } => "not-finite",
            Self::Model(error) => error.code(),
            Self::Weights(error) => error.code(),
            Self::Write(error) => error.code(),
            Self::Cancelled => "cancelled",
        }
    }

    /// What the user can do about it, where there is something to do.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NotATransformer { .. } => Some(
                "name a diffusers pipeline folder, its transformer/, or the transformer's file"
                    .into(),
            ),
            Self::AlreadyQuantised { .. } => {
                Some("quantise the model's bf16 files; what is rounded twice is worse".into())
            }
            Self::NotFinite { .. } => {
                Some("the file is damaged; fetch it again from the model's author".into())
            }
            Self::Model(error) => error.hint(),
            Self::Weights(error) => error.hint(),
            Self::Write(error) => error.hint(),
            Self::Missing { .. } | Self::Cancelled => None,
        }
    }
}
