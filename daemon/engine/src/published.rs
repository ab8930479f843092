//! The sizes of published models, and the tensors that their files hold.
//!
//! For whoever wants a model without its weights: [`bench`](crate::bench) draws one in memory, the example
//! `random_model` on the disk. Names are those of diffusers and transformers, and values are drawn so that
//! activations keep their scale through the layers: what runs like the real model, and takes as long. Nothing
//! here is read when a real model is opened: all that the engine knows of that one, its files say.
//!
//! Sizes come from the configs of FLUX.2 \[klein\] and \[dev\] and of their text encoders.

mod configs;
mod draw;
mod tensor;
mod text_encoder;
mod transformer;
mod vae;

use std::str::FromStr;

pub use draw::Table;
pub use tensor::{Like, Tensor};

use crate::error::EngineError;
use crate::family::Family;

/// Numbers in a head of every published transformer.
pub const HEAD_WIDTH: usize = 128;
/// Channels of the autoencoder's latent.
pub const LATENT_CHANNELS: usize = 32;

/// A model's sizes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Size {
    /// By which it is asked for.
    pub name: &'static str,
    /// Which text encoder it has. Guidance is an input of \[dev\] alone.
    pub family: Family,
    /// The transformer's heads, of [`HEAD_WIDTH`] each.
    pub heads: usize,
    /// Its double-stream blocks.
    pub double: usize,
    /// Its single-stream blocks.
    pub single: usize,
    /// The text encoder.
    pub text: TextSize,
    /// Channels of the autoencoder's levels, from the picture inwards.
    pub channels: [usize; 4],
}

/// A text encoder's sizes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextSize {
    /// Width of its tokens.
    pub hidden: usize,
    /// Width between the two products of a feed-forward.
    pub inner: usize,
    /// Layers of its file; a prompt passes those up to the family's last tap.
    pub layers: usize,
    /// Heads of queries.
    pub heads: usize,
    /// Heads of keys and values.
    pub shared_heads: usize,
    /// Numbers in a head.
    pub head_width: usize,
    /// Tokens that it knows.
    pub vocabulary: usize,
    /// Whether its output layer is its embedding.
    pub tied: bool,
}

/// The published autoencoder, of all models.
const CHANNELS: [usize; 4] = [128, 256, 512, 512];

/// Qwen3-4B.
const QWEN3_4B: TextSize = TextSize {
    hidden: 2560,
    inner: 9728,
    layers: 36,
    heads: 32,
    shared_heads: 8,
    head_width: 128,
    vocabulary: 151_936,
    tied: true,
};

/// Qwen3-8B.
const QWEN3_8B: TextSize = TextSize {
    hidden: 4096,
    inner: 12_288,
    tied: false,
    ..QWEN3_4B
};

/// The language half of Mistral Small 3.
const MISTRAL_SMALL: TextSize = TextSize {
    hidden: 5120,
    inner: 32_768,
    layers: 40,
    vocabulary: 131_072,
    tied: false,
    ..QWEN3_4B
};

impl Size {
    /// FLUX.2 \[klein\] 4B.
    pub const KLEIN_4B: Self = Self {
        name: "klein-4b",
        family: Family::Klein,
        heads: 24,
        double: 5,
        single: 20,
        text: QWEN3_4B,
        channels: CHANNELS,
    };

    /// FLUX.2 \[klein\] 9B.
    pub const KLEIN_9B: Self = Self {
        name: "klein-9b",
        heads: 32,
        double: 8,
        single: 24,
        text: QWEN3_8B,
        ..Self::KLEIN_4B
    };

    /// FLUX.2 \[dev\].
    pub const DEV: Self = Self {
        name: "dev",
        family: Family::Dev,
        heads: 48,
        double: 8,
        single: 48,
        text: MISTRAL_SMALL,
        channels: CHANNELS,
    };

    /// What nobody published: small, for tests.
    pub const TINY: Self = Self {
        name: "tiny",
        family: Family::Klein,
        heads: 2,
        double: 1,
        single: 2,
        text: TextSize {
            hidden: 64,
            inner: 128,
            layers: 27,
            heads: 2,
            shared_heads: 1,
            head_width: 64,
            vocabulary: 256,
            tied: true,
        },
        channels: [32, 32, 64, 64],
    };

    /// All of them.
    pub const ALL: [Self; 4] = [Self::KLEIN_4B, Self::KLEIN_9B, Self::DEV, Self::TINY];

    /// The transformer's hidden width.
    #[must_use]
    pub fn hidden(&self) -> usize {
        self.heads * HEAD_WIDTH
    }

    /// Width of a prompt token: the states of the text encoder that are listened to, side by side.
    #[must_use]
    pub fn context(&self) -> usize {
        self.family.context(self.text.hidden)
    }
}

impl FromStr for Size {
    type Err = EngineError;

    fn from_str(name: &str) -> Result<Self, EngineError> {
        let mut sizes = Self::ALL.into_iter();
        sizes.find(|size| size.name == name).ok_or_else(|| {
            let problem = format!("{name:?} is none of klein-4b, klein-9b, dev and tiny");
            EngineError::request("size", problem)
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::collections::BTreeSet;

    use super::*;

    fn numbers(tensors: &[Tensor]) -> usize {
        let sizes = tensors
            .iter()
            .map(|tensor| tensor.shape.iter().product::<usize>());
        sizes.sum()
    }

    /// Of the published files: \[dev\]'s transformer is 64.447 GB of bf16, the autoencoder 336.19 MB of f32, and
    /// the text encoders' cards say 4.02, 8.19 and 23.57 billion.
    #[test]
    fn there_are_as_many_numbers_as_in_published_files() {
        for (size, expected) in [
            (Size::KLEIN_4B, [3_875_544_576, 4_022_468_096]),
            (Size::KLEIN_9B, [9_078_581_248, 8_190_735_360]),
            (Size::DEV, [32_223_281_152, 23_572_403_200]),
        ] {
            let found = [size.transformer(), size.text_encoder()].map(|part| numbers(&part));
            assert_eq!(found, expected, "{}", size.name);
            assert_eq!(numbers(&size.vae()), 84_046_371);
        }
    }

    #[test]
    fn names_are_told_apart_and_unknown_ones_refused() {
        for size in Size::ALL {
            assert_eq!(size.name.parse::<Size>().unwrap(), size);
            for part in [size.transformer(), size.text_encoder(), size.vae()] {
                let names: BTreeSet<_> = part.iter().map(|tensor| &tensor.name).collect();
                assert_eq!(names.len(), part.len(), "{}: a name twice", size.name);
            }
        }
        let error = "klein".parse::<Size>().unwrap_err();
        assert_eq!(error.code(), "request-invalid");
        assert!(error.to_string().contains("klein-9b"), "{error}");
    }
}
