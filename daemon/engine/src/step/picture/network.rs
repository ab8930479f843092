//! The weights of one half of the autoencoder.

use burn::tensor::Device;

use super::{EACH, padded};
use crate::config::VaeConfig;
use crate::layers::GroupNorm;
use crate::step::bank::{Bank, Taps};
use crate::step::op::picture::Window;
use crate::step::place::{Address, Kind, Matrix};
use crate::weights::{Scope, Stored, Weights, WeightsError};

/// One half.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Side {
    /// From a picture, `[3, height, width]`, to the means of its latent, `[latent channels, height / 8, width / 8]`.
    Encoder,
    /// From a latent to a picture.
    Decoder,
}

/// The weights of a half, in one group: they are little beside what is computed with them.
#[derive(Debug)]
pub(super) struct Network {
    pub(super) bank: Bank,
    pub(super) group: usize,
    /// What pictures and weights are held in.
    pub(super) numbers: Kind,
    /// Groups of a normalisation.
    pub(super) groups: usize,
    pub(super) eps: f32,
    /// Channels of what goes in and of what comes out.
    pub(super) inputs: usize,
    pub(super) outputs: usize,
    pub(super) stages: Vec<Stage>,
}

/// What is done one after another.
#[derive(Debug)]
pub(super) enum Stage {
    Convolve(Convolution),
    /// Two convolutions beside a shortcut.
    Residual(Box<Residual>),
    /// Attention between all pixels.
    Attend(Box<Attention>),
    /// Normalise, SiLU, convolve.
    Head(Norm, Convolution),
}

/// A convolution, rows and columns of its weight in multiples of [`EACH`].
#[derive(Debug, Clone, Copy)]
pub(super) struct Convolution {
    /// `[outputs, side² · inputs]`.
    pub(super) weight: Matrix,
    /// f32, one per output.
    pub(super) bias: Address,
    pub(super) window: Window,
}

/// A group normalisation's weight and bias, f32.
#[derive(Debug, Clone, Copy)]
pub(super) struct Norm {
    pub(super) weight: Address,
    pub(super) bias: Address,
}

#[derive(Debug)]
pub(super) struct Residual {
    pub(super) first_norm: Norm,
    pub(super) first: Convolution,
    pub(super) second_norm: Norm,
    pub(super) second: Convolution,
    pub(super) shortcut: Option<Convolution>,
}

#[derive(Debug)]
pub(super) struct Attention {
    pub(super) norm: Norm,
    pub(super) query: Convolution,
    pub(super) key: Convolution,
    pub(super) value: Convolution,
    pub(super) out: Convolution,
}

/// Whether all levels have channels that kernels take; those of published models do.
pub(super) fn suits(config: &VaeConfig) -> bool {
    let levels = config.block_out_channels.iter();
    let mut all = levels.chain(config.decoder_channels());
    all.all(|channels| channels.is_multiple_of(EACH))
}

impl Network {
    /// Finds the weights of a half, laid out as diffusers saves it; reads none.
    ///
    /// # Errors
    /// A missing tensor, or a shape that the config does not imply.
    pub(super) fn load(
        side: Side,
        config: &VaeConfig,
        weights: &Weights,
        numbers: Kind,
    ) -> Result<Self, WeightsError> {
        let device = Device::flex();
        let root = Scope::root(weights, &device);
        let mut bank = Bank::default();
        let group = bank.group();
        let mut loader = Loader {
            bank: &mut bank,
            group,
            numbers,
        };
        let latent = config.latent_channels;
        let (stages, inputs, outputs) = match side {
            Side::Encoder => {
                let mut stages = loader.encoder(&root.at("encoder"), config)?;
                if config.use_quant_conv {
                    let ends = [2 * latent, 2 * latent];
                    let last = loader.convolution(&root, "quant_conv", ends, Window::Point)?;
                    stages.push(Stage::Convolve(last));
                }
                (stages, config.in_channels, latent)
            }
            Side::Decoder => {
                let mut stages = Vec::new();
                if config.use_post_quant_conv {
                    let ends = [latent, latent];
                    let first =
                        loader.convolution(&root, "post_quant_conv", ends, Window::Point)?;
                    stages.push(Stage::Convolve(first));
                }
                stages.extend(loader.decoder(&root.at("decoder"), config)?);
                (stages, latent, config.out_channels)
            }
        };
        #[allow(clippy::cast_possible_truncation, reason = "rounding to f32 is meant")]
        let eps = GroupNorm::EPS as f32;
        Ok(Self {
            bank,
            group,
            numbers,
            groups: config.norm_num_groups,
            eps,
            inputs,
            outputs,
            stages,
        })
    }
}

