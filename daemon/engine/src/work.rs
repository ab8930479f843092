//! How much arithmetic a picture takes.
//!
//! Counted are the products of matrices and the convolutions, a multiplication and an addition as two
//! operations; what else there is (norms, activations, rotations) is far less and bound by memory. With
//! this and a clock, the rate of each stage can be compared with what a plain matrix product reaches on
//! the same machine.

use serde::Serialize;

use crate::plan::{Networks, RenderShape, VaeSizes};
use crate::prompt;
use crate::variant::Reading;

/// Floating-point operations of a picture's stages.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Work {
    /// Encoding the prompt, once; guidance by a second pass encodes two.
    pub text: f64,
    /// Each reference.
    pub references: Vec<f64>,
    /// Computing the keys and values of all references, where the model reads them once; else nothing.
    pub reading: f64,
    /// One pass of the transformer; guidance by a second pass takes two in each step.
    pub step: f64,
    /// Decoding the latent.
    pub decode: f64,
}

#[allow(
    clippy::cast_precision_loss,
    reason = "counts far below 2^53, or rounded to as many digits"
)]
impl Work {
    pub(crate) fn of(networks: &Networks, shape: &RenderShape) -> Self {
        let pixels = |&(width, height): &(u32, u32)| u64::from(width) * u64::from(height);
        let vae = &networks.vae;
        Self {
            text: text(networks, prompt::TOKENS as f64),
            references: shape
                .references
                .iter()
                .map(|size| encode(vae, pixels(size) as f64))
                .collect(),
            reading: match networks.transformer.reading {
                Reading::EveryStep => 0.0,
                Reading::Once => {
                    let tokens = shape.reference_tokens() as f64;
                    pass(networks, tokens, tokens)
                }
            },
            step: pass(
                networks,
                shape.step_tokens(networks.transformer.reading) as f64,
                shape.tokens() as f64,
            ),
            decode: decode(vae, pixels(&(shape.width, shape.height)) as f64),
        }
    }
}

/// Each token passes the weights of each layer; each looks at all of them.
fn text(networks: &Networks, tokens: f64) -> f64 {
    let sizes = &networks.text;
    let [hidden, inner, queries, keys, layers] = [
        sizes.hidden,
        sizes.inner,
        sizes.queries,
        sizes.keys,
        sizes.layers,
    ]
    .map(exact);
    let weights = hidden * (queries + 2.0 * keys) + queries * hidden + 3.0 * hidden * inner;
    layers * (2.0 * tokens * weights + 4.0 * tokens * tokens * queries)
}

/// In a double-stream block each token passes its own stream's weights, which are as many as a
/// single-stream block's. Each looks at all that are `seen`.
fn pass(networks: &Networks, tokens: f64, seen: f64) -> f64 {
    let sizes = &networks.transformer;
    let [hidden, inner, blocks] = [sizes.hidden, sizes.inner, sizes.blocks()].map(exact);
    let weights = 4.0 * hidden * hidden + 3.0 * hidden * inner;
    blocks * (2.0 * tokens * weights + 4.0 * tokens * seen * hidden)
}

/// Square convolutions on this many pixels.
fn convolution(side: f64, inputs: f64, outputs: f64, pixels: f64) -> f64 {
    2.0 * side * side * inputs * outputs * pixels
}

/// Two 3×3 convolutions, and a 1×1 where the channels change.
fn residual(inputs: f64, outputs: f64, pixels: f64) -> f64 {
    let shortcut = if inputs.to_bits() == outputs.to_bits() {
        0.0
    } else {
        convolution(1.0, inputs, outputs, pixels)
    };
    convolution(3.0, inputs, outputs, pixels)
        + convolution(3.0, outputs, outputs, pixels)
        + shortcut
}

/// Two residual blocks, and one head's attention between all pixels.
fn middle(sizes: &VaeSizes, channels: f64, pixels: f64) -> f64 {
    let attention = 8.0 * channels * channels * pixels + 4.0 * channels * pixels * pixels;
    2.0 * residual(channels, channels, pixels) + if sizes.attention { attention } else { 0.0 }
}

