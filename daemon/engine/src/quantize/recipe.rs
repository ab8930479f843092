//! Which weights become 8-bit floats.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

/// What to quantise.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Recipe {
    /// What the model's own makers do: [`Mixed`](Self::Mixed) for \[dev\], [`Blocks`](Self::Blocks)
    /// for \[klein\].
    #[default]
    Auto,
    /// All matrices of the blocks.
    Blocks,
    /// The same without the attention of the double-stream blocks, which stays in bf16.
    Mixed,
}

impl FromStr for Recipe {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(Self::Auto),
            "blocks" => Ok(Self::Blocks),
            "mixed" => Ok(Self::Mixed),
            _ => Err(format!("{text:?} is none of auto, blocks and mixed")),
        }
    }
}

impl fmt::Display for Recipe {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Auto => "auto",
            Self::Blocks => "blocks",
            Self::Mixed => "mixed",
        })
    }
}

impl Recipe {
    /// The recipe itself, or what `Auto` means for weights of these names. \[dev\] is the variant
    /// that takes guidance as an input.
    pub(super) fn settle<'a>(self, mut names: impl Iterator<Item = &'a str>) -> Self {
        match self {
            Self::Auto if names.any(|name| name.starts_with("guidance_in.")) => Self::Mixed,
            Self::Auto => Self::Blocks,
            settled => settled,
        }
    }

    /// Whether this weight, under ComfyUI's name for it, becomes an 8-bit float.
    pub(super) fn covers(self, name: &str, shape: &[usize]) -> bool {
        let double = name.starts_with("double_blocks.");
        let matrix = shape.len() == 2 && name.ends_with(".weight");
        let attention = double && (name.contains(".img_attn.") || name.contains(".txt_attn."));
        matrix
            && (double || name.starts_with("single_blocks."))
            && !(attention && self == Self::Mixed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The shapes of a transformer of width `d` with `double` and `single` blocks and prompt tokens
    /// of width `context`.
    fn shapes(
        d: usize,
        double: usize,
        single: usize,
        context: usize,
        dev: bool,
    ) -> Vec<(String, Vec<usize>)> {
        let mut all = vec![];
        let mut add = |name: String, shape: &[usize]| all.push((name, shape.to_vec()));
        add("img_in.weight".into(), &[d, 128]);
        add("txt_in.weight".into(), &[d, context]);
        for name in ["time_in", "guidance_in"].iter().take(1 + usize::from(dev)) {
            add(format!("{name}.in_layer.weight"), &[d, 256]);
            add(format!("{name}.out_layer.weight"), &[d, d]);
        }
        add(
            "double_stream_modulation_img.lin.weight".into(),
            &[6 * d, d],
        );
        add(
            "double_stream_modulation_txt.lin.weight".into(),
            &[6 * d, d],
        );
        add("single_stream_modulation.lin.weight".into(), &[3 * d, d]);
        add("final_layer.adaLN_modulation.1.weight".into(), &[2 * d, d]);
        add("final_layer.linear.weight".into(), &[128, d]);
        for block in 0..double {
            for stream in ["img", "txt"] {
                let at = |leaf: &str| format!("double_blocks.{block}.{stream}_{leaf}");
                add(at("attn.qkv.weight"), &[3 * d, d]);
                add(at("attn.proj.weight"), &[d, d]);
                add(at("attn.norm.query_norm.scale"), &[128]);
                add(at("attn.norm.key_norm.scale"), &[128]);
                add(at("mlp.0.weight"), &[6 * d, d]);
                add(at("mlp.2.weight"), &[d, 3 * d]);
            }
        }
        for block in 0..single {
            let at = |leaf: &str| format!("single_blocks.{block}.{leaf}");
            add(at("linear1.weight"), &[9 * d, d]);
            add(at("linear2.weight"), &[d, 4 * d]);
            add(at("norm.query_norm.scale"), &[128]);
            add(at("norm.key_norm.scale"), &[128]);
        }
        all
    }

    /// Bytes of the weights in bf16, and as the recipe stores them.
    fn bytes(shapes: &[(String, Vec<usize>)]) -> (usize, usize) {
        let recipe = Recipe::Auto.settle(shapes.iter().map(|(name, _)| name.as_str()));
        shapes.iter().fold((0, 0), |(bf16, fp8), (name, shape)| {
            let elements: usize = shape.iter().product();
            let each = if recipe.covers(name, shape) { 1 } else { 2 };
            (bf16 + 2 * elements, fp8 + each * elements)
        })
    }

    /// Sizes that others have seen: the published klein 4B in fp8 less its header, and what ComfyUI's
    /// log says of klein 9B in bf16 and of dev in the mixed recipe.
    #[test]
    #[allow(clippy::cast_precision_loss, reason = "sizes are far below 2^52")]
    fn published_sizes_are_met() {
        let mebibytes = |bytes: usize| (bytes as f64 / f64::from(1 << 20)).round();
        let saving = |(before, after): (usize, usize)| 100.0 * (1.0 - after as f64 / before as f64);
        let klein_4b = bytes(&shapes(3072, 5, 20, 7680, false));
        let klein_9b = bytes(&shapes(4096, 8, 24, 12_288, false));
        let dev = bytes(&shapes(6144, 8, 48, 15_360, true));
        assert_eq!(klein_4b.1, 4_070_587_392);
        assert!((mebibytes(klein_9b.0) - 17_316.0).abs() < 0.5);
        assert!((mebibytes(dev.1) - 33_813.0).abs() < 0.5);
        for (sizes, expected) in [(klein_4b, 47.5), (klein_9b, 48.0), (dev, 45.0)] {
            assert!((saving(sizes) - expected).abs() < 0.05, "{sizes:?}");
        }
    }

    #[test]
    fn names_round_trip() {
        for recipe in [Recipe::Auto, Recipe::Blocks, Recipe::Mixed] {
            assert_eq!(recipe.to_string().parse(), Ok(recipe));
        }
        assert!("all".parse::<Recipe>().is_err());
    }
}
