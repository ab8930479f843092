//! Logarithm, sine and cosine in f32 by the polynomials of the Cephes library, as PyTorch's x86-64
//! build evaluates them.
//!
//! They differ from correctly rounded functions in the last bits, and those bits are part of what a
//! seed means. Where the compiled original fuses a multiplication with an addition, `mul_add` does
//! so here; where it rounds twice, two operations do. Rearranging any of it breaks seeds.

use std::f32::consts::FRAC_1_SQRT_2;

const LN_2_HIGH: f32 = 0.693_359_4;
const LN_2_LOW: f32 = -2.121_944_4e-4;
const LN: [f32; 9] = [
    7.037_683_6e-2,
    -1.151_461e-1,
    1.167_699_84e-1,
    -1.242_014_1e-1,
    1.424_932_3e-1,
    -1.666_805_8e-1,
    2.000_071_4e-1,
    -2.499_999_4e-1,
    3.333_333e-1,
];

/// 4/π.
const FRAC_4_PI: f32 = 1.273_239_5;
/// −π/4 in three parts of decreasing size, for a reduction that keeps all bits.
const MINUS_FRAC_PI_4: [f32; 3] = [-0.785_156_25, -2.418_756_5e-4, -3.774_895e-8];
const SIN: [f32; 3] = [-1.951_529_6e-4, 8.332_161e-3, -1.666_665_5e-1];
const COS: [f32; 3] = [2.443_315_7e-5, -1.388_731_6e-3, 4.166_664_6e-2];

/// The natural logarithm of a positive, normal number.
pub(super) fn ln(x: f32) -> f32 {
    // x = mantissa · 2^exponent with the mantissa in [√½, √2).
    let bits = x.to_bits();
    let mut exponent = (bits >> 23) as f32 - 126.0;
    let mut mantissa = f32::from_bits(bits & 0x007f_ffff | 0x3f00_0000);
    if mantissa < FRAC_1_SQRT_2 {
        exponent -= 1.0;
        mantissa = (mantissa - 1.0) + mantissa;
    } else {
        mantissa -= 1.0;
    }
    let x = mantissa;
    let square = x * x;
    let mut y = polynomial(&LN, x) * x;
    y = y.mul_add(square, exponent * LN_2_LOW);
    y = (-square).mul_add(0.5, y);
    exponent.mul_add(LN_2_HIGH, x + y)
}

/// Sine and cosine of an angle in [0, 2π], in this order.
pub(super) fn sin_cos(angle: f32) -> (f32, f32) {
    // The nearest even octant, and what remains of the angle: at most π/4 either way.
    let octant = ((angle * FRAC_4_PI) as i32 + 1) & !1;
    let x = MINUS_FRAC_PI_4
        .iter()
        .fold(angle, |x, part| (octant as f32).mul_add(*part, x));

    let square = x * x;
    let cos = square.mul_add(polynomial(&COS, square) * square, -(square * 0.5)) + 1.0;
    let sin = x.mul_add(polynomial(&SIN, square) * square, x);

    let (sin, cos) = if octant & 2 == 0 {
        (sin, cos)
    } else {
        (cos, sin)
    };
    let sin = if octant & 4 == 0 { sin } else { -sin };
    let cos = if (octant - 2) & 4 == 0 { -cos } else { cos };
    (sin, cos)
}

/// The polynomial with these coefficients, the highest power first, each step fused.
fn polynomial(coefficients: &[f32], x: f32) -> f32 {
    coefficients
        .iter()
        .copied()
        .reduce(|y, coefficient| y.mul_add(x, coefficient))
        .unwrap_or(0.0)
}
