//! Finding NaN and infinity without decoding.
//!
//! A float is finite unless its exponent is all ones, so the largest magnitude of a stretch, as plain
//! bits, tells about all of it. Blocks of integers are finite if their f16 scales are.

use super::{Encoding, blocks, superblocks};

/// Bits of the least f16 that is not finite.
const HALF: u16 = 0x7c00;

/// Whether whole blocks of `encoding` hold finite numbers only.
#[inline(always)]
pub(super) fn is_finite(encoding: Encoding, bytes: &[u8]) -> bool {
    match encoding {
        Encoding::F32 => {
            let words = bytes.as_chunks::<4>().0.iter();
            let magnitudes = words.map(|&word| u32::from_le_bytes(word) & 0x7fff_ffff);
            magnitudes.fold(0, u32::max) < 0x7f80_0000
        }
        Encoding::F16 => largest_pair(bytes) < HALF,
        Encoding::Bf16 => largest_pair(bytes) < 0x7f80,
        Encoding::E4M3 => largest_byte(bytes) < 0x7f,
        Encoding::E5M2 => largest_byte(bytes) < 0x7c,
        Encoding::Q8_0 => halves::<{ blocks::Q8_0 }, 1>(bytes, 0),
        Encoding::Q5_0 => halves::<{ blocks::Q5_0 }, 1>(bytes, 0),
        Encoding::Q5_1 => halves::<{ blocks::Q5_1 }, 2>(bytes, 0),
        Encoding::Q4_0 => halves::<{ blocks::Q4_0 }, 1>(bytes, 0),
        Encoding::Q4_1 => halves::<{ blocks::Q4_1 }, 2>(bytes, 0),
        Encoding::Q6K => halves::<{ superblocks::Q6K }, 1>(bytes, 208),
        Encoding::Q5K => halves::<{ superblocks::Q5K }, 2>(bytes, 0),
        Encoding::Q4K => halves::<{ superblocks::Q4K }, 2>(bytes, 0),
        Encoding::Q3K => halves::<{ superblocks::Q3K }, 1>(bytes, 108),
        Encoding::Q2K => halves::<{ superblocks::Q2K }, 2>(bytes, 80),
    }
}

#[inline(always)]
fn largest_pair(bytes: &[u8]) -> u16 {
    let pairs = bytes.as_chunks::<2>().0.iter();
    pairs
        .map(|&pair| u16::from_le_bytes(pair) & 0x7fff)
        .fold(0, u16::max)
}

#[inline(always)]
fn largest_byte(bytes: &[u8]) -> u8 {
    bytes.iter().map(|byte| byte & 0x7f).fold(0, u8::max)
}

/// Whether the `COUNT` f16 at `offset` of each block of `N` bytes are finite.
#[inline(always)]
fn halves<const N: usize, const COUNT: usize>(bytes: &[u8], offset: usize) -> bool {
    let blocks = bytes.as_chunks::<N>().0.iter();
    let largest = blocks.map(|block| largest_pair(&block[offset..][..2 * COUNT]));
    largest.fold(0, u16::max) < HALF
}

#[cfg(test)]
mod tests {
    use super::super::{Encoding, TABLE};

    /// One element that is not finite, in each place where one can be.
    #[test]
    fn agrees_with_decoding_wherever_the_fault_is() {
        for (encoding, name, elements, size) in TABLE {
            let blocks = 70;
            let good = vec![0x11; size * blocks];
            assert!(encoding.is_finite(&good), "{name}");
            let (mut caught, mut out) = (0, vec![0.0; elements * blocks]);
            for place in 0..size {
                for at in [place, size * 37 + place, size * (blocks - 1) + place] {
                    for byte in [0x7c, 0x7f, 0x80, 0xfc, 0xff] {
                        let mut bytes = good.clone();
                        bytes[at] = byte;
                        if let Some(before) = at.checked_sub(1) {
                            bytes[before] = byte;
                        }
                        encoding.widen(&bytes, 1.0, &mut out);
                        let expected = out.iter().all(|value| value.is_finite());
                        assert_eq!(encoding.is_finite(&bytes), expected, "{name} at {at}");
                        caught += usize::from(!expected);
                    }
                }
            }
            assert!(caught > 0, "{name}");
        }
    }

    #[test]
    fn the_largest_finite_numbers_are_finite() {
        for (encoding, bytes) in [
            (Encoding::F32, &f32::MAX.to_le_bytes()[..]),
            (Encoding::F16, &0xfbff_u16.to_le_bytes()),
            (Encoding::Bf16, &0xff7f_u16.to_le_bytes()),
            (Encoding::E4M3, &[0xfe]),
            (Encoding::E5M2, &[0x7b]),
        ] {
            assert!(encoding.is_finite(bytes), "{encoding}");
        }
    }
}
