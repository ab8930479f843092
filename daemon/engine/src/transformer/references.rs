//! References as the steps of a picture see them.
//!
//! Klein and \[dev\] read them again in every step, beside the output. Klein KV was trained to read
//! them once: its references attend to nothing but references, and are modulated for the time 0
//! whatever the step's. So what the blocks compute of them depends neither on the prompt nor on the
//! step, nor on what there is of the output; and all that other tokens ever see of it are keys and
//! values. They are computed in a pass of the references alone, before the first step.
//!
//! diffusers computes them in the first step instead, beside that step's own tokens, with the
//! references between prompt and output. That is the same arithmetic in another order: no token is
//! masked, a softmax does not know the order of its keys, and a token's place is in its rotation.

use burn::tensor::{Tensor, activation};

use super::layered::Layered;
use crate::layers::KeyValue;
use crate::step;

/// The noise that references are said to have where they are read once, as 1000·σ.
pub(super) const REFERENCE_TIME: f32 = 0.0;

/// The references of a picture before any step; there may be none.
#[derive(Debug)]
pub(crate) struct ReferenceTokens {
    /// Of one reference after another, `[tokens, channels]` each.
    pub(crate) tokens: Vec<Tensor<2>>,
    /// Where each token of all of them lies.
    pub(crate) places: Vec<[u32; 4]>,
}

/// The references of a picture, as its steps take them.
#[derive(Debug)]
pub(crate) enum References {
    /// Their tokens follow the output's in every step. There may be none.
    Shown(Vec<Tensor<2>>),
    /// What was kept of them; their tokens are in no step.
    Remembered(ReferenceKeys),
    /// What was kept of them is on a card.
    Kept(step::Remembered),
}

/// The keys and values of all references, turned to their places, for each block of either kind.
#[derive(Debug)]
pub(crate) struct ReferenceKeys {
    double: Vec<KeyValue>,
    single: Vec<KeyValue>,
}

impl References {
    /// The output's tokens with what is shown beside them.
    pub(super) fn beside(&self, output: Tensor<2>) -> Tensor<2> {
        match self {
            Self::Shown(tokens) if !tokens.is_empty() => {
                let tokens = tokens.iter().cloned();
                Tensor::cat(std::iter::once(output).chain(tokens).collect(), 0)
            }
            _ => output,
        }
    }

    /// What a double-stream block sees beside its own tokens.
    pub(super) fn in_double(&self, block: usize) -> Option<&KeyValue> {
        self.remembered()?.double.get(block)
    }

    /// The same of a single-stream block.
    pub(super) fn in_single(&self, block: usize) -> Option<&KeyValue> {
        self.remembered()?.single.get(block)
    }

    fn remembered(&self) -> Option<&ReferenceKeys> {
        match self {
            Self::Remembered(keys) => Some(keys),
            Self::Shown(_) | Self::Kept(_) => None,
        }
    }

    /// What is on a card.
    pub(super) fn kept(&self) -> Option<&step::Remembered> {
        match self {
            Self::Kept(kept) => Some(kept),
            Self::Shown(_) | Self::Remembered(_) => None,
        }
    }

    /// Whether they were read before the first step.
    pub(crate) fn are_read(&self) -> bool {
        !matches!(self, Self::Shown(_))
    }
}

impl Layered {
    /// Reads references by themselves.
    pub(super) fn remember(&self, references: &ReferenceTokens) -> ReferenceKeys {
        let rotation = self.rotation(&references.places);
        let time = activation::silu(self.time.forward(REFERENCE_TIME, None));
        let for_double = self.double_image_modulator.forward(&time);
        let [for_single] = self.single_modulator.forward(&time);
        let mut x = self
            .image_in
            .forward(Tensor::cat(references.tokens.clone(), 0));
        let mut keys = ReferenceKeys {
            double: Vec::with_capacity(self.double_blocks.len()),
            single: Vec::with_capacity(self.single_blocks.len()),
        };
        for block in &self.double_blocks {
            let kept;
            (x, kept) = block.remember(x, &for_double, &rotation);
            keys.double.push(kept);
        }
        for block in &self.single_blocks {
            let kept;
            (x, kept) = block.remember(x, &for_single, &rotation);
            keys.single.push(kept);
        }
        keys
    }
}
