//! Numbers that nobody can guess from the picture but that are the same each time the job runs:
//! they follow from the job's seed.
//!
//! A plugin asks for them in its `plugin.toml` with `random` and a reason. In `cargo test` they
//! follow from [`seed_with`].
//!
//! ```
//! use atelier_plugin::random::{self, Dice};
//!
//! random::seed_with(7);
//! let mut dice = Dice::new()?;
//! let throw = 1 + dice.below(6);
//! assert!((1..=6).contains(&throw) && (0.0..1.0).contains(&dice.unit()));
//!
//! random::seed_with(7);
//! assert_eq!(1 + Dice::new()?.below(6), throw);
//! # Ok::<(), atelier_plugin::Refused>(())
//! ```

#[cfg(target_arch = "wasm32")]
use crate::component as backing;
#[cfg(not(target_arch = "wasm32"))]
use native as backing;

use crate::Refused;

/// The next bytes, at most 65536 at once.
///
/// # Errors
///
/// [`Refused`] where nobody granted them, and where it is too many.
pub fn bytes(count: u32) -> Result<Vec<u8>, Refused> {
    backing::random_bytes(count)
}

/// A generator of numbers, xoshiro128++ of Blackman and Vigna ("Scrambled linear pseudorandom
/// number generators", 2021). Good for pictures, not for secrets.
#[derive(Clone, Debug)]
pub struct Dice([u32; 4]);

impl Dice {
    /// A generator that starts from the next 16 [`bytes`].
    ///
    /// # Errors
    ///
    /// [`Refused`] where nobody granted them.
    pub fn new() -> Result<Self, Refused> {
        let seed = <[u8; 16]>::try_from(bytes(16)?);
        seed.map(Self::of)
            .map_err(|bytes| Refused::because(format!("16 bytes were {}", bytes.len())))
    }

    /// A generator that starts from a seed; the same seed gives the same numbers.
    pub fn of(seed: [u8; 16]) -> Self {
        let word = |at: usize| {
            let bytes = [seed[at], seed[at + 1], seed[at + 2], seed[at + 3]];
            u32::from_le_bytes(bytes)
        };
        let state = [word(0), word(4), word(8), word(12)];
        // From nothing but zeros there would come nothing else.
        Self(if state == [0; 4] { [1, 0, 0, 0] } else { state })
    }

    /// The next 32 bits.
    pub fn u32(&mut self) -> u32 {
        let [a, b, c, d] = self.0;
        let next = a.wrapping_add(d).rotate_left(7).wrapping_add(a);
        let (c, d) = (c ^ a, d ^ b);
        self.0 = [a ^ d, b ^ c, c ^ (b << 9), d.rotate_left(11)];
        next
    }

    /// A number from 0 to `n` − 1, each as likely as the others (Lemire, "Fast random integer
    /// generation in an interval", 2019); 0 where `n` is 0.
    pub fn below(&mut self, n: u32) -> u32 {
        loop {
            let product = u64::from(self.u32()) * u64::from(n);
            let low = product as u32;
            if low >= n || low >= n.wrapping_neg() % n {
                return (product >> 32) as u32;
            }
        }
    }

    /// A number from 0 (included) to 1 (not included), in steps of 2⁻⁵³.
    pub fn unit(&mut self) -> f64 {
        let (high, low) = (u64::from(self.u32()), u64::from(self.u32()));
        ((high << 32 | low) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[cfg(not(target_arch = "wasm32"))]
pub use native::seed_with;

/// Outside a component: bytes from a seed that a test states.
#[cfg(not(target_arch = "wasm32"))]
mod native {
    use std::cell::Cell;

    use crate::Refused;

    /// As in `sdk/wit/plugin.wit`.
    const MOST: u32 = 65_536;

    thread_local! {
        /// The seed, and how many bytes were given.
        static STREAM: Cell<(u64, u64)> = const { Cell::new((0, 0)) };
    }

    /// Starts the bytes of this thread anew. Only in native tests, each of which has a thread of
    /// its own; before it is called, the seed is 0.
    pub fn seed_with(seed: u64) {
        STREAM.set((seed, 0));
    }

    pub(super) fn random_bytes(count: u32) -> Result<Vec<u8>, Refused> {
        if count > MOST {
            let reason = format!("{count} random bytes are more than the {MOST} of one call");
            return Err(Refused::because(reason));
        }
        let (seed, given) = STREAM.get();
        let end = given + u64::from(count);
        STREAM.set((seed, end));
        Ok((given..end).map(|index| byte(seed, index)).collect())
    }

    /// The byte at `index` of what SplitMix64 (Steele, Lea and Flood, 2014) gives from a seed.
    fn byte(seed: u64, index: u64) -> u8 {
        let step = 0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(index / 8 + 1);
        let mixed = seed.wrapping_add(step);
        let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)).to_le_bytes()[(index % 8) as usize]
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::{Dice, bytes, seed_with};

    #[test]
    fn the_numbers_are_those_of_the_papers() {
        let seed: Vec<u8> = [1_u32, 2, 3, 4]
            .into_iter()
            .flat_map(u32::to_le_bytes)
            .collect();
        let mut dice = Dice::of(seed.try_into().unwrap());
        let numbers: Vec<u32> = (0..5).map(|_| dice.u32()).collect();
        assert_eq!(
            numbers,
            [641, 1_573_767, 3_222_811_527, 3_517_856_514, 836_907_274]
        );
        seed_with(1_234_567);
        let first = u64::from_le_bytes(bytes(8).unwrap().try_into().unwrap());
        assert_eq!(first, 6_457_827_717_110_365_317);
    }

    #[test]
    fn bytes_go_on_where_they_ended() {
        seed_with(3);
        let all = bytes(20).unwrap();
        seed_with(3);
        let parts = [bytes(3).unwrap(), bytes(0).unwrap(), bytes(17).unwrap()].concat();
        assert_eq!(parts, all);
        assert!(bytes(65_537).is_err() && bytes(65_536).is_ok());
    }

    #[test]
    fn throws_are_even_and_stay_below() {
        let mut dice = Dice::of([5; 16]);
        let mut counts = [0; 6];
        for _ in 0..60_000 {
            counts[dice.below(6) as usize] += 1;
        }
        assert!(
            counts.iter().all(|count| (9_600..10_400).contains(count)),
            "{counts:?}"
        );
        assert_eq!((dice.below(1), dice.below(0)), (0, 0));
        let mean = (0..10_000).map(|_| dice.unit()).sum::<f64>() / 1e4;
        assert!((mean - 0.5).abs() < 0.02, "{mean}");
    }

    #[test]
    fn zeros_are_no_dead_end() {
        let mut dice = Dice::of([0; 16]);
        assert!((0..10).any(|_| dice.u32() > 1_000_000));
    }
}
