//! Seeds: the noise a picture starts from, exactly as PyTorch's CPU generator draws it.
//!
//! A seed is only worth recording if it gives the same picture elsewhere, and elsewhere means
//! `torch.Generator("cpu").manual_seed(seed)` followed by one float32 `randn`. The generator is
//! MT19937; the normal samples are made by Box–Muller in two different ways, depending on how many
//! are asked for. Both are reproduced bit for bit, with the approximations of log, sin and cos that
//! every x86-64 PyTorch uses, on whatever machine this runs.
//!
//! Nothing here may depend on the platform's random sources, on the number of threads or on the
//! time: equal arguments give equal bits.

mod cephes;
mod mt19937;
mod normal;

use mt19937::Mt19937;

/// `count` standard normal samples: bit for bit what
/// `torch.randn(count, generator=torch.Generator("cpu").manual_seed(seed))` holds.
///
/// The samples of a tensor of any shape are those of its element count, row-major: the noise of a
/// picture of W×H pixels is `randn(seed, 128 * (H / 16) * (W / 16))` read as `[1, 128, H/16, W/16]`.
///
/// PyTorch seeds its Mersenne Twister with the low 32 bits only, so seeds that differ by a multiple
/// of 2³² draw the same noise. That is kept, not repaired.
#[must_use]
pub fn randn(seed: u64, count: usize) -> Vec<f32> {
    let mut engine = Mt19937::new(seed);
    let mut samples = vec![0.0; count];
    if count < normal::BLOCK {
        normal::fill_few(&mut engine, &mut samples);
    } else {
        normal::fill_blocks(&mut engine, &mut samples);
    }
    samples
}
