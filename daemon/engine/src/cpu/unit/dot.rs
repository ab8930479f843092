//! AVX512-BF16: pairs of bf16 in each lane of a vector of f32, multiplied and added.

#![allow(
    unsafe_code,
    reason = "an instruction that may only be used where the processor has it"
)]

use std::arch::x86_64::{__m512, __m512bh, _mm512_dpbf16_ps};
use std::mem::transmute;

use pulp::x86::V4;
use pulp::{Simd, f32x16};

use super::words::Pair;
use super::{Multiply, Task, Unit, Vectors, tiles};
use crate::cpu::tile::{Lanes, TALL, TileShape, VECTORS};

/// The instruction, on a processor that has it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dot(V4);

impl Dot {
    /// Where it helps. Intel's processors with AMX have the instruction too, but take longer over a pair
    /// than over two products in f32 (measured), so there it is of use to tests only.
    pub(crate) fn find() -> Option<Self> {
        Self::present().filter(|_| !tiles::present())
    }

    /// Where the processor has it.
    pub(crate) fn present() -> Option<Self> {
        let has_bf16 = is_x86_feature_detected!("avx512bf16");
        V4::try_new().filter(|_| has_bf16).map(Self)
    }
}

impl Unit for Dot {
    type Left = Pair;
    type Right = Pair;

    const STEP: usize = 1;

    fn shape(self) -> TileShape {
        TileShape {
            panel_width: VECTORS * V4::F32_LANES,
            strip_height: TALL,
        }
    }

    fn perform<T: Task>(self, task: T) {
        // SAFETY: a `Dot` exists only where `present` has found these features.
        unsafe { enter(task, Vectors::<Self, TALL>(self)) }
    }
}

/// The features of [`V4`], and the one that it lacks.
#[target_feature(enable = "avx2,bmi1,bmi2,fma,lzcnt,popcnt")]
#[target_feature(enable = "avx512f,avx512bw,avx512cd,avx512dq,avx512vl,avx512bf16")]
fn enter<T: Task, M: Multiply>(task: T, multiply: M) {
    task.run(multiply);
}

impl Lanes for Dot {
    type Simd = V4;

    #[inline(always)]
    fn simd(self) -> V4 {
        self.0
    }

    #[inline(always)]
    fn multiply_add(self, a: f32x16, b: f32x16, sum: f32x16) -> f32x16 {
        // SAFETY: a `Dot` exists only where `present` has found the feature; all of these types are 512
        // bits, any of which are a value of each.
        unsafe {
            let a = transmute::<f32x16, __m512bh>(a);
            let b = transmute::<f32x16, __m512bh>(b);
            let sum = transmute::<f32x16, __m512>(sum);
            transmute::<__m512, f32x16>(_mm512_dpbf16_ps(sum, a, b))
        }
    }
}
