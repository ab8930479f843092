//! The autoencoder: between pictures and the latent that the transformer works on.
//!
//! A picture of W×H pixels has a latent of 32 channels at W/8×H/8; 2×2 patches of it make the
//! 128 channels of a token at W/16×H/16, and those are normalised by the running mean and variance of
//! a batch normalisation that was learned with the model. There is no other scaling factor.
//!
//! - A reference becomes the *mean* of the encoder's distribution: nothing is sampled.
//! - A patch's channel is 4·latent channel + 2·row + column.
//! - The latent is normalised after it is cut into patches, and restored before it is put together.
//! - On the processor encoder and decoder are stages that take pictures whole or in tiles ([`layered`]), for a card
//!   programs ([`step`](crate::step)), and stages again where the card has no room for a picture ([`spare`]). Both are
//!   given tensors of the host, and give such.

mod blocks;
mod compute;
mod decoder;
mod encoder;
mod field;
mod layered;
mod plan;
mod run;
mod shape;
mod spare;
mod stage;
mod statistics;
#[cfg(test)]
pub(crate) mod tests;

use burn::tensor::{Device, Tensor, s};

use crate::config::VaeConfig;
use crate::device::Target;
use crate::error::EngineError;
use crate::host::{download, upload};
use crate::step::{PictureRunner, Side};
use crate::weights::{Scope, Weights, WeightsError};
use layered::Layered;
pub(crate) use plan::NoRoom;
use spare::Spare;

/// The autoencoder, ready to run.
#[derive(Debug)]
pub(crate) struct Vae {
    latent_channels: usize,
    coders: Coders,
    /// Mean and standard deviation of a token's channels, `[1, 4 · latent channels, 1, 1]`.
    mean: Tensor<4>,
    deviation: Tensor<4>,
}

/// Encoder and decoder.
#[derive(Debug)]
enum Coders {
    /// As stages on the processor.
    Layered(Box<Layered>),
    /// As programs, for a card. Each is brought when it is used: a picture without references needs no encoder.
    Stepped {
        encoder: Box<PictureRunner>,
        decoder: Box<PictureRunner>,
        /// For pictures that the card has no room for, if they may be made elsewhere.
        spare: Option<Box<Spare>>,
    },
}

impl Vae {
    /// Reads the autoencoder, laid out as diffusers saves it.
    ///
    /// # Errors
    /// A missing tensor, a shape that the config does not imply, an element type not read.
    pub(crate) fn load(
        config: &VaeConfig,
        weights: &Weights,
        target: &Target,
    ) -> Result<Self, WeightsError> {
        let coders = match &target.host {
            Some(host) if PictureRunner::suits(config) => {
                let load = |side| {
                    PictureRunner::load(side, config, weights, host, target.precision).map(Box::new)
                };
                Coders::Stepped {
                    encoder: load(Side::Encoder)?,
                    decoder: load(Side::Decoder)?,
                    spare: Some(Box::new(Spare::new(config, weights))),
                }
            }
            _ => return Self::layered(config, weights),
        };
        Self::of(config, weights, coders)
    }

    /// The same as stages on the processor.
    ///
    /// # Errors
    /// As of [`load`](Self::load).
    pub(crate) fn layered(config: &VaeConfig, weights: &Weights) -> Result<Self, WeightsError> {
        let device = Device::flex();
        let layered = Layered::load(&Scope::root(weights, &device), config)?;
        Self::of(config, weights, Coders::Layered(Box::new(layered)))
    }

    /// The same, failing where the card has no room: a time of the processor is none of the card.
    pub(crate) fn without_spare(mut self) -> Self {
        if let Coders::Stepped { spare, .. } = &mut self.coders {
            *spare = None;
        }
        self
    }

    fn of(config: &VaeConfig, weights: &Weights, coders: Coders) -> Result<Self, WeightsError> {
        let device = Device::flex();
        let scope = Scope::root(weights, &device);
        let tokens = config.token_channels();
        let per_channel = |name: &str| {
            let values: Tensor<1> = scope.tensor(name, [tokens])?;
            Ok::<_, WeightsError>(values.reshape([1, tokens, 1, 1]))
        };
        Ok(Self {
            latent_channels: config.latent_channels,
            coders,
            mean: per_channel("bn.running_mean")?,
            deviation: (per_channel("bn.running_var")? + config.batch_norm_eps).sqrt(),
        })
    }

