//! The text encoder: Qwen3 for klein, Mistral for dev, of which three hidden states are listened to.
//!
//! The prompt's 512 token ids go in; out come, for each token, the hidden states after three of the
//! layers (`Family::taps`) side by side. What differs from what one would expect, and all matters:
//!
//! - Positions of padding are computed and kept: the transformer reads all 512 without a mask. Inside
//!   the encoder a token looks at earlier tokens that are not padding.
//! - Padding on the left looks at nothing, and attention then gives zero, not an average; it is the
//!   same state at each of its places, and computed once ([`span`]). Tokens after it count their
//!   positions from the first place, not from the first word.
//! - The model's final norm is never applied: a tapped state is what the next layer would get. An
//!   encoder that was cut down to the layers up to the last tap gives the same.
//!   Layers above the last tap are neither read nor run.
//! - A head's width is the config's `head_dim`, not the hidden width divided by the heads.
//! - Qwen3 normalises queries and keys per head, before they are turned; Mistral does not.

mod layer;
mod span;

use std::path::{Path, PathBuf};

use burn::tensor::{Bool, Device, Tensor, TensorData};

use crate::config::TextEncoderConfig;
use crate::device::Target;
use crate::error::EngineError;
use crate::host::upload;
use crate::prompt::Tokens;
use crate::rope::Rotation;
use crate::step::TextRunner;
use crate::weights::{Scope, Stored, Weights};
use layer::{Layer, View};
use span::Span;

/// What precedes `layers.0` and `embed_tokens`: nothing in a backbone alone, and what transformers
/// writes for a language model, for the language half of Mistral 3 up to version 4, and since.
const PREFIXES: [&str; 4] = [
    "",
    "model.",
    "language_model.model.",
    "model.language_model.",
];

/// The text encoder, ready to run.
pub(crate) struct TextEncoder {
    /// The model's `text_encoder/`, for messages.
    folder: PathBuf,
    config: TextEncoderConfig,
    /// `[vocabulary, hidden width]`, of which a prompt needs a few hundred rows.
    embedding: Stored,
    layers: Layers,
    device: Device,
}

/// The layers up to the last tap.
enum Layers {
    /// As layers that call burn.
    Layered(Vec<Layer>),
    /// As a program, for a card.
    Stepped(Box<TextRunner>),
}

impl TextEncoder {
    /// Reads the layers up to the last tap from `folder`, the model's `text_encoder/`.
    ///
    /// # Errors
    /// `model-mismatch` if the encoder has too few layers, or any error of its weights.
    pub(crate) fn load(
        folder: &Path,
        config: TextEncoderConfig,
        weights: &Weights,
        target: &Target,
    ) -> Result<Self, EngineError> {
        let depth = config.family.depth();
        if config.num_hidden_layers < depth {
            return Err(EngineError::Mismatch {
                path: folder.to_owned(),
                problem: format!(
                    "the text encoder has {} layers; {} needs the first {depth}",
                    config.num_hidden_layers, config.family
                ),
            });
        }
        let holds_table = |prefix: &&str| weights.contains(&format!("{prefix}embed_tokens.weight"));
        let prefix = PREFIXES.into_iter().find(holds_table).unwrap_or("model.");
        let scope = Scope::root(weights, &target.device).rounding(target.operands);
        let layer = |number| {
            let scope = scope.at(format_args!("{prefix}layers.{number}"));
            Layer::load(&scope, &config)
        };
        let layers = match &target.host {
            None => Layers::Layered((0..depth).map(layer).collect::<Result<_, _>>()?),
            Some(host) => {
                let precision = target.precision;
                let config = config.clone();
                Layers::Stepped(Box::new(TextRunner::load(
                    config, weights, prefix, host, precision,
                )?))
            }
        };
        let table = [config.vocab_size, config.hidden_size];
        let embedding = scope.stored(&format!("{prefix}embed_tokens.weight"), &table)?;
        Ok(Self {
            folder: folder.to_owned(),
            config,
            embedding,
            layers,
            device: target.device.clone(),
        })
    }

