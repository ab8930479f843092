//! The autoencoder: between pictures and the latent that the transformer works on.
//!
//! A picture of W×H pixels has a latent of 32 channels at W/8×H/8; 2×2 patches of it make the
//! 128 channels of a token at W/16×H/16, and those are normalised by the running mean and variance of
//! a batch normalisation that was learned with the model. There is no other scaling factor.
//!
//! - A reference becomes the *mean* of the encoder's distribution: nothing is sampled.
//! - A patch's channel is 4·latent channel + 2·row + column.
//! - The latent is normalised after it is cut into patches, and restored before it is put together.
//! - On the processor, a picture is made as a whole where that fits into the memory that it may take, and
//!   in tiles elsewhere. Tiles are exact but for the moments that normalisations share, which are
//!   measured on a sample first and checked afterwards: there are no seams to blend.
//! - Any other device composes burn's operations, whole pictures only.

mod blocks;
mod compute;
mod decoder;
mod encoder;
mod field;
mod plan;
mod run;
mod shape;
mod stage;
mod statistics;
#[cfg(test)]
mod tests;

use burn::tensor::{Device, Tensor, s};

use crate::config::VaeConfig;
use crate::error::EngineError;
use crate::host::{download, upload};
use crate::layers::Convolution;
use crate::weights::{Scope, Weights, WeightsError};
use field::Field;
pub(crate) use plan::NoRoom;
use plan::{Chain, Large};
use shape::Shape;
use stage::Stage;

/// The autoencoder, ready to run.
#[derive(Debug)]
pub(crate) struct Vae {
    latent_channels: usize,
    /// From a picture to the moments of its latent.
    encoder: Vec<Stage>,
    /// From a latent to a picture.
    decoder: Vec<Stage>,
    /// Mean and standard deviation of a token's channels, `[1, 4 · latent channels, 1, 1]`.
    mean: Tensor<4>,
    deviation: Tensor<4>,
}

impl Vae {
    /// Reads the autoencoder, laid out as diffusers saves it.
    ///
    /// # Errors
    /// A missing tensor, a shape that the config does not imply, an element type not read.
    pub(crate) fn load(
        config: &VaeConfig,
        weights: &Weights,
        device: &Device,
    ) -> Result<Self, WeightsError> {
        let scope = Scope::root(weights, device);
        let latent = config.latent_channels;
        let tokens = config.token_channels();
        let pointwise = |name: &str, channels: usize| {
            Convolution::pointwise(&scope, name, channels, channels).map(Stage::Convolve)
        };
        let per_channel = |name: &str| {
            let values: Tensor<1> = scope.tensor(name, [tokens])?;
            Ok::<_, WeightsError>(values.reshape([1, tokens, 1, 1]))
        };
        let mut encoder = encoder::load(&scope.at("encoder"), config)?;
        if config.use_quant_conv {
            encoder.push(pointwise("quant_conv", 2 * latent)?);
        }
        let mut decoder = decoder::load(&scope.at("decoder"), config)?;
        if config.use_post_quant_conv {
            decoder.insert(0, pointwise("post_quant_conv", latent)?);
        }
        Ok(Self {
            latent_channels: latent,
            encoder,
            decoder,
            mean: per_channel("bn.running_mean")?,
            deviation: (per_channel("bn.running_var")? + config.batch_norm_eps).sqrt(),
        })
    }

    /// A picture, `[1, 3, height, width]` in −1 … 1 with sides that are multiples of 16, as normalised
    /// patches, `[1, channels of a token, height / 16, width / 16]`. On the processor it takes no more
    /// bytes than the budget, if there is one.
    ///
    /// # Errors
    /// `memory-insufficient` before anything is computed, if the budget is too small.
    pub(crate) fn encode(
        &self,
        picture: Tensor<4>,
        budget: Option<u64>,
    ) -> Result<Tensor<4>, EngineError> {
        let moments = run(&self.encoder, picture, Large::First, budget)
            .map_err(|no_room| EngineError::no_room("encoding a picture", no_room))?;
        let mean = moments?.slice(s![.., ..self.latent_channels, .., ..]);
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
    /// `memory-insufficient` before anything is computed, if the budget is too small.
    pub(crate) fn decode(
        &self,
        latent: Tensor<4>,
        budget: Option<u64>,
    ) -> Result<Tensor<4>, EngineError> {
        run(&self.decoder, latent, Large::Last, budget)
            .map_err(|no_room| EngineError::no_room("decoding the picture", no_room))?
    }

    /// The bytes that encoding a picture of this size takes on the processor, weights in their files not
    /// counted. Sides are multiples of 16.
    ///
    /// # Errors
    /// [`NoRoom`] if it cannot be done within the budget.
    pub(crate) fn encode_peak(
        &self,
        [height, width]: [usize; 2],
        budget: Option<u64>,
    ) -> Result<u64, NoRoom> {
        let input = Shape::of_whole([height, width], 3);
        let plan = Chain::new(&self.encoder, input, Large::First).plan(budget)?;
        Ok(plan.peak)
    }

    /// The bytes that decoding a picture of this size takes on the processor, weights in their files not
    /// counted. Sides are multiples of 16.
    ///
    /// # Errors
    /// [`NoRoom`] if it cannot be done within the budget.
    pub(crate) fn decode_peak(
        &self,
        [height, width]: [usize; 2],
        budget: Option<u64>,
    ) -> Result<u64, NoRoom> {
        let input = Shape::of_whole([height / 8, width / 8], self.latent_channels);
        let plan = Chain::new(&self.decoder, input, Large::Last).plan(budget)?;
        Ok(plan.peak)
    }
}

/// Runs stages on a whole picture, `[1, channels, height, width]`.
fn run(
    stages: &[Stage],
    input: Tensor<4>,
    large: Large,
    budget: Option<u64>,
) -> Result<Result<Tensor<4>, EngineError>, NoRoom> {
    let device = input.device();
    if device != Device::flex() {
        return Ok(Ok(stages.iter().fold(input, |x, stage| stage.forward(x))));
    }
    let [_, channels, height, width] = input.dims();
    let shape = Shape::of_whole([height, width], channels);
    let chain = Chain::new(stages, shape, large);
    let plan = chain.plan(budget)?;
    Ok(download(input).map(|planes| {
        let field = Field::from_planes(&planes, shape.whole, channels);
        drop(planes);
        let result = chain.run(field, &plan);
        let Shape {
            whole: [height, width],
            channels,
            ..
        } = result.shape;
        upload(result.into_planes(), [1, channels, height, width], &device)
    }))
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
