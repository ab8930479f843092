//! Floats of 32, 16 and 8 bits.
//!
//! All of these are exact, subnormal numbers included. No number passes through a subnormal f32, for
//! somebody may have set the processor to flush those, and where nobody has, some take a hundred times
//! as long.

/// Each element of `N` bytes through `decode`.
#[inline(always)]
fn each<const N: usize>(
    bytes: &[u8],
    scale: f32,
    out: &mut [f32],
    decode: impl Fn([u8; N]) -> f32,
) {
    for (value, &element) in out.iter_mut().zip(bytes.as_chunks::<N>().0) {
        *value = decode(element) * scale;
    }
}

#[inline(always)]
pub(super) fn f32(bytes: &[u8], scale: f32, out: &mut [f32]) {
    each(bytes, scale, out, f32::from_le_bytes);
}

/// bf16 is the upper half of an f32.
#[inline(always)]
pub(super) fn bf16(bytes: &[u8], scale: f32, out: &mut [f32]) {
    each(bytes, scale, out, |pair| {
        f32::from_bits(u32::from(u16::from_le_bytes(pair)) << 16)
    });
}

#[inline(always)]
pub(super) fn f16(bytes: &[u8], scale: f32, out: &mut [f32]) {
    each(bytes, scale, out, |pair| half(u16::from_le_bytes(pair)));
}

/// The "fn" kind, which all published weights are: no infinity, and NaN only where all bits are set.
#[inline(always)]
pub(super) fn e4m3(bytes: &[u8], scale: f32, out: &mut [f32]) {
    each(bytes, scale, out, |[byte]| {
        let magnitude = u32::from(byte & 0x7f);
        let normal = if magnitude == 0x7f {
            f32::NAN.to_bits()
        } else {
            (magnitude << 20) + ((127 - 7) << 23)
        };
        assemble(u32::from(byte & 0x80) << 24, normal, 127 - 6)
    });
}

/// E5M2 is the upper byte of an f16.
#[inline(always)]
pub(super) fn e5m2(bytes: &[u8], scale: f32, out: &mut [f32]) {
    each(bytes, scale, out, |[byte]| half(u16::from(byte) << 8));
}

/// An f16's value.
#[inline(always)]
pub(super) fn half(bits: u16) -> f32 {
    let magnitude = u32::from(bits & 0x7fff);
    // Infinity and NaN keep the largest exponent: 31 becomes 255, where finite ones move by 127 − 15.
    let bias = if magnitude >= 0x7c00 {
        255 - 31
    } else {
        127 - 15
    };
    let normal = (magnitude << 13) + (bias << 23);
    assemble(u32::from(bits & 0x8000) << 16, normal, 127 - 14)
}

/// The f32 of a smaller float whose bits, moved into an f32's places, are `normal`. That is right for
/// all but subnormal numbers: such a one, m steps above zero, comes out m half steps above half of the
/// least normal number, 2^(`least` − 127). It is above zero by twice what it is above that half, or as
/// it is computed here: what it lacks to the least normal number is taken off once more.
#[inline(always)]
fn assemble(sign: u32, normal: u32, least: u32) -> f32 {
    let value = f32::from_bits(normal);
    let lack = f32::from_bits(least << 23) - value;
    let lack = if lack > 0.0 { lack } else { 0.0 };
    f32::from_bits(sign | (value - lack).to_bits())
}

#[cfg(test)]
mod tests {
    use super::super::Encoding;

    fn widened(encoding: Encoding, bytes: &[u8]) -> Vec<f32> {
        let mut out = vec![0.0; bytes.len() / encoding.block_bytes()];
        encoding.widen(bytes, 1.0, &mut out);
        out
    }

    /// A float from its fields, computed in f64 from the definition.
    fn defined(bits: u32, exponent: u32, mantissa: u32, bias: i32) -> f64 {
        let field = |shift: u32, width: u32| f64::from((bits >> shift) & ((1 << width) - 1));
        let (e, m) = (field(mantissa, exponent), field(0, mantissa));
        let unit = 2.0_f64.powf(-f64::from(mantissa));
        let magnitude = if e == 0.0 {
            m * unit * 2.0_f64.powi(1 - bias)
        } else {
            (1.0 + m * unit) * 2.0_f64.powf(e - f64::from(bias))
        };
        if field(mantissa + exponent, 1) == 1.0 {
            -magnitude
        } else {
            magnitude
        }
    }

    #[test]
    fn every_byte_of_e4m3_is_as_defined() {
        let bytes: Vec<u8> = (0..=255).collect();
        for (byte, value) in bytes.iter().zip(widened(Encoding::E4M3, &bytes)) {
            if byte & 0x7f == 0x7f {
                assert!(value.is_nan());
            } else {
                let expected = defined(u32::from(*byte), 4, 3, 7);
                assert_eq!(f64::from(value).to_bits(), expected.to_bits(), "{byte:#x}");
            }
        }
    }

    #[test]
    fn every_byte_of_e5m2_is_as_defined() {
        let bytes: Vec<u8> = (0..=255).collect();
        for (byte, value) in bytes.iter().zip(widened(Encoding::E5M2, &bytes)) {
            match byte & 0x7f {
                0x7d.. => assert!(value.is_nan()),
                0x7c => assert!(value.is_infinite()),
                _ => {
                    let expected = defined(u32::from(*byte), 5, 2, 15);
                    assert_eq!(f64::from(value).to_bits(), expected.to_bits(), "{byte:#x}");
                }
            }
        }
    }

    #[test]
    fn every_f16_is_as_another_crate_has_it() {
        let bytes: Vec<u8> = (0..=u16::MAX).flat_map(u16::to_le_bytes).collect();
        for (bits, value) in (0..=u16::MAX).zip(widened(Encoding::F16, &bytes)) {
            let expected = half::f16::from_bits(bits).to_f32();
            assert!(
                value.to_bits() == expected.to_bits() || value.is_nan() && expected.is_nan(),
                "{bits:#x}"
            );
        }
    }

    #[test]
    fn bf16_is_the_upper_half_of_f32() {
        let bytes = [0x80, 0x3f, 0x00, 0xc0, 0x80, 0x7f, 0x01, 0x00];
        let expected = [1.0, -2.0, f32::INFINITY, f32::from_bits(0x1_0000)];
        assert_eq!(widened(Encoding::Bf16, &bytes), expected);
    }

    #[test]
    fn a_scale_multiplies_what_was_decoded() {
        let mut out = [0.0; 2];
        Encoding::E4M3.widen(&[0x38, 0xb9], 0.3, &mut out);
        assert_eq!(out, [0.3, -1.125 * 0.3]);
    }
}
