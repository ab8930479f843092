//! What can go wrong in the engine, in one enum.
//!
//! Every variant has a stable [`EngineError::code`] that scripts may match on, and where a person can
//! do something about it a [`EngineError::hint`]. Messages name the file, and where there is one the
//! tensor or the field; they must never hold the prompt.

use std::io;
use std::path::{Path, PathBuf};

use crate::cuda::Lack;
use crate::init::InitError;
use crate::lora::LoraError;
use crate::prompt::PromptError;
use crate::reference::ReferenceError;
use crate::schedule::ScheduleError;
use crate::source::SourceError;
use crate::vae::NoRoom;
use crate::weights::WeightsError;

/// Why a model could not be opened or a picture could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// The path given as a model is not there.
    #[error("there is no model at {}", path.display())]
    ModelMissing {
        /// The path that was asked for.
        path: PathBuf,
    },
    /// The path is there but is neither a pipeline folder nor a safetensors file.
    #[error("{} is not a model: {reason}", path.display())]
    NotAModel {
        /// The path that was asked for.
        path: PathBuf,
        /// What was looked for and not found.
        reason: String,
    },
    /// A file of the model is missing.
    #[error("the model lacks {}", path.display())]
    FileMissing {
        /// The file that was expected.
        path: PathBuf,
    },
    /// A file of the model cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A config file is not what its name promises.
    #[error("{}: {problem}", path.display())]
    Config {
        /// The config file.
        path: PathBuf,
        /// What is wrong in it.
        problem: String,
    },
    /// The model is well formed, but of a kind that this engine does not run.
    #[error("{}: {reason}", path.display())]
    Unsupported {
        /// The file or folder that says so.
        path: PathBuf,
        /// The feature that is not supported.
        reason: String,
    },
    /// Two parts of the model do not belong together.
    #[error("{}: {problem}", path.display())]
    Mismatch {
        /// The model's folder.
        path: PathBuf,
        /// Which parts disagree, and about what.
        problem: String,
    },
    /// What is said of the model's variant contradicts its files.
    #[error("{}: {problem}", path.display())]
    Variant {
        /// The model.
        path: PathBuf,
        /// What contradicts what.
        problem: String,
    },
    /// The files of a model are not all known.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// A weight file is damaged, or lacks what its config promises.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// The tokenizer cannot be opened, or cannot encode the prompt.
    #[error(transparent)]
    Prompt(#[from] PromptError),
    /// A reference picture cannot be used.
    #[error("reference {number}: {source}")]
    Reference {
        /// Which one, counted from 1 as prompts do.
        number: usize,
        /// What is wrong with it.
        source: ReferenceError,
    },
    /// A LoRA file cannot be used with this model.
    #[error(transparent)]
    Lora(#[from] LoraError),
    /// The picture to begin from, or its mask, cannot be used.
    #[error(transparent)]
    Init(#[from] InitError),
    /// The scheduler's config asks for something else than FLUX.2's schedule.
    #[error(transparent)]
    Schedule(#[from] ScheduleError),
    /// A field of the request is out of range.
    #[error("{field}: {problem}")]
    Request {
        /// The field of [`Request`](crate::Request), or the option.
        field: &'static str,
        /// What is wrong with its value.
        problem: String,
    },
    /// The card asked for is not there, or lacks something that it needs.
    #[error("the device {device} is not available: {lack}")]
    DeviceUnavailable {
        /// The device as the user wrote it.
        device: String,
        /// What is missing.
        lack: Lack,
    },
    /// The device cannot compute in the precision asked for.
    #[error("the precision {precision} is not available on {device}")]
    PrecisionUnavailable {
        /// The precision as the user wrote it.
        precision: String,
        /// The device that was chosen.
        device: String,
    },
    /// The observer asked to stop.
    #[error("cancelled")]
    Cancelled,
    /// Numbers overflowed on the way: the weights are damaged, or of another model.
    #[error("the {what} is not finite: the weights are damaged or do not belong together")]
    NotFinite {
        /// The tensor in which the first NaN or infinity was seen.
        what: &'static str,
    },
    /// What is asked for does not fit into the memory that it may take.
    #[error("{what} takes at least {} MiB of memory, and it may take {} MiB", needed >> 20, budget >> 20)]
    MemoryShort {
        /// What was to be done.
        what: &'static str,
        /// The least bytes that it takes.
        needed: u64,
        /// The bytes that it may take.
        budget: u64,
    },
    /// The card has no memory left for what is asked for.
    #[error("{what} takes {} MiB of the card's memory, and {} MiB are free", needed >> 20, free >> 20)]
    DeviceMemory {
        /// What was to be put there.
        what: &'static str,
        /// The bytes that it takes.
        needed: u64,
        /// The bytes that there were for it.
        free: u64,
    },
    /// The device failed while computing.
    #[error("the computation failed: {reason}")]
    Compute {
        /// What the backend said.
        reason: String,
    },
}

impl EngineError {
    /// A stable name for scripts and result files.
    pub fn code(&self) -> &'static str {
        match self {
            Self::ModelMissing { .. } => "model-missing",
            Self::NotAModel { .. } => "model-invalid",
            Self::FileMissing { .. } => "model-incomplete",
            Self::Unreadable { .. } => "model-unreadable",
            Self::Config { .. } => "model-config-invalid",
            Self::Unsupported { .. } => "model-unsupported",
            Self::Mismatch { .. } => "model-mismatch",
            Self::Variant { .. } => "model-variant",
            Self::Source(error) => error.code(),
            Self::Weights(error) => error.code(),
            Self::Prompt(error) => error.code(),
            Self::Reference { source, .. } => source.code(),
            Self::Lora(error) => error.code(),
            Self::Init(error) => error.code(),
            Self::Schedule(error) => error.code(),
            Self::Request { .. } => "request-invalid",
            Self::DeviceUnavailable { .. } => "device-unavailable",
            Self::PrecisionUnavailable { .. } => "precision-unavailable",
            Self::Cancelled => "cancelled",
            Self::NotFinite { .. } => "not-finite",
            Self::MemoryShort { .. } => "memory-insufficient",
            Self::DeviceMemory { .. } => "device-memory",
            Self::Compute { .. } => "compute-failed",
        }
    }

    /// What the user can do about it, where there is something to do.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::ModelMissing { .. } | Self::NotAModel { .. } => Some(
                "name a diffusers pipeline folder, which holds model_index.json, transformer/, vae/, \
                 text_encoder/ and tokenizer/, or the .safetensors or .gguf file of a transformer"
                    .into(),
            ),
            Self::FileMissing { .. } => {
                Some("copy or download the whole model again; a file of it is missing".into())
            }
            Self::Mismatch { .. } => {
                Some("use the text encoder and the VAE that came with the transformer".into())
            }
            Self::Variant { .. } => {
                Some("correct or remove the setting `variant` of this model".into())
            }
            Self::Source(error) => error.hint(),
            Self::Weights(error) => error.hint(),
            Self::Prompt(error) => error.hint(),
            Self::Reference { source, .. } => source.hint(),
            Self::Lora(error) => error.hint(),
            Self::Init(error) => error.hint(),
            Self::Schedule(error) => error.hint(),
            Self::DeviceUnavailable { lack, .. } => {
                Some(format!("{}; until then use the device \"cpu\"", lack.hint()))
            }
            Self::PrecisionUnavailable { .. } => {
                Some("use the precision \"f32\", \"bf16\" or \"auto\"; files in fp8 run in any of them".into())
            }
            Self::MemoryShort { .. } => {
                Some("ask for a smaller picture, or allow more memory".into())
            }
            Self::DeviceMemory { .. } => Some(
                "ask for a smaller picture, end other programs that use the card, or use the precision \"fp8\""
                    .into(),
            ),
            Self::NotFinite { .. } => {
                Some("compare the files' checksums with those that the model's author gives".into())
            }
            _ => None,
        }
    }

    pub(crate) fn request(field: &'static str, problem: impl Into<String>) -> Self {
        Self::Request {
            field,
            problem: problem.into(),
        }
    }

    pub(crate) fn no_room(what: &'static str, NoRoom { needed, budget }: NoRoom) -> Self {
        Self::MemoryShort {
            what,
            needed,
            budget,
        }
    }

    pub(crate) fn unsupported(path: &Path, reason: impl Into<String>) -> Self {
        Self::Unsupported {
            path: path.to_owned(),
            reason: reason.into(),
        }
    }
}
