//! The autoencoder as stages on the processor.
//!
//! A picture is made as a whole where that fits into the memory that it may take, and in tiles elsewhere. Tiles are
//! exact but for the moments that normalisations share, which are measured on a sample first and checked
//! afterwards: there are no seams to blend.

use burn::tensor::{Device, Tensor};

use super::field::Field;
use super::plan::{Chain, Large, NoRoom};
use super::shape::Shape;
use super::stage::Stage;
use super::{decoder, encoder};
use crate::config::VaeConfig;
use crate::error::EngineError;
use crate::host::{download, upload};
use crate::layers::Convolution;
use crate::weights::{Scope, WeightsError};

/// Encoder and decoder.
#[derive(Debug)]
pub(super) struct Layered {
    latent_channels: usize,
    /// From a picture to the moments of its latent.
    encoder: Vec<Stage>,
    /// From a latent to a picture.
    pub(super) decoder: Vec<Stage>,
}

impl Layered {
    pub(super) fn load(scope: &Scope<'_>, config: &VaeConfig) -> Result<Self, WeightsError> {
        let latent = config.latent_channels;
        let pointwise = |name: &str, channels: usize| {
            Convolution::pointwise(scope, name, channels, channels).map(Stage::Convolve)
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
        })
    }

    /// The moments of a picture's latent, `[1, 2 · latent channels, height / 8, width / 8]`.
    pub(super) fn encode(
        &self,
        picture: Tensor<4>,
        budget: Option<u64>,
    ) -> Result<Result<Tensor<4>, EngineError>, NoRoom> {
        run(&self.encoder, picture, Large::First, budget)
    }

    pub(super) fn decode(
        &self,
        latent: Tensor<4>,
        budget: Option<u64>,
    ) -> Result<Result<Tensor<4>, EngineError>, NoRoom> {
        run(&self.decoder, latent, Large::Last, budget)
    }

    pub(super) fn encode_peak(&self, size: [usize; 2], budget: Option<u64>) -> Result<u64, NoRoom> {
        let input = Shape::of_whole(size, 3);
        let plan = Chain::new(&self.encoder, input, Large::First).plan(budget)?;
        Ok(plan.peak)
    }

    pub(super) fn decode_peak(
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
        let shape = [1, channels, height, width];
        upload(result.into_planes(), shape, &Device::flex())
    }))
}
