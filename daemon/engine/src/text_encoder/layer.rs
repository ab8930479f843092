//! One decoder layer of Qwen3 or Mistral: grouped-query attention, then a gated feed-forward.

use burn::tensor::{Bool, Tensor, s};

use crate::config::TextEncoderConfig;
use crate::family::Family;
use crate::layers::{HeadSpan, Heads, KeyValue, Linear, RmsNorm, attend, prepare};
use crate::rope::{Pairing, Rotation};
use crate::weights::{Scope, WeightsError};

/// Who may look at whom, the same for all layers.
pub(super) struct View<'a> {
    /// How many tokens at the start look at nothing: attention adds nothing to them.
    pub(super) blind: usize,
    /// Where all other tokens are.
    pub(super) query_rotation: &'a Rotation,
    /// Where the tokens are that may be looked at: those before the padding.
    pub(super) key_rotation: &'a Rotation,
    /// `[1, 1, tokens that look, keys]`, true where a token must not look.
    pub(super) mask: &'a Tensor<4, Bool>,
}

#[derive(Debug)]
pub(super) struct Layer {
    attention_norm: RmsNorm,
    query: Linear,
    key_value: Linear,
    /// The norms of queries and keys, where the encoder has them.
    norms: Option<[RmsNorm; 2]>,
    pairing: Pairing,
    out: Linear,
    feed_forward_norm: RmsNorm,
    gate_up: Linear,
    down: Linear,
    heads: Heads,
}

impl Layer {
    pub(super) fn load(
        scope: &Scope<'_>,
        config: &TextEncoderConfig,
    ) -> Result<Self, WeightsError> {
        let hidden = config.hidden_size;
        let inner = config.intermediate_size;
        let eps = config.rms_norm_eps;
        let head_width = config.head_dim;
        let queries = config.num_attention_heads * head_width;
        let keys = config.num_key_value_heads * head_width;
        let attention = scope.at("self_attn");
        let norm = |name| RmsNorm::load(&attention, name, head_width, eps);
        let norms = match config.family {
            Family::Klein => Some([norm("q_norm")?, norm("k_norm")?]),
            Family::Dev => None,
        };
        let key_value = ["k_proj", "v_proj"];
        let gate_up = ["mlp.gate_proj", "mlp.up_proj"];
        Ok(Self {
            attention_norm: RmsNorm::load(scope, "input_layernorm", hidden, eps)?,
            query: Linear::load(&attention, "q_proj", queries, hidden)?,
            key_value: Linear::load_stacked(&attention, &key_value, 2 * keys, hidden)?,
            norms,
            pairing: config.pairing,
            out: Linear::load(&attention, "o_proj", hidden, queries)?,
            feed_forward_norm: RmsNorm::load(scope, "post_attention_layernorm", hidden, eps)?,
            gate_up: Linear::load_stacked(scope, &gate_up, 2 * inner, hidden)?,
            down: Linear::load(scope, "mlp.down_proj", hidden, inner)?,
            heads: Heads {
                count: config.num_attention_heads,
                shared: config.num_key_value_heads,
                width: head_width,
                operands: scope.operands(),
            },
        })
    }

    /// `[tokens, hidden width]` to the same.
    pub(super) fn forward(&self, hidden: Tensor<2>, view: &View<'_>) -> Tensor<2> {
        let normed = self.attention_norm.forward(hidden.clone());
        let hidden = self.look(hidden, normed, view);
        let normed = self.feed_forward_norm.forward(hidden.clone());
        let inner = self.gate_up.forward_swiglu(normed);
        self.down.forward_onto(hidden, vec![inner], None)
    }

    /// Adds to each token what it sees, to those that see.
    fn look(&self, hidden: Tensor<2>, normed: Tensor<2>, view: &View<'_>) -> Tensor<2> {
        let (blind, tokens) = (view.blind, hidden.dims()[0]);
        if blind == 0 {
            let seen = self.attend(normed, view);
            return self.out.forward_onto(hidden, seen, None);
        }
        if blind == tokens {
            return hidden;
        }
        let unseeing = hidden.clone().slice(s![..blind, ..]);
        let seeing = hidden.slice(s![blind.., ..]);
        let seen = self.attend(normed.slice(s![blind.., ..]), view);
        Tensor::cat(vec![unseeing, self.out.forward_onto(seeing, seen, None)], 0)
    }

    fn attend(&self, x: Tensor<2>, view: &View<'_>) -> Vec<Tensor<2>> {
        let heads = self.heads;
        let [query_norm, key_norm] = match &self.norms {
            Some([of_query, of_key]) => [Some(of_query), Some(of_key)],
            None => [None, None],
        };
        let turned = |rows, count, norm, rotation| {
            let span = HeadSpan {
                first: 0,
                count,
                norm,
            };
            prepare(rows, heads, &[span], rotation, self.pairing)
        };
        let keys = view.mask.dims()[3];
        let key_value = self.key_value.forward(x.clone().slice(s![..keys, ..]));
        let key_value = turned(key_value, heads.shared, key_norm, view.key_rotation);
        let query = self.query.forward(x);
        let query = turned(query, heads.count, query_norm, view.query_rotation);
        let width = heads.shared * heads.width;
        let seen = KeyValue {
            key: key_value.clone().slice(s![.., ..width]),
            value: key_value.slice(s![.., width..]),
        };
        attend(heads, &[query], &[seen], Some(view.mask))
    }
}
