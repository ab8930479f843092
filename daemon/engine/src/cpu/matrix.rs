//! Row-major matrices, as kernels are given them.

use super::operands::narrow;
use super::scratch::{self, Slot};

thread_local! {
    static WIDENED: Slot = const { Slot::new(Vec::new()) };
}

/// A view of `rows` rows of `width` numbers, each `stride` after the one before.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Matrix<'a> {
    values: &'a [f32],
    rows: usize,
    width: usize,
    stride: usize,
}

impl<'a> Matrix<'a> {
    /// Rows that lie one directly after another.
    #[cfg(test)]
    pub(crate) fn dense(values: &'a [f32], width: usize) -> Self {
        Self {
            values,
            rows: values.len() / width.max(1),
            width,
            stride: width,
        }
    }

    /// Rows that lie `stride` numbers apart, the first at the start of `values`.
    pub(crate) fn strided(values: &'a [f32], rows: usize, width: usize, stride: usize) -> Self {
        Self {
            values,
            rows,
            width,
            stride,
        }
    }

    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    pub(crate) fn width(&self) -> usize {
        self.width
    }

    pub(crate) fn row(&self, number: usize) -> &'a [f32] {
        let start = number * self.stride;
        &self.values[start..start + self.width]
    }
}

/// A weight, `[outputs, inputs]`, that gives its rows as f32 when they are needed.
pub(crate) trait Rows: Sync {
    fn rows(&self) -> usize;
    fn row_length(&self) -> usize;
    /// Decodes whole rows from the row `first` on: as many as `out` holds.
    fn widen_rows(&self, first: usize, out: &mut [f32]);

    /// What each row is to be multiplied by where it is otherwise known to be bf16; empty where there is
    /// nothing to multiply by.
    fn factors(&self) -> Option<Vec<f32>> {
        None
    }

    /// As [`widen_rows`](Self::widen_rows), not yet multiplied by [`factors`](Self::factors), which there
    /// must be.
    #[inline(always)]
    fn unscaled_rows(&self, first: usize, out: &mut [u16]) {
        self.narrow_rows(first, out);
    }

    /// As [`widen_rows`](Self::widen_rows), rounded to bf16.
    #[inline(always)]
    fn narrow_rows(&self, first: usize, out: &mut [u16]) {
        narrow_rows(self, first, out);
    }
}

/// [`Rows::narrow_rows`] by way of f32.
#[inline(always)]
pub(crate) fn narrow_rows<R: Rows + ?Sized>(weight: &R, first: usize, out: &mut [u16]) {
    scratch::with(&WIDENED, out.len(), |widened| {
        weight.widen_rows(first, widened);
        for (out, &number) in out.iter_mut().zip(&*widened) {
            *out = narrow(number);
        }
    });
}

impl Rows for Matrix<'_> {
    fn rows(&self) -> usize {
        self.rows
    }

    fn row_length(&self) -> usize {
        self.width
    }

    fn widen_rows(&self, first: usize, out: &mut [f32]) {
        if self.width == 0 {
            return;
        }
        for (number, out) in (first..).zip(out.chunks_exact_mut(self.width)) {
            out.copy_from_slice(self.row(number));
        }
    }
}
