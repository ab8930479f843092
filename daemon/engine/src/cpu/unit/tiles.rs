//! AMX: tiles of 16 rows of 16 pairs of bf16, multiplied as a whole.
//!
//! A strip is two tiles high and a panel two wide: four tiles of sums, two of either operand, which are
//! all eight that there are. The intrinsics are not stable in Rust, so the innermost loop is a dozen
//! lines of assembly. Tiles are state that a thread has to be given by the system, once for the process,
//! and that it configures before and gives up after each task, so that the system need not save it.
//!
//! f32 goes through this unit too, as the sum of three bf16 ([`Thirds`](super::words::Thirds)): a product of two bf16 is exact in
//! f32, so three products make that of an f32 with a bf16, and six that of two f32 but for what is below
//! the last bit. That is still several times as fast as the processor's vectors, and as near to the exact
//! sums (Henry, Tang and Heinecke, "Leveraging the bfloat16 Artificial Intelligence Datatype For
//! Higher-Precision Computations", 2019).

#![allow(
    unsafe_code,
    reason = "instructions without stable intrinsics, on memory that slices bound"
)]

use std::arch::asm;
use std::arch::x86_64::__cpuid_count;
use std::marker::PhantomData;
use std::sync::OnceLock;

use pulp::x86::V4;
use pulp::{Simd, WithSimd};

use super::words::Words;
use super::{Multiply, Task, Unit};
use crate::cpu::tile::{DEPTH, TileShape};

/// Rows of a tile, and 32-bit words in each of its rows.
const SIDE: usize = 16;
/// Rows of a strip, and columns of a panel.
const PAIR: usize = 2 * SIDE;

/// The unit, on a processor that has it and a system that lets this process use it, for strips and panels
/// of such words.
#[derive(Debug)]
pub(crate) struct Tiles<L, R>(V4, PhantomData<fn(L, R)>);

impl<L, R> Clone for Tiles<L, R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<L, R> Copy for Tiles<L, R> {}

impl<L, R> Tiles<L, R> {
    pub(crate) fn find() -> Option<Self> {
        static PERMITTED: OnceLock<bool> = OnceLock::new();
        let vectors = V4::try_new()?;
        let permitted = *PERMITTED.get_or_init(|| present() && ask());
        permitted.then_some(Self(vectors, PhantomData))
    }
}

/// Whether the processor has the unit: AMX-BF16 and AMX-TILE in leaf 7.
pub(super) fn present() -> bool {
    const WANTED: u32 = 1 << 22 | 1 << 24;
    let leaves = __cpuid_count(0, 0).eax;
    leaves >= 7 && __cpuid_count(7, 0).edx & WANTED == WANTED
}

/// Asks the system for the state of tiles (Linux' `Documentation/arch/x86/xstate.rst`). An older system,
/// or one that lacks the room on a thread's signal stack, says no.
#[cfg(target_os = "linux")]
fn ask() -> bool {
    const ARCH_REQ_XCOMP_PERM: libc::c_long = 0x1023;
    const XFEATURE_XTILEDATA: libc::c_long = 18;
    // SAFETY: this call takes two numbers, and neither reads nor writes this process's memory.
    let result = unsafe {
        libc::syscall(
            libc::SYS_arch_prctl,
            ARCH_REQ_XCOMP_PERM,
            XFEATURE_XTILEDATA,
        )
    };
    result == 0
}

#[cfg(not(target_os = "linux"))]
fn ask() -> bool {
    false
}

impl<L: Words, R: Words> Unit for Tiles<L, R> {
    type Left = L;
    type Right = R;

    const STEP: usize = SIDE;

    fn shape(self) -> TileShape {
        TileShape {
            panel_width: PAIR,
            strip_height: PAIR,
        }
    }

    fn perform<T: Task>(self, task: T) {
        Simd::vectorize(self.0, Configured::<T, L, R>(self.0, task, PhantomData));
    }
}

/// A task while tiles are configured.
struct Configured<T, L, R>(V4, T, PhantomData<fn(L, R)>);

impl<T: Task, L: Words, R: Words> WithSimd for Configured<T, L, R> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self(vectors, task, _) = self;
        let configuration = Configuration::begin();
        task.run(Whole::<L, R> {
            vectors,
            words: PhantomData,
            _configured: &configuration,
        });
    }
}

/// Palette 1 with all eight tiles at full size, as `ldtilecfg` takes it.
#[repr(C, align(64))]
struct Layout {
    palette: u8,
    start_row: u8,
    reserved: [u8; 14],
    row_bytes: [u16; 16],
    rows: [u8; 16],
}

static LAYOUT: Layout = Layout {
    palette: 1,
    start_row: 0,
    reserved: [0; 14],
    row_bytes: [64, 64, 64, 64, 64, 64, 64, 64, 0, 0, 0, 0, 0, 0, 0, 0],
    rows: [16, 16, 16, 16, 16, 16, 16, 16, 0, 0, 0, 0, 0, 0, 0, 0],
};

/// That this thread's tiles are configured: until it is dropped.
struct Configuration(());

impl Configuration {
    fn begin() -> Self {
        // SAFETY: only `Tiles`, which exist where the system permits these instructions, get here; the
        // operand is 64 bytes, valid and a layout that the unit knows.
        unsafe { asm!("ldtilecfg [{}]", in(reg) &raw const LAYOUT, options(nostack, readonly)) };
        Self(())
    }
}

