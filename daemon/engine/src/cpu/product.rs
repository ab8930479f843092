//! The product of tokens with a weight, `x·Wᵀ`, blocked for the caches and spread over the cores.
//!
//! The weight is widened and packed a group of outputs at a time, by all threads; then each thread
//! takes bands of tokens, and whatever is to be done with the sums is done while they are in its cache
//! ([`Finish`]). A group is small enough that a weight never exists as f32 as a whole, and each of its
//! numbers is decoded once for all tokens.

use std::ops::Range;

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::few;
use super::finish::Finish;
use super::matrix::{Matrix, Rows};
use super::panel;
use super::scratch::{self, Slot};
use super::tile::{self, DEPTH, SHORT, ShapeOfTiles, TALL, TileShape};

thread_local! {
    static PACKED: Slot = const { Slot::new(Vec::new()) };
    static STRIPS: Slot = const { Slot::new(Vec::new()) };
    static SUMS: Slot = const { Slot::new(Vec::new()) };
    static ROW: Slot = const { Slot::new(Vec::new()) };
}

/// Most tokens in a band: with these, a band's sums and its part of the input stay in a core's second
/// cache. A multiple of both heights of a strip.
const BAND: usize = 96;
/// Fewest tokens in a band that is cut smaller so that all threads have some.
const LEAST_BAND: usize = 24;
/// Numbers of a weight that are packed at once: 8 MiB, which stay in the last cache.
const GROUP: usize = 2 << 20;
/// Most outputs in a group, so that a band's sums stay in the second cache.
const GROUP_OUTPUTS: usize = 512;

/// Computes `inputs·weightᵀ` and finishes it into `out`, as many rows as the inputs have, each of
/// `width` numbers. The inputs lie side by side: together they are as wide as the weight's rows.
pub(crate) fn product<R: Rows + ?Sized, F: Finish>(
    inputs: &[Matrix<'_>],
    weight: &R,
    finish: &F,
    out: &mut [f32],
    width: usize,
) {
    let depth = weight.row_length();
    let halves = if F::IN_HALVES { 2 } else { 1 };
    let outputs = weight.rows() / halves;
    if outputs == 0 || width == 0 {
        return;
    }
    let arch = Arch::new();
    if out.len() / width <= few::MOST {
        few::product(arch, inputs, weight, finish, out, width);
        return;
    }
    let TileShape {
        panel_width,
        strip_height,
    } = arch.dispatch(ShapeOfTiles);
    let at_once = (GROUP / depth.max(1)).min(GROUP_OUTPUTS) / halves;
    let at_once = (at_once / panel_width).max(1) * panel_width;
    let panels = at_once.min(outputs.next_multiple_of(panel_width)) / panel_width;
    let panel_length = depth * panel_width;
    let band = band(out.len() / width);
    scratch::with(&PACKED, halves * panels * panel_length, |packed| {
        for first in (0..outputs).step_by(at_once) {
            let group = Group {
                outputs: first..outputs.min(first + at_once),
                panel_width,
                depth,
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
                    arch.dispatch(Pack {
                        weight,
                        rows: rows.start + shift..rows.end + shift,
                        width: panel_width,
                        panel,
                    });
                });
            let packed = &*packed;
            out.par_chunks_mut(band * width)
                .enumerate()
                .for_each(|(number, out)| {
                    let rows = (out.len() / width).next_multiple_of(strip_height);
                    let columns = halves * panels * panel_width;
                    scratch::with(&STRIPS, rows * DEPTH, |strips| {
                        scratch::with(&SUMS, rows * columns, |sums| {
                            scratch::with(&ROW, columns, |row| {
                                arch.dispatch(Band {
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
                                });
                            });
                        });
                    });
                });
        }
    });
}

/// Tokens in a band: several bands for each thread, so that none waits long for another.
fn band(tokens: usize) -> usize {
    let each = tokens / (4 * rayon::current_num_threads());
    each.clamp(LEAST_BAND, BAND) / LEAST_BAND * LEAST_BAND
}

/// Outputs that are computed together.
struct Group {
    outputs: Range<usize>,
    panel_width: usize,
    depth: usize,
}

impl Group {
    fn panels(&self) -> usize {
        self.outputs.len().div_ceil(self.panel_width)
    }
}

struct Pack<'a, R: ?Sized> {
    weight: &'a R,
    rows: Range<usize>,
    width: usize,
    panel: &'a mut [f32],
}

impl<R: Rows + ?Sized> WithSimd for Pack<'_, R> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        panel::widen(self.weight, self.rows, self.width, self.panel);
    }
}

/// A band of tokens times a group of outputs.
struct Band<'a, F> {
    inputs: &'a [Matrix<'a>],
    group: &'a Group,
    packed: &'a [f32],
    finish: &'a F,
    /// The band's first token.
    first: usize,
    out: &'a mut [f32],
    width: usize,
    /// Scratch: one block of the input, in rows of [`DEPTH`].
    strips: &'a mut [f32],
    /// Scratch: all tiles.
    sums: &'a mut [f32],
    /// Scratch: one token's sums.
    row: &'a mut [f32],
}

impl<F: Finish> WithSimd for Band<'_, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        if S::REGISTER_COUNT >= 32 {
            self.run::<S, TALL>(simd);
        } else {
            self.run::<S, SHORT>(simd);
        }
    }
}

