//! 3×3 convolutions with 36 instead of 144 multiplications for 16 pixels: Winograd's F(4×4, 3×3).
//!
//! Every 6×6 pixels of input, 4 apart, are transformed to 36 numbers per channel; 36 products with the
//! transformed weights follow, and what they give is transformed to 4×4 pixels. The points are 0, ±3/4,
//! ±3/2 and ∞: with the usual 0, ±1, ±2 and ∞ the rounding error is more than twice as large. Over
//! random data it is 4 to 5 times that of the direct sum.

#![allow(
    clippy::needless_range_loop,
    reason = "a square is walked by columns, which no iterator gives"
)]

use rayon::prelude::*;

use pulp::{Arch, Simd, WithSimd};

use super::panels::{self, Left, Out, ROWS};
use super::stage::{Source, Target};
use super::{Rows, stage};

/// The points' first pair is ±`P`, the second ±`Q`.
const P: f32 = 0.75;
const Q: f32 = 1.5;

/// Products per tile.
const PRODUCTS: usize = 36;

/// Tiles of 4×4 pixels that are transformed and multiplied at once.
const TILES: usize = 8 * ROWS;

/// Rows of tiles in a block.
const TILE_ROWS: usize = 4;

/// A convolution's weights, transformed and packed.
#[derive(Debug)]
pub(crate) struct Winograd {
    inputs: usize,
    outputs: usize,
    /// Inputs and outputs, rounded up to whole vectors and panels.
    padded_inputs: usize,
    padded_outputs: usize,
    /// For each product, panels of `padded_inputs` rows.
    panels: Vec<f32>,
}

impl Winograd {
    /// Transforms weights `[outputs, inputs, 3, 3]`.
    pub(crate) fn new(outputs: usize, inputs: usize, rows: Rows<'_>) -> Self {
        let width = panels::panel_width();
        let padded_inputs = inputs.next_multiple_of(width / 2);
        let padded_outputs = outputs.next_multiple_of(width);
        let of_panel = padded_inputs * width;
        let count = padded_outputs / width;
        let mut parts: Vec<Vec<&mut [f32]>> = (0..count).map(|_| Vec::new()).collect();
        let mut panels = vec![0.0; PRODUCTS * count * of_panel];
        for (number, panel) in panels.chunks_exact_mut(of_panel).enumerate() {
            parts[number % count].push(panel);
        }
        let arch = Arch::new();
        parts
            .into_par_iter()
            .enumerate()
            .for_each(|(number, part)| {
                let first = number * width;
                let mut weights = vec![0.0; width.min(outputs - first) * inputs * 9];
                rows(first, &mut weights);
                arch.dispatch(Pack {
                    weights: &weights,
                    inputs,
                    width,
                    part,
                });
            });
        Self {
            inputs,
            outputs,
            padded_inputs,
            padded_outputs,
            panels,
        }
    }

    /// Bytes that the weights take while they are used.
    pub(crate) fn weight_bytes(outputs: usize, inputs: usize) -> usize {
        let width = panels::panel_width();
        let padded = inputs.next_multiple_of(width / 2) * outputs.next_multiple_of(width);
        4 * PRODUCTS * padded
    }

    /// Bytes that each thread takes while it convolves.
    pub(crate) fn thread_bytes(outputs: usize, inputs: usize) -> usize {
        let width = panels::panel_width();
        let inputs = inputs.next_multiple_of(width / 2);
        let outputs = outputs.next_multiple_of(width);
        let staged = (4 * TILE_ROWS + 2) * (4 * (TILES / TILE_ROWS) + 2) * inputs;
        4 * (staged + PRODUCTS * (spaced(TILES * inputs) + spaced(TILES * outputs)))
    }

    /// Convolves the source into the target.
    pub(crate) fn apply(&self, source: Source<'_>, target: Target<'_>) {
        debug_assert_eq!(source.channels, self.inputs, "inputs");
        debug_assert_eq!(target.bias.len(), self.outputs, "outputs");
        let tile_rows = target.height.div_ceil(4);
        // Fewer rows of tiles in a band where there would be too few bands for the threads.
        let rows = (tile_rows / (2 * rayon::current_num_threads())).clamp(1, TILE_ROWS);
        let columns = (TILES / rows).min(target.width.div_ceil(4));
        let row = target.width * self.outputs;
        let arch = Arch::new();
        target
            .values
            .par_chunks_mut(4 * rows * row)
            .enumerate()
            .for_each_init(
                || self.scratch(rows, columns),
                |scratch, (number, out)| {
                    arch.dispatch(Band {
                        convolution: self,
                        source,
                        top: target.origin[0] + 4 * rows * number,
                        left: target.origin[1],
                        height: out.len() / row,
                        width: target.width,
                        columns,
                        bias: target.bias,
                        add: target.add,
                        out,
                        scratch,
                    });
                },
            );
    }

