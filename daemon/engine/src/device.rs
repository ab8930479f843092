//! Where and in what precision a model runs, as users name it.
//!
//! The choice is made once, when a pipeline is opened. No other module may ask burn for a default
//! device: its choice depends on the environment and ends the process on an unknown name.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use burn::tensor::Device;
use serde::{Deserialize, Serialize};

use crate::cpu::Operands;
use crate::cuda::{self, Card, Opened, Survey, caches};
use crate::error::EngineError;
use crate::observer::Notice;
use crate::step::machine::{Host, Processor, Stepper};
use crate::trial::{self, Settled};

/// How a pipeline is to be opened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenOptions {
    /// The device that computes.
    pub device: DeviceChoice,
    /// The precision of weights and arithmetic.
    pub precision: Precision,
    /// The most bytes that a picture may take beside the model's files, which are mapped; left out, what
    /// the machine has to spare. To stay below, the autoencoder works in tiles; what cannot is refused.
    pub memory: Option<u64>,
    /// The most bytes of a card's memory that the networks' weights and arithmetic may take; left out, what is
    /// free. Blocks that do not fit are brought for each step.
    pub vram: Option<u64>,
}

/// A device as users name it: `auto`, `cpu`, `cuda`, `cuda:1` or `twin`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum DeviceChoice {
    /// The largest card that is fit and that [computes what it should](crate::trial), and the processor where there is
    /// none.
    #[default]
    Auto,
    /// The processor.
    Cpu,
    /// The CUDA device with this number.
    Cuda(u32),
    /// The processor, doing operation by operation what a card does, in a card's precisions: slowly, to compare.
    Twin,
}

impl DeviceChoice {
    /// The device that this choice comes to, if that can be said without starting a driver: where there is one, `auto`
    /// stays `auto` until a pipeline is opened.
    #[must_use]
    pub fn foreseen(self) -> Self {
        match self {
            Self::Auto if !cuda::driver_is_there() => Self::Cpu,
            named => named,
        }
    }
}

impl FromStr for DeviceChoice {
    type Err = EngineError;

    fn from_str(text: &str) -> Result<Self, EngineError> {
        match text {
            "auto" => Ok(Self::Auto),
            "cpu" => Ok(Self::Cpu),
            "cuda" => Ok(Self::Cuda(0)),
            "twin" => Ok(Self::Twin),
            _ => text
                .strip_prefix("cuda:")
                .filter(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
                .and_then(|number| number.parse().ok())
                .map(Self::Cuda)
                .ok_or_else(|| {
                    EngineError::request(
                        "device",
                        format!("{text:?} is none of auto, cpu, cuda, cuda:NUMBER and twin"),
                    )
                }),
        }
    }
}

impl fmt::Display for DeviceChoice {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => formatter.write_str("auto"),
            Self::Cpu => formatter.write_str("cpu"),
            Self::Cuda(number) => write!(formatter, "cuda:{number}"),
            Self::Twin => formatter.write_str("twin"),
        }
    }
}

/// A precision as users name it: `auto`, `f32`, `bf16` or `fp8`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Precision {
    /// What suits the device: f32 on the processor.
    #[default]
    Auto,
    /// 32-bit floats throughout.
    F32,
    /// Brain floats for whatever is multiplied in linear layers and in attention, of the transformer and of
    /// the text encoder. Sums, what is carried from layer to layer, normalisation, softmax, and all that depends
    /// on the time step alone stay f32. So does the autoencoder on the processor; on a card it holds and
    /// multiplies brain floats, in this precision and the next, and its sums and moments are f32.
    Bf16,
    /// 8-bit floats for whatever is multiplied, on devices that do so. No processor does: files in fp8 run
    /// in the other precisions there.
    Fp8,
}

impl FromStr for Precision {
    type Err = EngineError;

    fn from_str(text: &str) -> Result<Self, EngineError> {
        match text {
            "auto" => Ok(Self::Auto),
            "f32" => Ok(Self::F32),
            "bf16" => Ok(Self::Bf16),
            "fp8" => Ok(Self::Fp8),
            _ => Err(EngineError::request(
                "precision",
                format!("{text:?} is none of auto, f32, bf16 and fp8"),
            )),
        }
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Auto => "auto",
            Self::F32 => "f32",
            Self::Bf16 => "bf16",
            Self::Fp8 => "fp8",
        })
    }
}

impl OpenOptions {
    /// Where and in what to compute, for these options.
    ///
    /// # Errors
    /// `device-unavailable` for a card that is not there or lacks something that it needs,
    /// `precision-unavailable` for a precision that the device does not compute in.
    pub(crate) fn resolve(&self) -> Result<Target, EngineError> {
        let Settled {
            device: name,
            notice,
        } = trial::settle(self.device);
        let host = match name {
            DeviceChoice::Auto | DeviceChoice::Cpu => None,
            DeviceChoice::Twin => Some(Host::new(Box::new(Processor))),
            DeviceChoice::Cuda(number) => Some(Host::new(Box::new(card(name, number, self.vram)?))),
        };
        let operands = match self.precision {
            Precision::Auto | Precision::F32 => Operands::F32,
            Precision::Bf16 => Operands::Bf16,
            Precision::Fp8 if host.is_some() => Operands::Bf16,
            Precision::Fp8 => {
                return Err(EngineError::PrecisionUnavailable {
                    precision: self.precision.to_string(),
                    device: name.to_string(),
                });
            }
        };
        Ok(Target {
            notice,
            device: Device::flex(),
            operands,
            precision: self.precision,
            host: host.map(Arc::new),
        })
    }
}

