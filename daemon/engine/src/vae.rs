//! The autoencoder: between pictures and the latent that the transformer works on.
//!
//! A picture of W×H pixels has a latent of 32 channels at W/8×H/8; 2×2 patches of it make the
//! 128 channels of a token at W/16×H/16, and those are normalised by the running mean and variance of
//! a batch normalisation that was learned with the model. There is no other scaling factor.
//!
//! - A reference becomes the *mean* of the encoder's distribution: nothing is sampled.
//! - A patch's channel is 4·latent channel + 2·row + column.
//! - The latent is normalised after it is cut into patches, and restored before it is put together.

mod blocks;
mod decoder;
mod encoder;

use burn::tensor::{Device, Tensor, s};

use crate::config::VaeConfig;
use crate::layers::Convolution;
use crate::weights::{Scope, Weights, WeightsError};
use decoder::Decoder;
use encoder::Encoder;

/// The autoencoder, ready to run.
#[derive(Debug)]
pub(crate) struct Vae {
    latent_channels: usize,
    encoder: Encoder,
    /// Follows the encoder, where the config says so.
    quantise: Option<Convolution>,
    /// Precedes the decoder, where the config says so.
    unquantise: Option<Convolution>,
    decoder: Decoder,
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
        let pointwise = |used: bool, name: &str, channels: usize| {
            used.then(|| Convolution::pointwise(&scope, name, channels, channels))
                .transpose()
        };
        let per_channel = |name: &str| {
            let values: Tensor<1> = scope.tensor(name, [tokens])?;
            Ok::<_, WeightsError>(values.reshape([1, tokens, 1, 1]))
        };
        Ok(Self {
            latent_channels: latent,
            encoder: Encoder::load(&scope.at("encoder"), config)?,
            quantise: pointwise(config.use_quant_conv, "quant_conv", 2 * latent)?,
            unquantise: pointwise(config.use_post_quant_conv, "post_quant_conv", latent)?,
            decoder: Decoder::load(&scope.at("decoder"), config)?,
            mean: per_channel("bn.running_mean")?,
            deviation: (per_channel("bn.running_var")? + config.batch_norm_eps).sqrt(),
        })
    }

    /// A picture, `[1, 3, height, width]` in −1 … 1 with sides that are multiples of 16, as normalised
    /// patches, `[1, channels of a token, height / 16, width / 16]`.
    pub(crate) fn encode(&self, picture: Tensor<4>) -> Tensor<4> {
        let mut moments = self.encoder.forward(picture);
        if let Some(quantise) = &self.quantise {
            moments = quantise.forward(moments);
        }
        let mean = moments.slice(s![.., ..self.latent_channels, .., ..]);
        (patchify(mean) - self.mean.clone()) / self.deviation.clone()
    }

    /// Normalised patches as the latent that [`decode`](Self::decode) takes,
    /// `[1, latent channels, height / 8, width / 8]`.
    pub(crate) fn restore(&self, patches: Tensor<4>) -> Tensor<4> {
        unpatchify(patches * self.deviation.clone() + self.mean.clone())
    }

    /// A restored latent as a picture, `[1, 3, height, width]` in about −1 … 1.
    pub(crate) fn decode(&self, mut latent: Tensor<4>) -> Tensor<4> {
        if let Some(unquantise) = &self.unquantise {
            latent = unquantise.forward(latent);
        }
        self.decoder.forward(latent)
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn patches_are_ordered_by_channel_row_column_and_come_back() {
        let values: Vec<f32> = (0..16_u8).map(f32::from).collect();
        let latent = Tensor::<1>::from_floats(values.as_slice(), &Device::flex());
        let latent = latent.reshape([1, 2, 2, 4]);
        let patches = patchify(latent.clone());
        assert_eq!(patches.dims(), [1, 8, 1, 2]);
        let flat: Vec<f32> = patches.clone().into_data().try_into_vec().unwrap();
        assert_eq!(flat[..8], [0., 2., 1., 3., 4., 6., 5., 7.]);
        assert_eq!(unpatchify(patches).into_data(), latent.into_data());
    }
}