    fn scratch(&self, rows: usize, columns: usize) -> Scratch {
        let tiles = (rows * columns).next_multiple_of(ROWS);
        let (ins, outs) = (
            spaced(tiles * self.padded_inputs),
            spaced(tiles * self.padded_outputs),
        );
        Scratch {
            staged: vec![0.0; (4 * rows + 2) * (4 * columns + 2) * self.padded_inputs],
            ins: vec![0.0; PRODUCTS * ins],
            outs: vec![0.0; PRODUCTS * outs],
            spacing: [ins, outs],
        }
    }
}

/// The room from one product's numbers to the next one's: they are written side by side, and a
/// distance of many whole pages would put them all into the same few lines of the cache.
fn spaced(numbers: usize) -> usize {
    numbers + 16
}

/// Transforms the weights of one panel of outputs.
struct Pack<'a, 'b> {
    /// `[outputs of this panel, inputs, 3, 3]`.
    weights: &'a [f32],
    inputs: usize,
    width: usize,
    /// The panel of each product.
    part: Vec<&'b mut [f32]>,
}

impl WithSimd for Pack<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, _: S) {
        let mut taps = vec![[0.0_f32; 9]; self.width];
        for input in 0..self.inputs {
            for (taps, weights) in taps
                .iter_mut()
                .zip(self.weights.chunks_exact(self.inputs * 9))
            {
                taps.copy_from_slice(&weights[input * 9..][..9]);
            }
            for (lane, taps) in taps.iter().enumerate() {
                let mut half = [[0.0; 3]; 6];
                for column in 0..3 {
                    let along = along_weights([taps[column], taps[3 + column], taps[6 + column]]);
                    for (row, value) in along.into_iter().enumerate() {
                        half[row][column] = value;
                    }
                }
                for (row, half) in half.into_iter().enumerate() {
                    for (column, value) in along_weights(half).into_iter().enumerate() {
                        self.part[6 * row + column][input * self.width + lane] = value;
                    }
                }
            }
        }
    }
}

/// Three weights as six: their polynomial at the points, over what the input's transform leaves out.
#[inline(always)]
fn along_weights([a, b, c]: [f32; 3]) -> [f32; 6] {
    const P2: f32 = P * P;
    const Q2: f32 = Q * Q;
    let at = |x: f32, over: f32| ((a + c * (x * x)) / over, b * x / over);
    let (even_p, odd_p) = at(P, 2.0 * P2 * (P2 - Q2));
    let (even_q, odd_q) = at(Q, 2.0 * Q2 * (Q2 - P2));
    [
        a / (P2 * Q2),
        even_p + odd_p,
        even_p - odd_p,
        even_q + odd_q,
        even_q - odd_q,
        c,
    ]
}

/// What a thread works in.
struct Scratch {
    /// The block's input.
    staged: Vec<f32>,
    /// For each product, `[tiles, inputs]` and `[tiles, outputs]`.
    ins: Vec<f32>,
    outs: Vec<f32>,
    /// From one product to the next, in `ins` and `outs`.
    spacing: [usize; 2],
}

/// Some rows of the target.
struct Band<'a, 'b> {
    convolution: &'a Winograd,
    source: Source<'a>,
    /// The source's row and column under the band's first pixel.
    top: usize,
    left: usize,
    height: usize,
    width: usize,
    /// Tiles beside one another in a block.
    columns: usize,
    bias: &'a [f32],
    add: bool,
    out: &'b mut [f32],
    scratch: &'b mut Scratch,
}

impl WithSimd for Band<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let rows = self.height.div_ceil(4);
        for first in (0..self.width).step_by(4 * self.columns) {
            let columns = self.columns.min((self.width - first).div_ceil(4));
            self.stage(first, rows, columns);
            self.transform(simd, rows, columns);
            self.multiply(simd, rows * columns);
            self.restore(simd, first, rows, columns);
        }
    }
}

impl Band<'_, '_> {
    /// Reads the pixels under a block of tiles and one more on each side.
    #[inline(always)]
    #[allow(clippy::cast_possible_wrap, reason = "pictures have few rows")]
    fn stage(&mut self, first: usize, rows: usize, columns: usize) {
        let padded = self.convolution.padded_inputs;
        let length = (4 * columns + 2) * padded;
        let staged = self.scratch.staged.chunks_exact_mut(length);
        for (row, out) in staged.take(4 * rows + 2).enumerate() {
            let (row, column) = (self.top + row, self.left + first);
            self.source
                .read_row(row as isize - 1, column as isize - 1, padded, out);
        }
    }

    /// The input's transform of every tile.
    #[inline(always)]
    fn transform<S: Simd>(&mut self, simd: S, rows: usize, columns: usize) {
        let lanes = S::F32_LANES;
        let padded = self.convolution.padded_inputs;
        let length = (4 * columns + 2) * padded;
        let spacing = self.scratch.spacing[0];
        for tile in 0..rows * columns {
            let corner = (tile / columns * length + tile % columns * padded) * 4;
            for channel in (0..padded).step_by(lanes) {
                let mut half = [[simd.splat_f32s(0.0); 6]; 6];
                for (y, half) in half.iter_mut().enumerate() {
                    let row = &self.scratch.staged[corner + y * length + channel..];
                    *half =
                        along_input(simd, core::array::from_fn(|x| load(simd, row, x * padded)));
                }
                let to = tile * padded + channel;
                for x in 0..6 {
                    let column = along_input(simd, core::array::from_fn(|y| half[y][x]));
                    for (y, value) in column.into_iter().enumerate() {
                        store(
                            simd,
                            &mut self.scratch.ins,
                            (6 * y + x) * spacing + to,
                            value,
                        );
                    }
                }
            }
        }
    }

