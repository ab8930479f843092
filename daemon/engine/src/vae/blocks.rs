//! What encoder and decoder are both built of.

use crate::config::VaeConfig;
use crate::cpu::picture::Heads;
use crate::layers::{Convolution, GroupNorm};
use crate::weights::{Scope, WeightsError};

use super::stage::Stage;

/// Two convolutions beside a shortcut, which is a 1×1 convolution where the channels change.
#[derive(Debug)]
pub(super) struct ResidualBlock {
    pub(super) first_norm: GroupNorm,
    pub(super) first: Convolution,
    pub(super) second_norm: GroupNorm,
    pub(super) second: Convolution,
    pub(super) shortcut: Option<Convolution>,
}

impl ResidualBlock {
    pub(super) fn load(
        scope: &Scope<'_>,
        outputs: usize,
        inputs: usize,
        groups: usize,
    ) -> Result<Self, WeightsError> {
        let shortcut = (outputs != inputs)
            .then(|| Convolution::pointwise(scope, "conv_shortcut", outputs, inputs))
            .transpose()?;
        Ok(Self {
            first_norm: GroupNorm::load(scope, "norm1", inputs, groups)?,
            first: Convolution::same(scope, "conv1", outputs, inputs)?,
            second_norm: GroupNorm::load(scope, "norm2", outputs, groups)?,
            second: Convolution::same(scope, "conv2", outputs, outputs)?,
            shortcut,
        })
    }
}

/// Attention between all pixels of the smallest level, in one head as wide as the channels.
#[derive(Debug)]
pub(super) struct PixelAttention {
    pub(super) norm: GroupNorm,
    query: Convolution,
    key: Convolution,
    value: Convolution,
    out: Convolution,
}

impl PixelAttention {
    fn load(scope: &Scope<'_>, channels: usize, groups: usize) -> Result<Self, WeightsError> {
        let linear = |name: &str| Convolution::linear(scope, name, channels);
        Ok(Self {
            norm: GroupNorm::load(scope, "group_norm", channels, groups)?,
            query: linear("to_q")?,
            key: linear("to_k")?,
            value: linear("to_v")?,
            out: linear("to_out.0")?,
        })
    }

    /// Channels that it takes and gives.
    pub(super) fn channels(&self) -> usize {
        self.out.outputs()
    }

    /// The projections' weights for the processor.
    pub(super) fn heads(&self) -> Heads<'_> {
        Heads {
            query: (self.query.columns(), self.query.bias()),
            key: (self.key.columns(), self.key.bias()),
            value: (self.value.columns(), self.value.bias()),
            out: (self.out.columns(), self.out.bias()),
        }
    }
}

/// The stages of the smallest level.
pub(super) fn load_mid(
    scope: &Scope<'_>,
    channels: usize,
    config: &VaeConfig,
) -> Result<Vec<Stage>, WeightsError> {
    let groups = config.norm_num_groups;
    let scope = scope.at("mid_block");
    let residual = |number| {
        let scope = scope.at("resnets").at(number);
        ResidualBlock::load(&scope, channels, channels, groups).map(Stage::Residual)
    };
    let mut stages = vec![residual(0)?];
    if config.mid_block_add_attention {
        let attention = PixelAttention::load(&scope.at("attentions.0"), channels, groups)?;
        stages.push(Stage::Attend(attention));
    }
    stages.push(residual(1)?);
    Ok(stages)
}

/// The last layers of encoder and decoder: normalise, SiLU, convolve.
pub(super) fn load_head(
    scope: &Scope<'_>,
    outputs: usize,
    inputs: usize,
    groups: usize,
) -> Result<Stage, WeightsError> {
    Ok(Stage::Head {
        norm: GroupNorm::load(scope, "conv_norm_out", inputs, groups)?,
        out: Convolution::same(scope, "conv_out", outputs, inputs)?,
    })
}
