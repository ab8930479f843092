//! Byte-level BPE tokenizers, put together from a vocabulary and merges.
//!
//! All tokenizers of FLUX.2 are of this kind: text is cut into words by an expression, the bytes of a
//! word become characters of an alphabet of 256, and pairs of them are merged. What differs is the
//! expression, and whether text is normalised first.

use tokenizers::decoders::byte_level::ByteLevel;
use tokenizers::models::bpe::{BPE, Merges, Vocab};
use tokenizers::normalizers::NFC;
use tokenizers::pre_tokenizers::PreTokenizerWrapper;
use tokenizers::pre_tokenizers::sequence::Sequence;
use tokenizers::pre_tokenizers::split::{Split, SplitPattern};
use tokenizers::{AddedToken, Error, SplitDelimiterBehavior, Tokenizer};

/// How Qwen tokenizers cut text into words.
const QWEN: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
/// How Tekken does: a word ends where a small letter is followed by a capital.
const TEKKEN: &str = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";

/// How text becomes words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Words {
    /// Normalised to NFC, then cut as Qwen does.
    Qwen,
    /// Taken as it is and cut as Tekken does.
    Tekken,
    /// Taken as it is and cut by Tekken's expression as its file states it; a word that is a token is
    /// not looked into.
    Stated(String),
}

/// What a tokenizer is made of.
pub(super) struct ByteBpe {
    /// Ids of the tokens, in the alphabet of [`character`].
    pub(super) vocab: Vocab,
    /// Pairs to merge, the first first.
    pub(super) merges: Merges,
    /// Tokens that are found in a text before it is cut, with their ids.
    pub(super) added: Vec<(u32, AddedToken)>,
    pub(super) words: Words,
}

impl ByteBpe {
    pub(super) fn build(self) -> Result<Tokenizer, Error> {
        let Self {
            mut vocab,
            merges,
            added,
            words,
        } = self;
        // A token of the vocabulary keeps its id when it is added; one that is not would be numbered anew.
        let ids = added.iter();
        vocab.extend(ids.map(|(id, token)| (token.content.clone(), *id)));
        let model = BPE::builder()
            .vocab_and_merges(vocab, merges)
            .ignore_merges(matches!(words, Words::Stated(_)))
            .build()?;
        let mut tokenizer = Tokenizer::new(model);
        if words == Words::Qwen {
            tokenizer.with_normalizer(Some(NFC));
        }
        let expression = match words {
            Words::Qwen => QWEN.to_owned(),
            Words::Tekken => TEKKEN.to_owned(),
            Words::Stated(expression) => expression,
        };
        let split = Split::new(
            SplitPattern::Regex(expression),
            SplitDelimiterBehavior::Isolated,
            false,
        )?;
        let bytes = ByteLevel::new(false, false, false);
        let steps: Vec<PreTokenizerWrapper> = vec![split.into(), bytes.into()];
        tokenizer.with_pre_tokenizer(Some(Sequence::new(steps)));
        let added: Vec<_> = added.into_iter().map(|(_, token)| token).collect();
        tokenizer.add_tokens(&added);
        Ok(tokenizer)
    }
}

/// The character that stands for a byte: the byte's own where that is printable, else one from 256 on
/// in the order of the bytes. The alphabet of GPT-2, in which all such vocabularies are written.
pub(super) fn character(byte: u8) -> char {
    let hidden = match byte {
        b'!'..=b'~' | 0xa1..=0xac | 0xae..=0xff => return char::from(byte),
        0..=b' ' => byte,
        0x7f..=0xa0 => byte - 0x7f + 33,
        0xad => 67,
    };
    char::from_u32(256 + u32::from(hidden)).unwrap_or(char::REPLACEMENT_CHARACTER)
}

/// A merge as files write it: two symbols with a space between them.
pub(super) fn pair(line: &str) -> Result<(String, String), Error> {
    let (left, right) = line
        .split_once(' ')
        .ok_or_else(|| format!("the merge {line:?} is not a pair"))?;
    Ok((left.to_owned(), right.to_owned()))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn the_alphabet_is_that_of_the_pre_tokenizer() {
        let alphabet: HashSet<char> = (0..=255).map(character).collect();
        assert_eq!(alphabet, ByteLevel::alphabet().into_iter().collect());
        assert_eq!(character(b' '), 'Ġ');
        assert_eq!(character(b'\n'), 'Ċ');
        assert_eq!(character(0xad), 'Ń');
    }
}