    #[inline(always)]
    fn multiply<S: Simd>(&mut self, simd: S, tiles: usize) {
        let Winograd {
            padded_inputs,
            padded_outputs,
            ref panels,
            ..
        } = *self.convolution;
        let [ins, outs] = self.scratch.spacing;
        let panels = panels.chunks_exact(padded_inputs * padded_outputs);
        let ins = self.scratch.ins.chunks_exact(ins);
        let outs = self.scratch.outs.chunks_exact_mut(outs);
        for ((panels, ins), outs) in panels.zip(ins).zip(outs) {
            let left = Left {
                values: ins,
                stride: padded_inputs,
                rows: tiles.next_multiple_of(ROWS),
                depth: padded_inputs,
            };
            let out = Out {
                values: outs,
                stride: padded_outputs,
                panel: panels::width::<S>(),
                add: false,
            };
            panels::multiply(simd, left, panels, out);
        }
    }

    /// The output's transform of every tile, into the band.
    #[inline(always)]
    fn restore<S: Simd>(&mut self, simd: S, first: usize, rows: usize, columns: usize) {
        let lanes = S::F32_LANES;
        let outputs = self.convolution.outputs;
        let padded = self.convolution.padded_outputs;
        let spacing = self.scratch.spacing[1];
        for tile in 0..rows * columns {
            let (top, left) = (tile / columns * 4, first + tile % columns * 4);
            let (height, width) = ((self.height - top).min(4), (self.width - left).min(4));
            for channel in (0..outputs).step_by(lanes) {
                let from = tile * padded + channel;
                let mut half = [[simd.splat_f32s(0.0); 6]; 4];
                for x in 0..6 {
                    let column: [S::f32s; 6] = core::array::from_fn(|y| {
                        load(simd, &self.scratch.outs, (6 * y + x) * spacing + from)
                    });
                    for (y, value) in along_output(simd, column).into_iter().enumerate() {
                        half[y][x] = value;
                    }
                }
                let count = lanes.min(outputs - channel);
                let bias = &self.bias[channel..][..count];
                for (y, half) in half.into_iter().enumerate().take(height) {
                    for (x, value) in along_output(simd, half).into_iter().enumerate().take(width) {
                        let place = ((top + y) * self.width + left + x) * outputs + channel;
                        let out = &mut self.out[place..][..count];
                        stage::write(simd, value, bias, self.add, out);
                    }
                }
            }
        }
    }
}

#[inline(always)]
fn load<S: Simd>(_: S, values: &[f32], place: usize) -> S::f32s {
    S::as_simd_f32s(&values[place..][..S::F32_LANES]).0[0]
}

#[inline(always)]
fn store<S: Simd>(_: S, values: &mut [f32], place: usize, value: S::f32s) {
    S::as_mut_simd_f32s(&mut values[place..][..S::F32_LANES]).0[0] = value;
}

/// Six inputs as six numbers, in one direction.
#[inline(always)]
fn along_input<S: Simd>(simd: S, [a, b, c, d, e, f]: [S::f32s; 6]) -> [S::f32s; 6] {
    const P2: f32 = P * P;
    const Q2: f32 = Q * Q;
    let plus = |x, times: f32, to| simd.mul_add_e_f32s(x, simd.splat_f32s(times), to);
    let even_p = plus(c, -Q2, e);
    let odd_p = plus(b, -Q2, d);
    let even_q = plus(c, -P2, e);
    let odd_q = plus(b, -P2, d);
    [
        plus(a, P2 * Q2, plus(c, -P2 - Q2, e)),
        plus(odd_p, P, even_p),
        plus(odd_p, -P, even_p),
        plus(odd_q, Q, even_q),
        plus(odd_q, -Q, even_q),
        plus(b, P2 * Q2, plus(d, -P2 - Q2, f)),
    ]
}

/// Six products as four outputs, in one direction.
#[inline(always)]
fn along_output<S: Simd>(simd: S, [a, b, c, d, e, f]: [S::f32s; 6]) -> [S::f32s; 4] {
    let times = |x, times: f32| simd.mul_f32s(x, simd.splat_f32s(times));
    let plus = |x, times: f32, to| simd.mul_add_e_f32s(x, simd.splat_f32s(times), to);
    let (even_p, odd_p) = (simd.add_f32s(b, c), simd.sub_f32s(b, c));
    let (even_q, odd_q) = (simd.add_f32s(d, e), simd.sub_f32s(d, e));
    [
        simd.add_f32s(a, simd.add_f32s(even_p, even_q)),
        plus(odd_p, P, times(odd_q, Q)),
        plus(even_p, P * P, times(even_q, Q * Q)),
        plus(odd_p, P * P * P, plus(odd_q, Q * Q * Q, f)),
    ]
}
