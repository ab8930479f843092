//! `Qwen3ForCausalLM`, and the language half of `Mistral3ForConditionalGeneration`.

use super::Size;
use super::tensor::{Like, Tensor, matrix, vector};
use crate::family::Family;

impl Size {
    /// The text encoder's tensors, as transformers names those of a language model.
    #[must_use]
    pub fn text_encoder(&self) -> Vec<Tensor> {
        let size = &self.text;
        let d = size.hidden;
        let [queries, keys] = [size.heads, size.shared_heads].map(|heads| heads * size.head_width);
        let norm = |name: String, length| vector(name, length, 1.0, 0.2);
        let embedding = |name: &str| Tensor {
            name: name.into(),
            shape: vec![size.vocabulary, d],
            like: Like::Normal(0.0, 1.0),
        };
        let mut tensors = vec![
            embedding("model.embed_tokens.weight"),
            norm("model.norm.weight".into(), d),
        ];
        if !size.tied {
            tensors.push(embedding("lm_head.weight"));
        }
        for layer in 0..size.layers {
            let at = |leaf: &str| format!("model.layers.{layer}.{leaf}.weight");
            // Qwen3 normalises queries and keys, Mistral does not.
            if self.family == Family::Klein {
                tensors.push(norm(at("self_attn.q_norm"), size.head_width));
                tensors.push(norm(at("self_attn.k_norm"), size.head_width));
            }
            tensors.extend([
                norm(at("input_layernorm"), d),
                norm(at("post_attention_layernorm"), d),
                matrix(at("self_attn.q_proj"), queries, d, 1.0),
                matrix(at("self_attn.k_proj"), keys, d, 1.0),
                matrix(at("self_attn.v_proj"), keys, d, 1.0),
                matrix(at("self_attn.o_proj"), d, queries, 1.0),
                matrix(at("mlp.gate_proj"), size.inner, d, 1.0),
                matrix(at("mlp.up_proj"), size.inner, d, 1.0),
                matrix(at("mlp.down_proj"), d, size.inner, 1.0),
            ]);
        }
        tensors
    }
}
