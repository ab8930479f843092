//! Tekken, Mistral's tokenizer, from its own file `tekken.json`.
//!
//! The file lists byte strings by rank, of which a model uses the first ones: 130 072 beside 1000
//! special tokens, which come first, so a token's id is its rank plus 1000. There are no merges: of
//! all neighbours, those are joined whose joint string has the lowest rank. That is what a list of
//! merges says which has, rank after rank, every way to cut a string into two that have ranks
//! themselves. A word that has a rank is that token, however its parts would be joined.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use tokenizers::models::bpe::{Merges, Vocab};
use tokenizers::{AddedToken, Tokenizer};

use super::PromptError;
use super::bpe::{self, ByteBpe, Words};

/// The first special tokens of files that do not list them. The rest, up to the number that the file
/// states, are `<SPECIAL_20>` and so on.
const SPECIAL: [&str; 20] = [
    "<unk>",
    "<s>",
    "</s>",
    "[INST]",
    "[/INST]",
    "[AVAILABLE_TOOLS]",
    "[/AVAILABLE_TOOLS]",
    "[TOOL_RESULTS]",
    "[/TOOL_RESULTS]",
    "[TOOL_CALLS]",
    "[IMG]",
    "<pad>",
    "[IMG_BREAK]",
    "[IMG_END]",
    "[PREFIX]",
    "[MIDDLE]",
    "[SUFFIX]",
    "[SYSTEM_PROMPT]",
    "[/SYSTEM_PROMPT]",
    "[TOOL_CONTENT]",
];
/// The most tokens a file may ask for: ids and ranks are far below 2³².
const MOST_TOKENS: usize = 10_000_000;

#[derive(Deserialize)]
struct File<'a> {
    config: Config,
    #[serde(borrow)]
    vocab: Vec<Token<'a>>,
    special_tokens: Option<Vec<Special>>,
}

#[derive(Deserialize)]
struct Config {
    /// How text is cut into words.
    pattern: String,
    /// Tokens that the model knows, special ones included.
    default_vocab_size: usize,
    default_num_special_tokens: usize,
}

#[derive(Deserialize)]
struct Token<'a> {
    rank: usize,
    /// In base64.
    #[serde(borrow)]
    token_bytes: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Special {
    rank: usize,
    token_str: String,
}

/// Builds the tokenizer from the contents of `tekken.json`; `path` is for messages.
///
/// # Errors
/// `tokenizer-invalid` where it is not such a file, or one whose numbers do not fit together.
pub(super) fn tokenizer(path: &Path, json: &[u8]) -> Result<Tokenizer, PromptError> {
    let file: File<'_> = serde_json::from_slice(json).map_err(|source| PromptError::Json {
        path: path.to_owned(),
        source,
    })?;
    file.build().map_err(|source| PromptError::Tokenizer {
        path: path.to_owned(),
        source,
    })
}

impl File<'_> {
    fn build(self) -> Result<Tokenizer, tokenizers::Error> {
        let special = self.config.default_num_special_tokens;
        let size = self.config.default_vocab_size;
        if special > size || size > MOST_TOKENS || size - special > self.vocab.len() {
            return Err(format!(
                "it has {} tokens where {size} with {special} special ones are stated",
                self.vocab.len()
            )
            .into());
        }
        let added = self.special_tokens(special)?;
        let strings = self.strings(size - special)?;
        let symbols: Vec<String> = strings.iter().map(|string| symbol(string)).collect();
        let ids = (0_u32..).skip(special);
        let vocab: Vocab = symbols.iter().cloned().zip(ids).collect();
        ByteBpe {
            vocab,
            merges: merges(&strings, &symbols),
            added,
            words: Words::Stated(self.config.pattern),
        }
        .build()
    }

    /// The special tokens, `count` of them, with their ids.
    fn special_tokens(&self, count: usize) -> Result<Vec<(u32, AddedToken)>, tokenizers::Error> {
        let mut names: Vec<String> = match &self.special_tokens {
            Some(listed) => {
                if let Some((place, odd)) = listed
                    .iter()
                    .enumerate()
                    .find(|(place, token)| token.rank != *place)
                {
                    return Err(format!("special token {place} has the rank {}", odd.rank).into());
                }
                listed.iter().map(|token| token.token_str.clone()).collect()
            }
            None => SPECIAL.iter().map(|&name| name.to_owned()).collect(),
        };
        if names.len() > count {
            return Err(format!("{} special tokens where {count} are stated", names.len()).into());
        }
        names.extend((names.len()..count).map(|id| format!("<SPECIAL_{id}>")));
        let mut seen = HashSet::new();
        if let Some(twice) = names.iter().find(|name| !seen.insert(name.as_str())) {
            return Err(format!("two special tokens are {twice:?}").into());
        }
        let tokens = names.into_iter().map(|name| AddedToken::from(name, true));
        Ok((0_u32..).zip(tokens).collect())
    }

    /// The first `count` byte strings, by rank. The first 256 must be the bytes.
    fn strings(&self, count: usize) -> Result<Vec<Vec<u8>>, tokenizers::Error> {
        let tokens = self.vocab.iter().take(count).enumerate();
        tokens
            .map(|(rank, token)| {
                let string = STANDARD.decode(token.token_bytes.as_bytes())?;
                let is_byte = u8::try_from(rank).is_ok();
                if token.rank != rank || (is_byte && string != rank.to_le_bytes()[..1]) {
                    return Err(format!("token {rank} is not where its rank says").into());
                }
                Ok(string)
            })
            .collect()
    }
}

/// A byte string in the alphabet of byte-level BPE.
fn symbol(string: &[u8]) -> String {
    string.iter().copied().map(bpe::character).collect()
}

/// All ways to cut a string into two that are there, in the order of the strings' ranks; of one
/// string's, those with the lowest ranks first.
fn merges(strings: &[Vec<u8>], symbols: &[String]) -> Merges {
    let ranks: HashMap<&[u8], usize> = strings.iter().map(Vec::as_slice).zip(0..).collect();
    let mut merges = Merges::new();
    let mut cuts = Vec::new();
    for string in strings {
        cuts.extend((1..string.len()).filter_map(|middle| {
            let (left, right) = string.split_at(middle);
            Some((*ranks.get(left)?, *ranks.get(right)?))
        }));
        cuts.sort_unstable();
        let pairs = cuts.drain(..);
        merges.extend(pairs.map(|(left, right)| (symbols[left].clone(), symbols[right].clone())));
    }
    merges
}
