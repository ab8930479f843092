//! `text_encoder/config.json`: the classes `Qwen3ForCausalLM` and `Mistral3ForConditionalGeneration`
//! of transformers.
//!
//! Both are the same network but for two things: Qwen3 normalises queries and keys per head, and
//! Mistral 3 is the language half of a model that also sees, so its sizes lie one level down, in
//! `text_config`. A file of the language half alone has them at the top, as Qwen3 does.

use half::bf16;
use serde::{Deserialize, Deserializer, de};
use serde_json::Value;

use super::{Check, ensure, ensure_size};
use crate::family::Family;
use crate::prompt::TOKENS;
use crate::rope::{self, Pairing};

/// The text encoder's sizes.
#[derive(Debug, Clone)]
pub(crate) struct TextEncoderConfig {
    /// Which text encoder it is.
    pub(crate) family: Family,
    pub(crate) vocab_size: usize,
    pub(crate) hidden_size: usize,
    pub(crate) intermediate_size: usize,
    pub(crate) num_hidden_layers: usize,
    pub(crate) num_attention_heads: usize,
    pub(crate) num_key_value_heads: usize,
    /// Dimensions of a head; not the hidden width divided by the heads.
    pub(crate) head_dim: usize,
    pub(crate) rms_norm_eps: f64,
    /// The base of the rotations.
    pub(crate) rope_theta: f64,
    /// Which dimensions turn together: halves, but for files of llama.cpp that hold a Mistral, whose
    /// query and key rows are reordered so that neighbours do.
    pub(crate) pairing: Pairing,
    /// Whether the frequencies went through bf16; see [`frequencies`](Self::frequencies).
    rounded: bool,
    /// What else the file says, for [`check`](Self::check).
    options: Options,
}

/// Settings that must have one value.
#[derive(Debug, Clone, Deserialize)]
struct Options {
    #[serde(default = "silu")]
    hidden_act: String,
    #[serde(default)]
    attention_bias: bool,
    #[serde(default)]
    use_sliding_window: bool,
    /// Tokens that a token may look back at.
    sliding_window: Option<usize>,
    /// The base of the rotations and their kind, as transformers 5 writes it.
    rope_parameters: Option<RopeParameters>,
    /// A change of the rotations for long contexts, as transformers 4 writes it.
    rope_scaling: Option<RopeParameters>,
}

/// The parameters of the rotations.
#[derive(Debug, Clone, Deserialize)]
struct RopeParameters {
    rope_theta: Option<f64>,
    #[serde(alias = "type")]
    rope_type: Option<String>,
}

/// The sizes as files hold them.
#[derive(Deserialize)]
struct Sizes {
    model_type: String,
    vocab_size: usize,
    hidden_size: usize,
    intermediate_size: usize,
    num_hidden_layers: usize,
    num_attention_heads: usize,
    num_key_value_heads: usize,
    head_dim: Option<usize>,
    rms_norm_eps: f64,
    /// The element type of the checkpoint.
    dtype: Option<String>,
    /// The base of the rotations, as transformers 4 writes it.
    rope_theta: Option<f64>,
    #[serde(flatten)]
    options: Options,
}

fn silu() -> String {
    "silu".into()
}

impl<'de> Deserialize<'de> for TextEncoderConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut file = Value::deserialize(deserializer)?;
        let whole = file.get("dtype").and_then(Value::as_str).map(str::to_owned);
        let nested = file.get_mut("text_config").map(Value::take);
        let is_nested = nested.is_some();
        let sizes: Sizes = serde_json::from_value(nested.unwrap_or(file)).map_err(|error| {
            let place = if is_nested { "text_config: " } else { "" };
            de::Error::custom(format!("{place}{error}"))
        })?;
        let family = match sizes.model_type.as_str() {
            "qwen3" => Family::Klein,
            "mistral" => Family::Dev,
            other => {
                return Err(de::Error::custom(format!(
                    "the text encoder is a {other:?}; klein's is a \"qwen3\", dev's a \"mistral\""
                )));
            }
        };
        // See `frequencies`.
        let is_cast = |dtype: &Option<String>| dtype.as_deref() == Some("bfloat16");
        let rounded = sizes.options.rope_parameters.is_some()
            && if is_nested {
                sizes.dtype.is_none() && is_cast(&whole)
            } else {
                is_cast(&sizes.dtype)
            };
        let in_parameters = sizes.options.rope_parameters.as_ref();
        let rope_theta = in_parameters
            .and_then(|parameters| parameters.rope_theta)
            .or(sizes.rope_theta)
            .unwrap_or(1e4);
        Ok(Self {
            family,
            vocab_size: sizes.vocab_size,
            hidden_size: sizes.hidden_size,
            intermediate_size: sizes.intermediate_size,
            num_hidden_layers: sizes.num_hidden_layers,
            num_attention_heads: sizes.num_attention_heads,
            num_key_value_heads: sizes.num_key_value_heads,
            head_dim: sizes
                .head_dim
                .unwrap_or(sizes.hidden_size / sizes.num_attention_heads.max(1)),
            rms_norm_eps: sizes.rms_norm_eps,
            rope_theta,
            pairing: Pairing::Halves,
            rounded,
            options: sizes.options,
        })
    }
}

