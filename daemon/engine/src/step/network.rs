//! The transformer's weights, and in which precision each is held and multiplied.

use std::path::PathBuf;

use burn::tensor::Device;

use super::bank::{Bank, Weight};
use super::place::{Address, Kind};
use crate::config::TransformerConfig;
use crate::device::Precision;
use crate::lora::{Adapters, Fitted};
use crate::transformer::double::{IMAGE, Names, TEXT};
use crate::weights::{Encoding, Scope, Stored, Weights, WeightsError};

/// What the blocks' products are to be computed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Arithmetic {
    /// What weights of the blocks are held in: as 8-bit floats also those that their file holds wider.
    pub(crate) weights: Kind,
    /// Whether products of 8-bit floats are the device's own; if not, weights are widened before each.
    pub(crate) multiplies_e4m3: bool,
}

impl Arithmetic {
    /// For a device that multiplies 8-bit floats, as fast as it can.
    pub(crate) fn native(precision: Precision) -> Self {
        Self {
            weights: match precision {
                Precision::F32 => Kind::F32,
                Precision::Auto | Precision::Bf16 => Kind::Bf16,
                Precision::Fp8 => Kind::E4m3,
            },
            multiplies_e4m3: true,
        }
    }

    /// What a product with this weight takes.
    pub(crate) fn operand_of(self, weight: &Weight) -> Kind {
        let native = self.multiplies_e4m3 && self.weights == Kind::E4m3;
        match weight.values.kind {
            Kind::E4m3 if native && !weight.full_precision => Kind::E4m3,
            Kind::E4m3 => Kind::Bf16,
            kind => kind,
        }
    }

    /// Bytes in which the largest of these weights can be widened that must be; 0 if none must.
    pub(crate) fn scratch(self, weights: impl Iterator<Item = Weight>) -> usize {
        let widened = weights.filter(|weight| {
            weight.values.kind == Kind::E4m3 && self.operand_of(weight) == Kind::Bf16
        });
        let sizes = widened.map(|weight| weight.values.rows * weight.values.columns);
        sizes.max().unwrap_or(0) * Kind::Bf16.bytes()
    }
}

/// The weights of a transformer as a step names them.
#[derive(Debug)]
pub(crate) struct Network {
    pub(crate) config: TransformerConfig,
    pub(crate) arithmetic: Arithmetic,
    pub(crate) bank: Bank,
    /// The group of what is in no block.
    pub(crate) common: usize,
    pub(crate) time: Embedder,
    pub(crate) guidance: Option<Embedder>,
    pub(crate) double_image: Weight,
    pub(crate) double_text: Weight,
    pub(crate) single: Weight,
    pub(crate) last: Weight,
    pub(crate) image_in: Weight,
    pub(crate) text_in: Weight,
    pub(crate) out: Weight,
    pub(crate) doubles: Vec<Double>,
    pub(crate) singles: Vec<Single>,
}

/// The layers that embed one number.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Embedder {
    pub(crate) first: Weight,
    pub(crate) second: Weight,
}

/// A double-stream block.
#[derive(Debug)]
pub(crate) struct Double {
    pub(crate) group: usize,
    pub(crate) text: Stream,
    pub(crate) image: Stream,
}

/// One stream of it.
#[derive(Debug)]
pub(crate) struct Stream {
    pub(crate) qkv: Weight,
    pub(crate) query_norm: Address,
    pub(crate) key_norm: Address,
    pub(crate) attention_out: Weight,
    pub(crate) feed_forward_in: Weight,
    pub(crate) feed_forward_out: Weight,
}

/// A single-stream block.
#[derive(Debug)]
pub(crate) struct Single {
    pub(crate) group: usize,
    pub(crate) fused_in: Weight,
    pub(crate) query_norm: Address,
    pub(crate) key_norm: Address,
    pub(crate) fused_out: Weight,
}

