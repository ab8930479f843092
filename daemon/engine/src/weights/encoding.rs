//! How a tensor's numbers are encoded in its file, and how they become f32.
//!
//! An encoding works on whole blocks: one element for plain numbers, several for quantised formats
//! that share a scale. Rows of a matrix are whole numbers of blocks, so any run of rows can be widened
//! by itself, into scratch that is as large as the caller chooses.

use std::fmt;

use half::f16;

use super::Dtype;

/// The encoding of one stretch of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Encoding {
    F32,
    F16,
    Bf16,
}

impl Encoding {
    /// The encoding of a safetensors element type that weights are read from.
    pub(crate) fn of(dtype: Dtype) -> Option<Self> {
        match dtype {
            Dtype::F32 => Some(Self::F32),
            Dtype::F16 => Some(Self::F16),
            Dtype::Bf16 => Some(Self::Bf16),
            _ => None,
        }
    }

    /// Elements in a block.
    pub(crate) fn block(self) -> usize {
        match self {
            Self::F32 | Self::F16 | Self::Bf16 => 1,
        }
    }

    /// Bytes of a block.
    pub(crate) fn block_bytes(self) -> usize {
        match self {
            Self::F32 => 4,
            Self::F16 | Self::Bf16 => 2,
        }
    }

    /// Bytes that `count` elements take, a whole number of blocks.
    pub(crate) fn bytes_of(self, count: usize) -> usize {
        count / self.block() * self.block_bytes()
    }

    /// Decodes whole blocks. `out` has exactly as many elements as `bytes` encode.
    ///
    /// bf16 is the upper half of an f32, so that conversion is exact, as is that of f16.
    pub(crate) fn widen(self, bytes: &[u8], out: &mut [f32]) {
        debug_assert_eq!(bytes.len(), self.bytes_of(out.len()), "whole blocks");
        match self {
            Self::F32 => {
                for (value, &word) in out.iter_mut().zip(bytes.as_chunks::<4>().0) {
                    *value = f32::from_le_bytes(word);
                }
            }
            Self::F16 => {
                for (value, &pair) in out.iter_mut().zip(bytes.as_chunks::<2>().0) {
                    *value = f16::from_le_bytes(pair).to_f32();
                }
            }
            Self::Bf16 => {
                for (value, &pair) in out.iter_mut().zip(bytes.as_chunks::<2>().0) {
                    *value = f32::from_bits(u32::from(u16::from_le_bytes(pair)) << 16);
                }
            }
        }
    }
}

impl fmt::Display for Encoding {
    /// As the file's format names it.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::F32 => "F32",
            Self::F16 => "F16",
            Self::Bf16 => "BF16",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_convert_exactly() {
        let mut out = [0.0; 3];
        Encoding::Bf16.widen(&[0x80, 0x3f, 0x00, 0xc0, 0x80, 0x7f], &mut out);
        assert_eq!(out, [1.0, -2.0, f32::INFINITY]);
        let mut out = [0.0; 2];
        Encoding::F16.widen(&[0x00, 0x3c, 0x01, 0x00], &mut out);
        assert_eq!(out, [1.0, 2.0_f32.powi(-24)]);
    }
}
