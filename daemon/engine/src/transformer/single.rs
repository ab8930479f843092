//! The single-stream block: all tokens alike, attention and feed-forward side by side.

use burn::tensor::Tensor;

use super::attention::{HeadSplit, Projected};
use super::modulation::Modulation;
use crate::config::TransformerConfig;
use crate::layers::{LayerNorm, Linear, attend};
use crate::rope::Rotation;
use crate::weights::{Scope, WeightsError};

#[derive(Debug)]
pub(super) struct SingleBlock {
    hidden: usize,
    norm: LayerNorm,
    /// Query, key, value, and the feed-forward's gate and value.
    fused_in: Linear,
    split: HeadSplit,
    /// From attention and feed-forward side by side.
    fused_out: Linear,
}

impl SingleBlock {
    pub(super) fn load(
        scope: &Scope<'_>,
        config: &TransformerConfig,
    ) -> Result<Self, WeightsError> {
        let hidden = config.hidden();
        let inner = config.feed_forward();
        let scope = scope.at("attn");
        Ok(Self {
            hidden,
            norm: LayerNorm::new(hidden, config.eps, scope.device()),
            fused_in: Linear::load(&scope, "to_qkv_mlp_proj", 3 * hidden + 2 * inner, hidden)?,
            split: HeadSplit::load(&scope, "norm_q", "norm_k", config)?,
            fused_out: Linear::load(&scope, "to_out", hidden, hidden + inner)?,
        })
    }

    /// All tokens, `[tokens, hidden width]`, one block further.
    pub(super) fn forward(
        &self,
        x: Tensor<2>,
        modulation: &Modulation,
        rotation: &Rotation,
    ) -> Tensor<2> {
        let entered = modulation.enter(&self.norm, x.clone());
        let [fused, inner] = self.fused_in.forward_split_swiglu(entered, 3 * self.hidden);
        let Projected { query, seen } = self.split.forward(fused, rotation);
        let mut inputs = attend(self.split.heads(), &[query], &[seen], None);
        inputs.push(inner);
        modulation.leave(x, &self.fused_out, inputs)
    }
}
