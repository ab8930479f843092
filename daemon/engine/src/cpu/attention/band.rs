//! A band of queries against all keys: what one thread does at a time.

use std::marker::PhantomData;
use std::ops::Range;

use super::weigh::weigh;
use super::{Hidden, MOST_IN_WORD, Packed, TILE};
use crate::cpu::matrix::Matrix;
use crate::cpu::tile::DEPTH;
use crate::cpu::unit::{Multiply, Task, Unit, Words, strip_row, words_of};

/// The bits of 1.
const ONE: u32 = 1.0_f32.to_bits();

/// Most numbers in a strip's row.
const MOST_NUMBERS: usize = MOST_IN_WORD * DEPTH;

/// A band of queries, with all packed keys and values.
pub(super) struct Band<'a> {
    pub(super) packed: &'a Packed,
    pub(super) keys: &'a [f32],
    pub(super) values: &'a [f32],
    pub(super) queries: &'a Matrix<'a>,
    /// The band's first query, and how many there are.
    pub(super) first: usize,
    pub(super) count: usize,
    /// From the band's first query on.
    pub(super) hidden: Option<Hidden<'a>>,
}

/// A band with the place for its result, and working memory.
pub(super) struct OfBand<'a, U> {
    pub(super) band: Band<'a>,
    pub(super) out: &'a mut [f32],
    pub(super) work: &'a mut [f32],
    pub(super) unit: PhantomData<U>,
}

/// What is at hand while one head is computed; tiles are `[panel][strip]`.
struct Work<'a> {
    /// Queries in the band, in whole strips.
    rows: usize,
    /// The head's queries, in strips for each block of the head's width.
    queries: &'a mut [f32],
    /// In strips, of which a tile's keys are used.
    weights: &'a mut [f32],
    /// Tiles of queries by keys.
    scores: &'a mut [f32],
    /// Tiles of queries by the head's width.
    sums: &'a mut [f32],
    /// The largest score of each query so far.
    largest: &'a mut [f32],
    /// The sum of each query's weights so far.
    totals: &'a mut [f32],
    /// What each query's sums are to be multiplied by before more is added.
    factors: &'a mut [f32],
}

impl<U: Unit> Task for OfBand<'_, U> {
    #[inline(always)]
    fn run<M: Multiply>(self, multiply: M) {
        let packed = self.band.packed;
        let each = packed.heads.count / packed.shared;
        let rows = self.band.count.next_multiple_of(M::HEIGHT);
        let mut work = Work::split(packed, rows, self.work);
        let keys = self.band.keys.chunks_exact(packed.keys_length());
        let values = self.band.values.chunks_exact(packed.values_length());
        for (number, (keys, values)) in keys.zip(values).enumerate() {
            for head in number * each..(number + 1) * each {
                self.band.gather::<U, M>(head, &mut work);
                self.band.attend::<U, M>(multiply, keys, values, &mut work);
                self.band.finish(head, &work, self.out);
            }
        }
    }
}

impl<'a> Work<'a> {
    fn split(packed: &Packed, rows: usize, work: &'a mut [f32]) -> Self {
        let blocks = packed.key_words.div_ceil(DEPTH);
        let strips = packed.parts[0] * rows * DEPTH;
        let (queries, work) = work.split_at_mut(blocks * strips);
        let (weights, work) = work.split_at_mut(strips);
        let (scores, work) = work.split_at_mut(rows * TILE.next_multiple_of(packed.panel_width));
        let (sums, work) = work.split_at_mut(rows * packed.value_width());
        let (largest, work) = work.split_at_mut(rows);
        let (totals, work) = work.split_at_mut(rows);
        Self {
            rows,
            queries,
            weights,
            scores,
            sums,
            largest,
            totals,
            factors: &mut work[..rows],
        }
    }
}

