//! One decoder layer of Qwen3 or Mistral: grouped-query attention, then a gated feed-forward.

use burn::tensor::{Bool, Tensor, s};

use crate::config::TextEncoderConfig;
use crate::family::Family;
use crate::layers::{Linear, RmsNorm, attend, swiglu};
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
    key: Linear,
    value: Linear,
    /// The norms of queries and keys, where the encoder has them.
    norms: Option<[RmsNorm; 2]>,
    pairing: Pairing,
    out: Linear,
    feed_forward_norm: RmsNorm,
    gate_up: Linear,
    down: Linear,
    heads: usize,
    key_value_heads: usize,
    head_width: usize,
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
        let gate_up = ["mlp.gate_proj", "mlp.up_proj"];
        Ok(Self {
            attention_norm: RmsNorm::load(scope, "input_layernorm", hidden, eps)?,
            query: Linear::load(&attention, "q_proj", queries, hidden)?,
            key: Linear::load(&attention, "k_proj", keys, hidden)?,
            value: Linear::load(&attention, "v_proj", keys, hidden)?,
            norms,
            pairing: config.pairing,
            out: Linear::load(&attention, "o_proj", hidden, queries)?,
            feed_forward_norm: RmsNorm::load(scope, "post_attention_layernorm", hidden, eps)?,
            gate_up: Linear::load_stacked(scope, &gate_up, 2 * inner, hidden)?,
            down: Linear::load(scope, "mlp.down_proj", hidden, inner)?,
            heads: config.num_attention_heads,
            key_value_heads: config.num_key_value_heads,
            head_width,
        })
    }

    /// `[tokens, hidden width]` to the same.
    pub(super) fn forward(&self, hidden: Tensor<2>, view: &View<'_>) -> Tensor<2> {
        let normed = self.attention_norm.forward(hidden.clone());
        let hidden = self.look(hidden, normed, view);
        let normed = self.feed_forward_norm.forward(hidden.clone());
        hidden + self.down.forward(swiglu(self.gate_up.forward(normed)))
    }

    /// Adds to each token what it sees, to those that see.
    fn look(&self, hidden: Tensor<2>, normed: Tensor<2>, view: &View<'_>) -> Tensor<2> {
        let (blind, tokens) = (view.blind, hidden.dims()[0]);
        if blind == 0 {
            return hidden + self.attention(normed, view);
        }
        if blind == tokens {
            return hidden;
        }
        let unseeing = hidden.clone().slice(s![..blind, ..]);
        let seeing = hidden.slice(s![blind.., ..]);
        let seen = self.attention(normed.slice(s![blind.., ..]), view);
        Tensor::cat(vec![unseeing, seeing + seen], 0)
    }

    fn attention(&self, x: Tensor<2>, view: &View<'_>) -> Tensor<2> {
        let [tokens, _] = x.dims();
        let keys = view.mask.dims()[3];
        let seen = x.clone().slice(s![..keys, ..]);
        let shape = [keys, self.key_value_heads, self.head_width];
        let query = self
            .query
            .forward(x)
            .reshape([tokens, self.heads, self.head_width]);
        let key = self.key.forward(seen.clone()).reshape(shape);
        let value = self.value.forward(seen).reshape(shape);
        let (query, key) = match &self.norms {
            Some([of_query, of_key]) => (of_query.forward(query), of_key.forward(key)),
            None => (query, key),
        };
        let query = view.query_rotation.apply(query, self.pairing);
        let key = view.key_rotation.apply(key, self.pairing);
        let mask = Some(view.mask.clone());
        self.out
            .forward(attend(query, self.shared(key), self.shared(value), mask))
    }

    /// Repeats each key or value head for the query heads that share it: not every backend's
    /// attention does so by itself.
    fn shared(&self, x: Tensor<3>) -> Tensor<3> {
        let [tokens, shared, width] = x.dims();
        let each = self.heads / self.key_value_heads;
        x.reshape([tokens, shared, 1, width])
            .expand([tokens, shared, each, width])
            .reshape([tokens, self.heads, width])
    }
}
