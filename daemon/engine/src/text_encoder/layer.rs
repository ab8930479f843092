//! One decoder layer of Qwen3: grouped-query attention, then a gated feed-forward.

use burn::tensor::{Bool, Tensor, s};

use crate::config::TextEncoderConfig;
use crate::layers::{Linear, RmsNorm, attend, swiglu};
use crate::rope::{Pairing, Rotation};
use crate::weights::{Scope, WeightsError};

/// Who may look at whom, the same for all layers.
pub(super) struct View<'a> {
    /// Where all tokens are.
    pub(super) query_rotation: &'a Rotation,
    /// Where the tokens are that may be looked at: those before the padding.
    pub(super) key_rotation: &'a Rotation,
    /// `[1, 1, tokens, keys]`, true where a token must not look.
    pub(super) mask: &'a Tensor<4, Bool>,
}

#[derive(Debug)]
pub(super) struct Layer {
    attention_norm: RmsNorm,
    query: Linear,
    key: Linear,
    value: Linear,
    query_norm: RmsNorm,
    key_norm: RmsNorm,
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
        let gate_up = ["mlp.gate_proj", "mlp.up_proj"];
        Ok(Self {
            attention_norm: RmsNorm::load(scope, "input_layernorm", hidden, eps)?,
            query: Linear::load(&attention, "q_proj", queries, hidden)?,
            key: Linear::load(&attention, "k_proj", keys, hidden)?,
            value: Linear::load(&attention, "v_proj", keys, hidden)?,
            query_norm: RmsNorm::load(&attention, "q_norm", head_width, eps)?,
            key_norm: RmsNorm::load(&attention, "k_norm", head_width, eps)?,
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
        let hidden = hidden + self.attention(normed, view);
        let normed = self.feed_forward_norm.forward(hidden.clone());
        hidden + self.down.forward(swiglu(self.gate_up.forward(normed)))
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
        let query = view
            .query_rotation
            .apply(self.query_norm.forward(query), Pairing::Halves);
        let key = view
            .key_rotation
            .apply(self.key_norm.forward(key), Pairing::Halves);
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
