//! What a convolution reads and writes.

use pulp::Simd;

use super::group_norm::Affine;

/// The picture that a convolution reads, `[height, width, channels]`. Beyond its borders it is zero.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Source<'a> {
    pub(crate) values: &'a [f32],
    pub(crate) height: usize,
    pub(crate) width: usize,
    pub(crate) channels: usize,
    /// What is done to every pixel before.
    pub(crate) affine: Option<&'a Affine>,
    /// Whether every pixel is read as four, so that there are twice as many rows and columns.
    pub(crate) doubled: bool,
}

/// The picture that a convolution writes, `[height, width, channels]`.
#[derive(Debug)]
pub(crate) struct Target<'a> {
    pub(crate) values: &'a mut [f32],
    pub(crate) height: usize,
    pub(crate) width: usize,
    /// The row and column of the source, doubled if it is, that lie under the first pixel's kernel
    /// centre (3×3) or first tap (halving).
    pub(crate) origin: [usize; 2],
    /// One per channel.
    pub(crate) bias: &'a [f32],
    /// Whether the result is added to what is there.
    pub(crate) add: bool,
}

impl Source<'_> {
    /// Reads part of a row, `out.len() / padded` pixels of `padded` numbers each, at least as many as
    /// there are channels; the rest become zero.
    #[inline(always)]
    pub(super) fn read_row(&self, row: isize, column: isize, padded: usize, out: &mut [f32]) {
        let times = if self.doubled { 2 } else { 1 };
        let inside = usize::try_from(row).ok().map(|row| row / times);
        let Some(row) = inside.filter(|&row| row < self.height) else {
            out.fill(0.0);
            return;
        };
        let row = &self.values[row * self.width * self.channels..][..self.width * self.channels];
        for (out, column) in out.chunks_exact_mut(padded).zip(column..) {
            let inside = usize::try_from(column).ok().map(|column| column / times);
            let Some(column) = inside.filter(|&column| column < self.width) else {
                out.fill(0.0);
                continue;
            };
            let pixel = &row[column * self.channels..][..self.channels];
            self.read_pixel(pixel, out);
        }
    }

    /// Reads one pixel; numbers beyond the channels become zero.
    #[inline(always)]
    pub(super) fn read_pixel(&self, pixel: &[f32], out: &mut [f32]) {
        let (out, beyond) = out.split_at_mut(self.channels);
        match self.affine {
            Some(affine) => affine.apply(pixel, out),
            None => out.copy_from_slice(pixel),
        }
        beyond.fill(0.0);
    }
}

/// `out = values + bias`, or `out += values + bias`: as many channels of one pixel as `out` holds, at
/// most a vector.
#[inline(always)]
pub(super) fn write<S: Simd>(simd: S, values: S::f32s, bias: &[f32], add: bool, out: &mut [f32]) {
    let whole = out.len() == S::F32_LANES;
    let read = |from: &[f32]| {
        if whole {
            S::as_simd_f32s(from).0[0]
        } else {
            simd.partial_load_f32s(from)
        }
    };
    let mut sum = simd.add_f32s(values, read(bias));
    if add {
        sum = simd.add_f32s(sum, read(out));
    }
    if whole {
        S::as_mut_simd_f32s(out).0[0] = sum;
    } else {
        simd.partial_store_f32s(out, sum);
    }
}
