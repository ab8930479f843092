//! Convolutions as products of columns: the halving 3×3 ones and the 1×1 ones.

use rayon::prelude::*;

use pulp::{Arch, Simd, WithSimd};

use super::Rows;
use super::panels::{self, Left, Out, ROWS};
use super::stage::{self, Source, Target};

/// Pixels whose columns are multiplied at once.
const PIXELS: usize = 8 * ROWS;

/// A convolution's weights, packed.
#[derive(Debug)]
pub(crate) struct Columns {
    /// Taps in each direction: 1, or 3 with the pixels 2 apart.
    side: usize,
    inputs: usize,
    outputs: usize,
    /// Of `side² · inputs` rows each, taps outermost.
    panels: Vec<f32>,
}

impl Columns {
    /// Packs weights `[outputs, inputs]` of a 1×1 convolution.
    pub(crate) fn pointwise(outputs: usize, inputs: usize, rows: Rows<'_>) -> Self {
        Self::new(1, outputs, inputs, rows)
    }

    /// Packs weights `[outputs, inputs, 3, 3]` of a convolution with stride 2.
    pub(crate) fn halving(outputs: usize, inputs: usize, rows: Rows<'_>) -> Self {
        Self::new(3, outputs, inputs, rows)
    }

    fn new(side: usize, outputs: usize, inputs: usize, rows: Rows<'_>) -> Self {
        let width = panels::panel_width();
        let taps = side * side;
        let depth = taps * inputs;
        let mut panels = vec![0.0; outputs.next_multiple_of(width) * depth];
        panels
            .par_chunks_exact_mut(depth * width)
            .enumerate()
            .for_each(|(number, panel)| {
                let first = number * width;
                let mut weights = vec![0.0; width.min(outputs - first) * depth];
                rows(first, &mut weights);
                for (lane, weights) in weights.chunks_exact(depth).enumerate() {
                    for (place, &weight) in weights.iter().enumerate() {
                        let row = place % taps * inputs + place / taps;
                        panel[row * width + lane] = weight;
                    }
                }
            });
        Self {
            side,
            inputs,
            outputs,
            panels,
        }
    }

    /// The packed weights, of as many outputs as [`padded_outputs`](Self::padded_outputs).
    pub(super) fn panels(&self) -> &[f32] {
        &self.panels
    }

    /// Outputs, rounded up to whole panels.
    pub(super) fn padded_outputs(&self) -> usize {
        self.outputs.next_multiple_of(panels::panel_width())
    }

    /// Bytes that the weights take while they are used.
    pub(crate) fn weight_bytes(side: usize, outputs: usize, inputs: usize) -> usize {
        4 * side * side * inputs * outputs.next_multiple_of(panels::panel_width())
    }

    /// Bytes that each thread takes while it convolves.
    pub(crate) fn thread_bytes(side: usize, outputs: usize, inputs: usize) -> usize {
        4 * PIXELS * (side * side * inputs + outputs.next_multiple_of(panels::panel_width()))
    }

    /// Convolves the source, not doubled, into the target.
    pub(crate) fn apply(&self, source: Source<'_>, target: Target<'_>) {
        debug_assert_eq!(source.channels, self.inputs, "inputs");
        debug_assert_eq!(target.bias.len(), self.outputs, "outputs");
        let depth = self.side * self.side * self.inputs;
        let padded = self.padded_outputs();
        let arch = Arch::new();
        target
            .values
            .par_chunks_mut(PIXELS * self.outputs)
            .enumerate()
            .for_each_init(
                || [vec![0.0; PIXELS * depth], vec![0.0; PIXELS * padded]],
                |[columns, products], (number, out)| {
                    arch.dispatch(Block {
                        convolution: self,
                        source,
                        first: number * PIXELS,
                        width: target.width,
                        origin: target.origin,
                        bias: target.bias,
                        add: target.add,
                        out,
                        columns,
                        products,
                    });
                },
            );
    }
}

/// Some pixels of the target, row by row.
struct Block<'a, 'b> {
    convolution: &'a Columns,
    source: Source<'a>,
    first: usize,
    width: usize,
    origin: [usize; 2],
    bias: &'a [f32],
    add: bool,
    out: &'b mut [f32],
    columns: &'b mut [f32],
    products: &'b mut [f32],
}

impl WithSimd for Block<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Columns {
            side,
            inputs,
            outputs,
            ref panels,
        } = *self.convolution;
        let width = panels::width::<S>();
        let padded = outputs.next_multiple_of(width);
        let pixels = self.out.len() / outputs;
        let depth = side * side * inputs;
        let stride = if side == 1 { 1 } else { 2 };
        for (pixel, column) in self
            .columns
            .chunks_exact_mut(depth)
            .take(pixels)
            .enumerate()
        {
            let pixel = self.first + pixel;
            let row = self.origin[0] + stride * (pixel / self.width);
            let from = self.origin[1] + stride * (pixel % self.width);
            for (y, taps) in column.chunks_exact_mut(side * inputs).enumerate() {
                self.source
                    .read_row((row + y).cast_signed(), from.cast_signed(), inputs, taps);
            }
        }
        let left = Left {
            values: self.columns,
            stride: depth,
            rows: pixels.next_multiple_of(ROWS),
            depth,
        };
        let out = Out {
            values: self.products,
            stride: padded,
            panel: width,
            add: false,
        };
        panels::multiply(simd, left, panels, out);
        for (out, products) in self
            .out
            .chunks_exact_mut(outputs)
            .zip(self.products.chunks_exact(padded))
        {
            let vectors = out.chunks_mut(S::F32_LANES);
            let products = S::as_simd_f32s(products).0;
            let bias = self.bias.chunks(S::F32_LANES);
            for ((out, &values), bias) in vectors.zip(products).zip(bias) {
                stage::write(simd, values, bias, self.add, out);
            }
        }
    }
}
