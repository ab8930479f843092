//! Attention, `softmax(q·kᵀ/√d)·v`, without ever holding all scores.
//!
//! Keys and values are packed once for all queries. Then a thread takes a band of queries, and for each
//! head goes over the keys a tile at a time: scores, their exponentials relative to the largest so far,
//! and the weighted values, all within the core's cache. When a later tile has a larger score, what was
//! summed before is scaled down (Milakov and Gimelshein, "Online normalizer calculation for softmax",
//! 2018). Sums over keys are therefore sums over tiles, which keeps the small weights beside a large one.
//!
//! Key and value heads may be fewer than query heads; each then serves as many query heads in a row.

mod band;
mod weigh;

use std::ops::Range;

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::matrix::{Matrix, Rows};
use super::panel;
use super::scratch::{self, Slot};
use super::tile::{DEPTH, ShapeOfTiles};
use band::{Band, Task};

thread_local! {
    static KEYS: Slot = const { Slot::new(Vec::new()) };
    static VALUES: Slot = const { Slot::new(Vec::new()) };
    static WORK: Slot = const { Slot::new(Vec::new()) };
}

/// Queries in a band, a multiple of both heights of a strip.
const BAND: usize = 96;
/// Keys in a tile: as many as weights fit into a strip's rows.
const TILE: usize = DEPTH;

/// How heads lie in rows, and how many there are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Heads {
    /// Heads of queries; those of keys and values follow from the rows' width.
    pub(crate) count: usize,
    /// Numbers of one head.
    pub(crate) width: usize,
}

/// Which keys a query must not look at: `[queries, keys]`, true where hidden, for all queries and keys in
/// the order in which they are given.
pub(crate) type Hidden<'a> = &'a [bool];

/// Attends from all queries to all keys. Queries are rows of `heads.count · heads.width` numbers; keys
/// and values rows of as many heads as they have. `outs` are dense, one for each of `queries` and as
/// large. A query that sees no key gets zeros.
pub(crate) fn attend(
    heads: Heads,
    queries: &[Matrix<'_>],
    keys: &[Matrix<'_>],
    values: &[Matrix<'_>],
    hidden: Option<Hidden<'_>>,
    outs: &mut [&mut [f32]],
) {
    let arch = Arch::new();
    let shape = arch.dispatch(ShapeOfTiles);
    let total = keys.iter().map(Matrix::rows).sum::<usize>();
    let shared = keys.first().map_or(0, Matrix::width) / heads.width.max(1);
    if shared == 0 || heads.count == 0 {
        return;
    }
    let packed = Packed {
        heads,
        shared,
        total,
        panel_width: shape.panel_width,
    };
    scratch::with(&KEYS, packed.keys_length() * shared, |packed_keys| {
        scratch::with(&VALUES, packed.values_length() * shared, |packed_values| {
            packed.pack(arch, keys, values, packed_keys, packed_values);
            let mut bands = Vec::new();
            let mut place = 0;
            for (queries, out) in queries.iter().zip(outs.iter_mut()) {
                let row = heads.count * heads.width;
                for (number, out) in out.chunks_mut(BAND * row).enumerate() {
                    bands.push((queries, place, number * BAND, out));
                }
                place += queries.rows();
            }
            let (packed_keys, packed_values) = (&*packed_keys, &*packed_values);
            bands
                .into_par_iter()
                .for_each(|(queries, place, first, out)| {
                    scratch::with(&WORK, packed.work_length(), |work| {
                        let band = Band {
                            packed: &packed,
                            keys: packed_keys,
                            values: packed_values,
                            queries,
                            first,
                            count: out.len() / (heads.count * heads.width),
                            hidden: hidden.map(|hidden| &hidden[(place + first) * total..]),
                        };
                        arch.dispatch(Task { band, out, work });
                    });
                });
        });
    });
}

/// How keys and values lie once packed, one shared head after another: keys as panels `[head width]
/// [keys]`, values as panels `[keys][head width]`.
struct Packed {
    heads: Heads,
    /// Heads of keys and values.
    shared: usize,
    /// Keys.
    total: usize,
    panel_width: usize,
}

impl Packed {
    /// Numbers of one head's keys.
    fn keys_length(&self) -> usize {
        self.total.next_multiple_of(self.panel_width) * self.heads.width
    }

    /// Numbers of one head's values.
    fn values_length(&self) -> usize {
        self.total * self.value_width()
    }

    /// A head's width in whole panels.
    fn value_width(&self) -> usize {
        self.heads.width.next_multiple_of(self.panel_width)
    }

    /// Numbers that a band works on: queries, weights, scores, sums, and three for each query.
    fn work_length(&self) -> usize {
        let depth = self.heads.width.next_multiple_of(DEPTH);
        BAND * (depth + TILE + TILE.next_multiple_of(self.panel_width) + self.value_width() + 3)
    }

    fn pack(
        &self,
        arch: Arch,
        keys: &[Matrix<'_>],
        values: &[Matrix<'_>],
        packed_keys: &mut [f32],
        packed_values: &mut [f32],
    ) {
        let panels = self.total.div_ceil(self.panel_width);
        let panel_length = self.panel_width * self.heads.width;
        packed_keys
            .par_chunks_exact_mut(panel_length)
            .enumerate()
            .for_each(|(number, panel)| {
                let (head, panel_number) = (number / panels, number % panels);
                let first = panel_number * self.panel_width;
                arch.dispatch(PackKeys {
                    keys: HeadRows {
                        matrices: keys,
                        column: head * self.heads.width,
                        width: self.heads.width,
                    },
                    rows: first..self.total.min(first + self.panel_width),
                    width: self.panel_width,
                    panel,
                });
            });
        let panels = self.value_width() / self.panel_width;
        packed_values
            .par_chunks_exact_mut(self.total * self.panel_width)
            .enumerate()
            .for_each(|(number, panel)| {
                let (head, panel_number) = (number / panels, number % panels);
                let start = panel_number * self.panel_width;
                let count = self.panel_width.min(self.heads.width - start);
                let column = head * self.heads.width + start;
                let rows = values.iter().flat_map(|values| {
                    (0..values.rows()).map(|row| &values.row(row)[column..column + count])
                });
                for (out, row) in panel.chunks_exact_mut(self.panel_width).zip(rows) {
                    out[..count].copy_from_slice(row);
                    out[count..].fill(0.0);
                }
            });
    }
}

/// One head of several matrices below one another.
struct HeadRows<'a> {
    matrices: &'a [Matrix<'a>],
    column: usize,
    width: usize,
}

impl Rows for HeadRows<'_> {
    fn rows(&self) -> usize {
        self.matrices.iter().map(Matrix::rows).sum()
    }

    fn row_length(&self) -> usize {
        self.width
    }

    fn widen_rows(&self, first: usize, out: &mut [f32]) {
        let mut skip = first;
        let mut outs = out.chunks_exact_mut(self.width);
        for matrix in self.matrices {
            for (row, out) in (skip..matrix.rows()).zip(&mut outs) {
                out.copy_from_slice(&matrix.row(row)[self.column..self.column + self.width]);
            }
            skip = skip.saturating_sub(matrix.rows());
        }
    }
}

struct PackKeys<'a> {
    keys: HeadRows<'a>,
    rows: Range<usize>,
    width: usize,
    panel: &'a mut [f32],
}

impl WithSimd for PackKeys<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        panel::widen(&self.keys, self.rows, self.width, self.panel);
    }
}
