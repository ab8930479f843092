//! The sizes of a model's networks that its memory and its arithmetic depend on.

use crate::config::{TextEncoderConfig, TransformerConfig, VaeConfig};
use crate::model::Model;
use crate::variant::Reading;

/// All networks of a model.
#[derive(Debug, Clone)]
pub(crate) struct Networks {
    pub(crate) text: TextSizes,
    pub(crate) transformer: TransformerSizes,
    pub(crate) vae: VaeSizes,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct TextSizes {
    pub(crate) hidden: usize,
    /// Between the two products of a feed-forward.
    pub(crate) inner: usize,
    /// Layers that are run.
    pub(crate) layers: usize,
    /// Width of all queries.
    pub(crate) queries: usize,
    /// Width of all keys, which is that of all values.
    pub(crate) keys: usize,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct TransformerSizes {
    pub(crate) hidden: usize,
    /// Between the two products of a feed-forward.
    pub(crate) inner: usize,
    pub(crate) head_width: usize,
    pub(crate) double: usize,
    pub(crate) single: usize,
    /// Width of a prompt token.
    pub(crate) context: usize,
    /// Width of a latent token.
    pub(crate) channels: usize,
    pub(crate) reading: Reading,
}

impl TransformerSizes {
    /// Blocks of both kinds.
    pub(crate) fn blocks(&self) -> usize {
        self.double + self.single
    }
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct VaeSizes {
    /// Channels of the encoder's levels, from the picture inwards.
    pub(crate) encoder: [usize; 4],
    /// The same of the decoder.
    pub(crate) decoder: [usize; 4],
    pub(crate) latent: usize,
    /// Residual blocks of an encoder's level; a decoder's has one more.
    pub(crate) blocks: usize,
    /// Whether the smallest level attends.
    pub(crate) attention: bool,
}

impl Networks {
    /// Of an opened model, whose configs were checked.
    pub(crate) fn of(model: &Model) -> Self {
        Self::of_configs(
            &model.text_encoder.config,
            &model.transformer.config,
            &model.vae.config,
            model.variant.reading(),
        )
    }

    /// Of configs that were checked.
    pub(crate) fn of_configs(
        text: &TextEncoderConfig,
        transformer: &TransformerConfig,
        vae: &VaeConfig,
        reading: Reading,
    ) -> Self {
        let levels = |channels: &[usize]| {
            let mut levels = [0; 4];
            levels
                .iter_mut()
                .zip(channels)
                .for_each(|(level, &n)| *level = n);
            levels
        };
        Self {
            text: TextSizes {
                hidden: text.hidden_size,
                inner: text.intermediate_size,
                layers: text.family.depth(),
                queries: text.num_attention_heads * text.head_dim,
                keys: text.num_key_value_heads * text.head_dim,
            },
            transformer: TransformerSizes {
                hidden: transformer.hidden(),
                inner: transformer.feed_forward(),
                head_width: transformer.attention_head_dim,
                double: transformer.num_layers,
                single: transformer.num_single_layers,
                context: transformer.joint_attention_dim,
                channels: transformer.in_channels,
                reading,
            },
            vae: VaeSizes {
                encoder: levels(&vae.block_out_channels),
                decoder: levels(vae.decoder_channels()),
                latent: vae.latent_channels,
                blocks: vae.layers_per_block,
                attention: vae.mid_block_add_attention,
            },
        }
    }
}