impl TextEncoderConfig {
    /// How fast each pair of a head's dimensions turns per position.
    ///
    /// transformers computes these in f32, and keeps them in f32 also where it loads a model in bf16;
    /// so they are for every published model. A pipeline that was cast as a whole to bf16 has cast
    /// them too, and saved from there its checkpoint goes with pictures that rounded frequencies
    /// made: at the end of a prompt an angle differs by up to a turn's tenth. No file states which it
    /// was, but the config shows who wrote it. Such checkpoints come from a save by transformers 5,
    /// which nests the base in `rope_parameters`; published models have it beside. In Mistral 3's
    /// config there is a second trace: a model that was loaded names its element type inside
    /// `text_config` too, one that was cast only at the top.
    pub(crate) fn frequencies(&self) -> impl Iterator<Item = f64> {
        let rounded = self.rounded;
        rope::frequencies(self.head_dim, self.rope_theta).map(move |frequency| {
            if rounded {
                bf16::from_f64(frequency).to_f64()
            } else {
                frequency
            }
        })
    }

    pub(crate) fn check(&self) -> Check {
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
        ensure(self.rope_theta > 1.0 && self.rope_theta.is_finite(), || {
            format!("rope_theta is {}", self.rope_theta)
        })?;
        ensure(self.rms_norm_eps > 0.0 && self.rms_norm_eps < 1.0, || {
            format!("rms_norm_eps is {}", self.rms_norm_eps)
        })?;
        self.options.check(self.family)
    }
}

impl Options {
    fn check(&self, family: Family) -> Check {
        ensure(self.hidden_act == "silu", || {
            format!("hidden_act is {:?}", self.hidden_act)
        })?;
        ensure(!self.attention_bias, || {
            "attention_bias is not supported".into()
        })?;
        ensure(!self.use_sliding_window, || {
            "use_sliding_window is not supported".into()
        })?;
        // Mistral has no switch beside the window; Qwen3 states a window that it does not use.
        let narrow = self.sliding_window.filter(|&window| window < TOKENS);
        ensure(family == Family::Klein || narrow.is_none(), || {
            "sliding_window is narrower than a prompt, which is not supported".into()
        })?;
        for parameters in self.rope_parameters.iter().chain(&self.rope_scaling) {
            let kind = parameters.rope_type.as_deref().unwrap_or("default");
            ensure(kind == "default", || {
                format!("rope_type {kind:?} is not supported")
            })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn sizes(model_type: &str, extra: &str) -> String {
        format!(
            r#"{{"model_type": "{model_type}", "vocab_size": 9, "hidden_size": 8, "intermediate_size": 8,
                "num_hidden_layers": 28, "num_attention_heads": 4, "num_key_value_heads": 2,
                "head_dim": 4, "rms_norm_eps": 1e-6{extra}}}"#
        )
    }

    fn parse(extra: &str) -> TextEncoderConfig {
        serde_json::from_str(&sizes("qwen3", extra)).unwrap()
    }

    fn nested(outer: &str, inner: &str) -> TextEncoderConfig {
        let inner = sizes("mistral", inner);
        let file = format!(r#"{{"model_type": "mistral3", "text_config": {inner}{outer}}}"#);
        serde_json::from_str(&file).unwrap()
    }

    #[test]
    #[allow(clippy::float_cmp, reason = "values pass through unchanged")]
    fn both_spellings_of_theta_are_read() {
        assert_eq!(parse(r#", "rope_theta": 1e6"#).rope_theta, 1e6);
        let nested = parse(r#", "rope_parameters": {"rope_theta": 5e6, "rope_type": "default"}"#);
        assert_eq!(nested.rope_theta, 5e6);
        assert_eq!(parse("").rope_theta, 1e4);
        assert!(nested.check().is_ok());
    }

    #[test]
    #[allow(clippy::float_cmp, reason = "values pass through unchanged")]
    fn mistral_is_read_one_level_down_or_at_the_top() {
        let seeing = nested("", r#", "rope_theta": 1e9, "sliding_window": null"#);
        let alone: TextEncoderConfig =
            serde_json::from_str(&sizes("mistral", r#", "rope_theta": 1e9"#)).unwrap();
        for config in [
            seeing,
            alone,
            nested("", r#", "rope_theta": 1e9, "sliding_window": 4096"#),
        ] {
            assert_eq!(config.family, Family::Dev);
            assert_eq!(config.rope_theta, 1e9);
            assert!(config.check().is_ok());
        }
        assert_eq!(parse("").family, Family::Klein);
        assert!(nested("", r#", "sliding_window": 256"#).check().is_err());
    }

    #[test]
    #[allow(clippy::float_cmp, reason = "rounding gives one value")]
    fn frequencies_are_rounded_only_in_checkpoints_of_a_cast_pipeline() {
        let second = |config: TextEncoderConfig| config.frequencies().nth(1).unwrap();
        let (five, four) = (
            r#", "rope_parameters": {"rope_theta": 1e4}"#,
            r#", "rope_theta": 1e4"#,
        );
        let (bf16, f32) = (r#", "dtype": "bfloat16""#, r#", "dtype": "float32""#);
        // head_dim 4, θ 10⁴: the second pair turns by a hundredth.
        let exact = 0.01;
        let rounded = 0.010_009_765_625;
        assert_eq!(second(parse(&format!("{four}{bf16}"))), exact);
        assert_eq!(second(parse(&format!("{five}{f32}"))), exact);
        assert_eq!(second(parse(&format!("{five}{bf16}"))), rounded);
        assert_eq!(second(nested(bf16, four)), exact);
        assert_eq!(second(nested(f32, five)), exact);
        assert_eq!(second(nested(bf16, &format!("{five}{bf16}"))), exact);
        assert_eq!(second(nested(bf16, five)), rounded);
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
        let other = serde_json::from_str::<TextEncoderConfig>(&sizes("t5", ""));
        assert!(other.unwrap_err().to_string().contains("t5"));
    }
}
