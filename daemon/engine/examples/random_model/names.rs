//! The tensors of each part, as diffusers and transformers name them, and what their values are like.

use crate::draw::Like;

/// A tensor that is to be drawn.
pub(crate) struct Tensor {
    pub(crate) name: String,
    pub(crate) shape: Vec<usize>,
    pub(crate) like: Like,
}

/// A published model's sizes.
pub(crate) struct Size {
    pub(crate) heads: usize,
    pub(crate) double: usize,
    pub(crate) single: usize,
    pub(crate) text_hidden: usize,
    pub(crate) text_inner: usize,
    pub(crate) text_layers: usize,
    /// Whether the text encoder's output layer is its embedding.
    pub(crate) tied: bool,
}

pub(crate) const HEAD_WIDTH: usize = 128;
pub(crate) const TEXT_HEADS: usize = 32;
pub(crate) const TEXT_KEY_VALUE_HEADS: usize = 8;
pub(crate) const VOCABULARY: usize = 151_936;
pub(crate) const VAE_CHANNELS: [usize; 4] = [128, 256, 512, 512];
const LATENT_CHANNELS: usize = 32;
const VAE_BLOCKS: usize = 2;

impl Size {
    /// The sizes that go by this name.
    pub(crate) fn of(name: &str) -> Option<Self> {
        match name {
            "klein-4b" => Some(Self {
                heads: 24,
                double: 5,
                single: 20,
                text_hidden: 2560,
                text_inner: 9728,
                text_layers: 36,
                tied: true,
            }),
            "klein-9b" => Some(Self {
                heads: 32,
                double: 8,
                single: 24,
                text_hidden: 4096,
                text_inner: 12_288,
                text_layers: 36,
                tied: false,
            }),
            _ => None,
        }
    }

    fn hidden(&self) -> usize {
        self.heads * HEAD_WIDTH
    }
}

/// A matrix whose products keep about the scale of what they get, times `gain`.
fn matrix(name: impl Into<String>, rows: usize, columns: usize, gain: f64) -> Tensor {
    Tensor {
        name: name.into(),
        shape: vec![rows, columns],
        like: Like::Normal(0.0, gain / (columns as f64).sqrt()),
    }
}

fn vector(name: impl Into<String>, length: usize, mean: f64, deviation: f64) -> Tensor {
    Tensor {
        name: name.into(),
        shape: vec![length],
        like: Like::Normal(mean, deviation),
    }
}

/// `Flux2Transformer2DModel`.
pub(crate) fn transformer(size: &Size) -> Vec<Tensor> {
    const GAIN: f64 = 1.2;
    let d = size.hidden();
    let linear = |name: String, rows, columns| matrix(name, rows, columns, GAIN);
    let norm = |name: String| vector(name, HEAD_WIDTH, 1.6, 0.2);
    let outside = [
        ("x_embedder", d, 4 * LATENT_CHANNELS),
        ("context_embedder", d, 3 * size.text_hidden),
        ("time_guidance_embed.timestep_embedder.linear_1", d, 256),
        ("time_guidance_embed.timestep_embedder.linear_2", d, d),
        ("double_stream_modulation_img.linear", 6 * d, d),
        ("double_stream_modulation_txt.linear", 6 * d, d),
        ("single_stream_modulation.linear", 3 * d, d),
        ("norm_out.linear", 2 * d, d),
        ("proj_out", 4 * LATENT_CHANNELS, d),
    ];
    let outside =
        outside.map(|(name, rows, columns)| linear(format!("{name}.weight"), rows, columns));
    let mut tensors: Vec<_> = outside.into();
    for block in 0..size.double {
        let at = |leaf: &str| format!("transformer_blocks.{block}.{leaf}.weight");
        for leaf in [
            "to_q",
            "to_k",
            "to_v",
            "to_out.0",
            "add_q_proj",
            "add_k_proj",
            "add_v_proj",
            "to_add_out",
        ] {
            tensors.push(linear(at(&format!("attn.{leaf}")), d, d));
        }
        for leaf in ["norm_q", "norm_k", "norm_added_q", "norm_added_k"] {
            tensors.push(norm(at(&format!("attn.{leaf}"))));
        }
        for leaf in ["ff", "ff_context"] {
            tensors.push(linear(at(&format!("{leaf}.linear_in")), 6 * d, d));
            tensors.push(linear(at(&format!("{leaf}.linear_out")), d, 3 * d));
        }
    }
    for block in 0..size.single {
        let at = |leaf: &str| format!("single_transformer_blocks.{block}.attn.{leaf}.weight");
        tensors.push(linear(at("to_qkv_mlp_proj"), 9 * d, d));
        tensors.push(linear(at("to_out"), d, 4 * d));
        tensors.push(norm(at("norm_q")));
        tensors.push(norm(at("norm_k")));
    }
    tensors
}

