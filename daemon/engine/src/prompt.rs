//! Prompts: from what a user wrote to the token ids the text encoder reads.
//!
//! The words go through the model's own chat template and tokenizer, both read from its folder, and
//! end as exactly [`TOKENS`] ids: cut on the right where there are more, padded where there are
//! fewer. The result is what the Python libraries transformers and jinja2 give for the same folder;
//! a prompt is never trimmed, cleaned or translated on the way.

mod files;
mod python;
mod template;

use std::path::{Path, PathBuf};

use tokenizers::Tokenizer;

use template::ChatTemplate;

/// Tokens that the transformer always gets from a prompt, padding included.
pub const TOKENS: usize = 512;

/// A prompt as the text encoder takes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tokens {
    /// The token ids, [`TOKENS`] of them.
    pub ids: Vec<i64>,
    /// 1 for a token of the prompt, 0 for padding; as long as `ids`.
    pub mask: Vec<i64>,
    /// The prompt in the chat template: what was tokenized.
    pub text: String,
}

/// Why a prompt cannot be turned into tokens.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PromptError {
    /// The folder has neither `tokenizer.json` nor `vocab.json` with `merges.txt`.
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
    #[error("the tokenizer in {} cannot be used", folder.display())]
    Tokenizer {
        /// The tokenizer's folder.
        folder: PathBuf,
        /// What the tokenizer's library says.
        source: tokenizers::Error,
    },
    /// No padding token is named, or the one that is named is not in the vocabulary.
    #[error("the tokenizer in {} has no padding token", folder.display())]
    NoPadding {
        /// The tokenizer's folder.
        folder: PathBuf,
    },
    /// The folder has no chat template.
    #[error("no chat template in {}", folder.display())]
    NoTemplate {
        /// The tokenizer's folder.
        folder: PathBuf,
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
            Self::NoTemplate { .. } => "chat-template-missing",
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
                Some("download the model's tokenizer folder again".to_owned())
            }
            Self::NoTemplate { .. } => {
                Some("add the model's chat_template.jinja to its tokenizer folder".to_owned())
            }
            Self::Read { .. } | Self::Template(_) | Self::Encode(_) => None,
        }
    }
}

/// A model's tokenizer and chat template.
pub struct PromptTokenizer {
    tokenizer: Tokenizer,
    template: ChatTemplate,
}

impl PromptTokenizer {
    /// Reads a pipeline's `tokenizer/` folder: `tokenizer.json`, or `vocab.json` with `merges.txt`
    /// where an older folder has only those; `tokenizer_config.json`; and the chat template from
    /// `chat_template.jinja` or the configuration.
    ///
    /// # Errors
    /// [`PromptError`], saying which file is missing or wrong.
    pub fn open(folder: &Path) -> Result<Self, PromptError> {
        let config = files::Config::read(folder)?;
        let template = config
            .template(folder)?
            .ok_or_else(|| PromptError::NoTemplate {
                folder: folder.to_owned(),
            })?;
        Ok(Self {
            tokenizer: files::tokenizer(folder, &config)?,
            template: ChatTemplate::compile(template, config.special_tokens())?,
        })
    }

    /// The prompt as one user message, in the template, with thinking switched off, as token ids.
    ///
    /// # Errors
    /// [`PromptError::Template`] where the template fails on it, [`PromptError::Encode`] where the
    /// tokenizer does.
    pub fn encode(&self, prompt: &str) -> Result<Tokens, PromptError> {
        let text = self.template.render(prompt)?;
        let encoding = self
            .tokenizer
            .encode_fast(text.as_str(), true)
            .map_err(PromptError::Encode)?;
        let widen = |values: &[u32]| values.iter().copied().map(i64::from).collect();
        Ok(Tokens {
            ids: widen(encoding.get_ids()),
            mask: widen(encoding.get_attention_mask()),
            text,
        })
    }
}