impl Network {
    /// Finds all weights of a transformer, laid out as diffusers saves it; reads none.
    ///
    /// # Errors
    /// A missing tensor, or a shape that the config does not imply.
    pub(crate) fn load(
        config: TransformerConfig,
        weights: &Weights,
        adapters: &Adapters,
        arithmetic: Arithmetic,
    ) -> Result<Self, WeightsError> {
        let device = Device::flex();
        let scope = Scope::root(weights, &device).adapted(adapters);
        let mut bank = Bank::default();
        let common = bank.group();
        let hidden = config.hidden();
        let channels = config.in_channels;
        let mut loader = Loader::new(&mut bank, common, arithmetic);
        let vector = |loader: &mut Loader<'_>, name: &str, outputs: usize, inputs: usize| {
            loader.load(&scope, &[name], [outputs, inputs], Use::Vector)
        };
        let embedder = |loader: &mut Loader<'_>, name: &str| {
            let scope = scope.at("time_guidance_embed").at(name);
            let mut layer =
                |name, inputs| loader.load(&scope, &[name], [hidden, inputs], Use::Vector);
            Ok::<_, WeightsError>(Embedder {
                first: layer("linear_1", config.timestep_guidance_channels)?,
                second: layer("linear_2", hidden)?,
            })
        };
        let time = embedder(&mut loader, "timestep_embedder")?;
        let guidance = match config.guidance_embeds {
            true => Some(embedder(&mut loader, "guidance_embedder")?),
            false => None,
        };
        let of_image = "double_stream_modulation_img.linear";
        let of_text = "double_stream_modulation_txt.linear";
        let double_image = vector(&mut loader, of_image, 6 * hidden, hidden)?;
        let double_text = vector(&mut loader, of_text, 6 * hidden, hidden)?;
        let single = vector(
            &mut loader,
            "single_stream_modulation.linear",
            3 * hidden,
            hidden,
        )?;
        let last = vector(&mut loader, "norm_out.linear", 2 * hidden, hidden)?;
        let mut edge = |name, shape| loader.load(&scope, &[name], shape, Use::Edge);
        let image_in = edge("x_embedder", [hidden, channels])?;
        let text_in = edge("context_embedder", [hidden, config.joint_attention_dim])?;
        let out = edge("proj_out", [config.output(), hidden])?;
        let doubles = (0..config.num_layers).map(|number| {
            let group = loader.begin();
            let scope = scope.at("transformer_blocks").at(number);
            Ok(Double {
                group,
                text: Stream::load(&mut loader, &scope, &TEXT, &config)?,
                image: Stream::load(&mut loader, &scope, &IMAGE, &config)?,
            })
        });
        let doubles = doubles.collect::<Result<_, WeightsError>>()?;
        let singles = (0..config.num_single_layers).map(|number| {
            let scope = scope.at("single_transformer_blocks").at(number).at("attn");
            Single::load(&mut loader, &scope, &config)
        });
        let singles = singles.collect::<Result<_, WeightsError>>()?;
        Ok(Self {
            config,
            arithmetic,
            bank,
            common,
            time,
            guidance,
            double_image,
            double_text,
            single,
            last,
            image_in,
            text_in,
            out,
            doubles,
            singles,
        })
    }
}

impl Network {
    /// Bytes in which the largest weight can be widened that must be; 0 if none must.
    pub(crate) fn scratch(&self) -> usize {
        let of_stream = |stream: &Stream| {
            let in_and_out = [stream.feed_forward_in, stream.feed_forward_out];
            [stream.qkv, stream.attention_out]
                .into_iter()
                .chain(in_and_out)
        };
        let doubles = self.doubles.iter();
        let of_doubles =
            doubles.flat_map(|block| of_stream(&block.text).chain(of_stream(&block.image)));
        let singles = self.singles.iter();
        let of_singles = singles.flat_map(|block| [block.fused_in, block.fused_out]);
        self.arithmetic.scratch(of_doubles.chain(of_singles))
    }
}

impl Stream {
    fn load(
        loader: &mut Loader<'_>,
        scope: &Scope<'_>,
        names: &Names,
        config: &TransformerConfig,
    ) -> Result<Self, WeightsError> {
        let (hidden, inner) = (config.hidden(), config.feed_forward());
        let attention = scope.at("attn");
        let feed_forward = scope.at(names.feed_forward);
        let width = config.attention_head_dim;
        let out = [names.attention_out];
        Ok(Self {
            qkv: loader.load(&attention, &names.qkv, [3 * hidden, hidden], Use::Block)?,
            query_norm: loader.norm(&attention, names.query_norm, width)?,
            key_norm: loader.norm(&attention, names.key_norm, width)?,
            attention_out: loader.load(&attention, &out, [hidden, hidden], Use::Block)?,
            feed_forward_in: {
                let shape = [2 * inner, hidden];
                loader.load(&feed_forward, &["linear_in"], shape, Use::Block)?
            },
            feed_forward_out: {
                let shape = [hidden, inner];
                loader.load(&feed_forward, &["linear_out"], shape, Use::Block)?
            },
        })
    }
}

impl Single {
    fn load(
        loader: &mut Loader<'_>,
        scope: &Scope<'_>,
        config: &TransformerConfig,
    ) -> Result<Self, WeightsError> {
        let (hidden, inner) = (config.hidden(), config.feed_forward());
        let group = loader.begin();
        let width = config.attention_head_dim;
        let fused = [3 * hidden + 2 * inner, hidden];
        Ok(Self {
            group,
            fused_in: loader.load(scope, &["to_qkv_mlp_proj"], fused, Use::Block)?,
            query_norm: loader.norm(scope, "norm_q", width)?,
            key_norm: loader.norm(scope, "norm_k", width)?,
            fused_out: loader.load(scope, &["to_out"], [hidden, hidden + inner], Use::Block)?,
        })
    }
}

/// What a weight is multiplied by, which decides what it is held in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// One vector, in f32: the numbers may be whatever the file has.
    Vector,
    /// All tokens, where pictures and prompts come in or go out: never in 8-bit floats.
    Edge,
    /// All tokens, in a block.
    Block,
}

