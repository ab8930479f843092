//! The two families of FLUX.2, as far as words go: which text encoder reads a prompt, which of its
//! states the transformer takes, and how a prompt is dressed before it is read.
//!
//! None of this stands in any file of a model. The reference implementation states it in code, once
//! for each pipeline, and so does this module; everything that sizes say comes from configs.

use std::fmt;

/// Who reads the prompt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Family {
    /// FLUX.2 \[klein\], distilled or base: Qwen3, one user message, padded on the right.
    Klein,
    /// FLUX.2 \[dev\]: Mistral Small 3, a system message before the user's, padded on the left.
    Dev,
}

impl Family {
    /// The layers of the text encoder, counted from 1, after which the hidden states are taken.
    pub const fn taps(self) -> &'static [usize; 3] {
        match self {
            Self::Klein => &[9, 18, 27],
            Self::Dev => &[10, 20, 30],
        }
    }

    /// The layers that are needed: those up to the last tap.
    pub(crate) const fn depth(self) -> usize {
        self.taps()[2]
    }

    /// The width of a prompt token: the tapped states side by side.
    pub(crate) const fn context(self, hidden: usize) -> usize {
        self.taps().len() * hidden
    }
}

impl fmt::Display for Family {
    /// As its maker writes it: `FLUX.2 [klein]`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Klein => "FLUX.2 [klein]",
            Self::Dev => "FLUX.2 [dev]",
        })
    }
}
