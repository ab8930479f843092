//! `AutoencoderKLFlux2`.

use super::tensor::{Like, Tensor, matrix, vector};
use super::{LATENT_CHANNELS, Size};

/// Residual blocks of an encoder's level; a decoder's has one more.
const BLOCKS: usize = 2;

impl Size {
    /// The autoencoder's tensors, as diffusers names them.
    #[must_use]
    pub fn vae(&self) -> Vec<Tensor> {
        let [outermost, .., innermost] = self.channels;
        let latent = LATENT_CHANNELS;
        let mut tensors = Vec::new();
        // What goes in and what comes out: a picture becomes the moments of a latent, a latent a picture.
        for (side, first, last) in [
            ("encoder", (outermost, 3), (2 * latent, innermost)),
            ("decoder", (innermost, latent), (3, outermost)),
        ] {
            let at = |leaf: &str| format!("{side}.{leaf}");
            convolution(&mut tensors, &at("conv_in"), first.0, first.1, 3);
            self.levels(&mut tensors, side);
            for number in 0..2 {
                let name = at(&format!("mid_block.resnets.{number}"));
                residual(&mut tensors, &name, innermost, innermost);
            }
            attention(&mut tensors, &at("mid_block.attentions.0"), innermost);
            affine(&mut tensors, &at("conv_norm_out"), last.1);
            convolution(&mut tensors, &at("conv_out"), last.0, last.1, 3);
        }
        convolution(&mut tensors, "quant_conv", 2 * latent, 2 * latent, 1);
        convolution(&mut tensors, "post_quant_conv", latent, latent, 1);
        tensors.push(vector("bn.running_mean", 4 * latent, 0.0, 0.3));
        tensors.push(Tensor {
            name: "bn.running_var".into(),
            shape: vec![4 * latent],
            // A variance: never 0 or below.
            like: Like::Uniform(0.5, 2.5),
        });
        tensors
    }

    /// The encoder's levels halve the picture between them, the decoder's, which are one block deeper,
    /// double it.
    fn levels(&self, tensors: &mut Vec<Tensor>, side: &str) {
        let down = side == "encoder";
        let mut channels = self.channels;
        let (kind, change, blocks) = if down {
            ("down_blocks", "downsamplers", BLOCKS)
        } else {
            channels.reverse();
            ("up_blocks", "upsamplers", BLOCKS + 1)
        };
        let mut inputs = channels[0];
        for (number, outputs) in channels.into_iter().enumerate() {
            let level = format!("{side}.{kind}.{number}");
            for block in 0..blocks {
                residual(
                    tensors,
                    &format!("{level}.resnets.{block}"),
                    outputs,
                    inputs,
                );
                inputs = outputs;
            }
            if number < 3 {
                convolution(
                    tensors,
                    &format!("{level}.{change}.0.conv"),
                    outputs,
                    outputs,
                    3,
                );
            }
        }
    }
}

fn residual(tensors: &mut Vec<Tensor>, name: &str, outputs: usize, inputs: usize) {
    affine(tensors, &format!("{name}.norm1"), inputs);
    convolution(tensors, &format!("{name}.conv1"), outputs, inputs, 3);
    affine(tensors, &format!("{name}.norm2"), outputs);
    convolution(tensors, &format!("{name}.conv2"), outputs, outputs, 3);
    if outputs != inputs {
        convolution(
            tensors,
            &format!("{name}.conv_shortcut"),
            outputs,
            inputs,
            1,
        );
    }
}

fn attention(tensors: &mut Vec<Tensor>, name: &str, channels: usize) {
    affine(tensors, &format!("{name}.group_norm"), channels);
    for leaf in ["to_q", "to_k", "to_v", "to_out.0"] {
        let weight = format!("{name}.{leaf}.weight");
        tensors.push(matrix(weight, channels, channels, 0.6));
        tensors.push(vector(format!("{name}.{leaf}.bias"), channels, 0.0, 0.15));
    }
}

fn affine(tensors: &mut Vec<Tensor>, name: &str, channels: usize) {
    tensors.push(vector(format!("{name}.weight"), channels, 1.0, 0.15));
    tensors.push(vector(format!("{name}.bias"), channels, 0.0, 0.15));
}

/// Drawn as PyTorch initialises it.
fn convolution(tensors: &mut Vec<Tensor>, name: &str, outputs: usize, inputs: usize, side: usize) {
    let bound = 1.0 / ((inputs * side * side) as f64).sqrt();
    tensors.push(Tensor {
        name: format!("{name}.weight"),
        shape: vec![outputs, inputs, side, side],
        like: Like::Uniform(-bound, bound),
    });
    tensors.push(vector(format!("{name}.bias"), outputs, 0.0, 0.15));
}
