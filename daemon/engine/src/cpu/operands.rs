//! What numbers are rounded to before they are multiplied. Their products are added in f32 either way.

/// The operands of a product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operands {
    /// As they are.
    F32,
    /// Rounded to the next bf16, of two equally near ones the even: 8 bits of significand, all of f32's
    /// range.
    Bf16,
}

impl Operands {
    /// Rounds numbers that stay f32.
    #[inline(always)]
    pub(crate) fn round(self, numbers: &mut [f32]) {
        if self == Self::Bf16 {
            for number in numbers {
                *number = f32::from_bits(u32::from(narrow(*number)) << 16);
            }
        }
    }
}

/// The bits of the bf16 next to a number. NaN stays NaN, and what is beyond the largest is infinite.
#[inline(always)]
#[allow(clippy::cast_possible_truncation, reason = "the upper half is left")]
pub(crate) fn narrow(number: f32) -> u16 {
    let bits = number.to_bits();
    let rounded = bits.wrapping_add(0x7fff + (bits >> 16 & 1));
    // Without this a NaN could be carried over into the sign.
    let quiet = bits | 0x0040_0000;
    let bits = if number.is_nan() { quiet } else { rounded };
    (bits >> 16) as u16
}

#[cfg(test)]
mod tests {
    use half::bf16;

    use super::*;

    #[test]
    fn numbers_are_rounded_as_another_crate_does() {
        for upper in 0..=u16::MAX {
            for lower in [0, 1, 0x7fff, 0x8000, 0x8001, 0xffff] {
                let number = f32::from_bits(u32::from(upper) << 16 | lower);
                let (found, expected) = (narrow(number), bf16::from_f32(number));
                if number.is_nan() {
                    assert!(bf16::from_bits(found).is_nan(), "{number:e}");
                } else {
                    assert_eq!(found, expected.to_bits(), "{number:e}");
                }
            }
        }
    }

    #[test]
    fn only_bf16_rounds() {
        let mut numbers = [1.0, 1.001, -1e-3];
        Operands::F32.round(&mut numbers);
        assert_eq!(numbers, [1.0, 1.001, -1e-3]);
        Operands::Bf16.round(&mut numbers);
        assert_eq!(numbers, [1.0, 1.0, bf16::from_f32(-1e-3).to_f32()]);
    }
}
