//! Prompts: from what a user wrote to the token ids the text encoder reads.
//!
//! The words go through the model's own chat template and tokenizer and end as exactly [`TOKENS`]
//! ids: cut on the right where there are more, padded where there are fewer. The result is what the
//! Python libraries transformers and jinja2 give for the same folder; a prompt is never trimmed or
//! translated on the way. Pitfalls, and where they are settled:
//!
//! - dev puts a system message before the prompt and pads on the left, klein neither ([`messages`]).
//!   Of a prompt for dev the reference removes each `[IMG]`, and so does this module.
//! - A tokenizer comes in four shapes ([`TokenizerSource`]). What its files leave open, the padding
//!   token above all, is settled by the [`Family`], not by guessing: the transformer reads padding.
//! - mistral's own `tekken.json` holds byte strings and ranks, no merges; they follow from the ranks
//!   ([`tekken`]).
//! - A chat template may ask for the date. It gets a fixed one: a picture must not depend on the day
//!   ([`template`]).

mod bpe;
mod error;
mod files;
mod gguf;
mod messages;
mod python;
mod source;
mod tekken;
mod template;

use tokenizers::{
    PaddingDirection, PaddingParams, PaddingStrategy, Tokenizer, TruncationDirection,
    TruncationParams,
};

use crate::family::Family;
pub use error::PromptError;
pub use source::{GgufVocabulary, TokenizerSource};
use template::Template;

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

/// A model's tokenizer and chat template.
pub struct PromptTokenizer {
    family: Family,
    tokenizer: Tokenizer,
    template: Template,
}

/// A tokenizer as its files give it, before its ids are cut and padded to [`TOKENS`].
struct Opened {
    tokenizer: Tokenizer,
    template: Template,
    /// The token to fill up with.
    padding: String,
    padding_side: PaddingDirection,
    truncation_side: TruncationDirection,
}

impl Opened {
    /// A tokenizer that comes with nothing else: all is as the family has it.
    fn bare(tokenizer: Tokenizer, family: Family) -> Self {
        Self {
            tokenizer,
            template: Template::BuiltIn,
            padding: messages::padding(family).to_owned(),
            padding_side: messages::padding_side(family),
            truncation_side: TruncationDirection::Right,
        }
    }
}

impl PromptTokenizer {
    /// Reads a tokenizer, and the chat template where one comes with it; `family` settles all that the
    /// source leaves open.
    ///
    /// # Errors
    /// [`PromptError`], saying which file is missing or wrong.
    pub fn open(source: TokenizerSource, family: Family) -> Result<Self, PromptError> {
        let path = source.path().to_owned();
        let invalid = |source| PromptError::Tokenizer {
            path: path.clone(),
            source,
        };
        let opened = source.open(family)?;
        let mut tokenizer = opened.tokenizer;
        let id = tokenizer
            .token_to_id(&opened.padding)
            .ok_or_else(|| PromptError::NoPadding { path: path.clone() })?;
        tokenizer.with_padding(Some(PaddingParams {
            strategy: PaddingStrategy::Fixed(TOKENS),
            direction: opened.padding_side,
            pad_id: id,
            pad_token: opened.padding,
            ..PaddingParams::default()
        }));
        let truncation = TruncationParams {
            direction: opened.truncation_side,
            max_length: TOKENS,
            ..TruncationParams::default()
        };
        tokenizer
            .with_truncation(Some(truncation))
            .map_err(invalid)?;
        Ok(Self {
            family,
            tokenizer,
            template: opened.template,
        })
    }

    /// The prompt as a message of the user, in the template, as token ids.
    ///
    /// # Errors
    /// [`PromptError::Template`] where the template fails on it, [`PromptError::Encode`] where the
    /// tokenizer does.
    pub fn encode(&self, prompt: &str) -> Result<Tokens, PromptError> {
        let text = self.template.render(self.family, prompt)?;
        // dev's template writes the first token itself, so the tokenizer must not add another.
        let adds_first = self.family == Family::Klein;
        let encoding = self
            .tokenizer
            .encode_fast(text.as_str(), adds_first)
            .map_err(PromptError::Encode)?;
        let widen = |values: &[u32]| values.iter().copied().map(i64::from).collect();
        Ok(Tokens {
            ids: widen(encoding.get_ids()),
            mask: widen(encoding.get_attention_mask()),
            text,
        })
    }
}
