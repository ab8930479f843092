//! The VAE: BFL's names, which ComfyUI keeps, and those of diffusers.
//!
//! BFL counts the decoder's levels from the picture inwards, diffusers in the order they run. BFL's
//! attention projects by 1×1 convolutions where diffusers has matrices of the same numbers, and its
//! convolutions around the latent lie inside encoder and decoder.

use super::{Place, is_number};

/// The landmark in BFL's spelling.
pub(super) const BFL: &str = "decoder.mid.block_1.conv1.weight";

pub(super) const LANDMARKS: [&str; 2] = [BFL, "decoder.mid_block.resnets.0.conv1.weight"];

/// The statistics of latents: FLUX.1's VAE has none.
pub(super) const WITNESS: &str = "bn.running_mean";

/// Levels of encoder and decoder; the config is refused if they are not so many.
const LEVELS: usize = 4;

/// The attention's layers, BFL's name and diffusers'.
const ATTENTION: [(&str, &str); 4] = [
    ("q", "to_q"),
    ("k", "to_k"),
    ("v", "to_v"),
    ("proj_out", "to_out.0"),
];

/// Where the tensor of this name, in either spelling, belongs.
pub(super) fn place(name: &str) -> Option<Place> {
    let words: Vec<&str> = name.split('.').collect();
    match *words.as_slice() {
        ["bn", "running_mean" | "running_var"] => Some(Place::As(name.to_owned())),
        // What training needed.
        ["bn", "num_batches_tracked"] | ["loss", ..] => Some(Place::Unused),
        ["quant_conv", leaf] | ["encoder", "quant_conv", leaf] => {
            parameter(leaf, || format!("quant_conv.{leaf}"))
        }
        ["post_quant_conv", leaf] | ["decoder", "post_quant_conv", leaf] => {
            parameter(leaf, || format!("post_quant_conv.{leaf}"))
        }
        [
            side @ ("encoder" | "decoder"),
            ref inner @ ..,
            leaf @ ("weight" | "bias"),
        ] => within(side, inner, leaf),
        _ => None,
    }
}

fn parameter(leaf: &str, name: impl FnOnce() -> String) -> Option<Place> {
    matches!(leaf, "weight" | "bias").then(|| Place::As(name()))
}

/// A tensor inside the encoder or the decoder.
fn within(side: &str, inner: &[&str], leaf: &str) -> Option<Place> {
    let named = |inner: String| Some(Place::As(format!("{side}.{inner}.{leaf}")));
    match *inner {
        [end @ ("conv_in" | "conv_out")] => named(end.to_owned()),
        ["norm_out" | "conv_norm_out"] => named("conv_norm_out".into()),
        ["mid", block @ ("block_1" | "block_2"), layer] => {
            let number = u8::from(block == "block_2");
            named(format!("mid_block.resnets.{number}.{}", residual(layer)?))
        }
        ["mid_block", "resnets", number @ ("0" | "1"), layer] => {
            named(format!("mid_block.resnets.{number}.{}", residual(layer)?))
        }
        ["mid", "attn_1", "norm"] | ["mid_block", "attentions", "0", "group_norm"] => {
            named("mid_block.attentions.0.group_norm".into())
        }
        ["mid", "attn_1", ref layer @ ..] | ["mid_block", "attentions", "0", ref layer @ ..] => {
            let layer = layer.join(".");
            let row = ATTENTION
                .iter()
                .find(|row| row.0 == layer || row.1 == layer)?;
            let name = format!("{side}.mid_block.attentions.0.{}.{leaf}", row.1);
            Some(Place::Matrix(name))
        }
        ["down", level, ref block @ ..] if side == "encoder" => {
            level_of_bfl(side, level, block, leaf)
        }
        ["up", level, ref block @ ..] if side == "decoder" => {
            level_of_bfl(side, level, block, leaf)
        }
        ["down_blocks", level, "resnets", number, layer] if side == "encoder" => {
            both(level, number)?;
            named(format!(
                "down_blocks.{level}.resnets.{number}.{}",
                residual(layer)?
            ))
        }
        ["up_blocks", level, "resnets", number, layer] if side == "decoder" => {
            both(level, number)?;
            named(format!(
                "up_blocks.{level}.resnets.{number}.{}",
                residual(layer)?
            ))
        }
        ["down_blocks", level, "downsamplers", "0", "conv"] if side == "encoder" => {
            both(level, "0")?;
            named(format!("down_blocks.{level}.downsamplers.0.conv"))
        }
        ["up_blocks", level, "upsamplers", "0", "conv"] if side == "decoder" => {
            both(level, "0")?;
            named(format!("up_blocks.{level}.upsamplers.0.conv"))
        }
        _ => None,
    }
}

/// A tensor of one of BFL's levels.
fn level_of_bfl(side: &str, level: &str, block: &[&str], leaf: &str) -> Option<Place> {
    let level: usize = level.parse().ok().filter(|&level| level < LEVELS)?;
    let (levels, level, resample) = match side {
        "encoder" => ("down_blocks", level, "downsamplers"),
        _ => ("up_blocks", LEVELS - 1 - level, "upsamplers"),
    };
    let inner = match *block {
        ["block", number, layer] if is_number(number) => {
            format!("resnets.{number}.{}", residual(layer)?)
        }
        ["downsample" | "upsample", "conv"] => format!("{resample}.0.conv"),
        _ => return None,
    };
    Some(Place::As(format!("{side}.{levels}.{level}.{inner}.{leaf}")))
}