impl Band<'_> {
    /// Copies one head of the band's queries, divided by √d.
    #[inline(always)]
    fn gather<U: Unit, M: Multiply>(&self, head: usize, work: &mut Work<'_>) {
        let width = self.packed.heads.width;
        #[allow(clippy::cast_precision_loss, reason = "a width is far below 2^24")]
        let scale = 1.0 / (width as f32).sqrt();
        let mut scaled = [0.0; MOST_NUMBERS];
        let blocks = work
            .queries
            .chunks_exact_mut(U::Left::PARTS * work.rows * DEPTH);
        for (block, strips) in blocks.enumerate() {
            let start = block * DEPTH * U::Left::NUMBERS;
            let scaled = &mut scaled[..(DEPTH * U::Left::NUMBERS).min(width - start)];
            for row in 0..self.count {
                let query = &self.queries.row(self.first + row)[head * width + start..];
                for (out, value) in scaled.iter_mut().zip(query) {
                    *out = value * scale;
                }
                put_all::<U, M>(scaled, row, strips);
            }
        }
    }

    /// Sums one head's values by their weights.
    #[inline(always)]
    fn attend<U: Unit, M: Multiply>(
        &self,
        multiply: M,
        keys: &[f32],
        values: &[f32],
        work: &mut Work<'_>,
    ) {
        let panel_width = self.packed.panel_width;
        work.largest.fill(f32::NEG_INFINITY);
        work.totals.fill(0.0);
        let mut is_first = true;
        for start in (0..self.packed.total).step_by(TILE) {
            let tile = start..self.packed.total.min(start + TILE);
            if !self.sees(&tile) {
                continue;
            }
            self.score::<U, M>(multiply, keys, &tile, work);
            self.weigh::<U, M>(multiply, &tile, work);
            if !is_first && work.factors.iter().any(|factor| factor.to_bits() != ONE) {
                let factors = work.factors.iter().cycle();
                for (sums, &factor) in work.sums.chunks_exact_mut(panel_width).zip(factors) {
                    sums.iter_mut().for_each(|sum| *sum *= factor);
                }
            }
            let each = U::Right::PARTS * panel_width;
            let first = tile.start / U::Right::NUMBERS;
            let part = first * each..(first + words_of::<U>(tile.len())) * each;
            let panels = values.chunks_exact(self.packed.value_words * each);
            let panels = panels.map(|panel| &panel[part.clone()]);
            multiply.all(work.weights, panels, work.sums, is_first);
            is_first = false;
        }
        if is_first {
            work.sums.fill(0.0);
        }
    }

    /// The scores of all queries for a tile of keys.
    #[inline(always)]
    fn score<U: Unit, M: Multiply>(
        &self,
        multiply: M,
        keys: &[f32],
        tile: &Range<usize>,
        work: &mut Work<'_>,
    ) {
        let panel_width = self.packed.panel_width;
        let words = self.packed.key_words;
        // All numbers of a panel for one word of depth.
        let each = U::Right::PARTS * panel_width;
        let length = words * each;
        let from = tile.start / panel_width * length;
        let to = from + tile.len().div_ceil(panel_width) * length;
        let blocks = work
            .queries
            .chunks_exact(U::Left::PARTS * work.rows * DEPTH);
        for (block, queries) in blocks.enumerate() {
            let depth = block * DEPTH..words.min((block + 1) * DEPTH);
            let part = depth.start * each..depth.end * each;
            let panels = keys[from..to].chunks_exact(length);
            let panels = panels.map(|panel| &panel[part.clone()]);
            multiply.all(queries, panels, work.scores, block == 0);
        }
    }

    /// Turns the scores into weights.
    #[inline(always)]
    fn weigh<U: Unit, M: Multiply>(&self, multiply: M, tile: &Range<usize>, work: &mut Work<'_>) {
        let panel_width = self.packed.panel_width;
        let mut weights = [0.0; TILE];
        let weights = &mut weights[..tile.len()];
        for number in 0..work.rows {
            let scores = work.scores.chunks_exact(panel_width);
            let scores = scores.skip(number).step_by(work.rows);
            for (to, from) in weights.chunks_mut(panel_width).zip(scores) {
                to.copy_from_slice(&from[..to.len()]);
            }
            let hidden = self.hidden_row(number, tile);
            let largest = &mut work.largest[number];
            let (factor, sum) = weigh(multiply.simd(), weights, hidden, largest);
            put_all::<U, M>(weights, number, work.weights);
            work.totals[number] = work.totals[number].mul_add(factor, sum);
            work.factors[number] = factor;
        }
    }

    /// Writes one head's share of the result.
    #[inline(always)]
    fn finish(&self, head: usize, work: &Work<'_>, out: &mut [f32]) {
        let width = self.packed.heads.width;
        let row = self.packed.heads.count * width;
        let panel_width = self.packed.panel_width;
        for (number, out) in out.chunks_exact_mut(row).enumerate() {
            let out = &mut out[head * width..(head + 1) * width];
            let total = work.totals[number];
            let share = if total == 0.0 { 0.0 } else { 1.0 / total };
            let sums = work.sums.chunks_exact(panel_width);
            let sums = sums.skip(number).step_by(work.rows);
            for (out, sums) in out.chunks_mut(panel_width).zip(sums) {
                for (out, sum) in out.iter_mut().zip(sums) {
                    *out = sum * share;
                }
            }
        }
    }

    /// Whether any query of the band sees any of these keys.
    fn sees(&self, tile: &Range<usize>) -> bool {
        (0..self.count).any(|number| {
            self.hidden_row(number, tile)
                .is_none_or(|hidden| hidden.contains(&false))
        })
    }

    /// Which of these keys a query must not see; nothing for rows beyond the last query.
    #[inline(always)]
    fn hidden_row(&self, number: usize, tile: &Range<usize>) -> Option<&[bool]> {
        let start = number * self.packed.total;
        self.hidden?.get(start + tile.start..start + tile.end)
    }
}

/// Puts numbers into all parts of a strip's row, and zeros behind them.
#[inline(always)]
fn put_all<U: Unit, M: Multiply>(numbers: &[f32], row: usize, strips: &mut [f32]) {
    let padded = words_of::<U>(numbers.len());
    for part in 0..U::Left::PARTS {
        let words = &mut strips[strip_row::<U, M>(row, part)][..padded];
        U::Left::put(numbers, 0, part, words);
        words[numbers.len().div_ceil(U::Left::NUMBERS)..].fill(0.0);
    }
}
