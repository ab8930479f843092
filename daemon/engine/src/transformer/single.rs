//! The single-stream block: all tokens alike, attention and feed-forward side by side.

use burn::tensor::Tensor;

use super::attention::{HeadSplit, Projected};
use super::modulation::Modulation;
use crate::config::TransformerConfig;
use crate::layers::{KeyValue, LayerNorm, Linear, attend};
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

    /// All tokens, `[tokens, hidden width]`, one block further. They also see what is kept of
    /// references, if there is any.
    pub(super) fn forward(
        &self,
        x: Tensor<2>,
        modulation: &Modulation,
        rotation: &Rotation,
        references: Option<&KeyValue>,
    ) -> Tensor<2> {
        let (Projected { query, seen }, inner) = self.project(x.clone(), modulation, rotation);
        let seen: Vec<_> = references.cloned().into_iter().chain([seen]).collect();
        let mut inputs = attend(self.split.heads(), &[query], &seen, None);
        drop(seen);
        inputs.push(inner);
        modulation.leave(x, &self.fused_out, inputs)
    }

    /// References one block further by themselves, and what is kept of them for other tokens to see.
    pub(super) fn remember(
        &self,
        x: Tensor<2>,
        modulation: &Modulation,
        rotation: &Rotation,
    ) -> (Tensor<2>, KeyValue) {
        let (Projected { query, seen }, inner) = self.project(x.clone(), modulation, rotation);
        let kept = seen.alone();
        let seen = std::slice::from_ref(&kept);
        let mut inputs = attend(self.split.heads(), &[query], seen, None);
        inputs.push(inner);
        (modulation.leave(x, &self.fused_out, inputs), kept)
    }

    /// For attention, and the feed-forward's inside.
    fn project(
        &self,
        x: Tensor<2>,
        modulation: &Modulation,
        rotation: &Rotation,
    ) -> (Projected, Tensor<2>) {
        let entered = modulation.enter(&self.norm, x);
        let [fused, inner] = self.fused_in.forward_split_swiglu(entered, 3 * self.hidden);
        (self.split.forward(fused, rotation), inner)
    }
}
