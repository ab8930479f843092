//! The Mersenne Twister MT19937 (Matsumoto and Nishimura, 1998), and the uniform numbers PyTorch
//! takes from it.

/// Words of state.
const N: usize = 624;
/// Distance to the word that each word is mixed with.
const M: usize = 397;
/// The twist matrix's last row.
const MATRIX: u32 = 0x9908_b0df;

/// The generator's state, and how much of the current block has been handed out.
pub(super) struct Mt19937 {
    state: [u32; N],
    next: usize,
}

impl Mt19937 {
    /// Seeds by the 2002 initialisation, with the low 32 bits of `seed`, as PyTorch does.
    pub(super) fn new(seed: u64) -> Self {
        let mut state = [0; N];
        let mut last = seed as u32;
        for (word, index) in state.iter_mut().zip(1u32..) {
            *word = last;
            last = 1_812_433_253u32
                .wrapping_mul(last ^ (last >> 30))
                .wrapping_add(index);
        }
        Self { state, next: N }
    }

    /// The next 32 bits.
    pub(super) fn bits(&mut self) -> u32 {
        if self.next == N {
            self.twist();
            self.next = 0;
        }
        let mut y = self.state[self.next];
        self.next += 1;
        y ^= y >> 11;
        y ^= (y << 7) & 0x9d2c_5680;
        y ^= (y << 15) & 0xefc6_0000;
        y ^ (y >> 18)
    }

    /// Uniform in [0, 1): the low 24 bits of one draw, over 2²⁴.
    pub(super) fn uniform_f32(&mut self) -> f32 {
        (self.bits() & 0x00ff_ffff) as f32 / 16_777_216.0
    }

    /// Uniform in [0, 1): the low 53 bits of two draws, the first one the high half, over 2⁵³.
    pub(super) fn uniform_f64(&mut self) -> f64 {
        let high = u64::from(self.bits());
        let low = u64::from(self.bits());
        ((high << 32 | low) & ((1 << 53) - 1)) as f64 / 9_007_199_254_740_992.0
    }

    /// Makes the next block of words.
    fn twist(&mut self) {
        for i in 0..N {
            let word = self.state[i] & 0x8000_0000 | self.state[(i + 1) % N] & 0x7fff_ffff;
            let odd = if word & 1 == 1 { MATRIX } else { 0 };
            self.state[i] = self.state[(i + M) % N] ^ (word >> 1) ^ odd;
        }
    }
}
