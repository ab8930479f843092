//! The files of a tokenizer's folder.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use tokenizers::decoders::byte_level::ByteLevel;
use tokenizers::models::bpe::{BPE, Merges, Vocab};
use tokenizers::normalizers::NFC;
use tokenizers::pre_tokenizers::PreTokenizerWrapper;
use tokenizers::pre_tokenizers::sequence::Sequence;
use tokenizers::pre_tokenizers::split::{Split, SplitPattern};
use tokenizers::{
    AddedToken, PaddingDirection, PaddingParams, PaddingStrategy, SplitDelimiterBehavior,
    Tokenizer, TruncationDirection, TruncationParams,
};

use super::{PromptError, TOKENS};

/// How Qwen tokenizers cut text into words before the byte pairs are merged. A `tokenizer.json`
/// says it itself; this is for folders without one.
const QWEN_WORDS: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
/// What Qwen tokenizers pad with where their configuration is silent.
const QWEN_PADDING: &str = "<|endoftext|>";
/// The template that is used where there are several.
const DEFAULT_TEMPLATE: &str = "default";

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Side {
    Left,
    #[default]
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

#[derive(Deserialize)]
struct NamedTemplate {
    name: String,
    template: String,
}

/// What is used of `tokenizer_config.json`.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Config {
    bos_token: Option<SpecialToken>,
    eos_token: Option<SpecialToken>,
    unk_token: Option<SpecialToken>,
    pad_token: Option<SpecialToken>,
    padding_side: Side,
    truncation_side: Side,
    split_special_tokens: bool,
    tokenizer_class: String,
    added_tokens_decoder: BTreeMap<u32, AddedToken>,
    chat_template: Option<Templates>,
}

impl Config {
    /// Reads `tokenizer_config.json`, and takes the special tokens it does not name from the older
    /// `special_tokens_map.json`. Both may be missing.
    pub(super) fn read(folder: &Path) -> Result<Self, PromptError> {
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

    /// The chat template: `chat_template.jinja`, else the configuration's own.
    pub(super) fn template(&self, folder: &Path) -> Result<Option<String>, PromptError> {
        if let Some(template) = text(&folder.join("chat_template.jinja"))? {
            return Ok(Some(template));
        }
        Ok(match &self.chat_template {
            None => None,
            Some(Templates::One(template)) => Some(template.clone()),
            Some(Templates::Named(named)) => named
                .iter()
                .find(|entry| entry.name == DEFAULT_TEMPLATE)
                .map(|entry| entry.template.clone()),
        })
    }

    /// The special tokens that a chat template may print, by their names.
    pub(super) fn special_tokens(&self) -> BTreeMap<String, String> {
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

    fn padding_token(&self) -> Option<&str> {
        let silent = self
            .tokenizer_class
            .starts_with("Qwen2")
            .then_some(QWEN_PADDING);
        self.pad_token.as_ref().map(SpecialToken::text).or(silent)
    }
}

/// The folder's tokenizer, set to give exactly [`TOKENS`] ids.
pub(super) fn tokenizer(folder: &Path, config: &Config) -> Result<Tokenizer, PromptError> {
    let invalid = |source| PromptError::Tokenizer {
        folder: folder.to_owned(),
        source,
    };
    let path = folder.join("tokenizer.json");
    let mut tokenizer = match text(&path)? {
        Some(json) => json.parse().map_err(invalid)?,
        None => older(folder, config)?,
    };
    let padding = config
        .padding_token()
        .and_then(|token| Some((token, tokenizer.token_to_id(token)?)));
    let (token, id) = padding.ok_or_else(|| PromptError::NoPadding {
        folder: folder.to_owned(),
    })?;
    tokenizer.with_padding(Some(PaddingParams {
        strategy: PaddingStrategy::Fixed(TOKENS),
        direction: match config.padding_side {
            Side::Left => PaddingDirection::Left,
            Side::Right => PaddingDirection::Right,
        },
        pad_id: id,
        pad_token: token.to_owned(),
        ..PaddingParams::default()
    }));
    let direction = match config.truncation_side {
        Side::Left => TruncationDirection::Left,
        Side::Right => TruncationDirection::Right,
    };
    let truncation = TruncationParams {
        direction,
        max_length: TOKENS,
        ..TruncationParams::default()
    };
    tokenizer
        .with_truncation(Some(truncation))
        .map_err(invalid)?;
    tokenizer.set_encode_special_tokens(config.split_special_tokens);
    Ok(tokenizer)
}

/// A Qwen tokenizer from `vocab.json`, `merges.txt` and the added tokens of `added_tokens.json` and
/// the configuration.
fn older(folder: &Path, config: &Config) -> Result<Tokenizer, PromptError> {
    let missing = || PromptError::Missing {
        folder: folder.to_owned(),
    };
    let invalid = |source| PromptError::Tokenizer {
        folder: folder.to_owned(),
        source,
    };
    let mut vocab: BTreeMap<String, u32> =
        optional(&folder.join("vocab.json"))?.ok_or_else(missing)?;
    let merges = text(&folder.join("merges.txt"))?.ok_or_else(missing)?;
    let merges = merges
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with("#version"));
    let merges = merges
        .map(pair)
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
    // A token of the vocabulary keeps its id when it is added; one that is not would be numbered anew.
    vocab.extend(added.iter().map(|(id, token)| (token.content.clone(), *id)));

    let vocab: Vocab = vocab.into_iter().collect();
    let model = BPE::builder()
        .vocab_and_merges(vocab, merges)
        .build()
        .map_err(invalid)?;
    let words = Split::new(
        SplitPattern::Regex(QWEN_WORDS.to_owned()),
        SplitDelimiterBehavior::Isolated,
        false,
    )
    .map_err(invalid)?;
    let bytes = ByteLevel::new(false, false, false);
    let steps: Vec<PreTokenizerWrapper> = vec![words.into(), bytes.into()];
    let mut tokenizer = Tokenizer::new(model);
    tokenizer
        .with_normalizer(Some(NFC))
        .with_pre_tokenizer(Some(Sequence::new(steps)));
    tokenizer.add_tokens(&added.into_values().collect::<Vec<_>>());
    Ok(tokenizer)
}

/// A line of `merges.txt`: the two symbols that become one.
fn pair(line: &str) -> Result<(String, String), tokenizers::Error> {
    let (left, right) = line
        .split_once(' ')
        .ok_or_else(|| format!("merges.txt: {line:?} is not a pair"))?;
    Ok((left.to_owned(), right.to_owned()))
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
