//! The files of a tokenizer's folder.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use tokenizers::models::bpe::Merges;
use tokenizers::{AddedToken, PaddingDirection, Tokenizer, TruncationDirection};

use super::bpe::{self, ByteBpe, Words};
use super::template::{ChatTemplate, Template};
use super::{Opened, PromptError, messages, tekken};
use crate::family::Family;

/// The template that is used where there are several.
const DEFAULT_TEMPLATE: &str = "default";

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Side {
    Left,
    Right,
}

/// A special token as configurations name it: the text, or an object that has it.
#[derive(Deserialize)]
#[serde(untagged)]
enum SpecialToken {
    Text(String),
    Object { content: String },
}

impl SpecialToken {
    fn text(&self) -> &str {
        match self {
            Self::Text(text) | Self::Object { content: text } => text,
        }
    }
}

/// The chat template as `tokenizer_config.json` holds it: one, or several with names.
#[derive(Deserialize)]
#[serde(untagged)]
enum Templates {
    One(String),
    Named(Vec<NamedTemplate>),
}

/// `chat_template.json`.
#[derive(Deserialize)]
struct TemplateFile {
    chat_template: Templates,
}

impl Templates {
    /// The one to use.
    fn chosen(&self) -> Option<String> {
        match self {
            Self::One(template) => Some(template.clone()),
            Self::Named(named) => named
                .iter()
                .find(|entry| entry.name == DEFAULT_TEMPLATE)
                .map(|entry| entry.template.clone()),
        }
    }
}

#[derive(Deserialize)]
struct NamedTemplate {
    name: String,
    template: String,
}

/// What is used of `tokenizer_config.json`.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Config {
    bos_token: Option<SpecialToken>,
    eos_token: Option<SpecialToken>,
    unk_token: Option<SpecialToken>,
    pad_token: Option<SpecialToken>,
    padding_side: Option<Side>,
    truncation_side: Option<Side>,
    split_special_tokens: bool,
    added_tokens_decoder: BTreeMap<u32, AddedToken>,
    chat_template: Option<Templates>,
}

impl Config {
    /// Reads `tokenizer_config.json`, and takes the special tokens it does not name from the older
    /// `special_tokens_map.json`. Both may be missing.
    fn read(folder: &Path) -> Result<Self, PromptError> {
        let mut object: Map<String, Value> =
            optional(&folder.join("special_tokens_map.json"))?.unwrap_or_default();
        object.retain(|key, _| key.ends_with("_token"));
        let path = folder.join("tokenizer_config.json");
        let config: Map<String, Value> = optional(&path)?.unwrap_or_default();
        object.extend(config.into_iter().filter(|(_, value)| !value.is_null()));
        object.retain(|_, value| !value.is_null());
        serde_json::from_value(Value::Object(object))
            .map_err(|source| PromptError::Json { path, source })
    }

    /// The chat template: `chat_template.jinja`, else the configuration's own, else that of
    /// `chat_template.json`, where the tools for models that also see keep it.
    fn template(&self, folder: &Path) -> Result<Option<String>, PromptError> {
        if let Some(template) = text(&folder.join("chat_template.jinja"))? {
            return Ok(Some(template));
        }
        let own = self.chat_template.as_ref().and_then(Templates::chosen);
        if own.is_some() {
            return Ok(own);
        }
        let beside: Option<TemplateFile> = optional(&folder.join("chat_template.json"))?;
        Ok(beside.and_then(|file| file.chat_template.chosen()))
    }

    /// The special tokens that a chat template may print, by their names.
    fn special_tokens(&self) -> BTreeMap<String, String> {
        [
            ("bos_token", &self.bos_token),
            ("eos_token", &self.eos_token),
            ("unk_token", &self.unk_token),
            ("pad_token", &self.pad_token),
        ]
        .into_iter()
        .filter_map(|(name, token)| Some((name.to_owned(), token.as_ref()?.text().to_owned())))
        .collect()
    }
}

