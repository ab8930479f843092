//! How a tensor's numbers are encoded in its file, and how they become f32.
//!
//! An encoding works on whole blocks: one element for plain numbers, several for quantised formats
//! that share a scale. Rows of a matrix are whole numbers of blocks, so any run of rows can be widened
//! by itself, into scratch that is as large as the caller chooses.
//!
//! Decoding is exact: each result is the f32 that the format's own reference gives, bit for bit. It
//! must stay free of branches within a block, for then the compiler turns it into the widest vectors
//! that the processor has, which [`Encoding::widen`] finds out when it is called.
//!
//! - [`plain`]: floats of 32, 16 and 8 bits
//! - [`blocks`]: ggml's blocks of 32 with one scale; [`superblocks`]: its blocks of 256 with scales
//!   that are quantised themselves
//! - [`finite`]: finding NaN and infinity without decoding

mod blocks;
mod finite;
mod plain;
mod superblocks;

use std::fmt;

use pulp::{Simd, WithSimd};

use super::Dtype;

/// The encoding of one stretch of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(
    clippy::upper_case_acronyms,
    non_camel_case_types,
    reason = "the names are the formats' own"
)]
pub(crate) enum Encoding {
    F32,
    F16,
    Bf16,
    E4M3,
    E5M2,
    Q8_0,
    Q5_0,
    Q5_1,
    Q4_0,
    Q4_1,
    Q6K,
    Q5K,
    Q4K,
    Q3K,
    Q2K,
}

/// An encoding with its name, the elements and the bytes of a block.
const TABLE: [(Encoding, &str, usize, usize); 15] = [
    (Encoding::F32, "F32", 1, 4),
    (Encoding::F16, "F16", 1, 2),
    (Encoding::Bf16, "BF16", 1, 2),
    (Encoding::E4M3, "F8_E4M3", 1, 1),
    (Encoding::E5M2, "F8_E5M2", 1, 1),
    (Encoding::Q8_0, "Q8_0", 32, blocks::Q8_0),
    (Encoding::Q5_0, "Q5_0", 32, blocks::Q5_0),
    (Encoding::Q5_1, "Q5_1", 32, blocks::Q5_1),
    (Encoding::Q4_0, "Q4_0", 32, blocks::Q4_0),
    (Encoding::Q4_1, "Q4_1", 32, blocks::Q4_1),
    (Encoding::Q6K, "Q6_K", 256, superblocks::Q6K),
    (Encoding::Q5K, "Q5_K", 256, superblocks::Q5K),
    (Encoding::Q4K, "Q4_K", 256, superblocks::Q4K),
    (Encoding::Q3K, "Q3_K", 256, superblocks::Q3K),
    (Encoding::Q2K, "Q2_K", 256, superblocks::Q2K),
];

impl Encoding {
    /// The encoding of a safetensors element type that weights are read from.
    pub(crate) fn of(dtype: Dtype) -> Option<Self> {
        match dtype {
            Dtype::F32 => Some(Self::F32),
            Dtype::F16 => Some(Self::F16),
            Dtype::Bf16 => Some(Self::Bf16),
            Dtype::F8E4M3 => Some(Self::E4M3),
            Dtype::F8E5M2 => Some(Self::E5M2),
            _ => None,
        }
    }

    /// Whether this is one of the 8-bit floats, which often have a scale beside them.
    pub(crate) fn is_fp8(self) -> bool {
        matches!(self, Self::E4M3 | Self::E5M2)
    }

    /// Whether each of its numbers is one of bf16, before any scale.
    pub(crate) fn is_within_bf16(self) -> bool {
        self == Self::Bf16 || self.is_fp8()
    }

    /// Elements in a block.
    pub(crate) fn block(self) -> usize {
        TABLE[self as usize].2
    }

    /// Bytes of a block.
    pub(crate) fn block_bytes(self) -> usize {
        TABLE[self as usize].3
    }

    /// Bytes that `count` elements take, a whole number of blocks.
    pub(crate) fn bytes_of(self, count: usize) -> usize {
        count / self.block() * self.block_bytes()
    }

    /// As [`bytes_of`](Self::bytes_of), for a count that nobody has checked yet.
    pub(crate) fn checked_bytes_of(self, count: usize) -> Option<usize> {
        let is_whole = count.is_multiple_of(self.block());
        (count / self.block())
            .checked_mul(self.block_bytes())
            .filter(|_| is_whole)
    }

    /// Decodes whole blocks and multiplies what they hold by `scale`. `out` has exactly as many
    /// elements as `bytes` encode.
    pub(crate) fn widen(self, bytes: &[u8], scale: f32, out: &mut [f32]) {
        debug_assert_eq!(bytes.len(), self.bytes_of(out.len()), "whole blocks");
        pulp::Arch::new().dispatch(Widening {
            encoding: self,
            bytes,
            scale,
            out,
        });
    }

    /// Whether whole blocks hold finite numbers only.
    pub(crate) fn is_finite(self, bytes: &[u8]) -> bool {
        pulp::Arch::new().dispatch(Looking {
            encoding: self,
            bytes,
        })
    }
}

/// What [`Encoding::widen`] does, compiled for each kind of processor. As closures these would stay
/// outside the functions that may use wide vectors.
struct Widening<'a> {
    encoding: Encoding,
    bytes: &'a [u8],
    scale: f32,
    out: &'a mut [f32],
}

impl WithSimd for Widening<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self {
            encoding,
            bytes,
            scale,
            out,
        } = self;
        match encoding {
            Encoding::F32 => plain::f32(bytes, scale, out),
            Encoding::F16 => plain::f16(bytes, scale, out),
            Encoding::Bf16 => plain::bf16(bytes, scale, out),
            Encoding::E4M3 => plain::e4m3(bytes, scale, out),
            Encoding::E5M2 => plain::e5m2(bytes, scale, out),
            Encoding::Q8_0 => blocks::q8_0(bytes, out),
            Encoding::Q5_0 => blocks::q5_0(bytes, out),
            Encoding::Q5_1 => blocks::q5_1(bytes, out),
            Encoding::Q4_0 => blocks::q4_0(bytes, out),
            Encoding::Q4_1 => blocks::q4_1(bytes, out),
            Encoding::Q6K => superblocks::q6k(bytes, out),
            Encoding::Q5K => superblocks::q5k(bytes, out),
            Encoding::Q4K => superblocks::q4k(bytes, out),
            Encoding::Q3K => superblocks::q3k(bytes, out),
            Encoding::Q2K => superblocks::q2k(bytes, out),
        }
        // Blocks have scales of their own, and no file has another beside them.
        if encoding.block() > 1 && scale.to_bits() != 1.0_f32.to_bits() {
            out.iter_mut().for_each(|value| *value *= scale);
        }
    }
}

/// What [`Encoding::is_finite`] does.
struct Looking<'a> {
    encoding: Encoding,
    bytes: &'a [u8],
}

impl WithSimd for Looking<'_> {
    type Output = bool;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> bool {
        finite::is_finite(self.encoding, self.bytes)
    }
}

impl fmt::Display for Encoding {
    /// As the file's format names it.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(TABLE[*self as usize].1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_the_names() {
        for (index, row) in TABLE.iter().enumerate() {
            assert_eq!(row.0 as usize, index);
        }
        assert_eq!(Encoding::Q4K.checked_bytes_of(512), Some(288));
        assert_eq!(Encoding::Q4K.checked_bytes_of(500), None);
        assert_eq!(Encoding::F32.checked_bytes_of(usize::MAX / 2), None);
    }
}
