//! The double-stream block: prompt and picture, each with weights of its own, joined in attention.

use burn::tensor::Tensor;

use super::attention::{HeadSplit, Projected};
use super::modulation::Modulation;
use crate::config::TransformerConfig;
use crate::layers::{KeyValue, LayerNorm, Linear, attend};
use crate::rope::Rotation;
use crate::weights::{Scope, WeightsError};

#[derive(Debug)]
pub(super) struct DoubleBlock {
    text: Stream,
    image: Stream,
}

/// One stream's half of the block.
#[derive(Debug)]
struct Stream {
    norm: LayerNorm,
    qkv: Linear,
    split: HeadSplit,
    attention_out: Linear,
    feed_forward_in: Linear,
    feed_forward_out: Linear,
}

/// How files name the layers of a stream.
pub(crate) struct Names {
    pub(crate) qkv: [&'static str; 3],
    pub(crate) query_norm: &'static str,
    pub(crate) key_norm: &'static str,
    pub(crate) attention_out: &'static str,
    pub(crate) feed_forward: &'static str,
}

pub(crate) const IMAGE: Names = Names {
    qkv: ["to_q", "to_k", "to_v"],
    query_norm: "norm_q",
    key_norm: "norm_k",
    attention_out: "to_out.0",
    feed_forward: "ff",
};

pub(crate) const TEXT: Names = Names {
    qkv: ["add_q_proj", "add_k_proj", "add_v_proj"],
    query_norm: "norm_added_q",
    key_norm: "norm_added_k",
    attention_out: "to_add_out",
    feed_forward: "ff_context",
};

impl DoubleBlock {
    pub(super) fn load(
        scope: &Scope<'_>,
        config: &TransformerConfig,
    ) -> Result<Self, WeightsError> {
        Ok(Self {
            text: Stream::load(scope, &TEXT, config)?,
            image: Stream::load(scope, &IMAGE, config)?,
        })
    }

    /// Both streams, `[tokens, hidden width]`, one block further: first the text's, then the image's.
    /// Both also see what is kept of references, if there is any.
    pub(super) fn forward(
        &self,
        [text, image]: [Tensor<2>; 2],
        for_text: &[Modulation; 2],
        for_image: &[Modulation; 2],
        [text_rotation, image_rotation]: [&Rotation; 2],
        references: Option<&KeyValue>,
    ) -> [Tensor<2>; 2] {
        let of_text = self.text.project(text.clone(), &for_text[0], text_rotation);
        let of_image = self
            .image
            .project(image.clone(), &for_image[0], image_rotation);
        let heads = self.text.split.heads();
        let queries = [of_text.query, of_image.query];
        let seen = references.cloned().into_iter();
        let seen: Vec<_> = seen.chain([of_text.seen, of_image.seen]).collect();
        let mut attended = attend(heads, &queries, &seen, None);
        drop((queries, seen));
        let to_image = attended.split_off(1);
        [
            self.text.finish(text, attended, for_text),
            self.image.finish(image, to_image, for_image),
        ]
    }

    /// References one block further by themselves, and what is kept of them for other tokens to see.
    pub(super) fn remember(
        &self,
        x: Tensor<2>,
        modulation: &[Modulation; 2],
        rotation: &Rotation,
    ) -> (Tensor<2>, KeyValue) {
        let Projected { query, seen } = self.image.project(x.clone(), &modulation[0], rotation);
        let kept = seen.alone();
        let seen = std::slice::from_ref(&kept);
        let attended = attend(self.image.split.heads(), &[query], seen, None);
        (self.image.finish(x, attended, modulation), kept)
    }
}

impl Stream {
    fn load(
        scope: &Scope<'_>,
        names: &Names,
        config: &TransformerConfig,
    ) -> Result<Self, WeightsError> {
        let hidden = config.hidden();
        let inner = config.feed_forward();
        let attention = scope.at("attn");
        let feed_forward = scope.at(names.feed_forward);
        Ok(Self {
            norm: LayerNorm::new(hidden, config.eps, scope.device()),
            qkv: Linear::load_stacked(&attention, &names.qkv, 3 * hidden, hidden)?,
            split: HeadSplit::load(&attention, names.query_norm, names.key_norm, config)?,
            attention_out: Linear::load(&attention, names.attention_out, hidden, hidden)?,
            feed_forward_in: Linear::load(&feed_forward, "linear_in", 2 * inner, hidden)?,
            feed_forward_out: Linear::load(&feed_forward, "linear_out", hidden, inner)?,
        })
    }

    fn project(&self, x: Tensor<2>, modulation: &Modulation, rotation: &Rotation) -> Projected {
        let entered = modulation.enter(&self.norm, x);
        self.split.forward(self.qkv.forward(entered), rotation)
    }

    fn finish(
        &self,
        x: Tensor<2>,
        attended: Vec<Tensor<2>>,
        [attention, feed_forward]: &[Modulation; 2],
    ) -> Tensor<2> {
        let x = attention.leave(x, &self.attention_out, attended);
        let inner = feed_forward.enter(&self.norm, x.clone());
        let inner = self.feed_forward_in.forward_swiglu(inner);
        feed_forward.leave(x, &self.feed_forward_out, vec![inner])
    }
}
