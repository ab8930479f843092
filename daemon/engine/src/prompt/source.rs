//! Where a tokenizer comes from.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::{Opened, PromptError, files, gguf, tekken};
use crate::family::Family;

/// The shapes in which users have a tokenizer.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum TokenizerSource {
    /// The tokenizer's folder of a pipeline: `tokenizer.json`, or `vocab.json` with `merges.txt`, or
    /// `tekken.json`, with `tokenizer_config.json` and a chat template where it has them.
    Folder(PathBuf),
    /// A `tokenizer.json` or a `tekken.json` by itself. Which of them it is, its contents say.
    File(PathBuf),
    /// The bytes of a `tekken.json` that lie in another file, as `ComfyUI` keeps them in dev's text
    /// encoder.
    Tekken {
        /// The file, for messages.
        path: PathBuf,
        /// What `tekken.json` would hold.
        json: Vec<u8>,
    },
    /// The vocabulary in a GGUF file's metadata.
    Gguf(GgufVocabulary),
}

/// What a GGUF file says of its tokenizer, under `tokenizer.ggml.`.
#[derive(Debug, Clone, Default)]
pub struct GgufVocabulary {
    /// The file, for messages.
    pub path: PathBuf,
    /// `model`: the kind of tokenizer; byte-level BPE is `gpt2`.
    pub model: String,
    /// `pre`: how text is cut into words; `qwen2` and `tekken` are known.
    pub pre: String,
    /// `tokens`, by id.
    pub tokens: Vec<String>,
    /// `token_type`, by id: 1 for a normal token, 3 for one that controls, 4 for one that was added.
    pub types: Vec<i32>,
    /// `merges`, two symbols with a space between them.
    pub merges: Vec<String>,
}

/// What tells the two kinds of JSON files apart.
#[derive(Deserialize)]
struct Kind {
    /// In a `tokenizer.json`.
    model: Option<IgnoredAny>,
    /// In a `tekken.json`.
    config: Option<IgnoredAny>,
}

impl TokenizerSource {
    /// The file or folder, for messages.
    pub(super) fn path(&self) -> &Path {
        match self {
            Self::Folder(path)
            | Self::File(path)
            | Self::Tekken { path, .. }
            | Self::Gguf(GgufVocabulary { path, .. }) => path,
        }
    }

    /// Reads it, with all that `family` settles where the source does not.
    pub(super) fn open(self, family: Family) -> Result<Opened, PromptError> {
        let tokenizer = match self {
            Self::Folder(folder) => return files::open(&folder, family),
            Self::File(path) => file(path)?,
            Self::Tekken { path, json } => tekken::tokenizer(&path, &json)?,
            Self::Gguf(vocabulary) => gguf::tokenizer(vocabulary)?,
        };
        Ok(Opened::bare(tokenizer, family))
    }
}

fn file(path: PathBuf) -> Result<tokenizers::Tokenizer, PromptError> {
    let json = match fs::read(&path) {
        Ok(json) => json,
        Err(source) => return Err(PromptError::Read { path, source }),
    };
    let kind: Kind = match serde_json::from_slice(&json) {
        Ok(kind) => kind,
        Err(source) => return Err(PromptError::Json { path, source }),
    };
    if kind.model.is_none() && kind.config.is_some() {
        return tekken::tokenizer(&path, &json);
    }
    tokenizers::Tokenizer::from_bytes(&json)
        .map_err(|source| PromptError::Tokenizer { path, source })
}
