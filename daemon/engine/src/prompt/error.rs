//! What can go wrong between a tokenizer's files and a prompt's tokens.

use std::path::PathBuf;

/// Why a prompt cannot be turned into tokens.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PromptError {
    /// The folder has neither `tokenizer.json`, nor `vocab.json` with `merges.txt`, nor `tekken.json`.
    #[error("no tokenizer in {}", folder.display())]
    Missing {
        /// The tokenizer's folder.
        folder: PathBuf,
    },
    /// A file is there and cannot be read.
    #[error("{} cannot be read", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A JSON file does not hold what it should.
    #[error("{} is not what a tokenizer's folder holds there", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// Where and why.
        source: serde_json::Error,
    },
    /// The tokenizer's own file is damaged or of an unknown kind.
    #[error("the tokenizer in {} cannot be used", path.display())]
    Tokenizer {
        /// The tokenizer's file or folder.
        path: PathBuf,
        /// What the tokenizer's library says.
        source: tokenizers::Error,
    },
    /// The token to pad with is not in the vocabulary.
    #[error("the tokenizer in {} has no padding token", path.display())]
    NoPadding {
        /// The tokenizer's file or folder.
        path: PathBuf,
    },
    /// The chat template has an error, or refuses the prompt.
    #[error("the chat template fails")]
    Template(#[from] minijinja::Error),
    /// The tokenizer failed on this text.
    #[error("the prompt cannot be tokenized")]
    Encode(#[source] tokenizers::Error),
}

impl PromptError {
    /// A stable name for scripts and reports.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Missing { .. } => "tokenizer-missing",
            Self::Read { .. } => "tokenizer-unreadable",
            Self::Json { .. } | Self::Tokenizer { .. } => "tokenizer-invalid",
            Self::NoPadding { .. } => "tokenizer-padding-missing",
            Self::Template(_) => "chat-template-failed",
            Self::Encode(_) => "prompt-not-tokenized",
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Missing { .. }
            | Self::Json { .. }
            | Self::Tokenizer { .. }
            | Self::NoPadding { .. } => {
                Some("use the tokenizer that belongs to the model's text encoder".to_owned())
            }
            Self::Read { .. } | Self::Template(_) | Self::Encode(_) => None,
        }
    }
}