impl<F: Finish> Band<'_, F> {
    #[inline(always)]
    fn run<S: Simd, const R: usize>(self, simd: S) {
        let tokens = self.out.len() / self.width;
        let panel_width = self.group.panel_width;
        let depth = self.group.depth;
        for start in (0..depth).step_by(DEPTH) {
            let block = start..depth.min(start + DEPTH);
            gather(self.inputs, self.first, tokens, &block, self.strips);
            let part = block.start * panel_width..block.end * panel_width;
            let panels = self.packed.chunks_exact(depth * panel_width);
            let panels = panels.map(|panel| &panel[part.clone()]);
            tile::multiply_all::<S, R>(simd, self.strips, panels, self.sums, start == 0);
        }
        let outputs = self.group.outputs.clone();
        let halves = if F::IN_HALVES { 2 } else { 1 };
        let rows = tokens.next_multiple_of(R);
        for (number, out) in self.out.chunks_exact_mut(self.width).enumerate() {
            let from = self.sums.chunks_exact(panel_width);
            let from = from.skip(number).step_by(rows);
            for (to, from) in self.row.chunks_exact_mut(panel_width).zip(from) {
                to.copy_from_slice(from);
            }
            let (sums, partners) = self.row.split_at(self.row.len() / halves);
            let partners = &partners[..partners.len().min(outputs.len())];
            let token = self.first + number;
            self.finish
                .finish(token, outputs.start, &sums[..outputs.len()], partners, out);
        }
    }
}

/// Copies one block of a band's inputs to rows of [`DEPTH`] numbers.
#[inline(always)]
fn gather(
    inputs: &[Matrix<'_>],
    first: usize,
    tokens: usize,
    block: &Range<usize>,
    out: &mut [f32],
) {
    for (token, out) in (first..first + tokens).zip(out.chunks_exact_mut(DEPTH)) {
        let mut start = 0;
        for input in inputs {
            let end = start + input.width();
            let (from, to) = (block.start.max(start), block.end.min(end));
            if from < to {
                out[from - block.start..to - block.start]
                    .copy_from_slice(&input.row(token)[from - start..to - start]);
            }
            start = end;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::finish::{Added, Plain, Swiglu};
    use crate::cpu::testing::{assert_close, draw, exact};

    /// Tokens, inputs and outputs around the sizes of bands, blocks, panels and groups.
    const SIZES: [[usize; 3]; 9] = [
        [1, 5, 3],
        [2, 300, 37],
        [3, 1, 1],
        [4, 7, 2],
        [7, 256, 32],
        [50, 513, 129],
        [97, 64, 1100],
        [200, 300, 96],
        [24, 5000, 600],
    ];

    #[test]
    fn plain_sums_are_the_product() {
        for [tokens, inputs, outputs] in SIZES {
            let (x, weight) = (draw(1, tokens * inputs), draw(2, outputs * inputs));
            let expected = exact(&x, &weight, inputs);
            let mut found = vec![f32::NAN; tokens * outputs];
            let weight = Matrix::dense(&weight, inputs);
            product(
                &[Matrix::dense(&x, inputs)],
                &weight,
                &Plain,
                &mut found,
                outputs,
            );
            assert_close(&found, &expected);
        }
    }

    #[test]
    fn inputs_side_by_side_are_one_input() {
        for [tokens, inputs, outputs] in SIZES {
            let (x, weight) = (draw(3, tokens * inputs), draw(4, outputs * inputs));
            let expected = exact(&x, &weight, inputs);
            let cut = inputs / 3;
            let parts = [
                Matrix::strided(&x, tokens, cut, inputs),
                Matrix::strided(&x[cut..], tokens, inputs - cut, inputs),
            ];
            let mut found = vec![f32::NAN; tokens * outputs];
            let weight = Matrix::dense(&weight, inputs);
            product(&parts, &weight, &Plain, &mut found, outputs);
            assert_close(&found, &expected);
        }
    }

    #[test]
    fn what_is_added_goes_through_its_gate() {
        for [tokens, inputs, outputs] in SIZES {
            let (x, weight) = (draw(5, tokens * inputs), draw(6, outputs * inputs));
            let (before, gate) = (draw(7, tokens * outputs), draw(8, outputs));
            let sums = exact(&x, &weight, inputs);
            for gate in [None, Some(&gate[..])] {
                let of = |index: usize| gate.map_or(1.0, |gate| f64::from(gate[index % outputs]));
                let sums = sums.iter().enumerate();
                let expected: Vec<f64> = sums
                    .map(|(index, sum)| f64::from(before[index]) + of(index) * sum)
                    .collect();
                let mut found = before.clone();
                let weight = Matrix::dense(&weight, inputs);
                let x = Matrix::dense(&x, inputs);
                product(&[x], &weight, &Added { gate }, &mut found, outputs);
                assert_close(&found, &expected);
            }
        }
    }

    #[test]
    fn halves_meet_in_swiglu() {
        for [tokens, inputs, outputs] in SIZES {
            let (x, weight) = (draw(9, tokens * inputs), draw(10, 2 * outputs * inputs));
            let sums = exact(&x, &weight, inputs);
            let rows = sums.chunks_exact(2 * outputs);
            let expected: Vec<f64> = rows
                .flat_map(|row| {
                    let (gates, values) = row.split_at(outputs);
                    let pairs = gates.iter().zip(values);
                    pairs.map(|(gate, value)| gate / (1.0 + (-gate).exp()) * value)
                })
                .collect();
            let mut found = vec![f32::NAN; tokens * outputs];
            let weight = Matrix::dense(&weight, inputs);
            product(
                &[Matrix::dense(&x, inputs)],
                &weight,
                &Swiglu,
                &mut found,
                outputs,
            );
            assert_close(&found, &expected);
        }
    }
}
