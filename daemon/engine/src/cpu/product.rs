//! The product of tokens with a weight, `x·Wᵀ`, blocked for the caches and spread over the cores.
//!
//! The weight is widened and packed a group of outputs at a time, by all threads; then each thread
//! takes bands of tokens, and whatever is to be done with the sums is done while they are in its cache
//! ([`Finish`]). A group is small enough that a weight never exists as f32 as a whole, and each of its
//! numbers is decoded once for all tokens.

#[cfg(test)]
mod tests;

use std::marker::PhantomData;
use std::ops::Range;

use rayon::prelude::*;

use super::few;
use super::finish::Finish;
use super::matrix::{Matrix, Rows};
use super::operands::Operands;
use super::panel;
use super::scratch::{self, Slot};
use super::tile::{DEPTH, TileShape};
use super::unit::{self, Multiply, OnUnit, Task, Unit, Words, strip_row, words_of};

thread_local! {
    static PACKED: Slot = const { Slot::new(Vec::new()) };
    static STRIPS: Slot = const { Slot::new(Vec::new()) };
    static SUMS: Slot = const { Slot::new(Vec::new()) };
    static ROW: Slot = const { Slot::new(Vec::new()) };
}

/// Most tokens in a band: with these, a band's sums and its part of the input stay in a core's second
/// cache. A multiple of all heights of a strip.
const BAND: usize = 96;
/// Fewest tokens in a band that is cut smaller so that all threads have some.
const LEAST_BAND: usize = 24;
/// Words of a weight that are packed at once: 8 MiB, which stay in the last cache.
const GROUP: usize = 2 << 20;
/// Most outputs in a group, so that a band's sums stay in the second cache.
const GROUP_OUTPUTS: usize = 512;

/// Computes `inputs·weightᵀ` and finishes it into `out`, as many rows as the inputs have, each of
/// `width` numbers. The inputs lie side by side: together they are as wide as the weight's rows. Inputs
/// and weight are rounded to `operands` before they are multiplied; sums and what becomes of them are f32.
pub(crate) fn product<R: Rows + ?Sized, F: Finish>(
    operands: Operands,
    inputs: &[Matrix<'_>],
    weight: &R,
    finish: &F,
    out: &mut [f32],
    width: usize,
) {
    if weight.rows() == 0 || width == 0 {
        return;
    }
    if out.len() / width <= few::MOST {
        few::product(operands, inputs, weight, finish, out, width);
        return;
    }
    let factors = weight.factors();
    let narrow = factors.is_some();
    let product = Product {
        inputs,
        weight,
        factors: factors.unwrap_or_default(),
        finish,
        out,
        width,
    };
    unit::choose(operands, narrow, product);
}

/// A product that is large enough to be blocked.
struct Product<'a, R: ?Sized, F> {
    inputs: &'a [Matrix<'a>],
    weight: &'a R,
    /// The weight's ([`Rows::factors`]).
    factors: Vec<f32>,
    finish: &'a F,
    out: &'a mut [f32],
    width: usize,
}

impl<R: Rows + ?Sized, F: Finish> OnUnit for Product<'_, R, F> {
    type Output = ();

    fn on<U: Unit>(self, unit: U) {
        let Self {
            inputs,
            weight,
            factors,
            finish,
            out,
            width,
        } = self;
        let halves = if F::IN_HALVES { 2 } else { 1 };
        let outputs = weight.rows() / halves;
        let words = words_of::<U>(weight.row_length());
        let TileShape {
            panel_width,
            strip_height,
        } = unit.shape();
        let at_once = (GROUP / (U::Right::PARTS * words).max(1)).min(GROUP_OUTPUTS) / halves;
        let at_once = (at_once / panel_width).max(1) * panel_width;
        let panels = at_once.min(outputs.next_multiple_of(panel_width)) / panel_width;
        let panel_length = U::Right::PARTS * words * panel_width;
        let band = band(out.len() / width, strip_height);
        let factors = if U::Right::UNSCALED {
            &factors[..]
        } else {
            &[]
        };
        scratch::with(&PACKED, halves * panels * panel_length, |packed| {
            for first in (0..outputs).step_by(at_once) {
                let group = Group {
                    outputs: first..outputs.min(first + at_once),
                    factors: factors.chunks_exact(outputs).collect(),
                    panel_width,
                    depth: weight.row_length(),
                    words,
                };
                let panels = group.panels();
                let packed = &mut packed[..halves * panels * panel_length];
                packed
                    .par_chunks_exact_mut(panel_length)
                    .enumerate()
                    .for_each(|(number, panel)| {
                        let start = group.outputs.start + number % panels * panel_width;
                        let rows = start..group.outputs.end.min(start + panel_width);
                        let shift = number / panels * outputs;
                        unit.perform(Pack::<U, R> {
                            weight,
                            rows: rows.start + shift..rows.end + shift,
                            width: panel_width,
                            panel,
                            unit: PhantomData,
                        });
                    });
                let packed = &*packed;
                out.par_chunks_mut(band * width)
                    .enumerate()
                    .for_each(|(number, out)| {
                        let rows = (out.len() / width).next_multiple_of(strip_height);
                        let columns = halves * panels * panel_width;
                        scratch::with(&STRIPS, U::Left::PARTS * rows * DEPTH, |strips| {
                            scratch::with(&SUMS, rows * columns, |sums| {
                                scratch::with(&ROW, columns, |row| {
                                    unit.perform(Band::<U, F> {
                                        inputs,
                                        group: &group,
                                        packed,
                                        finish,
                                        first: number * band,
                                        out,
                                        width,
                                        strips,
                                        sums,
                                        row,
                                        unit: PhantomData,
                                    });
                                });
                            });
                        });
                    });
            }
        });
    }
}

