//! The transformer: from noisy latent tokens, the prompt and the time to the velocity that removes
//! the noise.
//!
//! Double-stream blocks keep prompt and picture in streams of their own weights that meet in one
//! attention; single-stream blocks then treat all tokens alike. Widths and depths are the config's.
//! What implementations got wrong before, and where it is settled here:
//!
//! - The joint order is prompt, output, references ([`latent::places`](crate::latent::places));
//!   only the output's tokens are predicted. No token is masked, padding included.
//! - In klein KV references see references only, at the time 0, and are no part of any step
//!   ([`references`]).
//! - Modulation is computed once per step and shared by all blocks of a kind. Chunks come as shift,
//!   scale, gate, first for attention, then for feed-forward; a scale s means `(1 + s)·norm(x)`
//!   ([`modulation`]).
//! - The *last* modulation comes as scale, shift ([`Layered`]); in files of the BFL
//!   layout its halves are swapped.
//! - The time is 1000·σ in f32, never in the weights' precision: bf16 makes 764 or 768 of 767.2. Its
//!   sinusoid has the cosines first ([`time`]). The layers that it goes through, up to the modulations, do
//!   not round either, whatever the others do.
//! - Guidance as an input, of \[dev\], is embedded as 1000 times itself, beside the time, and added.
//! - Rotations turn adjacent pairs, after queries and keys are normalised ([`rope`](crate::rope)).
//! - In a feed-forward the first half of the fused projection is the one that goes through SiLU.
//! - There is no bias anywhere.
//!
//! There are two of it: [`layered`], on burn, and as programs for a card ([`step`]).

mod attention;
pub(crate) mod double;
mod layered;
mod modulation;
mod references;
mod single;
pub(crate) mod time;

use burn::tensor::Tensor;

use crate::config::TransformerConfig;
use crate::device::Target;
use crate::error::EngineError;
use crate::lora::Adapters;
use crate::step::{self, Runner};
use crate::variant::Reading;
use crate::weights::{Weights, WeightsError};
use layered::Layered;

pub(crate) use references::{ReferenceTokens, References};

/// The transformer, ready to run.
#[derive(Debug)]
pub(crate) enum Transformer {
    /// As layers that call burn.
    Layered(Box<Layered>),
    /// As programs, for a card.
    Stepped(Box<Runner>),
}

/// All that stays the same over the steps of a picture.
#[derive(Debug)]
pub(crate) enum Conditioning {
    Layered(Box<layered::Conditioning>),
    Stepped(step::Conditioning),
}

impl Transformer {
    /// Reads the transformer, laid out as diffusers saves it, with what adapters add to it.
    ///
    /// # Errors
    /// A missing tensor, a shape that the config does not imply, an element type not read.
    pub(crate) fn load(
        config: TransformerConfig,
        weights: &Weights,
        adapters: &Adapters,
        target: &Target,
    ) -> Result<Self, WeightsError> {
        Ok(match &target.host {
            None => Self::Layered(Box::new(Layered::load(config, weights, adapters, target)?)),
            Some(host) => Self::Stepped(Box::new(Runner::load(
                config,
                weights,
                adapters,
                host,
                target.precision,
                &target.device,
            )?)),
        })
    }

    /// Prepares a prompt, `[prompt tokens, context width]`, for tokens at these places: the prompt's,
    /// the output's and those of references that are shown. A network that takes guidance as an input gets this one, also
    /// where it is 1 or 0: there is no value that means none.
    ///
    /// # Errors
    /// `compute-failed` if the device failed.
    pub(crate) fn condition(
        &self,
        prompt: Tensor<2>,
        places: &[[u32; 4]],
        guidance: f32,
    ) -> Result<Conditioning, EngineError> {
        Ok(match self {
            Self::Layered(layered) => {
                Conditioning::Layered(Box::new(layered.condition(prompt, places, guidance)))
            }
            Self::Stepped(runner) => {
                Conditioning::Stepped(runner.condition(prompt, places, guidance)?)
            }
        })
    }

    /// Prepares references for all steps of a picture, whose output has so many tokens.
    ///
    /// # Errors
    /// `device-memory` or `compute-failed`, on a card.
    pub(crate) fn read(
        &self,
        references: &ReferenceTokens,
        reading: Reading,
        conditioning: &Conditioning,
        output: usize,
    ) -> Result<References, EngineError> {
        if reading == Reading::EveryStep || references.tokens.is_empty() {
            return Ok(References::Shown(references.tokens.clone()));
        }
        Ok(match self {
            Self::Layered(layered) => References::Remembered(layered.remember(references)),
            Self::Stepped(runner) => {
                let tokens = Tensor::cat(references.tokens.clone(), 0);
                let time = references::REFERENCE_TIME;
                let prompt = match conditioning {
                    Conditioning::Stepped(conditioning) => conditioning.prompt_tokens(),
                    Conditioning::Layered(_) => 0,
                };
                let step = [prompt, output];
                References::Kept(runner.remember(tokens, &references.places, time, step)?)
            }
        })
    }

    /// The velocity of the output's tokens, `[tokens, channels]`; `time` is 1000·σ.
    ///
    /// # Errors
    /// `device-memory` or `compute-failed`, on a card; `compute-failed` for what another network prepared.
    pub(crate) fn predict(
        &self,
        output: Tensor<2>,
        references: &References,
        time: f32,
        conditioning: &Conditioning,
    ) -> Result<Tensor<2>, EngineError> {
        match (self, conditioning) {
            (Self::Layered(layered), Conditioning::Layered(conditioning)) => {
                Ok(layered.predict(output, references, time, conditioning))
            }
            (Self::Stepped(runner), Conditioning::Stepped(conditioning)) => {
                let predicted = output.dims()[0];
                let image = references.beside(output);
                runner.predict(image, predicted, references.kept(), time, conditioning)
            }
            _ => Err(EngineError::Compute {
                reason: "a prompt was prepared for another network".into(),
            }),
        }
    }
}
