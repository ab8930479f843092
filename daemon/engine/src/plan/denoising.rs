//! What denoising holds.

use super::{F32, Networks, RenderShape, scratch, with_slack};
use crate::prompt;
use crate::variant::Reading;

impl Networks {
    /// Encoded prompts, and tokens of references and of the picture to begin from.
    pub(super) fn conditions(&self, shape: &RenderShape) -> u64 {
        let sizes = &self.transformer;
        let prompts = shape.passes() * prompt::TOKENS as u64 * sizes.context as u64;
        let init = u64::from(shape.init) * shape.output_tokens();
        let tokens = (shape.reference_tokens() + init) * sizes.channels as u64;
        F32 * (prompts + tokens)
    }

    /// A single-stream block's fullest moment: its input, queries, keys and values, the attended, and
    /// the feed-forward's inside of its own tokens, and keys and values packed of all that these see: packed
    /// as parts ([`cpu`](crate::cpu)), an f32 takes three halves. A double-stream block has no fuller one. References that are read once are in a block by
    /// themselves before that, with the keys and values that are kept of them from then on.
    pub(super) fn denoising(&self, shape: &RenderShape) -> u64 {
        let sizes = self.transformer;
        let [hidden, inner, head_width, channels, blocks] = [
            sizes.hidden,
            sizes.inner,
            sizes.head_width,
            sizes.channels,
            sizes.blocks(),
        ]
        .map(|size| size as u64);
        let tokens = shape.tokens();
        let block_of = |own: u64, seen: u64| {
            let attending = own * (5 * hidden + inner) + seen * 3 * hidden;
            if !shape.adapted {
                return attending;
            }
            // The fused layer's outputs exist as a whole, beside what adapters add to them.
            let fused = 3 * hidden + 2 * inner;
            attending.max(own * (2 * hidden + 2 * fused + inner))
        };
        let step = block_of(shape.step_tokens(sizes.reading), tokens);
        let block = match sizes.reading {
            Reading::EveryStep => step,
            Reading::Once => {
                let references = shape.reference_tokens();
                let kept = references * 2 * hidden * blocks;
                kept + step.max(block_of(references, references))
            }
        };
        // Cosines and sines, of all tokens and again of either stream's, and the embedded prompt.
        let embedded = prompt::TOKENS as u64 * hidden;
        let conditioning = shape.passes() * (2 * tokens * head_width + embedded);
        // The latent, its velocity, the noise, and what they are joined and added into.
        let latents = 8 * (tokens - prompt::TOKENS as u64) * channels;
        let working = F32 * (block + conditioning + latents) + scratch();
        self.conditions(shape) + with_slack(working)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::tests::{klein_4b, klein_9b};

    const SIDE: u32 = 1024;

    fn shape(references: usize) -> RenderShape {
        RenderShape {
            width: SIDE,
            height: SIDE,
            references: vec![(SIDE, SIDE); references],
            ..RenderShape::default()
        }
    }

    #[test]
    fn what_is_kept_of_references_is_counted() {
        let once = klein_9b(Reading::Once);
        let kept = |references| once.denoising(&shape(references)) - once.denoising(&shape(0));
        // Keys and values of 4096 tokens, 4096 wide, in 32 blocks.
        let cache = 2 * 4096 * 4096 * 32 * F32;
        assert!(kept(1) > cache);
        // With a second one, it is all that grows but what is packed in a block and the tokens.
        assert!(kept(2) - kept(1) > cache && kept(2) - kept(1) < cache * 5 / 4);
    }

    #[test]
    fn without_references_it_is_the_same_whenever_they_are_read() {
        let [once, every] = [Reading::Once, Reading::EveryStep].map(klein_9b);
        assert_eq!(once.denoising(&shape(0)), every.denoising(&shape(0)));
    }

    #[test]
    fn references_of_every_step_take_part_in_its_blocks() {
        let networks = klein_4b();
        let sizes = networks.transformer;
        let block = 4096 * (8 * sizes.hidden + sizes.inner) as u64 * F32;
        let added = networks.denoising(&shape(1)) - networks.denoising(&shape(0));
        assert!(added > block && added < block * 5 / 4);
    }
}