/// BFL's name of this tensor.
pub(super) fn to_bfl(canonical: &str) -> Option<String> {
    let words: Vec<&str> = canonical.split('.').collect();
    let block = |layer: &str| layer.replace("conv_shortcut", "nin_shortcut");
    let outwards = |level: &str| LEVELS.checked_sub(1 + level.parse::<usize>().ok()?);
    Some(match *words.as_slice() {
        ["quant_conv", leaf] => format!("encoder.quant_conv.{leaf}"),
        ["post_quant_conv", leaf] => format!("decoder.post_quant_conv.{leaf}"),
        [side, "conv_norm_out", leaf] => format!("{side}.norm_out.{leaf}"),
        [side, "mid_block", "resnets", number, layer, leaf] => {
            let number = if number == "0" { "1" } else { "2" };
            format!("{side}.mid.block_{number}.{layer}.{leaf}")
        }
        [side, "mid_block", "attentions", "0", "group_norm", leaf] => {
            format!("{side}.mid.attn_1.norm.{leaf}")
        }
        [side, "mid_block", "attentions", "0", ref layer @ .., leaf] => {
            let layer = layer.join(".");
            let row = ATTENTION.iter().find(|row| row.1 == layer)?;
            format!("{side}.mid.attn_1.{}.{leaf}", row.0)
        }
        [side, "down_blocks", level, "resnets", number, layer, leaf] => {
            format!("{side}.down.{level}.block.{number}.{}.{leaf}", block(layer))
        }
        [side, "up_blocks", level, "resnets", number, layer, leaf] => {
            let level = outwards(level)?;
            format!("{side}.up.{level}.block.{number}.{}.{leaf}", block(layer))
        }
        [side, "down_blocks", level, "downsamplers", _, conv, leaf] => {
            format!("{side}.down.{level}.downsample.{conv}.{leaf}")
        }
        [side, "up_blocks", level, "upsamplers", _, conv, leaf] => {
            format!("{side}.up.{}.upsample.{conv}.{leaf}", outwards(level)?)
        }
        _ => return None,
    })
}

/// A layer of a residual block.
fn residual(layer: &str) -> Option<&str> {
    match layer {
        "norm1" | "conv1" | "norm2" | "conv2" => Some(layer),
        "nin_shortcut" | "conv_shortcut" => Some("conv_shortcut"),
        _ => None,
    }
}

fn both(level: &str, number: &str) -> Option<()> {
    (is_number(level) && is_number(number)).then_some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_name_the_same_tensor() {
        for (bfl, diffusers) in [
            ("encoder.quant_conv.bias", "quant_conv.bias"),
            ("decoder.post_quant_conv.weight", "post_quant_conv.weight"),
            ("encoder.norm_out.weight", "encoder.conv_norm_out.weight"),
            ("decoder.conv_in.bias", "decoder.conv_in.bias"),
            (
                "encoder.mid.block_2.conv1.weight",
                "encoder.mid_block.resnets.1.conv1.weight",
            ),
            (
                "decoder.mid.attn_1.norm.bias",
                "decoder.mid_block.attentions.0.group_norm.bias",
            ),
            (
                "encoder.down.2.block.1.nin_shortcut.bias",
                "encoder.down_blocks.2.resnets.1.conv_shortcut.bias",
            ),
            (
                "encoder.down.0.downsample.conv.weight",
                "encoder.down_blocks.0.downsamplers.0.conv.weight",
            ),
            (
                "decoder.up.3.block.0.norm1.weight",
                "decoder.up_blocks.0.resnets.0.norm1.weight",
            ),
            (
                "decoder.up.1.upsample.conv.bias",
                "decoder.up_blocks.2.upsamplers.0.conv.bias",
            ),
            ("bn.running_var", "bn.running_var"),
        ] {
            let expected = Some(Place::As(diffusers.into()));
            assert_eq!(place(bfl), expected, "{bfl}");
            assert_eq!(place(diffusers), expected, "{diffusers}");
            assert_eq!(to_bfl(diffusers).unwrap_or(diffusers.into()), bfl);
        }
        let matrix = "decoder.mid_block.attentions.0.to_out.0.weight";
        let expected = Some(Place::Matrix(matrix.into()));
        assert_eq!(place("decoder.mid.attn_1.proj_out.weight"), expected);
        assert_eq!(place(matrix), expected);
        assert_eq!(
            to_bfl(matrix).as_deref(),
            Some("decoder.mid.attn_1.proj_out.weight")
        );
    }

    #[test]
    fn what_the_network_has_not_has_no_place() {
        for name in [
            "decoder.up.4.block.0.norm1.weight",
            "decoder.up.0.attn.0.q.weight",
            "encoder.up_blocks.0.resnets.0.conv1.weight",
            "decoder.mid.block_3.conv1.weight",
            "quant_conv.scale",
            "encoder.conv_in.lora",
            "",
        ] {
            assert_eq!(place(name), None, "{name}");
        }
        assert_eq!(place("bn.num_batches_tracked"), Some(Place::Unused));
    }
}
