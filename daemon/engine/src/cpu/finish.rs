//! What becomes of a product's sums while they are still in a core's cache.
//!
//! Each of these saves a pass over memory: written out and read again, the wide intermediate results of
//! a feed-forward would cost more than their arithmetic.

use super::exp::silu;

/// Writes what the sums of some outputs of one token make.
pub(crate) trait Finish: Sync {
    /// Whether the outputs `i` and `i + outputs/2` are wanted together.
    const IN_HALVES: bool = false;

    /// `sums` are of the outputs from `first` on; `partners`, where wanted together, of those half of
    /// all outputs later, else empty. `out` is the token's whole row.
    fn finish(&self, token: usize, first: usize, sums: &[f32], partners: &[f32], out: &mut [f32]);
}

/// The sums as they are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plain;

impl Finish for Plain {
    #[inline(always)]
    fn finish(&self, _: usize, first: usize, sums: &[f32], _: &[f32], out: &mut [f32]) {
        out[first..first + sums.len()].copy_from_slice(sums);
    }
}

/// Added to what is there, each output times its gate: `out += gate·y`; without gates, `out += y`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Added<'a> {
    pub(crate) gate: Option<&'a [f32]>,
}

impl Finish for Added<'_> {
    #[inline(always)]
    fn finish(&self, _: usize, first: usize, sums: &[f32], _: &[f32], out: &mut [f32]) {
        let out = &mut out[first..first + sums.len()];
        match self.gate {
            None => {
                for (out, sum) in out.iter_mut().zip(sums) {
                    *out += sum;
                }
            }
            Some(gate) => {
                let gate = &gate[first..first + sums.len()];
                for ((out, sum), gate) in out.iter_mut().zip(sums).zip(gate) {
                    *out += gate * sum;
                }
            }
        }
    }
}

/// SwiGLU: the first half of the outputs is the gate, `silu(gate)·value` remains.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Swiglu;

impl Finish for Swiglu {
    const IN_HALVES: bool = true;

    #[inline(always)]
    fn finish(&self, _: usize, first: usize, sums: &[f32], partners: &[f32], out: &mut [f32]) {
        let out = &mut out[first..first + sums.len()];
        for ((out, &gate), value) in out.iter_mut().zip(sums).zip(partners) {
            *out = silu(gate) * value;
        }
    }
}
