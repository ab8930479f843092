//! The transformer as layers that call burn, one after another.

use burn::tensor::{Device, Tensor, activation, s};

use super::double::DoubleBlock;
use super::modulation::{self, Modulator};
use super::references::References;
use super::single::SingleBlock;
use super::time::TimeEmbedding;
use crate::config::TransformerConfig;
use crate::device::Target;
use crate::layers::{LayerNorm, Linear};
use crate::lora::Adapters;
use crate::rope::{Rotation, frequencies};
use crate::weights::{Scope, Weights, WeightsError};

/// The transformer as layers.
#[derive(Debug)]
pub(crate) struct Layered {
    config: TransformerConfig,
    pub(super) time: TimeEmbedding,
    pub(super) double_image_modulator: Modulator<2>,
    double_text_modulator: Modulator<2>,
    pub(super) single_modulator: Modulator<1>,
    pub(super) image_in: Linear,
    text_in: Linear,
    pub(super) double_blocks: Vec<DoubleBlock>,
    pub(super) single_blocks: Vec<SingleBlock>,
    last_norm: LayerNorm,
    last_modulation: Linear,
    out: Linear,
    device: Device,
}

/// All that stays the same over the steps of a picture.
#[derive(Debug)]
pub(crate) struct Conditioning {
    /// The embedded prompt, `[prompt tokens, hidden width]`.
    text: Tensor<2>,
    rotation: Rotation,
    /// The embedded guidance, where the network takes it.
    guidance: Option<Tensor<2>>,
}

impl Layered {
    /// Reads the transformer, laid out as diffusers saves it, with what adapters add to it.
    ///
    /// # Errors
    /// A missing tensor, a shape that the config does not imply, an element type not read.
    pub(super) fn load(
        config: TransformerConfig,
        weights: &Weights,
        adapters: &Adapters,
        target: &Target,
    ) -> Result<Self, WeightsError> {
        let device = &target.device;
        let scope = Scope::root(weights, device)
            .adapted(adapters)
            .rounding(target.operands);
        let hidden = config.hidden();
        let double = scope.at("transformer_blocks");
        let single = scope.at("single_transformer_blocks");
        Ok(Self {
            time: TimeEmbedding::load(&scope, &config)?,
            double_image_modulator: Modulator::load(
                &scope,
                "double_stream_modulation_img",
                hidden,
            )?,
            double_text_modulator: Modulator::load(&scope, "double_stream_modulation_txt", hidden)?,
            single_modulator: Modulator::load(&scope, "single_stream_modulation", hidden)?,
            image_in: Linear::load(&scope, "x_embedder", hidden, config.in_channels)?,
            text_in: Linear::load(
                &scope,
                "context_embedder",
                hidden,
                config.joint_attention_dim,
            )?,
            double_blocks: (0..config.num_layers)
                .map(|number| DoubleBlock::load(&double.at(number), &config))
                .collect::<Result<_, _>>()?,
            single_blocks: (0..config.num_single_layers)
                .map(|number| SingleBlock::load(&single.at(number), &config))
                .collect::<Result<_, _>>()?,
            last_norm: LayerNorm::new(hidden, config.eps, device),
            last_modulation: Linear::load(
                &scope.unrounded(),
                "norm_out.linear",
                2 * hidden,
                hidden,
            )?,
            out: Linear::load(&scope, "proj_out", config.output(), hidden)?,
            device: device.clone(),
            config,
        })
    }

    /// Prepares a prompt, `[prompt tokens, context width]`, for tokens at these places: the prompt's,
    /// the output's and those of references that are shown. A network that takes guidance as an input gets this one, also
    /// where it is 1 or 0: there is no value that means none.
    pub(super) fn condition(
        &self,
        prompt: Tensor<2>,
        places: &[[u32; 4]],
        guidance: f32,
    ) -> Conditioning {
        Conditioning {
            text: self.text_in.forward(prompt),
            rotation: self.rotation(places),
            guidance: self.time.guidance(guidance),
        }
    }

