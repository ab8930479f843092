//! Networks with weights that nobody trained: what they compute takes as long as the real thing, and must come to the
//! same on every device.

use std::path::Path;
use std::str::FromStr;

use burn::tensor::{Device, Tensor};

use serde::Serialize;

use crate::config::{self, TextEncoderConfig, TransformerConfig, VaeConfig};
use crate::device::Target;
use crate::error::EngineError;
use crate::host::upload;
use crate::latent::{self, Grid};
use crate::lora::Adapters;
use crate::plan::{self, Networks, RenderShape};
use crate::prompt::{self, Tokens};
use crate::published::{Size, Tensor as Described};
use crate::seed;
use crate::text_encoder::TextEncoder;
use crate::transformer::{ReferenceTokens, Transformer};
use crate::vae::Vae;
use crate::variant::Reading;
use crate::weights::Weights;

/// Seed of all weights.
pub(crate) const SEED: u64 = 0;
/// What messages call the model.
const PLACE: &str = "(random weights)";
/// The time of a step in the middle of a schedule, as 1000·σ.
const TIME: f32 = 767.2;
/// The usual guidance of \[dev\]; klein takes none.
const GUIDANCE: f32 = 4.0;

/// A part of making a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// Encoding a prompt.
    Text,
    /// A denoising step.
    Step,
    /// Decoding a latent.
    Vae,
}

impl Part {
    /// All of them, in the order in which a picture passes them.
    pub const ALL: [Self; 3] = [Self::Text, Self::Step, Self::Vae];

    /// The name that is asked for: `text`, `step` or `vae`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Step => "step",
            Self::Vae => "vae",
        }
    }
}

impl FromStr for Part {
    type Err = EngineError;

    fn from_str(name: &str) -> Result<Self, EngineError> {
        let mut parts = Self::ALL.into_iter();
        parts.find(|part| part.name() == name).ok_or_else(|| {
            let problem = format!("{name:?} is none of text, step and vae");
            EngineError::request("part", problem)
        })
    }
}

/// A run of a part, done when it returns: the numbers that it made.
pub(crate) type Act = Box<dyn FnMut() -> Result<Tensor<1>, EngineError>>;

/// A part's weights.
pub(crate) struct Drawn {
    network: Network,
    weights: Weights,
}

enum Network {
    Text(TextEncoderConfig),
    Step(TransformerConfig),
    Vae(VaeConfig),
}

/// The networks of these sizes.
pub(crate) fn networks(size: &Size) -> Result<Networks, EngineError> {
    Ok(Networks::of_configs(
        &text_encoder(size)?,
        &transformer(size)?,
        &vae(size)?,
        Reading::EveryStep,
    ))
}

fn text_encoder(size: &Size) -> Result<TextEncoderConfig, EngineError> {
    let config: TextEncoderConfig = config::parse(Path::new(PLACE), size.text_encoder_config())?;
    config::refuse(Path::new(PLACE), config.check())?;
    Ok(config)
}

fn transformer(size: &Size) -> Result<TransformerConfig, EngineError> {
    let config: TransformerConfig = config::parse(Path::new(PLACE), size.transformer_config())?;
    config::refuse(Path::new(PLACE), config.check())?;
    Ok(config)
}

fn vae(size: &Size) -> Result<VaeConfig, EngineError> {
    let config: VaeConfig = config::parse(Path::new(PLACE), size.vae_config())?;
    config::refuse(Path::new(PLACE), config.check())?;
    Ok(config)
}

impl Drawn {
    /// Draws a part's weights.
    ///
    /// # Errors
    /// `memory-insufficient` if they do not fit into the host's memory.
    pub(crate) fn of(size: &Size, part: Part) -> Result<Self, EngineError> {
        let (network, mut tensors) = match part {
            Part::Text => (Network::Text(text_encoder(size)?), size.text_encoder()),
            Part::Step => (Network::Step(transformer(size)?), size.transformer()),
            Part::Vae => (Network::Vae(vae(size)?), size.vae()),
        };
        // As large as an embedding, and nothing that a picture needs.
        tensors.retain(|tensor| tensor.name != "lm_head.weight");
        refuse_what_does_not_fit(&tensors)?;
        Ok(Self {
            network,
            weights: Weights::random(&tensors, SEED)?,
        })
    }

    /// The part on a device, with numbers to work on.
    ///
    /// # Errors
    /// Those of the part.
    pub(crate) fn load(&self, shape: &RenderShape, target: &Target) -> Result<Act, EngineError> {
        match &self.network {
            Network::Text(config) => self.text(config, target),
            Network::Step(config) => self.step(config, shape, target),
            Network::Vae(config) => self.decoding(config, shape, target),
        }
    }

    fn text(&self, config: &TextEncoderConfig, target: &Target) -> Result<Act, EngineError> {
        let place = Path::new(PLACE);
        let encoder = TextEncoder::load(place, config.clone(), &self.weights, target)?;
        let tokens = every_token_real(config.vocab_size);
        Ok(Box::new(move || encoder.encode(&tokens).map(flat)))
    }

