//! What can be wrong with a LoRA file.

use std::path::PathBuf;

use crate::weights::WeightsError;

/// Why a LoRA cannot be applied. Every variant names the file, and the tensor or layer if there is one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoraError {
    /// There is no such file.
    #[error("there is no LoRA file {}", path.display())]
    Missing {
        /// The path that was asked for.
        path: PathBuf,
    },
    /// The file is no safetensors file, is damaged, or holds an element type that is not read.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// A tensor contradicts itself or another tensor of its layer.
    #[error("{}: {key} {problem}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// The tensor, or the layer as the file spells it.
        key: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A layer of the file does not fit the model's layer of that name, though others do.
    #[error("{}: {key} changes a layer of {} outputs and {} inputs; the model's has {} and {}",
        path.display(), found[0], found[1], expected[0], expected[1])]
    Shape {
        /// The file.
        path: PathBuf,
        /// The layer as the file spells it.
        key: String,
        /// The layer's outputs and inputs in the model.
        expected: [usize; 2],
        /// Those that the file's factors make.
        found: [usize; 2],
    },
    /// Nothing in the file belongs to this model.
    #[error("{}: the LoRA matches nothing in this model: {reason}", path.display())]
    MatchesNothing {
        /// The file.
        path: PathBuf,
        /// What it looks made for.
        reason: String,
    },
}

impl LoraError {
    /// A stable name for scripts and result files.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Missing { .. } => "lora-missing",
            Self::Weights(error) => error.code(),
            Self::Invalid { .. } => "lora-invalid",
            Self::Shape { .. } => "lora-shape",
            Self::MatchesNothing { .. } => "lora-matches-nothing",
        }
    }

    /// What the user can do about it, where there is something to do.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Missing { .. } => "correct the path".into(),
            Self::Weights(error) => return error.hint(),
            Self::Invalid { .. } => {
                "the file is damaged, or written by a trainer that is not known here; fetch it again".into()
            }
            Self::Shape { .. } | Self::MatchesNothing { .. } => {
                "use a LoRA that was trained for this model: klein 4B, klein 9B and dev each need their \
                 own, and FLUX.1's fit none of them"
                    .into()
            }
        })
    }
}
