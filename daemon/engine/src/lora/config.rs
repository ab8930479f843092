//! What diffusers writes about a LoRA into the header of its file.
//!
//! A file of this spelling has no alphas of its own: the trainer's configuration lies in the header as
//! JSON under `lora_adapter_metadata`, its keys prefixed with the network's name. Without it a LoRA is
//! applied as strongly as its factors say.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// The key in `__metadata__`.
const KEY: &str = "lora_adapter_metadata";

/// The alphas of a file, by layer.
#[derive(Debug, Default)]
pub(super) struct Config {
    alpha: Option<f64>,
    /// Ends of layers' names, with their own alphas.
    patterns: Vec<(String, f64)>,
    /// Scale by the rank's root (rsLoRA).
    by_root: bool,
}

impl Config {
    /// Reads a header; one that says nothing gives a configuration that does nothing.
    ///
    /// An error says what is wrong with the entry.
    pub(super) fn read(metadata: &BTreeMap<String, String>) -> Result<Self, String> {
        let Some(text) = metadata.get(KEY) else {
            return Ok(Self::default());
        };
        let entries: Map<String, Value> =
            serde_json::from_str(text).map_err(|error| error.to_string())?;
        let get = |name: &str| entries.get(&format!("transformer.{name}"));
        let patterns = get("alpha_pattern")
            .and_then(Value::as_object)
            .into_iter()
            .flatten();
        Ok(Self {
            alpha: get("lora_alpha").and_then(Value::as_f64),
            patterns: patterns
                .filter_map(|(layer, alpha)| Some((plain(layer), alpha.as_f64()?)))
                .collect(),
            by_root: get("use_rslora").and_then(Value::as_bool).unwrap_or(false),
        })
    }

    /// By what the change of this layer, of this rank, is multiplied.
    #[allow(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        reason = "a rank is small, and a scale need not be more exact than f32"
    )]
    pub(super) fn scale(&self, layer: &str, rank: usize) -> f32 {
        let ends = |end: &str| {
            layer
                .strip_suffix(end)
                .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        };
        let own = self.patterns.iter().find(|(end, _)| ends(end));
        let Some(alpha) = own.map(|(_, alpha)| *alpha).or(self.alpha) else {
            return 1.0;
        };
        let rank = rank as f64;
        (alpha / if self.by_root { rank.sqrt() } else { rank }) as f32
    }
}

/// A pattern is a regular expression by right, and a name, perhaps anchored or with its dots escaped, in
/// every file.
fn plain(pattern: &str) -> String {
    pattern.replace(['^', '$', '\\'], "")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn read(text: &str) -> Result<Config, String> {
        Config::read(&BTreeMap::from([(KEY.to_owned(), text.to_owned())]))
    }

    #[test]
    fn alphas_come_from_the_header() {
        let config = read(
            r#"{"transformer.r": 4, "transformer.lora_alpha": 8,
                "transformer.alpha_pattern": {"attn.to_q": 2, "^proj_out": 1}}"#,
        )
        .unwrap();
        for (layer, scale) in [
            ("transformer_blocks.0.attn.to_k", 2.0),
            ("transformer_blocks.0.attn.to_q", 0.5),
            ("attn.to_q", 0.5),
            ("transformer_blocks.0.xattn.to_q", 2.0),
            ("proj_out", 0.25),
        ] {
            assert_eq!(config.scale(layer, 4), scale, "{layer}");
        }
    }

    #[test]
    fn a_header_that_says_nothing_scales_nothing() {
        assert_eq!(Config::read(&BTreeMap::new()).unwrap().scale("x", 7), 1.0);
        assert_eq!(read("{}").unwrap().scale("x", 7), 1.0);
        assert!(read("{").is_err());
        let by_root = read(r#"{"transformer.lora_alpha": 8, "transformer.use_rslora": true}"#);
        assert_eq!(by_root.unwrap().scale("x", 16), 2.0);
    }
}
