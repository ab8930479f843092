//! The 8-bit float e4m3fn: one sign, four bits of exponent with bias 7, three of mantissa.
//!
//! It has no infinity. The largest number is 448 (`0x7e`), the smallest normal one 2⁻⁶, and below that
//! come seven steps of 2⁻⁹. Only `0x7f` and `0xff` are no numbers.

/// The largest number.
pub(crate) const MAX: f32 = 448.0;

/// Bits that an f32's mantissa has more than e4m3's.
const DROPPED: u32 = 20;
/// The bits of the smallest normal number, 2⁻⁶, as an f32.
const SMALLEST_NORMAL: u32 = (127 - 6) << 23;
/// What the exponents' biases differ by, in bits of the result: 127 − 7, above three bits of mantissa.
const REBIAS: u32 = (127 - 7) << 3;
/// The code of [`MAX`].
const LARGEST: u32 = 0x7e;
const NAN: u32 = 0x7f;
/// An f32 whose last bit is worth 2⁻⁹, as the subnormals' is: adding it rounds to them.
const STEPS: f32 = 16_384.0;

/// The code of the number nearest to `value`; of two equally near, the even one. Beyond ±448 it is
/// that of ±448, as PyTorch's `.to(torch.float8_e4m3fn)` has it. NaN stays NaN.
#[inline]
#[allow(clippy::cast_possible_truncation, reason = "codes have eight bits")]
pub(crate) fn encode(value: f32) -> u8 {
    let bits = value.to_bits();
    let magnitude = bits & 0x7fff_ffff;
    // Both ways are taken and one is chosen, so that a loop over this becomes vector instructions.
    let half_less_one = (1 << (DROPPED - 1)) - 1;
    let odd = (magnitude >> DROPPED) & 1;
    let normal = ((magnitude + half_less_one + odd) >> DROPPED).wrapping_sub(REBIAS);
    let subnormal =
        (f32::from_bits(magnitude.min(SMALLEST_NORMAL)) + STEPS).to_bits() - STEPS.to_bits();
    let number = if magnitude < SMALLEST_NORMAL {
        subnormal
    } else {
        normal.min(LARGEST)
    };
    let code = if magnitude > f32::INFINITY.to_bits() {
        NAN
    } else {
        number
    };
    (code | bits >> 31 << 7) as u8
}

/// What numbers up to `largest` are divided by, so that the largest becomes [`MAX`]. Where all are zero it is 1: any
/// would do, but 0/0 would not.
pub(crate) fn scale(largest: f32) -> f32 {
    let scale = largest / MAX;
    if scale > 0.0 { scale } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;

    fn digest(codes: impl Iterator<Item = u8>) -> String {
        let codes: Vec<u8> = codes.collect();
        let digest = Sha256::digest(codes);
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Made with torch 2.15:
    /// `torch.arange(65536).to(torch.int16).view(torch.bfloat16).float().to(torch.float8_e4m3fn)`.
    #[test]
    fn all_bf16_patterns_agree_with_torch() {
        let codes = (0..=u16::MAX).map(|bits| encode(f32::from_bits(u32::from(bits) << 16)));
        assert_eq!(
            digest(codes),
            "556222ae80c3498b4da64795f283e77962f1045e2525faaededd4e0a5b1ae212"
        );
    }

    /// Made with torch 2.15, of the f32 whose bits are the low half of i·2654435761, for i below 2²⁰.
    #[test]
    fn a_million_f32_patterns_agree_with_torch() {
        let codes = (0..1_u32 << 20).map(|i| encode(f32::from_bits(i.wrapping_mul(2_654_435_761))));
        assert_eq!(
            digest(codes),
            "8ff8c626b889bbbda684e16e0c7af8a3b1cbb8f5b1d07e61b7e15b73e5cd6415"
        );
    }

    #[test]
    fn ties_go_to_even_and_the_ends_saturate() {
        let two = |power: i32| 2.0_f32.powi(power);
        for (value, code) in [
            (0.0, 0x00),
            (-0.0, 0x80),
            (two(-10), 0x00),
            (two(-10) * 1.001, 0x01),
            (two(-9) * 1.5, 0x02),
            (two(-6), 0x08),
            (1.0, 0x38),
            (1.0625, 0x38),
            (1.1875, 0x3a),
            (448.0, 0x7e),
            (464.0, 0x7e),
            (1e9, 0x7e),
            (f32::INFINITY, 0x7e),
            (f32::NEG_INFINITY, 0xfe),
            (f32::NAN, 0x7f),
        ] {
            assert_eq!(encode(value), code, "{value}");
        }
    }
}