    /// `[512, 3 · hidden width]` for a tokenised prompt.
    ///
    /// # Errors
    /// `model-mismatch` if the tokenizer gives an id that the encoder has no embedding for.
    pub(crate) fn encode(&self, tokens: &Tokens) -> Result<Tensor<2>, EngineError> {
        let span = Span::of(&tokens.mask);
        let embedded = self.embed(&tokens.ids[span.computed()])?;
        let seeing = span.seeing();
        let states = match &self.layers {
            Layers::Stepped(runner) => {
                let (first, blind, keys) = (seeing.start, span.blind(), span.keys());
                runner.encode(&embedded, first, blind, keys, &self.device)?
            }
            Layers::Layered(layers) => self.run(layers, tokens, span, embedded),
        };
        Ok(span.spread(states))
    }

    /// The tapped states of embedded tokens, side by side.
    fn run(&self, layers: &[Layer], tokens: &Tokens, span: Span, embedded: Vec<f32>) -> Tensor<2> {
        let width = self.config.hidden_size;
        let mut hidden = upload(embedded, [span.computed().len(), width], &self.device);
        let seeing = span.seeing();
        let pairs: Vec<_> = self
            .config
            .frequencies()
            .map(|frequency| (0, frequency))
            .collect();
        let places: Vec<[u32; 1]> = (0_u32..)
            .take(tokens.ids.len())
            .skip(seeing.start)
            .map(|place| [place])
            .collect();
        let rotation = Rotation::new(&places, &pairs, &self.device);
        let view = View {
            blind: span.blind(),
            query_rotation: &rotation,
            key_rotation: &rotation.first(span.keys()),
            mask: &causal_mask(&tokens.mask[seeing], span.keys(), &self.device),
        };
        let taps = self.config.family.taps();
        let mut tapped = Vec::with_capacity(taps.len());
        for (number, layer) in (1..).zip(layers) {
            hidden = layer.forward(hidden, &view);
            if taps.contains(&number) {
                tapped.push(hidden.clone());
            }
        }
        Tensor::cat(tapped, 1)
    }

    fn embed(&self, ids: &[i64]) -> Result<Vec<f32>, EngineError> {
        let vocabulary = self.config.vocab_size;
        let row = |&id: &i64| {
            usize::try_from(id)
                .ok()
                .filter(|&row| row < vocabulary)
                .ok_or_else(|| EngineError::Mismatch {
                    path: self.folder.clone(),
                    problem: format!(
                        "the tokenizer gives the id {id}, but the text encoder knows {vocabulary}"
                    ),
                })
        };
        let rows = ids.iter().map(row).collect::<Result<Vec<_>, _>>()?;
        let width = self.config.hidden_size;
        let mut values = vec![0.0; rows.len() * width];
        for (&row, out) in rows.iter().zip(values.chunks_exact_mut(width)) {
            self.embedding.widen_rows(row, out);
        }
        Ok(values)
    }
}

/// `[1, 1, tokens, keys]`, true where the query (third axis) must not look at the key: at later tokens
/// and at padding. Keys are the tokens up to the last that is not padding: the rest nobody looks at.
fn causal_mask(attention: &[i64], keys: usize, device: &Device) -> Tensor<4, Bool> {
    let queries = attention.len();
    let hidden: Vec<bool> = (0..queries)
        .flat_map(|query| {
            let keys = attention[..keys].iter().enumerate();
            keys.map(move |(key, &real)| key > query || real == 0)
        })
        .collect();
    Tensor::from_data(TensorData::new(hidden, [1, 1, queries, keys]), device)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn a_token_sees_earlier_tokens_that_are_not_padding() {
        let hidden = |attention: &[i64], keys| -> Vec<bool> {
            causal_mask(attention, keys, &Device::flex())
                .into_data()
                .iter::<bool>()
                .collect()
        };
        let (o, x) = (false, true);
        assert_eq!(hidden(&[1, 1, 0], 2), [o, x, o, o, o, o]);
        assert_eq!(hidden(&[0, 1, 1], 3), [x, x, x, x, o, x, x, o, o]);
    }
}