/// The card of this number, once it is known that it can be used.
fn card(choice: DeviceChoice, number: u32, vram: Option<u64>) -> Result<Opened, EngineError> {
    let card = fit(choice, number)?;
    tracing::debug!(name = %card.name, memory = card.memory, "computing on a card");
    Opened::new(&card, vram, caches::folder())
}

fn fit(choice: DeviceChoice, number: u32) -> Result<Card, EngineError> {
    let survey = Survey::take();
    let card = survey.card(number);
    card.cloned()
        .map_err(|lack| EngineError::DeviceUnavailable {
            device: choice.to_string(),
            lack,
        })
}

/// A device with our kernels alone, and whether it multiplies 8-bit floats.
pub(crate) fn bare(choice: DeviceChoice) -> Result<(Box<dyn Stepper>, bool), EngineError> {
    match choice {
        DeviceChoice::Auto | DeviceChoice::Cpu => Err(EngineError::request(
            "device",
            "kernels are of cards: name cuda, cuda:NUMBER or twin",
        )),
        DeviceChoice::Twin => Ok((Box::new(Processor), true)),
        DeviceChoice::Cuda(number) => {
            let card = fit(choice, number)?;
            let opened = Opened::bare(&card, caches::folder())?;
            Ok((Box::new(opened), card.multiplies_fp8()))
        }
    }
}

/// Where networks compute, and in what.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    /// What whoever asks for a picture should know of the device.
    pub(crate) notice: Option<Notice>,
    /// Where tensors are: the host, also where networks compute on a card. What they are given and what they give is
    /// little, and goes there as a program's input.
    pub(crate) device: Device,
    /// Of linear layers and attention in transformer and text encoder, where they are layers.
    pub(crate) operands: Operands,
    /// As asked for.
    pub(crate) precision: Precision,
    /// What runs networks as programs, if anything does.
    pub(crate) host: Option<Arc<Host>>,
}

impl Target {
    /// Programs on a host.
    pub(crate) fn programs(host: Arc<Host>, precision: Precision) -> Self {
        Self {
            notice: None,
            device: Device::flex(),
            operands: Operands::F32,
            precision,
            host: Some(host),
        }
    }

    /// The processor.
    #[cfg(test)]
    pub(crate) fn processor(operands: Operands) -> Self {
        Self {
            notice: None,
            device: Device::flex(),
            operands,
            precision: Precision::Auto,
            host: None,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn names_of_devices_round_trip() {
        for (text, choice) in [
            ("auto", DeviceChoice::Auto),
            ("cpu", DeviceChoice::Cpu),
            ("cuda:0", DeviceChoice::Cuda(0)),
            ("cuda:17", DeviceChoice::Cuda(17)),
            ("twin", DeviceChoice::Twin),
        ] {
            assert_eq!(text.parse::<DeviceChoice>().unwrap(), choice);
            assert_eq!(choice.to_string(), text);
        }
        assert_eq!(DeviceChoice::Cuda(1).foreseen(), DeviceChoice::Cuda(1));
        assert_eq!(
            "cuda".parse::<DeviceChoice>().unwrap(),
            DeviceChoice::Cuda(0)
        );
        for wrong in [
            "",
            "CPU",
            "cuda:",
            "cuda:x",
            "cuda:+1",
            "cuda:-1",
            "cuda:4294967296",
            "gpu",
        ] {
            assert_eq!(
                wrong.parse::<DeviceChoice>().unwrap_err().code(),
                "request-invalid",
                "{wrong}"
            );
        }
    }

    #[test]
    fn what_this_build_cannot_do_is_refused() {
        let cuda = OpenOptions {
            device: DeviceChoice::Cuda(99),
            ..OpenOptions::default()
        };
        let error = cuda.resolve().unwrap_err();
        assert_eq!(error.code(), "device-unavailable");
        assert!(error.to_string().contains("cuda:99"), "{error}");
        assert!(error.hint().is_some());
        let eighth = of(Precision::Fp8);
        assert_eq!(
            eighth.resolve().unwrap_err().code(),
            "precision-unavailable"
        );
    }

    #[test]
    fn only_bf16_rounds_what_is_multiplied() {
        for (precision, operands) in [
            (Precision::Auto, Operands::F32),
            (Precision::F32, Operands::F32),
            (Precision::Bf16, Operands::Bf16),
        ] {
            assert_eq!(of(precision).resolve().unwrap().operands, operands);
        }
    }

    fn of(precision: Precision) -> OpenOptions {
        OpenOptions {
            device: DeviceChoice::Cpu,
            precision,
            ..OpenOptions::default()
        }
    }
}
