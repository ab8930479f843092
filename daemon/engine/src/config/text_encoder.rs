//! `text_encoder/config.json`: the class `Qwen3ForCausalLM` of transformers.

use half::bf16;
use serde::Deserialize;

use super::{Check, ensure, ensure_size};
use crate::rope;

/// The text encoder's sizes.
#[derive(Debug, Deserialize)]
pub(crate) struct TextEncoderConfig {
    pub(crate) model_type: String,
    pub(crate) vocab_size: usize,
    pub(crate) hidden_size: usize,
    pub(crate) intermediate_size: usize,
    pub(crate) num_hidden_layers: usize,
    pub(crate) num_attention_heads: usize,
    pub(crate) num_key_value_heads: usize,
    /// Dimensions of a head; not the hidden width divided by the heads.
    pub(crate) head_dim: usize,
    pub(crate) rms_norm_eps: f64,
    /// The element type of the checkpoint.
    dtype: Option<String>,
    #[serde(default = "silu")]
    hidden_act: String,
    #[serde(default)]
    attention_bias: bool,
    #[serde(default)]
    use_sliding_window: bool,
    /// The base of the rotations, as transformers 4 writes it.
    rope_theta: Option<f64>,
    /// The same, as transformers 5 writes it.
    rope_parameters: Option<RopeParameters>,
    /// A change of the rotations for long contexts, as transformers 4 writes it.
    rope_scaling: Option<RopeParameters>,
}

/// The parameters of the rotations.
#[derive(Debug, Deserialize)]
struct RopeParameters {
    rope_theta: Option<f64>,
    #[serde(alias = "type")]
    rope_type: Option<String>,
}

fn silu() -> String {
    "silu".into()
}

impl TextEncoderConfig {
    /// The base of the rotations; transformers' default for Qwen3 if no spelling of it is there.
    fn rope_theta(&self) -> f64 {
        let parameters = self.rope_parameters.as_ref();
        parameters
            .and_then(|parameters| parameters.rope_theta)
            .or(self.rope_theta)
            .unwrap_or(1e4)
    }

    /// How fast each pair of a head's dimensions turns per position.
    ///
    /// transformers computes these in f32, and keeps them in f32 also where it loads a model in bf16;
    /// so they are for every published model. A pipeline that was cast as a whole to bf16 has cast
    /// them too, and saved from there its checkpoint goes with pictures that rounded frequencies
    /// made: at the end of a prompt an angle differs by up to a turn's tenth. No file states which it
    /// was. The one trace is who wrote the config: such checkpoints come from a save by
    /// transformers 5, which nests the base in `rope_parameters`; published models have it beside.
    pub(crate) fn frequencies(&self) -> impl Iterator<Item = f64> {
        let rounded = self.rope_parameters.is_some() && self.dtype.as_deref() == Some("bfloat16");
        rope::frequencies(self.head_dim, self.rope_theta()).map(move |frequency| {
            if rounded {
                bf16::from_f64(frequency).to_f64()
            } else {
                frequency
            }
        })
    }

    pub(crate) fn check(&self) -> Check {
        ensure(self.model_type == "qwen3", || {
            format!(
                "the text encoder is a {:?}; klein's is a \"qwen3\"",
                self.model_type
            )
        })?;
        for (name, size) in [
            ("vocab_size", self.vocab_size),
            ("hidden_size", self.hidden_size),
            ("intermediate_size", self.intermediate_size),
            ("num_attention_heads", self.num_attention_heads),
            ("num_key_value_heads", self.num_key_value_heads),
            ("head_dim", self.head_dim),
        ] {
            ensure_size(name, size)?;
        }
        ensure(
            self.num_attention_heads
                .is_multiple_of(self.num_key_value_heads),
            || "num_attention_heads is not a multiple of num_key_value_heads".into(),
        )?;
        ensure(self.head_dim.is_multiple_of(2), || "head_dim is odd".into())?;
        ensure(self.hidden_act == "silu", || {
            format!("hidden_act is {:?}", self.hidden_act)
        })?;
        ensure(!self.attention_bias, || {
            "attention_bias is not supported".into()
        })?;
        ensure(!self.use_sliding_window, || {
            "use_sliding_window is not supported".into()
        })?;
        for parameters in self.rope_parameters.iter().chain(&self.rope_scaling) {
            let kind = parameters.rope_type.as_deref().unwrap_or("default");
            ensure(kind == "default", || {
                format!("rope_type {kind:?} is not supported")
            })?;
        }
        let theta = self.rope_theta();
        ensure(theta > 1.0 && theta.is_finite(), || {
            format!("rope_theta is {theta}")
        })?;
        ensure(self.rms_norm_eps > 0.0 && self.rms_norm_eps < 1.0, || {
            format!("rms_norm_eps is {}", self.rms_norm_eps)
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn parse(extra: &str) -> TextEncoderConfig {
        let text = format!(
            r#"{{"model_type": "qwen3", "vocab_size": 9, "hidden_size": 8, "intermediate_size": 8,
                "num_hidden_layers": 28, "num_attention_heads": 4, "num_key_value_heads": 2,
                "head_dim": 4, "rms_norm_eps": 1e-6{extra}}}"#
        );
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    #[allow(clippy::float_cmp, reason = "values pass through unchanged")]
    fn both_spellings_of_theta_are_read() {
        assert_eq!(parse(r#", "rope_theta": 1e6"#).rope_theta(), 1e6);
        let nested = parse(r#", "rope_parameters": {"rope_theta": 5e6, "rope_type": "default"}"#);
        assert_eq!(nested.rope_theta(), 5e6);
        assert_eq!(parse("").rope_theta(), 1e4);
        assert!(nested.check().is_ok());
    }

    #[test]
    #[allow(clippy::float_cmp, reason = "rounding gives one value")]
    fn frequencies_are_rounded_only_in_checkpoints_of_a_cast_pipeline() {
        let second = |extra| parse(extra).frequencies().nth(1).unwrap();
        // head_dim 4, θ 10⁴: the second pair turns by a hundredth.
        assert_eq!(second(r#", "rope_theta": 1e4, "dtype": "bfloat16""#), 0.01);
        assert_eq!(
            second(r#", "rope_parameters": {"rope_theta": 1e4}, "dtype": "float32""#),
            0.01
        );
        let cast = second(r#", "rope_parameters": {"rope_theta": 1e4}, "dtype": "bfloat16""#);
        assert_eq!(cast, 0.010_009_765_625);
    }

    #[test]
    fn what_would_be_computed_wrongly_is_refused() {
        for wrong in [
            r#", "rope_scaling": {"type": "yarn"}"#,
            r#", "rope_parameters": {"rope_type": "llama3"}"#,
            r#", "use_sliding_window": true"#,
            r#", "attention_bias": true"#,
            r#", "hidden_act": "gelu""#,
            r#", "rope_theta": 0"#,
        ] {
            assert!(parse(wrong).check().is_err(), "{wrong}");
        }
    }
}