fn encode(sizes: &VaeSizes, pixels: f64) -> f64 {
    let channels = sizes.encoder.map(exact);
    let latent = exact(sizes.latent);
    let mut sum = convolution(3.0, 3.0, channels[0], pixels);
    let mut at = pixels;
    let mut inputs = channels[0];
    for (level, &outputs) in channels.iter().enumerate() {
        for _ in 0..sizes.blocks {
            sum += residual(inputs, outputs, at);
            inputs = outputs;
        }
        if level < 3 {
            at /= 4.0;
            sum += convolution(3.0, outputs, outputs, at);
        }
    }
    sum + middle(sizes, channels[3], at)
        + convolution(3.0, channels[3], 2.0 * latent, at)
        + convolution(1.0, 2.0 * latent, 2.0 * latent, at)
}

fn decode(sizes: &VaeSizes, pixels: f64) -> f64 {
    let channels = sizes.decoder.map(exact);
    let latent = exact(sizes.latent);
    let mut at = pixels / 64.0;
    let mut sum = convolution(1.0, latent, latent, at)
        + convolution(3.0, latent, channels[3], at)
        + middle(sizes, channels[3], at);
    let mut inputs = channels[3];
    for (level, &outputs) in channels.iter().enumerate().rev() {
        for _ in 0..=sizes.blocks {
            sum += residual(inputs, outputs, at);
            inputs = outputs;
        }
        if level > 0 {
            at *= 4.0;
            sum += convolution(3.0, outputs, outputs, at);
        }
    }
    sum + convolution(3.0, channels[0], 3.0, at)
}

#[allow(clippy::cast_precision_loss, reason = "sizes are below a million")]
fn exact(size: usize) -> f64 {
    size as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::tests::{klein_4b, klein_9b, small_decoder};

    fn work(networks: &Networks, side: u32, references: &[(u32, u32)]) -> Work {
        let shape = RenderShape {
            width: side,
            height: side,
            references: references.to_vec(),
            ..RenderShape::default()
        };
        Work::of(networks, &shape)
    }

    /// Tera-operations that others have computed, some with the embedders, some without.
    #[test]
    fn published_figures_are_met() {
        let near = |found: f64, expected: f64| {
            assert!((found / expected / 1e12 - 1.0).abs() < 0.01, "{found}");
        };
        near(work(&klein_4b(), 512, &[]).step, 10.2);
        near(work(&klein_4b(), 1024, &[]).step, 34.8);
        near(work(&klein_4b(), 1024, &[(1024, 1024)]).step, 76.7);
        near(work(&klein_4b(), 2048, &[]).step, 191.4);
        near(work(&klein_4b(), 1024, &[]).text, 2.9);
        near(work(&klein_4b(), 1024, &[]).decode, 10.5);
        near(work(&klein_4b(), 2048, &[]).decode, 48.5);
        near(work(&small_decoder(), 1024, &[]).decode, 6.0);
    }

    /// Read once, references look at themselves only, and nothing else is computed again: what is saved
    /// in the first step is their looking at prompt and output, and in later ones all that they did.
    #[test]
    fn references_that_are_read_once_save_what_they_do_in_steps() {
        let size = [(1024, 1024)];
        let [once, every] = [Reading::Once, Reading::EveryStep]
            .map(|reading| work(&klein_9b(reading), 1024, &size));
        let (blocks, hidden, own, references) = (32.0, 4096.0, 4608.0, 4096.0);
        let looking = blocks * 4.0 * references * own * hidden;
        let saved = every.step - (once.reading + once.step);
        assert!((saved / looking - 1.0).abs() < 1e-9, "{saved} {looking}");
        let later = every.step - once.step;
        assert!(
            (later / (once.reading + looking) - 1.0).abs() < 1e-9,
            "{later}"
        );
        assert!(every.reading.abs() < f64::EPSILON);
    }
}
