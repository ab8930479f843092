//! AMX: tiles of 16 rows of 16 pairs of bf16, multiplied as a whole.
//!
//! A strip is two tiles high and a panel two wide: four tiles of sums, two of either operand, which are
//! all eight that there are. The intrinsics are not stable in Rust, so the innermost loop is a dozen
//! lines of assembly. Tiles are state that a thread has to be given by the system, once for the process,
//! and that it configures before and gives up after each task, so that the system need not save it.

#![allow(
    unsafe_code,
    reason = "instructions without stable intrinsics, on memory that slices bound"
)]

use std::arch::asm;
use std::arch::x86_64::__cpuid_count;
use std::sync::OnceLock;

use pulp::x86::V4;
use pulp::{Simd, WithSimd};

use super::words::Pair;
use super::{Multiply, Task, Unit};
use crate::cpu::tile::{DEPTH, TileShape};

/// Rows of a tile, and 32-bit words in each of its rows.
const SIDE: usize = 16;
/// Rows of a strip, and columns of a panel.
const PAIR: usize = 2 * SIDE;

/// The unit, on a processor that has it and a system that lets this process use it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tiles(V4);

impl Tiles {
    pub(crate) fn find() -> Option<Self> {
        static PERMITTED: OnceLock<bool> = OnceLock::new();
        let vectors = V4::try_new()?;
        let permitted = *PERMITTED.get_or_init(|| Self::present() && ask());
        permitted.then_some(Self(vectors))
    }

    /// Whether the processor has it: AMX-BF16 and AMX-TILE in leaf 7.
    pub(super) fn present() -> bool {
        const WANTED: u32 = 1 << 22 | 1 << 24;
        let leaves = __cpuid_count(0, 0).eax;
        leaves >= 7 && __cpuid_count(7, 0).edx & WANTED == WANTED
    }
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

impl Unit for Tiles {
    type Words = Pair;

    const STEP: usize = SIDE;

    fn shape(self) -> TileShape {
        TileShape {
            panel_width: PAIR,
            strip_height: PAIR,
        }
    }

    fn perform<T: Task>(self, task: T) {
        Simd::vectorize(self.0, Configured(self.0, task));
    }
}

/// A task while tiles are configured.
struct Configured<T>(V4, T);

impl<T: Task> WithSimd for Configured<T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self(vectors, task) = self;
        let configuration = Configuration::begin();
        task.run(Whole {
            vectors,
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
#[derive(Clone, Copy)]
struct Whole<'a> {
    vectors: V4,
    _configured: &'a Configuration,
}

impl Multiply for Whole<'_> {
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
        let tiles = tiles.as_chunks_mut::<{ PAIR * PAIR }>().0;
        for (panel, tiles) in panels.zip(tiles.chunks_exact_mut(strips.len().max(1))) {
            for (strip, sums) in strips.iter().zip(tiles) {
                if is_first {
                    sums.fill(0.0);
                }
                multiply(strip, panel, sums);
            }
        }
    }
}

/// `sums[r][c] += Σₖ strip[r][k]·panel[k][c]`, with k over the panel's pairs.
#[inline(always)]
fn multiply(strip: &[f32; PAIR * DEPTH], panel: &[f32], sums: &mut [f32; PAIR * PAIR]) {
    let steps = panel.len() / (SIDE * PAIR);
    assert!(steps * SIDE <= DEPTH, "a panel is no deeper than a strip");
    if steps == 0 {
        return;
    }
    // SAFETY: tiles are configured, or there would be no `Whole`. Each step reads 16 words of the 32 rows
    // of a strip, which are DEPTH words apart and by the assertion all within it, and 16 rows of 32 words of
    // the panel, which has as many as there are steps. Sums are 32 rows of 32.
    unsafe {
        asm!(
            "tileloadd tmm0, [{sums} + {width}]",
            "tileloadd tmm1, [{sums} + {width} + 64]",
            "tileloadd tmm2, [{sums} + {width} + 2048]",
            "tileloadd tmm3, [{sums} + {width} + 2112]",
            "2:",
            "tileloadd tmm4, [{upper} + {depth}]",
            "tileloadd tmm6, [{panel} + {width}]",
            "tileloadd tmm7, [{panel} + {width} + 64]",
            "tileloadd tmm5, [{lower} + {depth}]",
            "tdpbf16ps tmm0, tmm4, tmm6",
            "tdpbf16ps tmm1, tmm4, tmm7",
            "tdpbf16ps tmm2, tmm5, tmm6",
            "tdpbf16ps tmm3, tmm5, tmm7",
            "add {upper}, 64",
            "add {lower}, 64",
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
            upper = inout(reg) strip.as_ptr() => _,
            lower = inout(reg) strip[SIDE * DEPTH..].as_ptr() => _,
            panel = inout(reg) panel.as_ptr() => _,
            steps = inout(reg) steps => _,
            out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
            out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
            options(nostack),
        );
    }
}
