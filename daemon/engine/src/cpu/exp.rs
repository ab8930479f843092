//! The exponential, as straight-line arithmetic that the compiler turns into vector instructions.

/// Below, eˣ is not a normal number.
const LEAST: f32 = -87.336_54;
/// Above, eˣ overflows; here rounded down so that the result stays finite.
const MOST: f32 = 88.0;

/// ln 2 in two parts: the first has so few digits that small multiples of it are exact.
const LN_2_HIGH: f32 = 0.693_359_4;
const LN_2_LOW: f32 = -2.121_944_4e-4;

/// Adding this rounds to an integer, which then stands in the lowest bits: 1.5·2²³.
const ROUNDING: f32 = 12_582_912.0;

/// eˣ with a relative error below 2⁻²². What would over- or underflow is held at the last finite
/// result, so e^−∞ is about 10⁻³⁸; NaN stays NaN.
#[inline(always)]
#[allow(
    clippy::manual_clamp,
    reason = "clamp would do the same, but not in a vector's min and max"
)]
pub(crate) fn exp(x: f32) -> f32 {
    let x = if x < LEAST { LEAST } else { x };
    let x = if x > MOST { MOST } else { x };
    // x = n·ln 2 + r with |r| ≤ ln 2 / 2.
    let shifted = x.mul_add(std::f32::consts::LOG2_E, ROUNDING);
    let n = shifted - ROUNDING;
    let r = n.mul_add(-LN_2_HIGH, x);
    let r = n.mul_add(-LN_2_LOW, r);
    // The polynomial of Cephes' expf: eʳ = 1 + r + r²·p(r).
    let p = 1.987_569_1e-4_f32;
    let p = p.mul_add(r, 1.398_199_9e-3);
    let p = p.mul_add(r, 8.333_452e-3);
    let p = p.mul_add(r, 4.166_579_6e-2);
    let p = p.mul_add(r, 1.666_666_5e-1);
    let p = p.mul_add(r, 0.5);
    let of_r = p.mul_add(r * r, r) + 1.0;
    let power = f32::from_bits((shifted.to_bits() << 23).wrapping_add(1.0_f32.to_bits()));
    of_r * power
}

/// `x·σ(x)`, the activation of every feed-forward here.
#[inline(always)]
pub(crate) fn silu(x: f32) -> f32 {
    x / (1.0 + exp(-x))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exponential_has_nearly_all_digits() {
        let mut worst = 0.0_f64;
        let mut x = LEAST;
        while x < MOST {
            let exact = f64::from(x).exp();
            worst = worst.max((f64::from(exp(x)) / exact - 1.0).abs());
            x += 0.000_73;
        }
        assert!(worst < 2.0_f64.powi(-22), "{worst}");
    }

    #[test]
    fn extremes_stay_in_bounds() {
        assert!(exp(f32::NEG_INFINITY) < 1.2e-38);
        assert!(exp(f32::INFINITY).is_finite());
        assert!(exp(f32::NAN).is_nan());
        assert_eq!(exp(0.0).to_bits(), 1.0_f32.to_bits());
        assert!(silu(f32::NAN).is_nan());
        assert!(silu(-1e30).abs() < 1e-7);
        assert!((silu(1e30) - 1e30).abs() < 1e24);
    }
}