/// Puts weights into a bank.
struct Loader<'a> {
    bank: &'a mut Bank,
    group: usize,
    numbers: Kind,
}

impl Loader<'_> {
    fn encoder(
        &mut self,
        scope: &Scope<'_>,
        config: &VaeConfig,
    ) -> Result<Vec<Stage>, WeightsError> {
        let channels = &config.block_out_channels;
        let (outermost, innermost) = (channels[0], channels[channels.len() - 1]);
        let ends = [outermost, config.in_channels];
        let first = self.convolution(scope, "conv_in", ends, Window::Near)?;
        let mut stages = vec![Stage::Convolve(first)];
        let mut inputs = outermost;
        for (number, &outputs) in channels.iter().enumerate() {
            let scope = scope.at("down_blocks").at(number);
            for block in 0..config.layers_per_block {
                stages.push(self.residual(&scope.at("resnets").at(block), outputs, inputs)?);
                inputs = outputs;
            }
            if number + 1 < channels.len() {
                let (scope, ends) = (scope.at("downsamplers.0"), [outputs, outputs]);
                let halve = self.convolution(&scope, "conv", ends, Window::Halved)?;
                stages.push(Stage::Convolve(halve));
            }
        }
        self.middle(&mut stages, scope, innermost, config)?;
        let ends = [2 * config.latent_channels, innermost];
        stages.push(self.head(scope, ends)?);
        Ok(stages)
    }

    fn decoder(
        &mut self,
        scope: &Scope<'_>,
        config: &VaeConfig,
    ) -> Result<Vec<Stage>, WeightsError> {
        let channels = config.decoder_channels();
        let (outermost, innermost) = (channels[0], channels[channels.len() - 1]);
        let ends = [innermost, config.latent_channels];
        let first = self.convolution(scope, "conv_in", ends, Window::Near)?;
        let mut stages = vec![Stage::Convolve(first)];
        self.middle(&mut stages, scope, innermost, config)?;
        let mut inputs = innermost;
        for (number, &outputs) in channels.iter().rev().enumerate() {
            let scope = scope.at("up_blocks").at(number);
            for block in 0..=config.layers_per_block {
                stages.push(self.residual(&scope.at("resnets").at(block), outputs, inputs)?);
                inputs = outputs;
            }
            if number + 1 < channels.len() {
                let (scope, ends) = (scope.at("upsamplers.0"), [outputs, outputs]);
                let double = self.convolution(&scope, "conv", ends, Window::Doubled)?;
                stages.push(Stage::Convolve(double));
            }
        }
        stages.push(self.head(scope, [config.out_channels, outermost])?);
        Ok(stages)
    }

    /// The stages of the smallest level.
    fn middle(
        &mut self,
        stages: &mut Vec<Stage>,
        scope: &Scope<'_>,
        channels: usize,
        config: &VaeConfig,
    ) -> Result<(), WeightsError> {
        let scope = scope.at("mid_block");
        let resnets = scope.at("resnets");
        stages.push(self.residual(&resnets.at(0), channels, channels)?);
        if config.mid_block_add_attention {
            let scope = scope.at("attentions.0");
            let mut linear = |name: &str| self.linear(&scope, name, channels);
            let (query, key) = (linear("to_q")?, linear("to_k")?);
            let (value, out) = (linear("to_v")?, linear("to_out.0")?);
            stages.push(Stage::Attend(Box::new(Attention {
                norm: self.norm(&scope, "group_norm", channels)?,
                query,
                key,
                value,
                out,
            })));
        }
        stages.push(self.residual(&resnets.at(1), channels, channels)?);
        Ok(())
    }

    fn head(&mut self, scope: &Scope<'_>, ends: [usize; 2]) -> Result<Stage, WeightsError> {
        Ok(Stage::Head(
            self.norm(scope, "conv_norm_out", ends[1])?,
            self.convolution(scope, "conv_out", ends, Window::Near)?,
        ))
    }

    fn residual(
        &mut self,
        scope: &Scope<'_>,
        outputs: usize,
        inputs: usize,
    ) -> Result<Stage, WeightsError> {
        let ends = [outputs, inputs];
        let shortcut = match outputs == inputs {
            true => None,
            false => Some(self.convolution(scope, "conv_shortcut", ends, Window::Point)?),
        };
        Ok(Stage::Residual(Box::new(Residual {
            first_norm: self.norm(scope, "norm1", inputs)?,
            first: self.convolution(scope, "conv1", ends, Window::Near)?,
            second_norm: self.norm(scope, "norm2", outputs)?,
            second: self.convolution(scope, "conv2", [outputs, outputs], Window::Near)?,
            shortcut,
        })))
    }

    /// A convolution of these outputs and inputs.
    fn convolution(
        &mut self,
        scope: &Scope<'_>,
        name: &str,
        [outputs, inputs]: [usize; 2],
        window: Window,
    ) -> Result<Convolution, WeightsError> {
        let side = window.side();
        let shape = [outputs, inputs, side, side];
        let weight = scope.stored(&format!("{name}.weight"), &shape)?;
        self.with_weight(scope, name, weight, window)
    }

    /// The same of each pixel by itself, stored as a linear layer.
    fn linear(
        &mut self,
        scope: &Scope<'_>,
        name: &str,
        channels: usize,
    ) -> Result<Convolution, WeightsError> {
        let weight = scope.stored(&format!("{name}.weight"), &[channels, channels])?;
        self.with_weight(scope, name, weight, Window::Point)
    }

    fn with_weight(
        &mut self,
        scope: &Scope<'_>,
        name: &str,
        weight: Stored,
        window: Window,
    ) -> Result<Convolution, WeightsError> {
        let taps = window.side() * window.side();
        let (outputs, inputs) = (weight.rows(), weight.row_length() / taps);
        let taps = Taps {
            taps,
            inputs: padded(inputs),
            rows: padded(outputs),
        };
        Ok(Convolution {
            weight: self
                .bank
                .add_taps(self.group, weight, taps, self.numbers)
                .values,
            bias: self.vector(scope, &format!("{name}.bias"), outputs)?,
            window,
        })
    }

    fn norm(
        &mut self,
        scope: &Scope<'_>,
        name: &str,
        channels: usize,
    ) -> Result<Norm, WeightsError> {
        Ok(Norm {
            weight: self.vector(scope, &format!("{name}.weight"), channels)?,
            bias: self.vector(scope, &format!("{name}.bias"), channels)?,
        })
    }

    /// One number per channel, f32.
    fn vector(
        &mut self,
        scope: &Scope<'_>,
        name: &str,
        channels: usize,
    ) -> Result<Address, WeightsError> {
        let row = scope.stored(name, &[channels])?.reshaped(vec![1, channels]);
        let taps = Taps {
            taps: 1,
            inputs: padded(channels),
            rows: 1,
        };
        let weight = self.bank.add_taps(self.group, row, taps, Kind::F32);
        Ok(weight.values.at)
    }
}
