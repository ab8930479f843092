//! `transformer/config.json`: the class `Flux2Transformer2DModel` of diffusers.

use serde::Deserialize;

use super::{Check, ensure, ensure_size};

/// The transformer's sizes. Defaults are those of diffusers, which are FLUX.2 \[dev\]'s.
#[derive(Debug, Clone, Deserialize)]
#[serde(default)]
pub(crate) struct TransformerConfig {
    pub(crate) patch_size: usize,
    /// Channels of a latent token: the VAE's latent channels times its patch area.
    pub(crate) in_channels: usize,
    pub(crate) out_channels: Option<usize>,
    /// Double-stream blocks.
    pub(crate) num_layers: usize,
    /// Single-stream blocks.
    pub(crate) num_single_layers: usize,
    pub(crate) attention_head_dim: usize,
    pub(crate) num_attention_heads: usize,
    /// Width of a prompt token: the tapped hidden states of the text encoder side by side.
    pub(crate) joint_attention_dim: usize,
    /// Width of the sinusoid that encodes the time.
    pub(crate) timestep_guidance_channels: usize,
    /// Width of the feed-forward layers relative to the hidden width.
    pub(crate) mlp_ratio: f64,
    /// How many of a head's dimensions rotate with each of the positions t, h, w, l.
    pub(crate) axes_dims_rope: Vec<usize>,
    pub(crate) rope_theta: f64,
    pub(crate) eps: f64,
    /// Whether guidance is an input, as in \[dev\].
    pub(crate) guidance_embeds: bool,
}

impl Default for TransformerConfig {
    fn default() -> Self {
        Self {
            patch_size: 1,
            in_channels: 128,
            out_channels: None,
            num_layers: 8,
            num_single_layers: 48,
            attention_head_dim: 128,
            num_attention_heads: 48,
            joint_attention_dim: 15_360,
            timestep_guidance_channels: 256,
            mlp_ratio: 3.0,
            axes_dims_rope: vec![32; 4],
            rope_theta: 2000.0,
            eps: 1e-6,
            guidance_embeds: true,
        }
    }
}

impl TransformerConfig {
    /// The hidden width.
    pub(crate) fn hidden(&self) -> usize {
        self.num_attention_heads * self.attention_head_dim
    }

    /// The width between the two linear layers of a feed-forward, truncated as Python's `int` does.
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "`check` bounds both factors"
    )]
    pub(crate) fn feed_forward(&self) -> usize {
        (self.hidden() as f64 * self.mlp_ratio) as usize
    }

    /// Channels of a predicted token.
    pub(crate) fn output(&self) -> usize {
        self.out_channels.unwrap_or(self.in_channels)
    }

    pub(crate) fn check(&self) -> Check {
        for (name, size) in [
            ("in_channels", self.in_channels),
            ("attention_head_dim", self.attention_head_dim),
            ("num_attention_heads", self.num_attention_heads),
            ("joint_attention_dim", self.joint_attention_dim),
            (
                "timestep_guidance_channels",
                self.timestep_guidance_channels,
            ),
        ] {
            ensure_size(name, size)?;
        }
        ensure_size("the hidden width", self.hidden())?;
        ensure(self.patch_size == 1, || {
            format!(
                "patch_size is {}, not 1: the VAE makes the patches",
                self.patch_size
            )
        })?;
        ensure(self.output() == self.in_channels, || {
            format!(
                "out_channels is {}, in_channels {}",
                self.output(),
                self.in_channels
            )
        })?;
        ensure(self.axes_dims_rope.len() == 4, || {
            format!(
                "axes_dims_rope has {} axes, not 4",
                self.axes_dims_rope.len()
            )
        })?;
        let axes = &self.axes_dims_rope;
        ensure(
            axes.iter()
                .all(|size| size.is_multiple_of(2) && *size <= 1_000_000),
            || format!("axes_dims_rope {axes:?} has an odd axis"),
        )?;
        ensure(
            axes.iter().sum::<usize>() == self.attention_head_dim,
            || format!("axes_dims_rope {axes:?} does not sum to attention_head_dim"),
        )?;
        ensure(self.timestep_guidance_channels.is_multiple_of(2), || {
            "timestep_guidance_channels is odd".into()
        })?;
        ensure((0.01..=100.0).contains(&self.mlp_ratio), || {
            format!("mlp_ratio is {}", self.mlp_ratio)
        })?;
        ensure(self.rope_theta > 1.0 && self.rope_theta.is_finite(), || {
            format!("rope_theta is {}", self.rope_theta)
        })?;
        ensure(self.eps > 0.0 && self.eps < 1.0, || {
            format!("eps is {}", self.eps)
        })
    }
}
