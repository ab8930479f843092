//! What both kinds of block do to a fused projection before they attend.

use burn::tensor::{Tensor, s};

use crate::config::TransformerConfig;
use crate::layers::RmsNorm;
use crate::weights::{Scope, WeightsError};

/// Queries, keys and values, each `[tokens, heads, head width]`.
pub(super) type Projected = [Tensor<3>; 3];

/// Cuts `[tokens, query | key | value | …]` into heads and normalises queries and keys.
#[derive(Debug)]
pub(super) struct HeadSplit {
    heads: usize,
    head_width: usize,
    query_norm: RmsNorm,
    key_norm: RmsNorm,
}

impl HeadSplit {
    pub(super) fn load(
        scope: &Scope<'_>,
        query_norm: &str,
        key_norm: &str,
        config: &TransformerConfig,
    ) -> Result<Self, WeightsError> {
        let head_width = config.attention_head_dim;
        Ok(Self {
            heads: config.num_attention_heads,
            head_width,
            query_norm: RmsNorm::load(scope, query_norm, head_width, config.eps)?,
            key_norm: RmsNorm::load(scope, key_norm, head_width, config.eps)?,
        })
    }

    /// What comes after the values in `fused` is left alone.
    pub(super) fn forward(&self, fused: &Tensor<2>) -> Projected {
        let [tokens, _] = fused.dims();
        let width = self.heads * self.head_width;
        let part = |number: usize| {
            let part = fused
                .clone()
                .slice(s![.., number * width..(number + 1) * width]);
            part.reshape([tokens, self.heads, self.head_width])
        };
        [
            self.query_norm.forward(part(0)),
            self.key_norm.forward(part(1)),
            part(2),
        ]
    }
}
