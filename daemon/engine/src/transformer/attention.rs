//! What both kinds of block do to a fused projection before they attend.

use burn::tensor::{Tensor, s};

use crate::config::TransformerConfig;
use crate::layers::{HeadSpan, Heads, KeyValue, RmsNorm, prepare};
use crate::rope::{Pairing, Rotation};
use crate::weights::{Scope, WeightsError};

/// Normalises and turns the queries and keys of `[tokens, query | key | value]`.
#[derive(Debug)]
pub(super) struct HeadSplit {
    heads: Heads,
    query_norm: RmsNorm,
    key_norm: RmsNorm,
}

/// Queries, keys and values of some tokens, ready for attention.
#[derive(Debug, Clone)]
pub(super) struct Projected {
    pub(super) query: Tensor<2>,
    pub(super) seen: KeyValue,
}

impl HeadSplit {
    pub(super) fn load(
        scope: &Scope<'_>,
        query_norm: &str,
        key_norm: &str,
        config: &TransformerConfig,
    ) -> Result<Self, WeightsError> {
        let width = config.attention_head_dim;
        Ok(Self {
            heads: Heads {
                count: config.num_attention_heads,
                shared: config.num_attention_heads,
                width,
                operands: scope.operands(),
            },
            query_norm: RmsNorm::load(scope, query_norm, width, config.eps)?,
            key_norm: RmsNorm::load(scope, key_norm, width, config.eps)?,
        })
    }

    pub(super) fn heads(&self) -> Heads {
        self.heads
    }

    /// Cuts `fused`, whose tokens are where `rotation` says.
    pub(super) fn forward(&self, fused: Tensor<2>, rotation: &Rotation) -> Projected {
        let span = |number: usize, norm| HeadSpan {
            first: number * self.heads.count,
            count: self.heads.count,
            norm: Some(norm),
        };
        let spans = [span(0, &self.query_norm), span(1, &self.key_norm)];
        let fused = prepare(fused, self.heads, &spans, rotation, Pairing::Adjacent);
        let width = self.heads.count * self.heads.width;
        let part = |number: usize| {
            let columns = number * width..(number + 1) * width;
            fused.clone().slice(s![.., columns])
        };
        Projected {
            query: part(0),
            seen: KeyValue {
                key: part(1),
                value: part(2),
            },
        }
    }
}