/// Tokens in a band, whole strips: several bands for each thread, so that none waits long for another.
fn band(tokens: usize, strip_height: usize) -> usize {
    let each = tokens / (4 * rayon::current_num_threads());
    let least = (LEAST_BAND / strip_height).max(1) * strip_height;
    each.clamp(least, BAND) / least * least
}

/// Outputs that are computed together.
struct Group<'a> {
    outputs: Range<usize>,
    /// What the sums of all outputs are multiplied by, those of each half together; none, by nothing.
    factors: Vec<&'a [f32]>,
    panel_width: usize,
    /// Numbers of the input.
    depth: usize,
    /// The words that these are.
    words: usize,
}

impl Group<'_> {
    fn panels(&self) -> usize {
        self.outputs.len().div_ceil(self.panel_width)
    }
}

struct Pack<'a, U, R: ?Sized> {
    weight: &'a R,
    rows: Range<usize>,
    width: usize,
    panel: &'a mut [f32],
    unit: PhantomData<U>,
}

impl<U: Unit, R: Rows + ?Sized> Task for Pack<'_, U, R> {
    #[inline(always)]
    fn run<M: Multiply>(self, _: M) {
        panel::pack::<U, R>(self.weight, self.rows, self.width, self.panel);
    }
}

/// A band of tokens times a group of outputs.
struct Band<'a, U, F> {
    inputs: &'a [Matrix<'a>],
    group: &'a Group<'a>,
    packed: &'a [f32],
    finish: &'a F,
    /// The band's first token.
    first: usize,
    out: &'a mut [f32],
    width: usize,
    /// Scratch: one block of the input, as [`Multiply`] wants it.
    strips: &'a mut [f32],
    /// Scratch: all tiles.
    sums: &'a mut [f32],
    /// Scratch: one token's sums.
    row: &'a mut [f32],
    unit: PhantomData<U>,
}

impl<U: Unit, F: Finish> Task for Band<'_, U, F> {
    #[inline(always)]
    fn run<M: Multiply>(mut self, multiply: M) {
        let tokens = self.out.len() / self.width;
        let panel_width = self.group.panel_width;
        let words = self.group.words;
        // All numbers of a panel for one word of depth.
        let each = U::Right::PARTS * panel_width;
        for start in (0..words).step_by(DEPTH) {
            let block = start..words.min(start + DEPTH);
            self.gather::<M>(tokens, &block);
            let part = block.start * each..block.end * each;
            let panels = self.packed.chunks_exact(words * each);
            let panels = panels.map(|panel| &panel[part.clone()]);
            multiply.all(self.strips, panels, self.sums, start == 0);
        }
        let outputs = self.group.outputs.clone();
        let halves = if F::IN_HALVES { 2 } else { 1 };
        let rows = tokens.next_multiple_of(M::HEIGHT);
        for (number, out) in self.out.chunks_exact_mut(self.width).enumerate() {
            let from = self.sums.chunks_exact(panel_width);
            let from = from.skip(number).step_by(rows);
            for (to, from) in self.row.chunks_exact_mut(panel_width).zip(from) {
                to.copy_from_slice(from);
            }
            let each = self.row.len() / halves;
            for (sums, factors) in self.row.chunks_exact_mut(each).zip(&self.group.factors) {
                for (sum, factor) in sums.iter_mut().zip(&factors[outputs.clone()]) {
                    *sum *= factor;
                }
            }
            let (sums, partners) = self.row.split_at(each);
            let partners = &partners[..partners.len().min(outputs.len())];
            let token = self.first + number;
            self.finish
                .finish(token, outputs.start, &sums[..outputs.len()], partners, out);
        }
    }
}

impl<U: Unit, F: Finish> Band<'_, U, F> {
    /// Puts one block of the band's inputs, given in words, into strips.
    #[inline(always)]
    fn gather<M: Multiply>(&mut self, tokens: usize, block: &Range<usize>) {
        let (from, to) = (block.start * U::Left::NUMBERS, block.end * U::Left::NUMBERS);
        let used = to
            .min(self.group.depth)
            .saturating_sub(from)
            .div_ceil(U::Left::NUMBERS);
        for row in 0..tokens {
            for part in 0..U::Left::PARTS {
                let words = &mut self.strips[strip_row::<U, M>(row, part)];
                let mut start = 0;
                for input in self.inputs {
                    let end = start + input.width();
                    let (first, last) = (from.max(start), to.min(end));
                    if first < last {
                        let numbers = &input.row(self.first + row)[first - start..last - start];
                        U::Left::put(numbers, first - from, part, words);
                    }
                    start = end;
                }
                words[used..block.len()].fill(0.0);
            }
        }
    }
}
