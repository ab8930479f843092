//! The config that would lie beside a file, had its writer left one.
//!
//! Single files come without a config, and need none: their tensors' shapes say every size. What
//! shapes cannot say is the same in all of FLUX.2 (the rotations' axes, ε of a norm, that the VAE has its
//! convolutions around the latent), or in all models of a text encoder's family. The result is the JSON
//! that diffusers or transformers would have written, so it is parsed and checked as any other, and
//! nothing downstream knows the difference.
//!
//! Sizes are never guessed from a file's name. A tensor that sizes are read from and that is missing is
//! an error here; a shape that contradicts another one is found when the network is built.

use serde_json::{Value, json};

use crate::weights::{Weights, WeightsError};

/// Numbers in a head of a text encoder that has no norm per head to tell.
const HEAD: usize = 128;

type Config = Result<Value, WeightsError>;

/// `config.json` of a transformer with canonical names.
pub(crate) fn transformer(weights: &Weights) -> Config {
    let [hidden, channels] = matrix(weights, "x_embedder.weight")?;
    let [head] = shape(weights, "transformer_blocks.0.attn.norm_q.weight")?;
    let inner = matrix(weights, "transformer_blocks.0.ff.linear_in.weight")?[0] / 2;
    let guidance = "time_guidance_embed.guidance_embedder.linear_1.weight";
    Ok(json!({
        "in_channels": channels,
        "num_layers": count(weights, "transformer_blocks."),
        "num_single_layers": count(weights, "single_transformer_blocks."),
        "attention_head_dim": head,
        "num_attention_heads": hidden / head.max(1),
        "joint_attention_dim": matrix(weights, "context_embedder.weight")?[1],
        "timestep_guidance_channels":
            matrix(weights, "time_guidance_embed.timestep_embedder.linear_1.weight")?[1],
        "mlp_ratio": ratio(inner, hidden),
        "guidance_embeds": weights.contains(guidance),
    }))
}

/// `config.json` of a VAE with canonical names. Encoder and decoder are measured by themselves: the
/// small decoder comes with the full encoder.
pub(crate) fn vae(weights: &Weights) -> Config {
    let convolution = |name: &str| shape::<4>(weights, &format!("{name}.weight"));
    let levels = |side: &str| count(weights, &format!("{side}_blocks."));
    let channels = |side: &str, level: usize| {
        Ok(convolution(&format!("{side}_blocks.{level}.resnets.0.conv1"))?[0])
    };
    let down = levels("encoder.down");
    let up = levels("decoder.up");
    // A level that is named and not there ends this, so a huge number in a name costs nothing.
    let encoder = (0..down).map(|level| channels("encoder.down", level));
    let encoder = encoder.collect::<Result<Vec<_>, WeightsError>>()?;
    let decoder = (0..up).rev().map(|level| channels("decoder.up", level));
    let decoder = decoder.collect::<Result<Vec<_>, WeightsError>>()?;
    Ok(json!({
        "in_channels": convolution("encoder.conv_in")?[1],
        "out_channels": convolution("decoder.conv_out")?[0],
        "down_block_types": vec!["DownEncoderBlock2D"; encoder.len()],
        "up_block_types": vec!["UpDecoderBlock2D"; decoder.len()],
        "block_out_channels": encoder,
        "decoder_block_out_channels": decoder,
        "layers_per_block": count(weights, "encoder.down_blocks.0.resnets."),
        "latent_channels": convolution("decoder.conv_in")?[1],
    }))
}

/// `config.json` of a text encoder with canonical names. A GGUF's notes state what shapes cannot.
pub(crate) fn text_encoder(weights: &Weights) -> Config {
    let layer = |name: &str| format!("model.layers.0.{name}.weight");
    let query_norm = layer("self_attn.q_norm");
    let is_qwen = weights.contains(&query_norm);
    let head = if is_qwen {
        shape::<1>(weights, &query_norm)?[0]
    } else {
        note(weights, "attention.key_length")
            .or_else(|| note(weights, "rope.dimension_count"))
            .unwrap_or(HEAD)
    };
    let [vocabulary, hidden] = matrix(weights, "model.embed_tokens.weight")?;
    let (kind, theta, eps) = if is_qwen {
        ("qwen3", 1e6, 1e-6)
    } else {
        ("mistral", 1e9, 1e-5)
    };
    let heads = |name: &str| Ok::<_, WeightsError>(matrix(weights, &layer(name))?[0] / head.max(1));
    Ok(json!({
        "model_type": kind,
        "vocab_size": vocabulary,
        "hidden_size": hidden,
        "intermediate_size": matrix(weights, &layer("mlp.gate_proj"))?[0],
        "num_hidden_layers": count(weights, "model.layers."),
        "num_attention_heads": heads("self_attn.q_proj")?,
        "num_key_value_heads": heads("self_attn.k_proj")?,
        "head_dim": head,
        "rope_theta": note(weights, "rope.freq_base").unwrap_or(theta),
        "rms_norm_eps": note(weights, "attention.layer_norm_rms_epsilon").unwrap_or(eps),
    }))
}

/// What a GGUF says of its model under this key, whose first word is the architecture's name.
fn note<T: std::str::FromStr>(weights: &Weights, key: &str) -> Option<T> {
    let notes = weights.metadata();
    let architecture = notes.get("general.architecture")?;
    notes.get(&format!("{architecture}.{key}"))?.parse().ok()
}

/// One more than the largest number that follows `prefix` in a name.
fn count(weights: &Weights, prefix: &str) -> usize {
    let number = |name: &str| name.strip_prefix(prefix)?.split('.').next()?.parse().ok();
    let largest = weights.names().filter_map(number).max();
    largest.map_or(0, |largest: usize| largest.saturating_add(1))
}

/// The tensor's shape; zeros if it has other axes, which a check will refuse.
fn shape<const D: usize>(weights: &Weights, name: &str) -> Result<[usize; D], WeightsError> {
    let shape = weights.get(name)?.shape();
    Ok(shape.try_into().unwrap_or([0; D]))
}

fn matrix(weights: &Weights, name: &str) -> Result<[usize; 2], WeightsError> {
    shape(weights, name)
}

#[allow(
    clippy::cast_precision_loss,
    reason = "a width is far below 2^52, and the quotient of published models is whole"
)]
fn ratio(inner: usize, hidden: usize) -> f64 {
    inner as f64 / hidden.max(1) as f64
}
