//! Rotary position embedding: pairs of a head's dimensions are turned by an angle that grows with
//! the token's position.
//!
//! Two conventions meet in FLUX.2 and must not be mixed up. The transformer turns *adjacent* pairs
//! (0,1), (2,3), … and has four positions per token; the text encoder turns dimension i with
//! i + half, and has one. Angles are computed here on the host, once per picture: at the positions of
//! a long prompt an f32 angle of the fastest frequencies would already be off.

use std::ops::Range;

use burn::tensor::{Device, Tensor, s};

use crate::host::upload;
use crate::layers::local::Local;

pub(crate) use crate::cpu::Pairs as Pairing;

/// The cosines and sines of every token's angles, `[tokens, head width / 2]`.
#[derive(Debug, Clone)]
pub(crate) struct Rotation {
    cos: Tensor<2>,
    sin: Tensor<2>,
}

/// How fast the pairs of one axis turn per position: `θ^(−2k/width)` for the k-th of `width / 2` pairs.
#[allow(clippy::cast_precision_loss, reason = "a width is far below 2^52")]
pub(crate) fn frequencies(width: usize, theta: f64) -> impl Iterator<Item = f64> {
    (0..width / 2).map(move |k| theta.powf(-2.0 * k as f64 / width as f64))
}

/// The cosines and the sines of angles, `[positions, frequencies]`. A head's pairs come in the order of
/// `frequencies`, each of which says the axis of the position that it goes by, and how fast it turns.
pub(crate) fn turns<const A: usize>(
    positions: &[[u32; A]],
    frequencies: &[(usize, f64)],
) -> [Vec<f32>; 2] {
    let angles: Vec<f64> = positions
        .iter()
        .flat_map(|place| {
            frequencies
                .iter()
                .map(|&(axis, rate)| f64::from(place[axis]) * rate)
        })
        .collect();
    #[allow(clippy::cast_possible_truncation, reason = "rounding to f32 is meant")]
    let of_all =
        |function: fn(f64) -> f64| angles.iter().map(|&angle| function(angle) as f32).collect();
    [of_all(f64::cos), of_all(f64::sin)]
}

impl Rotation {
    /// Angles for tokens at `positions`, see [`turns`].
    pub(crate) fn new<const A: usize>(
        positions: &[[u32; A]],
        frequencies: &[(usize, f64)],
        device: &Device,
    ) -> Self {
        let shape = [positions.len(), frequencies.len()];
        let [cos, sin] = turns(positions, frequencies).map(|turns| upload(turns, shape, device));
        Self { cos, sin }
    }

    /// The rotation of some of the tokens.
    pub(crate) fn part(&self, tokens: Range<usize>) -> Self {
        let part = |x: &Tensor<2>| x.clone().slice(s![tokens.clone(), ..]);
        Self {
            cos: part(&self.cos),
            sin: part(&self.sin),
        }
    }

    /// The rotation of the first `count` tokens.
    pub(crate) fn first(&self, count: usize) -> Self {
        self.part(0..count)
    }

    /// Cosines and sines, where kernels can read them.
    pub(crate) fn local(&self) -> Option<[Local; 2]> {
        Some([Local::of(&self.cos)?, Local::of(&self.sin)?])
    }

    /// Turns queries or keys, `[tokens, heads, head width]`, in burn's operations.
    pub(crate) fn apply(&self, x: Tensor<3>, pairing: Pairing) -> Tensor<3> {
        let [tokens, heads, width] = x.dims();
        // [.., pair, 2] with adjacent pairs, [.., 2, pair] with halves.
        let (shape, axis) = match pairing {
            Pairing::Adjacent => ([tokens, heads, width / 2, 2], 3),
            Pairing::Halves => ([tokens, heads, 2, width / 2], 2),
        };
        let pairs: Tensor<4> = x.reshape(shape);
        let part = |index| pairs.clone().narrow(axis, index, 1).squeeze_dim::<3>(axis);
        let (first, second) = (part(0), part(1));
        let of_all_heads = |x: &Tensor<2>| x.clone().unsqueeze_dim::<3>(1);
        let (cos, sin) = (of_all_heads(&self.cos), of_all_heads(&self.sin));
        let turned_first = first.clone() * cos.clone() - second.clone() * sin.clone();
        let turned_second = first * sin + second * cos;
        Tensor::stack::<4>(vec![turned_first, turned_second], axis).reshape([tokens, heads, width])
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn turn(x: [f32; 4], pairing: Pairing) -> Vec<f32> {
        let device = Device::flex();
        // θ = 10⁴ over 4 dimensions: pair 0 turns by the position, pair 1 by a hundredth of it.
        let pairs: Vec<_> = frequencies(4, 1e4)
            .map(|frequency| (0, frequency))
            .collect();
        let rotation = Rotation::new(&[[3_u32]], &pairs, &device);
        let x = Tensor::<1>::from_floats(x, &device).reshape([1, 1, 4]);
        rotation
            .apply(x, pairing)
            .into_data()
            .try_into_vec()
            .unwrap()
    }

    fn assert_close(found: &[f32], expected: [f64; 4]) {
        for (found, expected) in found.iter().zip(expected) {
            assert!(
                (f64::from(*found) - expected).abs() < 1e-6,
                "{found} {expected}"
            );
        }
    }

    #[test]
    fn adjacent_dimensions_turn_together() {
        let (a, b) = (3.0_f64, 0.03_f64);
        assert_close(
            &turn([1.0, 0.0, 0.0, 1.0], Pairing::Adjacent),
            [a.cos(), a.sin(), -b.sin(), b.cos()],
        );
    }

    #[test]
    fn halves_turn_together() {
        let (a, b) = (3.0_f64, 0.03_f64);
        assert_close(
            &turn([1.0, 0.0, 0.0, 1.0], Pairing::Halves),
            [a.cos(), -b.sin(), a.sin(), b.cos()],
        );
    }
}
