//! Products of a matrix with a packed one: what convolution and attention spend their time in.
//!
//! The right-hand matrix is packed once into panels, as wide as two vector registers, and used for every
//! block of rows. The left-hand one is read where it lies, so a convolution writes its
//! columns straight into it and nothing is packed a second time, as a general GEMM would.
//!
//! How wide a panel is depends on the processor: take it from [`panel_width`], once per matrix.

use pulp::{Arch, Simd, WithSimd};

/// Rows of a left-hand matrix come in multiples of this, whatever the processor.
pub(crate) const ROWS: usize = 12;

/// How deep a product runs before it goes on to the next rows: a panel of this depth fits into the
/// first-level cache beside the rows.
const DEPTH: usize = 256;

/// Vector registers side by side in a panel.
const VECTORS: usize = 2;

/// Columns of a panel on this processor.
pub(crate) fn panel_width() -> usize {
    struct Width;
    impl WithSimd for Width {
        type Output = usize;
        #[inline(always)]
        fn with_simd<S: Simd>(self, _: S) -> usize {
            width::<S>()
        }
    }
    Arch::new().dispatch(Width)
}

/// [`panel_width`] where the instructions are known.
pub(super) const fn width<S: Simd>() -> usize {
    VECTORS * S::F32_LANES
}

/// The left-hand matrix: `rows` × `depth` numbers, a row every `stride`.
#[derive(Clone, Copy)]
pub(super) struct Left<'a> {
    pub(super) values: &'a [f32],
    pub(super) stride: usize,
    /// A multiple of [`ROWS`].
    pub(super) rows: usize,
    pub(super) depth: usize,
}

/// Where the product goes: `rows` × [`width`] numbers per panel.
pub(super) struct Out<'a> {
    pub(super) values: &'a mut [f32],
    /// From one row to the next.
    pub(super) stride: usize,
    /// From one panel's columns to the next one's.
    pub(super) panel: usize,
    /// Whether the product is added to what is there.
    pub(super) add: bool,
}

/// `out = left · right`, the right-hand matrix in panels of `left.depth` × [`width`] numbers, one after
/// another.
#[inline(always)]
pub(super) fn multiply<S: Simd>(simd: S, left: Left<'_>, panels: &[f32], out: Out<'_>) {
    if S::REGISTER_COUNT >= 32 {
        multiply_rows::<S, 12>(simd, left, panels, out);
    } else {
        multiply_rows::<S, 6>(simd, left, panels, out);
    }
}

#[inline(always)]
fn multiply_rows<S: Simd, const R: usize>(simd: S, left: Left<'_>, panels: &[f32], out: Out<'_>) {
    let width = width::<S>();
    for first in (0..left.depth).step_by(DEPTH) {
        let depth = DEPTH.min(left.depth - first);
        let add = out.add || first > 0;
        for (number, panel) in panels.chunks_exact(left.depth * width).enumerate() {
            let (panel, _) = S::as_simd_f32s(&panel[first * width..][..depth * width]);
            let (panel, _) = panel.as_chunks::<VECTORS>();
            for row in (0..left.rows).step_by(R) {
                let mut block = [[simd.splat_f32s(0.0); VECTORS]; R];
                let columns = number * out.panel;
                let place = |r: usize| (row + r) * out.stride + columns;
                if add {
                    for (r, sums) in block.iter_mut().enumerate() {
                        let (there, _) = S::as_simd_f32s(&out.values[place(r)..][..width]);
                        sums.copy_from_slice(&there[..VECTORS]);
                    }
                }
                let rows: [&[f32]; R] = core::array::from_fn(|r| {
                    &left.values[(row + r) * left.stride + first..][..depth]
                });
                accumulate(simd, &rows, panel, &mut block);
                for (r, sums) in block.iter().enumerate() {
                    let (there, _) = S::as_mut_simd_f32s(&mut out.values[place(r)..][..width]);
                    there[..VECTORS].copy_from_slice(sums);
                }
            }
        }
    }
}

/// `block += rows · panel`, the block in registers.
#[inline(always)]
fn accumulate<S: Simd, const R: usize>(
    simd: S,
    rows: &[&[f32]; R],
    panel: &[[S::f32s; VECTORS]],
    block: &mut [[S::f32s; VECTORS]; R],
) {
    let depth = panel.len();
    let rows: [&[f32]; R] = core::array::from_fn(|r| &rows[r][..depth]);
    let mut sums = *block;
    for k in 0..depth {
        let right = panel[k];
        for r in 0..R {
            let left = simd.splat_f32s(rows[r][k]);
            for (sum, right) in sums[r].iter_mut().zip(right) {
                *sum = simd.mul_add_e_f32s(left, right, *sum);
            }
        }
    }
    *block = sums;
}
