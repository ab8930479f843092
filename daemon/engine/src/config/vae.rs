//! `vae/config.json`: the class `AutoencoderKLFlux2` of diffusers.

use serde::Deserialize;

use super::{Check, ensure, ensure_size};

/// Width and height that FLUX.2 was trained at, in pixels.
const USUAL_SIDE: u32 = 1024;

/// The autoencoder's sizes. Defaults are those of diffusers.
#[derive(Debug, Clone, Deserialize)]
#[serde(default)]
pub(crate) struct VaeConfig {
    pub(crate) in_channels: usize,
    pub(crate) out_channels: usize,
    down_block_types: Vec<String>,
    up_block_types: Vec<String>,
    /// Channels of each level, from the picture inwards.
    pub(crate) block_out_channels: Vec<usize>,
    /// The same for the decoder, where it is smaller than the encoder.
    decoder_block_out_channels: Option<Vec<usize>>,
    pub(crate) layers_per_block: usize,
    act_fn: String,
    pub(crate) latent_channels: usize,
    pub(crate) norm_num_groups: usize,
    pub(crate) use_quant_conv: bool,
    pub(crate) use_post_quant_conv: bool,
    pub(crate) mid_block_add_attention: bool,
    pub(crate) batch_norm_eps: f64,
    patch_size: [usize; 2],
    sample_size: u32,
}

impl Default for VaeConfig {
    fn default() -> Self {
        Self {
            in_channels: 3,
            out_channels: 3,
            down_block_types: vec!["DownEncoderBlock2D".into(); 4],
            up_block_types: vec!["UpDecoderBlock2D".into(); 4],
            block_out_channels: vec![128, 256, 512, 512],
            decoder_block_out_channels: None,
            layers_per_block: 2,
            act_fn: "silu".into(),
            latent_channels: 32,
            norm_num_groups: 32,
            use_quant_conv: true,
            use_post_quant_conv: true,
            mid_block_add_attention: true,
            batch_norm_eps: 1e-4,
            patch_size: [2, 2],
            sample_size: USUAL_SIDE,
        }
    }
}

impl VaeConfig {
    /// Channels of each of the decoder's levels, from the picture inwards.
    pub(crate) fn decoder_channels(&self) -> &[usize] {
        self.decoder_block_out_channels
            .as_ref()
            .unwrap_or(&self.block_out_channels)
    }

    /// Channels of a latent token: a 2×2 patch of the latent.
    pub(crate) fn token_channels(&self) -> usize {
        4 * self.latent_channels
    }

    /// Width and height of the pictures that the model was trained at, in pixels: the size to ask for where
    /// none is. A size that no picture can have says nothing.
    pub(crate) fn sample_side(&self) -> u32 {
        let sound = self.sample_size.is_multiple_of(16) && (64..=2048).contains(&self.sample_size);
        if sound { self.sample_size } else { USUAL_SIDE }
    }

    pub(crate) fn check(&self) -> Check {
        ensure_size("latent_channels", self.latent_channels)?;
        ensure_size("norm_num_groups", self.norm_num_groups)?;
        ensure((1..=64).contains(&self.layers_per_block), || {
            format!("layers_per_block is {}", self.layers_per_block)
        })?;
        ensure(self.in_channels == 3 && self.out_channels == 3, || {
            format!(
                "{} channels in and {} out, not RGB",
                self.in_channels, self.out_channels
            )
        })?;
        // Four levels halve the picture three times; with the patches one token is 16 pixels wide,
        // which is what requests, references and latents are measured in.
        for (name, levels) in [
            ("block_out_channels", &self.block_out_channels[..]),
            ("decoder_block_out_channels", self.decoder_channels()),
        ] {
            ensure(levels.len() == 4, || {
                format!("{name} has {} levels, not 4", levels.len())
            })?;
            for &channels in levels {
                ensure_size(name, channels)?;
                ensure(channels.is_multiple_of(self.norm_num_groups), || {
                    format!("{name}: {channels} is not a multiple of norm_num_groups")
                })?;
            }
        }
        ensure(self.patch_size == [2, 2], || {
            format!("patch_size is {:?}", self.patch_size)
        })?;
        let plain =
            |types: &[String], name: &str| types.len() == 4 && types.iter().all(|t| t == name);
        ensure(plain(&self.down_block_types, "DownEncoderBlock2D"), || {
            format!(
                "down_block_types {:?} are not supported",
                self.down_block_types
            )
        })?;
        ensure(plain(&self.up_block_types, "UpDecoderBlock2D"), || {
            format!("up_block_types {:?} are not supported", self.up_block_types)
        })?;
        ensure(self.act_fn == "silu", || {
            format!("act_fn is {:?}", self.act_fn)
        })?;
        ensure(
            self.batch_norm_eps > 0.0 && self.batch_norm_eps < 1.0,
            || format!("batch_norm_eps is {}", self.batch_norm_eps),
        )
    }
}
