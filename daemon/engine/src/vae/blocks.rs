//! What encoder and decoder are both built of.

use burn::tensor::{Tensor, activation};

use crate::config::VaeConfig;
use crate::layers::{Convolution, GroupNorm, Linear, attend_single_head};
use crate::weights::{Scope, WeightsError};

/// Two convolutions beside a shortcut, which is a 1×1 convolution where the channels change.
#[derive(Debug)]
pub(super) struct ResidualBlock {
    first_norm: GroupNorm,
    first: Convolution,
    second_norm: GroupNorm,
    second: Convolution,
    shortcut: Option<Convolution>,
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

    pub(super) fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let inner = self
            .first
            .forward(activation::silu(self.first_norm.forward(x.clone())));
        let inner = self
            .second
            .forward(activation::silu(self.second_norm.forward(inner)));
        match &self.shortcut {
            Some(shortcut) => shortcut.forward(x) + inner,
            None => x + inner,
        }
    }
}

/// Attention between all pixels of the smallest level, in one head as wide as the channels.
#[derive(Debug)]
struct PixelAttention {
    norm: GroupNorm,
    query: Linear,
    key: Linear,
    value: Linear,
    out: Linear,
}

impl PixelAttention {
    fn load(scope: &Scope<'_>, channels: usize, groups: usize) -> Result<Self, WeightsError> {
        let linear = |name: &str| Linear::load_biased(scope, name, channels, channels);
        Ok(Self {
            norm: GroupNorm::load(scope, "group_norm", channels, groups)?,
            query: linear("to_q")?,
            key: linear("to_k")?,
            value: linear("to_v")?,
            out: linear("to_out.0")?,
        })
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let [_, channels, height, width] = x.dims();
        let pixels = self.norm.forward(x.clone());
        let pixels = pixels.reshape([channels, height * width]).transpose();
        let attended = attend_single_head(
            self.query.forward(pixels.clone()),
            self.key.forward(pixels.clone()),
            self.value.forward(pixels),
        );
        x + self
            .out
            .forward(attended)
            .transpose()
            .reshape([1, channels, height, width])
    }
}

/// The blocks of the smallest level.
#[derive(Debug)]
pub(super) struct MidBlock {
    before: ResidualBlock,
    attention: Option<PixelAttention>,
    after: ResidualBlock,
}

impl MidBlock {
    pub(super) fn load(
        scope: &Scope<'_>,
        channels: usize,
        config: &VaeConfig,
    ) -> Result<Self, WeightsError> {
        let groups = config.norm_num_groups;
        let scope = scope.at("mid_block");
        let residual = |number| {
            ResidualBlock::load(&scope.at("resnets").at(number), channels, channels, groups)
        };
        let attention = config
            .mid_block_add_attention
            .then(|| PixelAttention::load(&scope.at("attentions.0"), channels, groups))
            .transpose()?;
        Ok(Self {
            before: residual(0)?,
            attention,
            after: residual(1)?,
        })
    }

    pub(super) fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let mut x = self.before.forward(x);
        if let Some(attention) = &self.attention {
            x = attention.forward(x);
        }
        self.after.forward(x)
    }
}

/// The last three layers of encoder and decoder: normalise, SiLU, convolve.
#[derive(Debug)]
pub(super) struct Head {
    norm: GroupNorm,
    out: Convolution,
}

impl Head {
    pub(super) fn load(
        scope: &Scope<'_>,
        outputs: usize,
        inputs: usize,
        groups: usize,
    ) -> Result<Self, WeightsError> {
        Ok(Self {
            norm: GroupNorm::load(scope, "conv_norm_out", inputs, groups)?,
            out: Convolution::same(scope, "conv_out", outputs, inputs)?,
        })
    }

    pub(super) fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        self.out.forward(activation::silu(self.norm.forward(x)))
    }
}
