//! Fast, seeded noise: a table of normal samples, picked from by a counter-based generator, so that
//! any part of any tensor can be drawn by itself.

use std::f64::consts::TAU;

use half::bf16;
use rayon::prelude::*;

use super::Like;

/// Values that one thread draws at once.
const AT_ONCE_EACH: usize = 1 << 16;
/// Samples in the table; a quarter of a random word picks one.
const SAMPLES: u32 = 1 << 16;

/// All that a tensor's values are picked from.
#[derive(Debug)]
pub struct Table {
    /// The bytes of each sample.
    samples: Vec<[u8; 4]>,
    width: usize,
    stream: u64,
}

impl Table {
    /// For the tensor of this name, in f32 or in bf16. The same seed and name give the same values.
    #[must_use]
    pub fn new(seed: u64, tensor: &str, like: Like, is_f32: bool) -> Self {
        let name = tensor
            .bytes()
            .fold(seed, |hash, byte| mix(hash ^ u64::from(byte)));
        let sample = |number: u32| {
            let uniform = |which| {
                let word = mix(2 * u64::from(number) + which);
                // 53 bits and a half, so that it is never 0.
                ((word >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
            };
            let value = match like {
                Like::Uniform(low, high) => low + (high - low) * uniform(0),
                // Box and Muller's transform.
                Like::Normal(mean, deviation) => {
                    let radius = (-2.0 * uniform(0).ln()).sqrt();
                    mean + deviation * radius * (TAU * uniform(1)).cos()
                }
            };
            let value = value as f32;
            if is_f32 {
                value.to_le_bytes()
            } else {
                let [low, high] = bf16::from_f32(value).to_le_bytes();
                [low, high, 0, 0]
            }
        };
        Self {
            samples: (0..SAMPLES).map(sample).collect(),
            width: if is_f32 { 4 } else { 2 },
            stream: name,
        }
    }

    /// Fills `bytes` with the values from the `first` on, which is a multiple of four; little-endian, whole values.
    pub fn fill(&self, first: u64, bytes: &mut [u8]) {
        let lots = bytes.par_chunks_mut(AT_ONCE_EACH * self.width);
        lots.enumerate().for_each(|(lot, bytes)| {
            let first = first + (lot * AT_ONCE_EACH) as u64;
            for (four, count) in bytes.chunks_mut(4 * self.width).zip(first / 4..) {
                let word = mix(self.stream.wrapping_add(count));
                for (place, out) in four.chunks_exact_mut(self.width).enumerate() {
                    let sample = (word >> (16 * place)) as usize % SAMPLES as usize;
                    out.copy_from_slice(&self.samples[sample][..self.width]);
                }
            }
        });
    }
}

/// The output function of SplitMix64: each number gives an unrelated one.
fn mix(number: u64) -> u64 {
    let mut word = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}
