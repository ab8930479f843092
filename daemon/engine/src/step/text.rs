//! The text encoder as a program.
//!
//! Its weights may be 8-bit floats, what they are multiplied by is not: a few of a language model's channels are
//! hundreds of times larger than the others, and would leave these no bits.

mod build;
mod runner;

use burn::tensor::Device;

use super::bank::{Bank, Weight};
use super::network::{Arithmetic, Loader, Use};
use super::place::Address;
use crate::config::TextEncoderConfig;
use crate::family::Family;
use crate::lora::Adapters;
use crate::weights::{Scope, Weights, WeightsError};

pub(crate) use runner::TextRunner;

/// The weights of the layers up to the last that is listened to.
#[derive(Debug)]
struct TextNetwork {
    config: TextEncoderConfig,
    arithmetic: Arithmetic,
    bank: Bank,
    layers: Vec<Layer>,
}

#[derive(Debug)]
struct Layer {
    group: usize,
    attention_norm: Address,
    /// Queries, keys and values.
    fused_in: Weight,
    /// Of queries and keys, where the encoder has them.
    norms: Option<[Address; 2]>,
    out: Weight,
    feed_forward_norm: Address,
    gate_up: Weight,
    down: Weight,
}

impl TextNetwork {
    /// Finds all weights below `prefix`; reads none.
    ///
    /// # Errors
    /// A missing tensor, or a shape that the config does not imply.
    fn load(
        config: TextEncoderConfig,
        weights: &Weights,
        prefix: &str,
        arithmetic: Arithmetic,
    ) -> Result<Self, WeightsError> {
        let arithmetic = Arithmetic {
            multiplies_e4m3: false,
            ..arithmetic
        };
        let device = Device::flex();
        let adapters = Adapters::default();
        let scope = Scope::root(weights, &device).adapted(&adapters);
        let mut bank = Bank::default();
        // What is in no layer: nothing, as embeddings are looked up by the host.
        let common = bank.group();
        let mut loader = Loader::new(&mut bank, common, arithmetic);
        let layers = (0..config.family.depth()).map(|number| {
            let scope = scope.at(format_args!("{prefix}layers.{number}"));
            Layer::load(&mut loader, &scope, &config)
        });
        let layers = layers.collect::<Result<_, WeightsError>>()?;
        Ok(Self {
            config,
            arithmetic,
            bank,
            layers,
        })
    }

    fn weights(&self) -> impl Iterator<Item = Weight> {
        let layers = self.layers.iter();
        layers.flat_map(|layer| [layer.fused_in, layer.out, layer.gate_up, layer.down])
    }
}

impl Layer {
    fn load(
        loader: &mut Loader<'_>,
        scope: &Scope<'_>,
        config: &TextEncoderConfig,
    ) -> Result<Self, WeightsError> {
        let group = loader.begin();
        let (hidden, inner) = (config.hidden_size, config.intermediate_size);
        let width = config.head_dim;
        let queries = config.num_attention_heads * width;
        let keys = config.num_key_value_heads * width;
        let attention = scope.at("self_attn");
        let fused = [("q_proj", queries), ("k_proj", keys), ("v_proj", keys)];
        let gated = ["mlp.gate_proj", "mlp.up_proj"];
        Ok(Self {
            group,
            attention_norm: loader.norm(scope, "input_layernorm", hidden)?,
            fused_in: loader.load_of_sizes(&attention, &fused, hidden)?,
            norms: match config.family {
                Family::Klein => Some([
                    loader.norm(&attention, "q_norm", width)?,
                    loader.norm(&attention, "k_norm", width)?,
                ]),
                Family::Dev => None,
            },
            out: loader.load(&attention, &["o_proj"], [hidden, queries], Use::Block)?,
            feed_forward_norm: loader.norm(scope, "post_attention_layernorm", hidden)?,
            gate_up: loader.load(scope, &gated, [2 * inner, hidden], Use::Block)?,
            down: loader.load(scope, &["mlp.down_proj"], [hidden, inner], Use::Block)?,
        })
    }
}