impl Drop for Configuration {
    fn drop(&mut self) {
        // SAFETY: as in `begin`; nothing is kept in tiles from one use to the next.
        unsafe { asm!("tilerelease", options(nostack, nomem)) };
    }
}

/// Whole tiles, configured.
struct Whole<'a, L, R> {
    vectors: V4,
    words: PhantomData<fn(L, R)>,
    _configured: &'a Configuration,
}

impl<L, R> Clone for Whole<'_, L, R> {
    #[inline(always)]
    fn clone(&self) -> Self {
        *self
    }
}

impl<L, R> Copy for Whole<'_, L, R> {}

impl<L: Words, R: Words> Multiply for Whole<'_, L, R> {
    type Simd = V4;

    const HEIGHT: usize = PAIR;

    #[inline(always)]
    fn simd(self) -> V4 {
        self.vectors
    }

    #[inline(always)]
    fn all<'a>(
        self,
        rows: &[f32],
        panels: impl Iterator<Item = &'a [f32]>,
        tiles: &mut [f32],
        is_first: bool,
    ) {
        let strips = rows.as_chunks::<{ PAIR * DEPTH }>().0;
        let strips = strips.chunks_exact(L::PARTS);
        let tiles = tiles.as_chunks_mut::<{ PAIR * PAIR }>().0;
        for (panel, tiles) in panels.zip(tiles.chunks_exact_mut(strips.len().max(1))) {
            let length = panel.len() / R::PARTS;
            for (strip, sums) in strips.clone().zip(tiles) {
                // What is smallest first. A later part meets one part less of the other side: their
                // product would be below the last bit.
                for part in (0..R::PARTS).rev() {
                    let panel = &panel[part * length..(part + 1) * length];
                    let is_first = is_first && part + 1 == R::PARTS;
                    match L::PARTS - part {
                        1 => one_part(strip, panel, sums, is_first),
                        2 => two_parts(strip, panel, sums, is_first),
                        _ => three_parts(strip, panel, sums, is_first),
                    }
                }
            }
        }
    }
}

/// Makes the innermost loop for so many parts of a strip, the last of them first:
/// `sums[r][c] += Σₚ Σₖ strip[p][r][k]·panel[k][c]`, with k over the panel's pairs.
macro_rules! innermost {
    ($name:ident, $count:literal, [$($part:literal),+]) => {
        #[inline(always)]
        fn $name(
            strip: &[[f32; PAIR * DEPTH]],
            panel: &[f32],
            sums: &mut [f32; PAIR * PAIR],
            is_first: bool,
        ) {
            let steps = panel.len() / (SIDE * PAIR);
            assert!(strip.len() >= $count, "a strip has all its parts");
            assert!(steps * SIDE <= DEPTH, "a panel is no deeper than a strip");
            if steps == 0 {
                if is_first {
                    sums.fill(0.0);
                }
                return;
            }
            // SAFETY: tiles are configured, or there would be no `Whole`. Each step reads 16 words of the
            // 32 rows of each part of a strip, which are DEPTH words apart and by the assertions all within
            // it, and 16 rows of 32 words of the panel, which has as many as there are steps. Sums are 32
            // rows of 32.
            unsafe {
                asm!(
                    "test {first:e}, {first:e}",
                    "jnz 3f",
                    "tileloadd tmm0, [{sums} + {width}]",
                    "tileloadd tmm1, [{sums} + {width} + 64]",
                    "tileloadd tmm2, [{sums} + {width} + 2048]",
                    "tileloadd tmm3, [{sums} + {width} + 2112]",
                    "jmp 2f",
                    "3:",
                    "tilezero tmm0",
                    "tilezero tmm1",
                    "tilezero tmm2",
                    "tilezero tmm3",
                    "2:",
                    "tileloadd tmm6, [{panel} + {width}]",
                    "tileloadd tmm7, [{panel} + {width} + 64]",
                    $(
                        concat!("tileloadd tmm4, [{strip} + {depth} + ", $part, " * {part}]"),
                        concat!("tileloadd tmm5, [{strip} + {depth} + ", $part, " * {part} + {half}]"),
                        "tdpbf16ps tmm0, tmm4, tmm6",
                        "tdpbf16ps tmm1, tmm4, tmm7",
                        "tdpbf16ps tmm2, tmm5, tmm6",
                        "tdpbf16ps tmm3, tmm5, tmm7",
                    )+
                    "add {strip}, 64",
                    "add {panel}, 2048",
                    "dec {steps}",
                    "jnz 2b",
                    "tilestored [{sums} + {width}], tmm0",
                    "tilestored [{sums} + {width} + 64], tmm1",
                    "tilestored [{sums} + {width} + 2048], tmm2",
                    "tilestored [{sums} + {width} + 2112], tmm3",
                    sums = in(reg) sums.as_mut_ptr(),
                    width = in(reg) PAIR * size_of::<f32>(),
                    depth = in(reg) DEPTH * size_of::<f32>(),
                    strip = inout(reg) strip.as_ptr() => _,
                    panel = inout(reg) panel.as_ptr() => _,
                    steps = inout(reg) steps => _,
                    first = in(reg) u32::from(is_first),
                    part = const PAIR * DEPTH * size_of::<f32>(),
                    half = const SIDE * DEPTH * size_of::<f32>(),
                    out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
                    out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
                    options(nostack),
                );
            }
        }
    };
}

innermost!(one_part, 1, [0]);
innermost!(two_parts, 2, [1, 0]);
innermost!(three_parts, 3, [2, 1, 0]);
