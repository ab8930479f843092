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
#[cfg(test)]
mod tests;
mod weigh;

use std::marker::PhantomData;
use std::ops::Range;

use rayon::prelude::*;

use super::matrix::{Matrix, Rows};
use super::operands::Operands;
use super::panel;
use super::scratch::{self, Slot};
use super::tile::DEPTH;
use super::unit::{self, Multiply, OnUnit, Task, Unit, Words, words_of};
use band::{Band, OfBand};

thread_local! {
    static KEYS: Slot = const { Slot::new(Vec::new()) };
    static VALUES: Slot = const { Slot::new(Vec::new()) };
    static WORK: Slot = const { Slot::new(Vec::new()) };
}

/// Queries in a band, a multiple of all heights of a strip.
const BAND: usize = 96;
/// Keys in a tile: as many as weights fit into a strip's rows, and whole steps of every unit.
const TILE: usize = DEPTH;
/// Most numbers in a word.
const MOST_IN_WORD: usize = 2;

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
/// large. A query that sees no key gets zeros. Queries, keys, weights and values are rounded to `operands`
/// before they are multiplied; all else is f32.
pub(crate) fn attend(
    operands: Operands,
    heads: Heads,
    queries: &[Matrix<'_>],
    keys: &[Matrix<'_>],
    values: &[Matrix<'_>],
    hidden: Option<Hidden<'_>>,
    outs: &mut [&mut [f32]],
) {
    let attention = Attention {
        heads,
        queries,
        keys,
        values,
        hidden,
        outs,
    };
    unit::choose(operands, false, attention);
}

struct Attention<'a, 'o> {
    heads: Heads,
    queries: &'a [Matrix<'a>],
    keys: &'a [Matrix<'a>],
    values: &'a [Matrix<'a>],
    hidden: Option<Hidden<'a>>,
    outs: &'a mut [&'o mut [f32]],
}

impl OnUnit for Attention<'_, '_> {
    type Output = ();

    fn on<U: Unit>(self, unit: U) {
        let Self {
            heads,
            queries,
            keys,
            values,
            hidden,
            outs,
        } = self;
        let total = keys.iter().map(Matrix::rows).sum::<usize>();
        let shared = keys.first().map_or(0, Matrix::width) / heads.width.max(1);
        if shared == 0 || heads.count == 0 {
            return;
        }
        let packed = Packed {
            heads,
            shared,
            total,
            panel_width: unit.shape().panel_width,
            key_words: words_of::<U>(heads.width),
            value_words: words_of::<U>(total),
            parts: [U::Left::PARTS, U::Right::PARTS],
        };
        scratch::with(&KEYS, packed.keys_length() * shared, |packed_keys| {
            scratch::with(&VALUES, packed.values_length() * shared, |packed_values| {
                packed.pack(unit, keys, values, packed_keys, packed_values);
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
                            unit.perform(OfBand::<U> {
                                band,
                                out,
                                work,
                                unit: PhantomData,
                            });
                        });
                    });
            });
        });
    }
}

/// How keys and values lie once packed, one shared head after another: keys as panels of their head's
/// width by keys ([`panel`]), values as panels `[panel][tile][part][keys][head width]`, the keys in words.
struct Packed {
    heads: Heads,
    /// Heads of keys and values.
    shared: usize,
    /// Keys.
    total: usize,
    panel_width: usize,
    /// Words of a key.
    key_words: usize,
    /// Words of all keys' values of one dimension.
    value_words: usize,
    /// Words for each of those, in strips and in panels.
    parts: [usize; 2],
}

impl Packed {
    /// Words of one head's keys.
    fn keys_length(&self) -> usize {
        self.total.next_multiple_of(self.panel_width) * self.key_words * self.parts[1]
    }

    /// Words of one head's values.
    fn values_length(&self) -> usize {
        self.value_words * self.value_width() * self.parts[1]
    }

    /// A head's width in whole panels.
    fn value_width(&self) -> usize {
        self.heads.width.next_multiple_of(self.panel_width)
    }

    /// Numbers that a band works on: queries, weights, scores, sums, and three for each query.
    fn work_length(&self) -> usize {
        let depth = self.parts[0] * (self.key_words.next_multiple_of(DEPTH) + DEPTH);
        BAND * (depth + TILE.next_multiple_of(self.panel_width) + self.value_width() + 3)
    }

    fn pack<U: Unit>(
        &self,
        unit: U,
        keys: &[Matrix<'_>],
        values: &[Matrix<'_>],
        packed_keys: &mut [f32],
        packed_values: &mut [f32],
    ) {
        let panels = self.total.div_ceil(self.panel_width);
        let panel_length = self.panel_width * self.key_words * self.parts[1];
        packed_keys
            .par_chunks_exact_mut(panel_length)
            .enumerate()
            .for_each(|(number, panel)| {
                let (head, panel_number) = (number / panels, number % panels);
                let first = panel_number * self.panel_width;
                unit.perform(PackKeys::<U> {
                    keys: HeadRows {
                        matrices: keys,
                        column: head * self.heads.width,
                        width: self.heads.width,
                    },
                    rows: first..self.total.min(first + self.panel_width),
                    width: self.panel_width,
                    panel,
                    unit: PhantomData,
                });
            });
        let panels = self.value_width() / self.panel_width;
        packed_values
            .par_chunks_exact_mut(self.value_words * self.panel_width * self.parts[1])
            .enumerate()
            .for_each(|(number, panel)| {
                let (head, panel_number) = (number / panels, number % panels);
                let start = panel_number * self.panel_width;
                let count = self.panel_width.min(self.heads.width - start);
                let column = head * self.heads.width + start;
                unit.perform(PackValues::<U> {
                    values,
                    columns: column..column + count,
                    width: self.panel_width,
                    panel,
                    unit: PhantomData,
                });
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

struct PackKeys<'a, U> {
    keys: HeadRows<'a>,
    rows: Range<usize>,
    width: usize,
    panel: &'a mut [f32],
    unit: PhantomData<U>,
}

impl<U: Unit> Task for PackKeys<'_, U> {
    #[inline(always)]
    fn run<M: Multiply>(self, _: M) {
        panel::pack::<U, _>(&self.keys, self.rows, self.width, self.panel);
    }
}

/// Some columns of all values.
struct PackValues<'a, U> {
    values: &'a [Matrix<'a>],
    columns: Range<usize>,
    width: usize,
    panel: &'a mut [f32],
    unit: PhantomData<U>,
}

impl<U: Unit> Task for PackValues<'_, U> {
    #[inline(always)]
    fn run<M: Multiply>(self, _: M) {
        let mut rows = self.values.iter().flat_map(|values| {
            let columns = self.columns.clone();
            (0..values.rows()).map(move |row| &values.row(row)[columns.clone()])
        });
        let tile = words_of::<U>(TILE) * self.width * U::Right::PARTS;
        for tile in self.panel.chunks_mut(tile) {
            let length = tile.len() / U::Right::PARTS;
            for start in (0..length).step_by(self.width) {
                let mut piled: [&[f32]; MOST_IN_WORD] = [&[]; MOST_IN_WORD];
                let piled = &mut piled[..U::Right::NUMBERS];
                piled.fill_with(|| rows.next().unwrap_or_default());
                for part in 0..U::Right::PARTS {
                    let start = part * length + start;
                    U::Right::pile(piled, part, &mut tile[start..start + self.width]);
                }
            }
        }
    }
}