    fn step(
        &self,
        config: &TransformerConfig,
        shape: &RenderShape,
        target: &Target,
    ) -> Result<Act, EngineError> {
        let adapters = Adapters::default();
        let transformer = Transformer::load(config.clone(), &self.weights, &adapters, target)?;
        let grid = Grid::of_picture(shape.width, shape.height);
        let others = shape.references.iter();
        let others: Vec<_> = others
            .map(|&(width, height)| Grid::of_picture(width, height))
            .collect();
        let draw = |seed, rows, columns| draw(seed, [rows, columns], &target.device);
        let noise = |seed, grid: &Grid| draw(seed, grid.tokens(), config.in_channels);
        let prompt = draw(0, prompt::TOKENS, config.joint_attention_dim);
        let places = latent::places(prompt::TOKENS, grid, &others);
        let conditioning = transformer.condition(prompt, &places, GUIDANCE)?;
        let references = ReferenceTokens {
            tokens: (2..)
                .zip(&others)
                .map(|(seed, grid)| noise(seed, grid))
                .collect(),
            places: latent::reference_places(&others).collect(),
        };
        let references = transformer.read(
            &references,
            Reading::EveryStep,
            &conditioning,
            grid.tokens(),
        )?;
        let output = noise(1, &grid);
        Ok(Box::new(move || {
            let velocity = transformer.predict(output.clone(), &references, TIME, &conditioning);
            velocity.map(flat)
        }))
    }

    fn decoding(
        &self,
        config: &VaeConfig,
        shape: &RenderShape,
        target: &Target,
    ) -> Result<Act, EngineError> {
        let vae = Vae::load(config, &self.weights, target)?.without_spare();
        let grid = Grid::of_picture(shape.width, shape.height);
        let latent = draw(0, grid.shape(config.token_channels()), &target.device);
        // Where memory is short it works in tiles, as for a picture.
        let room = plan::room();
        Ok(Box::new(move || {
            let picture = vae.decode(vae.restore(latent.clone()), room);
            picture.map(flat)
        }))
    }
}

fn refuse_what_does_not_fit(tensors: &[Described]) -> Result<(), EngineError> {
    let needed = Weights::random_bytes(tensors);
    match plan::room() {
        Some(budget) if needed > budget => Err(EngineError::MemoryShort {
            what: "drawing random weights",
            needed,
            budget,
        }),
        _ => Ok(()),
    }
}

fn flat<const D: usize>(made: Tensor<D>) -> Tensor<1> {
    let numbers: usize = made.dims().iter().product();
    made.reshape([numbers])
}

/// Standard normal numbers on a device.
fn draw<const D: usize>(seed: u64, shape: [usize; D], device: &Device) -> Tensor<D> {
    upload(seed::randn(seed, shape.iter().product()), shape, device)
}

/// A prompt without padding: what all of a long prompt takes, and the most that any does.
fn every_token_real(vocabulary: usize) -> Tokens {
    let ids = (0_i64..).step_by(7919).take(prompt::TOKENS);
    let vocabulary = i64::try_from(vocabulary).unwrap_or(i64::MAX);
    Tokens {
        ids: ids.map(|id| id % vocabulary).collect(),
        mask: vec![1; prompt::TOKENS],
        text: String::new(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use crate::cpu::Operands;
    use crate::host::download;

    /// Blocks that share their weights must not drive numbers out of their range, however many there are.
    #[test]
    fn a_step_through_as_many_blocks_as_there_are_anywhere_stays_in_range() {
        let size = Size {
            double: Size::DEV.double,
            single: Size::DEV.single,
            ..Size::TINY
        };
        let weights = Weights::random(&size.transformer(), SEED).unwrap();
        let target = Target::processor(Operands::F32);
        let config = transformer(&size).unwrap();
        let network = Transformer::load(config, &weights, &Adapters::default(), &target).unwrap();
        let grid = Grid::of_picture(64, 64);
        let draw = |seed, width| draw(seed, [grid.tokens(), width], &target.device);
        let places = latent::places(grid.tokens(), grid, &[]);
        let prompt = draw(0, size.context());
        let conditioning = network.condition(prompt, &places, GUIDANCE).unwrap();
        let none = ReferenceTokens {
            tokens: Vec::new(),
            places: Vec::new(),
        };
        let none = network.read(&none, Reading::EveryStep, &conditioning, grid.tokens());
        let none = none.unwrap();
        let velocity = network.predict(draw(1, 128), &none, TIME, &conditioning);
        let velocity = download(velocity.unwrap()).unwrap();
        let largest = velocity.iter().fold(0.0_f32, |most, x| most.max(x.abs()));
        assert!((0.1..100.0).contains(&largest), "{largest}");
        assert!(velocity.iter().all(|x| x.is_finite()));
    }
}
