//! Where and in what precision a model runs, as users name it.
//!
//! The choice is made once, when a pipeline is opened. No other module may ask burn for a default
//! device: its choice depends on the environment and ends the process on an unknown name.

use std::fmt;
use std::str::FromStr;

use burn::tensor::Device;

use crate::error::EngineError;

/// How a pipeline is to be opened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OpenOptions {
    /// The device that computes.
    pub device: DeviceChoice,
    /// The precision of weights and arithmetic.
    pub precision: Precision,
    /// The most bytes that a picture may take beside the model's files, which are mapped; left out, what
    /// the machine has to spare. To stay below, the autoencoder works in tiles; what cannot is refused.
    pub memory: Option<u64>,
}

/// A device as users name it: `auto`, `cpu`, `cuda` or `cuda:1`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum DeviceChoice {
    /// The best device that this build can use.
    #[default]
    Auto,
    /// The processor.
    Cpu,
    /// The CUDA device with this number.
    Cuda(u32),
}

impl FromStr for DeviceChoice {
    type Err = EngineError;

    fn from_str(text: &str) -> Result<Self, EngineError> {
        match text {
            "auto" => Ok(Self::Auto),
            "cpu" => Ok(Self::Cpu),
            "cuda" => Ok(Self::Cuda(0)),
            _ => text
                .strip_prefix("cuda:")
                .filter(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
                .and_then(|number| number.parse().ok())
                .map(Self::Cuda)
                .ok_or_else(|| {
                    EngineError::request(
                        "device",
                        format!("{text:?} is none of auto, cpu, cuda and cuda:NUMBER"),
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
        }
    }
}

/// A precision as users name it: `auto`, `f32`, `bf16` or `fp8`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Precision {
    /// What suits the device: f32 on the processor.
    #[default]
    Auto,
    /// 32-bit floats throughout.
    F32,
    /// Brain floats for weights and activations.
    Bf16,
    /// 8-bit floats for the transformer's weights.
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
    /// The burn device for these options.
    ///
    /// # Errors
    /// `device-unavailable` for a device that this build cannot drive, `precision-unavailable` for
    /// a precision that the device does not compute in.
    pub(crate) fn resolve(&self) -> Result<Device, EngineError> {
        if let DeviceChoice::Cuda(_) = self.device {
            return Err(EngineError::DeviceUnavailable {
                device: self.device.to_string(),
                reason: "this program was built without CUDA".into(),
            });
        }
        match self.precision {
            Precision::Auto | Precision::F32 => Ok(Device::flex()),
            Precision::Bf16 | Precision::Fp8 => Err(EngineError::PrecisionUnavailable {
                precision: self.precision.to_string(),
                device: DeviceChoice::Cpu.to_string(),
            }),
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
        ] {
            assert_eq!(text.parse::<DeviceChoice>().unwrap(), choice);
            assert_eq!(choice.to_string(), text);
        }
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
            device: DeviceChoice::Cuda(1),
            ..OpenOptions::default()
        };
        let error = cuda.resolve().unwrap_err();
        assert_eq!(error.code(), "device-unavailable");
        assert!(error.hint().is_some());
        let half = OpenOptions {
            precision: Precision::Bf16,
            ..OpenOptions::default()
        };
        assert_eq!(half.resolve().unwrap_err().code(), "precision-unavailable");
        assert!(OpenOptions::default().resolve().is_ok());
    }
}
