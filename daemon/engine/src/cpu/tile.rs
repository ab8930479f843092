//! The innermost product: a few rows of one operand by a panel of the other, summed in vector registers.

use pulp::{Simd, WithSimd};

/// Words of depth whose products are added in registers before their sum goes to memory. Sums over
/// blocks of this depth are then added to one another, which keeps more digits than one long sum.
pub(crate) const DEPTH: usize = 256;

/// Vectors side by side in a panel.
pub(super) const VECTORS: usize = 2;

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

/// What a word of a strip and a word of a panel make together. A vector's own instructions multiply the
/// f32 that words are; others may take a word's bits as something else.
pub(crate) trait Lanes: Copy {
    type Simd: Simd;

    fn simd(self) -> Self::Simd;

    /// `sum + a·b` in each lane.
    fn multiply_add(
        self,
        a: <Self::Simd as Simd>::f32s,
        b: <Self::Simd as Simd>::f32s,
        sum: <Self::Simd as Simd>::f32s,
    ) -> <Self::Simd as Simd>::f32s;
}

impl<S: Simd> Lanes for S {
    type Simd = S;

    #[inline(always)]
    fn simd(self) -> S {
        self
    }

    #[inline(always)]
    fn multiply_add(self, a: S::f32s, b: S::f32s, sum: S::f32s) -> S::f32s {
        self.mul_add_e_f32s(a, b, sum)
    }
}

/// A strip's rows over one block of depth. Rows are as long as the block however much of it is used, so
/// that they do not fall on the same cache sets.
type Strip<const R: usize> = [[f32; DEPTH]; R];

/// A tile of sums, as vectors.
type Sums<S, const R: usize> = [[<S as Simd>::f32s; VECTORS]; R];

/// `sums[r] = Σₖ strip[r][k]·panel[k]`, added to what `sums` holds unless `is_first`.
#[inline(always)]
fn multiply<L: Lanes, const R: usize>(
    lanes: L,
    strip: &Strip<R>,
    panel: &[[<L::Simd as Simd>::f32s; VECTORS]],
    sums: &mut Sums<L::Simd, R>,
    is_first: bool,
) {
    let simd = lanes.simd();
    let mut own = [[simd.splat_f32s(0.0); VECTORS]; R];
    let depth = panel.len().min(DEPTH);
    for (k, columns) in panel[..depth].iter().enumerate() {
        for r in 0..R {
            let x = simd.splat_f32s(strip[r][k]);
            for v in 0..VECTORS {
                own[r][v] = lanes.multiply_add(x, columns[v], own[r][v]);
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

/// Multiplies rows of [`DEPTH`] words with panels, strip by strip, into tiles `[panel][strip]`.
#[inline(always)]
pub(crate) fn multiply_all<'a, L: Lanes, const R: usize>(
    lanes: L,
    rows: &[f32],
    panels: impl Iterator<Item = &'a [f32]>,
    tiles: &mut [f32],
    is_first: bool,
) {
    let strips = rows.as_chunks::<DEPTH>().0.as_chunks::<R>().0;
    let tiles = L::Simd::as_mut_simd_f32s(tiles).0.as_chunks_mut().0;
    let tiles: &mut [Sums<L::Simd, R>] = tiles.as_chunks_mut::<R>().0;
    for (panel, tiles) in panels.zip(tiles.chunks_exact_mut(strips.len().max(1))) {
        let panel = L::Simd::as_simd_f32s(panel).0.as_chunks().0;
        for (strip, sums) in strips.iter().zip(tiles) {
            multiply::<L, R>(lanes, strip, panel, sums, is_first);
        }
    }
}
