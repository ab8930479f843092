//! From a latent to a picture.

use super::blocks::{ResidualBlock, load_head, load_mid};
use super::stage::Stage;
use crate::config::VaeConfig;
use crate::layers::Convolution;
use crate::weights::{Scope, WeightsError};

/// The stages from `[1, latent channels, height / 8, width / 8]` to `[1, 3, height, width]`. The decoder may
/// be narrower than the encoder, and has one block more on every level.
pub(super) fn load(scope: &Scope<'_>, config: &VaeConfig) -> Result<Vec<Stage>, WeightsError> {
    let channels = config.decoder_channels();
    let (outermost, innermost) = (channels[0], channels[channels.len() - 1]);
    let groups = config.norm_num_groups;
    let first = Convolution::same(scope, "conv_in", innermost, config.latent_channels)?;
    let mut stages = vec![Stage::Convolve(first)];
    stages.extend(load_mid(scope, innermost, config)?);
    let mut inputs = innermost;
    for (number, &outputs) in channels.iter().rev().enumerate() {
        let scope = scope.at("up_blocks").at(number);
        for block in 0..=config.layers_per_block {
            let scope = scope.at("resnets").at(block);
            let block = ResidualBlock::load(&scope, outputs, inputs, groups)?;
            stages.push(Stage::Residual(block));
            inputs = outputs;
        }
        if number + 1 < channels.len() {
            let scope = scope.at("upsamplers.0");
            let double = Convolution::same(&scope, "conv", outputs, outputs)?;
            stages.push(Stage::Double(double));
        }
    }
    stages.push(load_head(scope, config.out_channels, outermost, groups)?);
    Ok(stages)
}
