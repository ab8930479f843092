//! The numbers that stand for element types in a GGUF file.

use super::super::Dtype;
use super::super::encoding::Encoding;
use super::super::file::Kind;

/// What a number stands for.
pub(super) enum Type {
    /// A type that can be read.
    Known(Kind),
    /// A quantisation that cannot be, by its name.
    Named(&'static str),
    /// Nothing that has been published.
    Unknown,
}

impl Type {
    pub(super) fn of(number: u32) -> Self {
        let weight = |encoding| Self::Known(Kind::Weight(encoding));
        let other = |dtype| Self::Known(Kind::Other(dtype));
        match number {
            0 => weight(Encoding::F32),
            1 => weight(Encoding::F16),
            2 => weight(Encoding::Q4_0),
            3 => weight(Encoding::Q4_1),
            6 => weight(Encoding::Q5_0),
            7 => weight(Encoding::Q5_1),
            8 => weight(Encoding::Q8_0),
            10 => weight(Encoding::Q2K),
            11 => weight(Encoding::Q3K),
            12 => weight(Encoding::Q4K),
            13 => weight(Encoding::Q5K),
            14 => weight(Encoding::Q6K),
            24 => other(Dtype::I8),
            25 => other(Dtype::I16),
            26 => other(Dtype::I32),
            27 => other(Dtype::I64),
            28 => other(Dtype::F64),
            30 => weight(Encoding::Bf16),
            _ => name(number).map_or(Self::Unknown, Self::Named),
        }
    }
}

/// Names of quantisations that are not read.
fn name(number: u32) -> Option<&'static str> {
    Some(match number {
        4 => "Q4_2",
        5 => "Q4_3",
        9 => "Q8_1",
        15 => "Q8_K",
        16 => "IQ2_XXS",
        17 => "IQ2_XS",
        18 => "IQ3_XXS",
        19 => "IQ1_S",
        20 => "IQ4_NL",
        21 => "IQ3_S",
        22 => "IQ2_S",
        23 => "IQ4_XS",
        29 => "IQ1_M",
        34 => "TQ1_0",
        35 => "TQ2_0",
        39 => "MXFP4",
        40 => "NVFP4",
        _ => return None,
    })
}