/// Puts weights into a bank.
pub(super) struct Loader<'a> {
    bank: &'a mut Bank,
    group: usize,
    arithmetic: Arithmetic,
}

impl<'a> Loader<'a> {
    /// What is loaded first belongs to this group.
    pub(super) fn new(bank: &'a mut Bank, group: usize, arithmetic: Arithmetic) -> Self {
        Self {
            bank,
            group,
            arithmetic,
        }
    }

    /// Begins a group; what is loaded next belongs to it.
    pub(super) fn begin(&mut self) -> usize {
        self.group = self.bank.group();
        self.group
    }

    /// Layers on the same input as one, `[outputs, inputs]` all together.
    pub(super) fn load(
        &mut self,
        scope: &Scope<'_>,
        names: &[&str],
        shape: [usize; 2],
        used: Use,
    ) -> Result<Weight, WeightsError> {
        let leaves: Vec<_> = names.iter().map(|name| format!("{name}.weight")).collect();
        let leaves: Vec<_> = leaves.iter().map(String::as_str).collect();
        let source = scope.stacked(&leaves, shape)?;
        let kind = self.kind(&source, used);
        // What takes more of a card than was asked for would show nowhere but in its memory.
        assert!(
            used == Use::Vector || kind.bytes() <= self.arithmetic.weights.product().bytes(),
            "{} is held in {kind:?}, which is wider than products are",
            source.name()
        );
        let each = shape[0] / names.len().max(1);
        let adapters: Vec<(usize, Fitted)> = (0..)
            .step_by(each.max(1))
            .zip(names)
            .flat_map(|(first, name)| {
                let own = scope.adapters(name).iter().cloned();
                own.map(move |fitted| (first, fitted))
            })
            .collect();
        Ok(self.bank.add(self.group, source, adapters, kind))
    }

    /// Layers on the same input as one, of these numbers of outputs, in a block; nothing adapts them.
    pub(super) fn load_of_sizes(
        &mut self,
        scope: &Scope<'_>,
        layers: &[(&str, usize)],
        inputs: usize,
    ) -> Result<Weight, WeightsError> {
        let sources = layers
            .iter()
            .map(|(name, outputs)| scope.stored(&format!("{name}.weight"), &[*outputs, inputs]));
        let sources = sources.collect::<Result<Vec<_>, _>>()?;
        let source = Stored::stack(sources).ok_or_else(|| WeightsError::TensorMissing {
            path: PathBuf::new(),
            tensor: layers.iter().map(|layer| layer.0).collect(),
        })?;
        let kind = self.kind(&source, Use::Block);
        Ok(self.bank.add(self.group, source, Vec::new(), kind))
    }

    fn kind(&self, source: &Stored, used: Use) -> Kind {
        let is_e4m3 = source.is_all(Encoding::E4M3) && source.row_scales().is_some();
        match (used, self.arithmetic.weights) {
            (Use::Vector, _) if is_e4m3 => Kind::E4m3,
            (Use::Vector, _) if source.is_all(Encoding::Bf16) => Kind::Bf16,
            (Use::Vector, _) | (_, Kind::F32) => Kind::F32,
            (Use::Edge, _) => Kind::Bf16,
            // Rows of 8-bit floats are read sixteen at a time.
            (Use::Block, _) if !source.row_length().is_multiple_of(16) => Kind::Bf16,
            (Use::Block, _) if is_e4m3 => Kind::E4m3,
            (Use::Block, kind) => kind,
        }
    }

    /// The weight of a norm.
    pub(super) fn norm(
        &mut self,
        scope: &Scope<'_>,
        name: &str,
        width: usize,
    ) -> Result<Address, WeightsError> {
        let source = scope.stored(&format!("{name}.weight"), &[width])?;
        let row = source.reshaped(vec![1, width]);
        let weight = self.bank.add(self.group, row, Vec::new(), Kind::F32);
        Ok(weight.values.at)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use crate::step::twin::tests::fixture;

    /// Bytes of the blocks' weights in a precision.
    fn blocks(precision: Precision) -> usize {
        let part = fixture("klein");
        let arithmetic = Arithmetic::native(precision);
        let adapters = Adapters::default();
        let network = Network::load(part.config, &part.weights, &adapters, arithmetic).unwrap();
        (0..network.bank.groups())
            .filter(|&group| group != network.common)
            .map(|group| network.bank.bytes(group))
            .sum()
    }

    /// 26·d² numbers in a double-stream block, 13·d² in a single-stream one.
    #[test]
    fn a_block_takes_what_its_precision_says_and_scales() {
        let [f32, bf16, fp8] = [Precision::F32, Precision::Bf16, Precision::Fp8].map(blocks);
        let numbers = 39 * 256 * 256;
        let within = |bytes: usize, each: usize| {
            assert!(
                bytes >= each * numbers && bytes < each * numbers + (64 << 10),
                "{bytes}"
            );
        };
        within(f32, 4);
        within(bf16, 2);
        within(fp8, 1);
    }
}