    pub(super) fn rotation(&self, places: &[[u32; 4]]) -> Rotation {
        let axes = self.config.axes_dims_rope.iter().enumerate();
        let pairs: Vec<_> = axes
            .flat_map(|(axis, &width)| {
                frequencies(width, self.config.rope_theta).map(move |frequency| (axis, frequency))
            })
            .collect();
        Rotation::new(places, &pairs, &self.device)
    }

    /// The velocity of the output's tokens, `[tokens, channels]`; `time` is 1000·σ.
    pub(super) fn predict(
        &self,
        output: Tensor<2>,
        references: &References,
        time: f32,
        conditioning: &Conditioning,
    ) -> Tensor<2> {
        let count = output.dims()[0];
        let rotation = &conditioning.rotation;
        let time = self.time.forward(time, conditioning.guidance.as_ref());
        let time = activation::silu(time);
        let for_image = self.double_image_modulator.forward(&time);
        let for_text = self.double_text_modulator.forward(&time);
        let [for_joint] = self.single_modulator.forward(&time);

        let mut image = self.image_in.forward(references.beside(output));
        let mut text = conditioning.text.clone();
        let prompt = text.dims()[0];
        let rotations = [
            &rotation.first(prompt),
            &rotation.part(prompt..prompt + image.dims()[0]),
        ];
        for (number, block) in self.double_blocks.iter().enumerate() {
            let kept = references.in_double(number);
            [text, image] = block.forward([text, image], &for_text, &for_image, rotations, kept);
        }
        let mut joint = Tensor::cat(vec![text, image], 0);
        for (number, block) in self.single_blocks.iter().enumerate() {
            let kept = references.in_single(number);
            joint = block.forward(joint, &for_joint, rotation, kept);
        }
        self.finish(joint.slice(s![prompt..prompt + count, ..]), time)
    }

    fn finish(&self, image: Tensor<2>, time: Tensor<2>) -> Tensor<2> {
        let [scale, shift] = modulation::chunks(self.last_modulation.forward(time));
        self.out
            .forward(self.last_norm.modulated(image, shift, scale))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::path::Path;

    use burn::tensor::Distribution;

    use super::*;
    use crate::cpu::Operands;
    use crate::model::Model;
    use crate::source::ModelSource;

    #[test]
    fn what_depends_on_the_time_is_never_rounded() {
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures");
        let source = ModelSource::discover(&fixtures.join("dev/model")).unwrap();
        let part = Model::open(&source).unwrap().transformer;
        let device = Device::flex();
        let [exact, rounding] = [Operands::F32, Operands::Bf16].map(|operands| {
            let target = Target::processor(operands);
            let config = part.config.clone();
            Layered::load(config, &part.weights, &Adapters::default(), &target).unwrap()
        });
        let of_time = |network: &Layered| {
            let guidance = network.time.guidance(3.5);
            assert!(guidance.is_some());
            let time = network.time.forward(767.2, guidance.as_ref());
            let mut all = vec![network.last_modulation.forward(time.clone())];
            let modulations = network.double_image_modulator.forward(&time).into_iter();
            let modulations = modulations.chain(network.double_text_modulator.forward(&time));
            let modulations = modulations.chain(network.single_modulator.forward(&time));
            let tokens = Tensor::ones([1, network.config.hidden()], &device);
            all.extend(modulations.map(|own| own.enter(&network.last_norm, tokens.clone())));
            all.push(time);
            all.into_iter().map(Tensor::into_data).collect::<Vec<_>>()
        };
        assert_eq!(of_time(&exact), of_time(&rounding));
        let channels = exact.config.in_channels;
        let normal = Distribution::Normal(0.0, 1.0);
        let image = Tensor::<2>::random([16, channels], normal, &device);
        let [exact, rounded] =
            [&exact, &rounding].map(|network| network.image_in.forward(image.clone()).into_data());
        assert_ne!(exact, rounded);
    }
}