/// `Qwen3ForCausalLM`.
pub(crate) fn text_encoder(size: &Size) -> Vec<Tensor> {
    let d = size.text_hidden;
    let (queries, keys) = (TEXT_HEADS * HEAD_WIDTH, TEXT_KEY_VALUE_HEADS * HEAD_WIDTH);
    let norm = |name: String, length| vector(name, length, 1.0, 0.2);
    let embedding = |name: &str| Tensor {
        name: name.into(),
        shape: vec![VOCABULARY, d],
        like: Like::Normal(0.0, 1.0),
    };
    let mut tensors = vec![
        embedding("model.embed_tokens.weight"),
        norm("model.norm.weight".into(), d),
    ];
    if !size.tied {
        tensors.push(embedding("lm_head.weight"));
    }
    for layer in 0..size.text_layers {
        let at = |leaf: &str| format!("model.layers.{layer}.{leaf}.weight");
        tensors.extend([
            norm(at("input_layernorm"), d),
            norm(at("post_attention_layernorm"), d),
            norm(at("self_attn.q_norm"), HEAD_WIDTH),
            norm(at("self_attn.k_norm"), HEAD_WIDTH),
            matrix(at("self_attn.q_proj"), queries, d, 1.0),
            matrix(at("self_attn.k_proj"), keys, d, 1.0),
            matrix(at("self_attn.v_proj"), keys, d, 1.0),
            matrix(at("self_attn.o_proj"), d, queries, 1.0),
            matrix(at("mlp.gate_proj"), size.text_inner, d, 1.0),
            matrix(at("mlp.up_proj"), size.text_inner, d, 1.0),
            matrix(at("mlp.down_proj"), d, size.text_inner, 1.0),
        ]);
    }
    tensors
}

/// `AutoencoderKLFlux2`.
pub(crate) fn vae() -> Vec<Tensor> {
    let mut tensors = Vec::new();
    let innermost = VAE_CHANNELS[3];
    let outermost = VAE_CHANNELS[0];
    // What goes in and what comes out: a picture becomes the moments of a latent, a latent a picture.
    for (side, first, last) in [
        ("encoder", (outermost, 3), (2 * LATENT_CHANNELS, innermost)),
        ("decoder", (innermost, LATENT_CHANNELS), (3, outermost)),
    ] {
        convolution(
            &mut tensors,
            &format!("{side}.conv_in"),
            first.0,
            first.1,
            3,
        );
        levels(&mut tensors, side);
        for number in 0..2 {
            let name = format!("{side}.mid_block.resnets.{number}");
            residual(&mut tensors, &name, innermost, innermost);
        }
        attention(
            &mut tensors,
            &format!("{side}.mid_block.attentions.0"),
            innermost,
        );
        affine(&mut tensors, &format!("{side}.conv_norm_out"), last.1);
        convolution(&mut tensors, &format!("{side}.conv_out"), last.0, last.1, 3);
    }
    let latent = LATENT_CHANNELS;
    convolution(&mut tensors, "quant_conv", 2 * latent, 2 * latent, 1);
    convolution(&mut tensors, "post_quant_conv", latent, latent, 1);
    tensors.push(vector("bn.running_mean", 4 * latent, 0.0, 0.3));
    tensors.push(Tensor {
        name: "bn.running_var".into(),
        shape: vec![4 * latent],
        like: Like::Uniform(0.5, 2.5),
    });
    tensors
}

/// The encoder's levels halve the picture between them, the decoder's, which are one block deeper,
/// double it.
fn levels(tensors: &mut Vec<Tensor>, side: &str) {
    let down = side == "encoder";
    let mut channels = VAE_CHANNELS;
    let (kind, change, blocks) = if down {
        ("down_blocks", "downsamplers", VAE_BLOCKS)
    } else {
        channels.reverse();
        ("up_blocks", "upsamplers", VAE_BLOCKS + 1)
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
        tensors.push(matrix(
            format!("{name}.{leaf}.weight"),
            channels,
            channels,
            0.6,
        ));
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
