//! The single-stream block: all tokens alike, attention and feed-forward side by side.

use burn::tensor::{Tensor, s};

use super::attention::HeadSplit;
use super::modulation::Modulation;
use crate::config::TransformerConfig;
use crate::layers::{LayerNorm, Linear, attend, swiglu};
use crate::rope::{Pairing, Rotation};
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
        let fused = self
            .fused_in
            .forward(modulation.enter(&self.norm, x.clone()));
        let [query, key, value] = self.split.forward(&fused);
        let query = rotation.apply(query, Pairing::Adjacent);
        let key = rotation.apply(key, Pairing::Adjacent);
        let attended = attend(query, key, value, None);
        let inner = swiglu(fused.slice(s![.., 3 * self.hidden..]));
        modulation.leave(
            x,
            self.fused_out
                .forward(Tensor::cat(vec![attended, inner], 1)),
        )
    }
}
