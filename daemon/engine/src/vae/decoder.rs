//! From a latent to a picture.

use burn::tensor::Tensor;
use burn::tensor::module::interpolate;
use burn::tensor::ops::{InterpolateMode, InterpolateOptions};

use super::blocks::{Head, MidBlock, ResidualBlock};
use crate::config::VaeConfig;
use crate::layers::Convolution;
use crate::weights::{Scope, WeightsError};

#[derive(Debug)]
pub(super) struct Decoder {
    first: Convolution,
    mid: MidBlock,
    levels: Vec<Level>,
    head: Head,
}

/// The blocks of one size, and the convolution after doubling it.
#[derive(Debug)]
struct Level {
    blocks: Vec<ResidualBlock>,
    double: Option<Convolution>,
}

impl Decoder {
    /// The decoder may be narrower than the encoder, and has one block more on every level.
    pub(super) fn load(scope: &Scope<'_>, config: &VaeConfig) -> Result<Self, WeightsError> {
        let channels = config.decoder_channels();
        let (outermost, innermost) = (channels[0], channels[channels.len() - 1]);
        let groups = config.norm_num_groups;
        let mut levels = Vec::with_capacity(channels.len());
        let mut inputs = innermost;
        for (number, &outputs) in channels.iter().rev().enumerate() {
            let scope = scope.at("up_blocks").at(number);
            let mut blocks = Vec::with_capacity(config.layers_per_block + 1);
            for block in 0..=config.layers_per_block {
                let scope = scope.at("resnets").at(block);
                blocks.push(ResidualBlock::load(&scope, outputs, inputs, groups)?);
                inputs = outputs;
            }
            let double = (number + 1 < channels.len())
                .then(|| Convolution::same(&scope.at("upsamplers.0"), "conv", outputs, outputs))
                .transpose()?;
            levels.push(Level { blocks, double });
        }
        Ok(Self {
            first: Convolution::same(scope, "conv_in", innermost, config.latent_channels)?,
            mid: MidBlock::load(scope, innermost, config)?,
            levels,
            head: Head::load(scope, config.out_channels, outermost, groups)?,
        })
    }

    /// `[1, latent channels, height / 8, width / 8]` to `[1, 3, height, width]`.
    pub(super) fn forward(&self, latent: Tensor<4>) -> Tensor<4> {
        let mut x = self.mid.forward(self.first.forward(latent));
        for level in &self.levels {
            x = level.blocks.iter().fold(x, |x, block| block.forward(x));
            if let Some(double) = &level.double {
                x = double.forward(doubled(x));
            }
        }
        self.head.forward(x)
    }
}

/// Every pixel four times.
fn doubled(x: Tensor<4>) -> Tensor<4> {
    let [_, _, height, width] = x.dims();
    let options = InterpolateOptions::new(InterpolateMode::Nearest);
    interpolate(x, options.with_output_size([2 * height, 2 * width]))
}
