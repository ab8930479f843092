//! The innermost product: a few rows of one operand by a panel of the other, summed in registers.

use pulp::{Simd, WithSimd};

/// Products that are added in registers before their sum goes to memory. Sums over blocks of this
/// depth are then added to one another, which keeps more digits than one long sum.
pub(crate) const DEPTH: usize = 256;

/// Vectors side by side in a panel.
const VECTORS: usize = 2;

/// Rows in a strip where there are 32 vector registers, and where there are fewer: all sums, a row of
/// the panel and a broadcast fit.
pub(crate) const TALL: usize = 12;
pub(crate) const SHORT: usize = 6;

/// The size of a tile of sums on a processor.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TileShape {
    /// Columns of a panel.
    pub(crate) panel_width: usize,
    /// Rows of a strip.
    pub(crate) strip_height: usize,
}

/// Asks for the size of tiles on the processor that it is dispatched to.
pub(crate) struct ShapeOfTiles;

impl WithSimd for ShapeOfTiles {
    type Output = TileShape;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> TileShape {
        TileShape {
            panel_width: VECTORS * S::F32_LANES,
            strip_height: if S::REGISTER_COUNT >= 32 { TALL } else { SHORT },
        }
    }
}

/// A strip's rows over one block of depth. Rows are as long as the block however much of it is used, so
/// that they do not fall on the same cache sets.
type Strip<const R: usize> = [[f32; DEPTH]; R];

/// A tile of sums, as vectors.
type Sums<S, const R: usize> = [[<S as Simd>::f32s; VECTORS]; R];

/// `sums[r] = Σₖ strip[r][k]·panel[k]`, added to what `sums` holds unless `is_first`.
#[inline(always)]
fn multiply<S: Simd, const R: usize>(
    simd: S,
    strip: &Strip<R>,
    panel: &[[S::f32s; VECTORS]],
    sums: &mut Sums<S, R>,
    is_first: bool,
) {
    let mut own = [[simd.splat_f32s(0.0); VECTORS]; R];
    let depth = panel.len().min(DEPTH);
    for (k, columns) in panel[..depth].iter().enumerate() {
        for r in 0..R {
            let x = simd.splat_f32s(strip[r][k]);
            for v in 0..VECTORS {
                own[r][v] = simd.mul_add_e_f32s(x, columns[v], own[r][v]);
            }
        }
    }
    if is_first {
        *sums = own;
    } else {
        for r in 0..R {
            for v in 0..VECTORS {
                sums[r][v] = simd.add_f32s(sums[r][v], own[r][v]);
            }
        }
    }
}

/// Multiplies rows of [`DEPTH`] numbers with panels, strip by strip, into tiles `[panel][strip]`.
#[inline(always)]
pub(crate) fn multiply_all<'a, S: Simd, const R: usize>(
    simd: S,
    rows: &[f32],
    panels: impl Iterator<Item = &'a [f32]>,
    tiles: &mut [f32],
    is_first: bool,
) {
    let strips = rows.as_chunks::<DEPTH>().0.as_chunks::<R>().0;
    let tiles = S::as_mut_simd_f32s(tiles).0.as_chunks_mut().0;
    let tiles: &mut [Sums<S, R>] = tiles.as_chunks_mut::<R>().0;
    for (panel, tiles) in panels.zip(tiles.chunks_exact_mut(strips.len().max(1))) {
        let panel = S::as_simd_f32s(panel).0.as_chunks().0;
        for (strip, sums) in strips.iter().zip(tiles) {
            multiply::<S, R>(simd, strip, panel, sums, is_first);
        }
    }
}