    /// A picture, `[1, 3, height, width]` in −1 … 1 with sides that are multiples of 16, as normalised
    /// patches, `[1, channels of a token, height / 16, width / 16]`. On the processor it takes no more
    /// bytes than the budget, if there is one; a card that has no room for it leaves it to the processor.
    ///
    /// # Errors
    /// `memory-insufficient` before anything is computed, if the budget is too small; on a card `compute-failed`, and
    /// `device-memory` [without a spare](Self::without_spare).
    pub(crate) fn encode(
        &self,
        picture: Tensor<4>,
        budget: Option<u64>,
    ) -> Result<Tensor<4>, EngineError> {
        let mean = match &self.coders {
            Coders::Layered(layered) => self.mean_of(layered, picture, budget)?,
            Coders::Stepped { encoder, spare, .. } => {
                let [_, _, height, width] = picture.dims();
                match encoder.run(&download(picture.clone())?, [height, width]) {
                    Ok(mean) => {
                        let shape = [1, self.latent_channels, height / 8, width / 8];
                        upload(mean, shape, &Device::flex())
                    }
                    Err(error) => {
                        self.mean_of(&spare::instead(spare.as_deref(), error)?, picture, budget)?
                    }
                }
            }
        };
        Ok((patchify(mean) - self.mean.clone()) / self.deviation.clone())
    }

    /// Normalised patches as the latent that [`decode`](Self::decode) takes,
    /// `[1, latent channels, height / 8, width / 8]`.
    pub(crate) fn restore(&self, patches: Tensor<4>) -> Tensor<4> {
        unpatchify(patches * self.deviation.clone() + self.mean.clone())
    }

    /// A restored latent as a picture, `[1, 3, height, width]` in about −1 … 1. On the processor it takes
    /// no more bytes than the budget, if there is one.
    ///
    /// # Errors
    /// As of [`encode`](Self::encode).
    pub(crate) fn decode(
        &self,
        latent: Tensor<4>,
        budget: Option<u64>,
    ) -> Result<Tensor<4>, EngineError> {
        match &self.coders {
            Coders::Layered(layered) => picture_of(layered, latent, budget),
            Coders::Stepped { decoder, spare, .. } => {
                let [_, _, rows, columns] = latent.dims();
                match decoder.run(&download(latent.clone())?, [rows, columns]) {
                    Ok(picture) => {
                        let shape = [1, 3, 8 * rows, 8 * columns];
                        Ok(upload(picture, shape, &Device::flex()))
                    }
                    Err(error) => {
                        picture_of(&spare::instead(spare.as_deref(), error)?, latent, budget)
                    }
                }
            }
        }
    }

    fn mean_of(
        &self,
        layered: &Layered,
        picture: Tensor<4>,
        budget: Option<u64>,
    ) -> Result<Tensor<4>, EngineError> {
        let moments = layered.encode(picture, budget);
        let moments =
            moments.map_err(|no_room| EngineError::no_room("encoding a picture", no_room));
        Ok(moments??.slice(s![.., ..self.latent_channels, .., ..]))
    }

    /// The bytes of the host that encoding a picture of this size takes, weights in their files not
    /// counted. Sides are multiples of 16.
    ///
    /// # Errors
    /// [`NoRoom`] if it cannot be done within the budget.
    pub(crate) fn encode_peak(&self, size: [usize; 2], budget: Option<u64>) -> Result<u64, NoRoom> {
        match &self.coders {
            Coders::Layered(layered) => layered.encode_peak(size, budget),
            Coders::Stepped { encoder, .. } => within(encoder.host_bytes(size), budget),
        }
    }

    /// The bytes of the host that decoding a picture of this size takes, weights in their files not
    /// counted. Sides are multiples of 16.
    ///
    /// # Errors
    /// [`NoRoom`] if it cannot be done within the budget.
    pub(crate) fn decode_peak(&self, size: [usize; 2], budget: Option<u64>) -> Result<u64, NoRoom> {
        match &self.coders {
            Coders::Layered(layered) => layered.decode_peak(size, budget),
            Coders::Stepped { decoder, .. } => {
                within(decoder.host_bytes(size.map(|side| side / 8)), budget)
            }
        }
    }
}

fn picture_of(
    layered: &Layered,
    latent: Tensor<4>,
    budget: Option<u64>,
) -> Result<Tensor<4>, EngineError> {
    layered
        .decode(latent, budget)
        .map_err(|no_room| EngineError::no_room("decoding the picture", no_room))?
}

fn within(needed: u64, budget: Option<u64>) -> Result<u64, NoRoom> {
    match budget {
        Some(budget) if budget < needed => Err(NoRoom { needed, budget }),
        _ => Ok(needed),
    }
}

/// `[1, c, 2h, 2w]` to `[1, 4c, h, w]`.
fn patchify(latent: Tensor<4>) -> Tensor<4> {
    let [_, channels, height, width] = latent.dims();
    let (rows, columns) = (height / 2, width / 2);
    latent
        .reshape([channels, rows, 2, columns, 2])
        .permute([0, 2, 4, 1, 3])
        .reshape([1, 4 * channels, rows, columns])
}

/// `[1, 4c, h, w]` to `[1, c, 2h, 2w]`.
fn unpatchify(patches: Tensor<4>) -> Tensor<4> {
    let [_, channels, rows, columns] = patches.dims();
    patches
        .reshape([channels / 4, 2, 2, rows, columns])
        .permute([0, 3, 1, 4, 2])
        .reshape([1, channels / 4, 2 * rows, 2 * columns])
}
