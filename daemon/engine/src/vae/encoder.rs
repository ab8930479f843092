//! From a picture to the moments of its latent.

use burn::tensor::Tensor;

use super::blocks::{Head, MidBlock, ResidualBlock};
use crate::config::VaeConfig;
use crate::layers::Convolution;
use crate::weights::{Scope, WeightsError};

#[derive(Debug)]
pub(super) struct Encoder {
    first: Convolution,
    levels: Vec<Level>,
    mid: MidBlock,
    head: Head,
}

/// The blocks of one size, and the way down to the next.
#[derive(Debug)]
struct Level {
    blocks: Vec<ResidualBlock>,
    halve: Option<Convolution>,
}

impl Encoder {
    pub(super) fn load(scope: &Scope<'_>, config: &VaeConfig) -> Result<Self, WeightsError> {
        let channels = &config.block_out_channels;
        let (outermost, innermost) = (channels[0], channels[channels.len() - 1]);
        let groups = config.norm_num_groups;
        let mut levels = Vec::with_capacity(channels.len());
        let mut inputs = outermost;
        for (number, &outputs) in channels.iter().enumerate() {
            let scope = scope.at("down_blocks").at(number);
            let mut blocks = Vec::with_capacity(config.layers_per_block);
            for block in 0..config.layers_per_block {
                let scope = scope.at("resnets").at(block);
                blocks.push(ResidualBlock::load(&scope, outputs, inputs, groups)?);
                inputs = outputs;
            }
            let halve = (number + 1 < channels.len())
                .then(|| Convolution::halving(&scope.at("downsamplers.0"), "conv", outputs))
                .transpose()?;
            levels.push(Level { blocks, halve });
        }
        Ok(Self {
            first: Convolution::same(scope, "conv_in", outermost, config.in_channels)?,
            levels,
            mid: MidBlock::load(scope, innermost, config)?,
            head: Head::load(scope, 2 * config.latent_channels, innermost, groups)?,
        })
    }

    /// `[1, 3, height, width]` to means and log-variances, `[1, 2 · latent channels, height / 8,
    /// width / 8]`.
    pub(super) fn forward(&self, picture: Tensor<4>) -> Tensor<4> {
        let mut x = self.first.forward(picture);
        for level in &self.levels {
            x = level.blocks.iter().fold(x, |x, block| block.forward(x));
            if let Some(halve) = &level.halve {
                x = halve.forward(x);
            }
        }
        self.head.forward(self.mid.forward(x))
    }
}
