//! Where a model's tokenizer is.

use std::fs;
use std::path::{Path, PathBuf};

use super::{ModelSource, SourceError};
use crate::config::TextEncoderConfig;
use crate::error::EngineError;
use crate::family::Family;
use crate::part::Part;
use crate::prompt::{GgufVocabulary, TokenizerSource};
use crate::weights::Weights;

/// The tensor in which ComfyUI's files of Mistral keep `tekken.json`.
const TEKKEN: &str = "tekken_model";
/// Files that make a folder a tokenizer's.
const FILES: [&str; 3] = ["tokenizer.json", "vocab.json", "tekken.json"];

/// The tokenizer: where the user or the pipeline folder says; else beside the text encoder; else in the
/// text encoder's own file; else the first of those that models share.
///
/// # Errors
/// `model-parts-missing` if there is none.
pub(crate) fn tokenizer(
    source: &ModelSource,
    text_encoder: &Part<TextEncoderConfig>,
) -> Result<TokenizerSource, EngineError> {
    let at = |path: &PathBuf| {
        if path.is_file() {
            TokenizerSource::File(path.clone())
        } else {
            TokenizerSource::Folder(path.clone())
        }
    };
    if let Some(named) = &source.tokenizer {
        return Ok(at(named));
    }
    if let Some(folder) = beside(&text_encoder.path) {
        return Ok(TokenizerSource::Folder(folder));
    }
    if let Some(embedded) = embedded(&text_encoder.weights) {
        return Ok(embedded);
    }
    let family = text_encoder.config.family;
    let mut shared = source.shared_tokenizers.iter();
    if let Some(shared) = shared.find(|path| is_of(family, path)) {
        return Ok(at(shared));
    }
    Err(SourceError::Missing {
        model: source.path.clone(),
        parts: vec!["tokenizer"],
        rejected: Vec::new(),
    }
    .into())
}

/// The tokenizer in a text encoder's own file.
fn embedded(weights: &Weights) -> Option<TokenizerSource> {
    let path = weights.paths().next()?.to_owned();
    if let Some(json) = weights.raw(TEKKEN) {
        let json = json.to_vec();
        return Some(TokenizerSource::Tekken { path, json });
    }
    let pairs = weights.gguf()?;
    let key = |name: &str| format!("tokenizer.ggml.{name}");
    Some(TokenizerSource::Gguf(GgufVocabulary {
        path,
        model: pairs.string(&key("model"))?,
        pre: pairs.string(&key("pre")).unwrap_or_default(),
        tokens: pairs.strings(&key("tokens"))?,
        types: pairs
            .integers(&key("token_type"))?
            .into_iter()
            .map(|kind| i32::try_from(kind).unwrap_or_default())
            .collect(),
        merges: pairs.strings(&key("merges"))?,
    }))
}

/// Whether a tokenizer is that of the family, by a token that only this one has.
fn is_of(family: Family, path: &Path) -> bool {
    let token: &[u8] = match family {
        Family::Klein => b"<|im_start|>",
        Family::Dev => b"[INST]",
    };
    let file = FILES.iter().map(|file| path.join(file));
    let file = file.into_iter().find(|file| file.is_file());
    let text = fs::read(file.as_deref().unwrap_or(path)).unwrap_or_default();
    text.windows(token.len()).any(|window| window == token)
}

/// The folder with the tokenizer of a text encoder that lies here.
fn beside(text_encoder: &Path) -> Option<PathBuf> {
    let folder = if text_encoder.is_dir() {
        text_encoder
    } else {
        text_encoder.parent()?
    };
    [
        folder.to_owned(),
        folder.join("tokenizer"),
        folder.parent()?.join("tokenizer"),
    ]
    .into_iter()
    .find(|folder| FILES.iter().any(|file| folder.join(file).is_file()))
}