/// Opens a tokenizer's folder: `tokenizer.json`, or `vocab.json` with `merges.txt` where an older
/// folder has only those, or `tekken.json`; `tokenizer_config.json`; and the chat template.
pub(super) fn open(folder: &Path, family: Family) -> Result<Opened, PromptError> {
    let config = Config::read(folder)?;
    let invalid = |source| PromptError::Tokenizer {
        path: folder.to_owned(),
        source,
    };
    let mut tokenizer: Tokenizer = match text(&folder.join("tokenizer.json"))? {
        Some(json) => json.parse().map_err(invalid)?,
        None => match older(folder, &config)? {
            Some(tokenizer) => tokenizer,
            None => tekken_of(folder)?,
        },
    };
    tokenizer.set_encode_special_tokens(config.split_special_tokens);
    let template = match config.template(folder)? {
        Some(source) => {
            let template = ChatTemplate::compile(source, config.special_tokens())?;
            Template::Chat(Box::new(template))
        }
        None => Template::BuiltIn,
    };
    let padding = config.pad_token.as_ref().map(SpecialToken::text);
    Ok(Opened {
        tokenizer,
        template,
        padding: padding.unwrap_or(messages::padding(family)).to_owned(),
        padding_side: match config.padding_side {
            Some(Side::Left) => PaddingDirection::Left,
            Some(Side::Right) => PaddingDirection::Right,
            None => messages::padding_side(family),
        },
        truncation_side: match config.truncation_side {
            Some(Side::Left) => TruncationDirection::Left,
            Some(Side::Right) | None => TruncationDirection::Right,
        },
    })
}

fn tekken_of(folder: &Path) -> Result<Tokenizer, PromptError> {
    let path = folder.join("tekken.json");
    let text = text(&path)?.ok_or_else(|| PromptError::Missing {
        folder: folder.to_owned(),
    })?;
    tekken::tokenizer(&path, text.as_bytes())
}

/// A Qwen tokenizer from `vocab.json`, `merges.txt` and the added tokens of `added_tokens.json` and
/// the configuration; `None` where there is no such vocabulary.
fn older(folder: &Path, config: &Config) -> Result<Option<Tokenizer>, PromptError> {
    let invalid = |source| PromptError::Tokenizer {
        path: folder.to_owned(),
        source,
    };
    let vocab: Option<BTreeMap<String, u32>> = optional(&folder.join("vocab.json"))?;
    let merges = text(&folder.join("merges.txt"))?;
    let (Some(vocab), Some(merges)) = (vocab, merges) else {
        return Ok(None);
    };
    let merges = merges
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with("#version"));
    let merges = merges
        .map(bpe::pair)
        .collect::<Result<Merges, _>>()
        .map_err(invalid)?;

    let added: BTreeMap<String, u32> =
        optional(&folder.join("added_tokens.json"))?.unwrap_or_default();
    let plain = added
        .into_iter()
        .map(|(content, id)| (id, AddedToken::from(content, true)));
    let mut added: BTreeMap<u32, AddedToken> = plain.collect();
    added.extend(
        config
            .added_tokens_decoder
            .iter()
            .map(|(id, token)| (*id, token.clone())),
    );
    let tokenizer = ByteBpe {
        vocab: vocab.into_iter().collect(),
        merges,
        added: added.into_iter().collect(),
        words: Words::Qwen,
    };
    tokenizer.build().map(Some).map_err(invalid)
}

/// The text of a file; `None` where there is none.
fn text(path: &Path) -> Result<Option<String>, PromptError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(source) => Err(PromptError::Read {
            path: path.to_owned(),
            source,
        }),
    }
}

/// What a JSON file holds; `None` where there is none.
fn optional<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, PromptError> {
    let parse = |text: String| serde_json::from_str(&text);
    let json = |source| PromptError::Json {
        path: path.to_owned(),
        source,
    };
    text(path)?.map(parse).transpose().map_err(json)
}
