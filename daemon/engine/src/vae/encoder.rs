//! From a picture to the moments of its latent.

use super::blocks::{ResidualBlock, load_head, load_mid};
use super::stage::Stage;
use crate::config::VaeConfig;
use crate::layers::Convolution;
use crate::weights::{Scope, WeightsError};

/// The stages from `[1, 3, height, width]` to means and log-variances, `[1, 2 · latent channels,
/// height / 8, width / 8]`.
pub(super) fn load(scope: &Scope<'_>, config: &VaeConfig) -> Result<Vec<Stage>, WeightsError> {
    let channels = &config.block_out_channels;
    let (outermost, innermost) = (channels[0], channels[channels.len() - 1]);
    let groups = config.norm_num_groups;
    let first = Convolution::same(scope, "conv_in", outermost, config.in_channels)?;
    let mut stages = vec![Stage::Convolve(first)];
    let mut inputs = outermost;
    for (number, &outputs) in channels.iter().enumerate() {
        let scope = scope.at("down_blocks").at(number);
        for block in 0..config.layers_per_block {
            let scope = scope.at("resnets").at(block);
            let block = ResidualBlock::load(&scope, outputs, inputs, groups)?;
            stages.push(Stage::Residual(block));
            inputs = outputs;
        }
        if number + 1 < channels.len() {
            let scope = scope.at("downsamplers.0");
            stages.push(Stage::Halve(Convolution::halving(&scope, "conv", outputs)?));
        }
    }
    stages.extend(load_mid(scope, innermost, config)?);
    stages.push(load_head(
        scope,
        2 * config.latent_channels,
        innermost,
        groups,
    )?);
    Ok(stages)
}
