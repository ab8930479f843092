//! A tokenizer from the metadata of a GGUF file.
//!
//! The file's chat template and its padding token are not used: those who convert text encoders set
//! both for chats, and the transformer was trained with what the family has.

use tokenizers::models::bpe::{Merges, Vocab};
use tokenizers::{AddedToken, Tokenizer};

use super::bpe::{self, ByteBpe, Words};
use super::{GgufVocabulary, PromptError};

/// Tokens that were added and that control: found in a text before it is cut into words.
const CONTROL: i32 = 3;
/// Tokens that were added and are words of their own.
const USER_DEFINED: i32 = 4;

/// Builds the tokenizer.
///
/// # Errors
/// `tokenizer-invalid` for a kind that is not byte-level BPE, for words cut in a way that no text
/// encoder of FLUX.2 does, and for merges that do not fit the tokens.
pub(super) fn tokenizer(vocabulary: GgufVocabulary) -> Result<Tokenizer, PromptError> {
    let GgufVocabulary {
        path,
        model,
        pre,
        tokens,
        types,
        merges,
    } = vocabulary;
    let invalid = |source| PromptError::Tokenizer {
        path: path.clone(),
        source,
    };
    if model != "gpt2" {
        let problem = format!("tokenizer.ggml.model is {model:?}, not \"gpt2\"");
        return Err(invalid(problem.into()));
    }
    let words = match pre.as_str() {
        "qwen2" => Words::Qwen,
        "tekken" => Words::Tekken,
        other => {
            let problem = format!("tokenizer.ggml.pre is {other:?}, not \"qwen2\" or \"tekken\"");
            return Err(invalid(problem.into()));
        }
    };
    let merges = merges.iter().map(|line| bpe::pair(line));
    let merges = merges.collect::<Result<Merges, _>>().map_err(invalid)?;
    let mut vocab = Vocab::default();
    let mut added = Vec::new();
    for (id, token) in (0_u32..).zip(tokens) {
        let kind = types.get(id as usize).copied();
        if let Some(CONTROL | USER_DEFINED) = kind {
            let token = AddedToken::from(token, kind == Some(CONTROL)).normalized(false);
            added.push((id, token));
        } else {
            vocab.insert(token, id);
        }
    }
    let tokenizer = ByteBpe {
        vocab,
        merges,
        added,
        words,
    };
    tokenizer.build().map_err(invalid)
}
