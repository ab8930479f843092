//! Packing an operand into panels, `[panel][depth][width]`: the depth in words, the width as many columns
//! as a [`Unit`] sums side by side.

use std::ops::Range;

use super::matrix::Rows;
use super::scratch::{self, Slot};
use super::unit::{Unit, Words, words_of};

thread_local! {
    static READ: Slot = const { Slot::new(Vec::new()) };
}

/// Rows that are read and turned at once.
const ROWS: usize = 8;

/// Packs the rows `rows` of a weight into one panel, `[depth][width]`, with zeros for absent rows.
pub(crate) fn pack<U: Unit, R: Rows + ?Sized>(
    weight: &R,
    rows: Range<usize>,
    width: usize,
    panel: &mut [f32],
) {
    let depth = words_of::<U>(weight.row_length());
    scratch::with(&READ, ROWS * depth, |words| {
        for column in (0..width).step_by(ROWS) {
            let first = (rows.start + column).min(rows.end);
            let count = ROWS.min(rows.end - first);
            let (now, absent) = words.split_at_mut(count * depth);
            U::Words::read(weight, first, depth, now);
            absent.fill(0.0);
            turn(words, depth, width, column, panel);
        }
    });
}

/// Writes the rows of `from`, [`ROWS`] of `depth` words, as the columns of `panel` from `column` on.
fn turn(from: &[f32], depth: usize, width: usize, column: usize, panel: &mut [f32]) {
    if !width.is_multiple_of(ROWS) {
        // A panel narrower than what is turned at once.
        for (row, values) in (column..width).zip(from.chunks_exact(depth)) {
            for (out, &value) in panel.chunks_exact_mut(width).zip(values) {
                out[row] = value;
            }
        }
        return;
    }
    let mut rows: [&[f32]; ROWS] = [&[]; ROWS];
    for (row, values) in rows.iter_mut().zip(from.chunks_exact(depth)) {
        *row = values;
    }
    for (k, out) in panel.chunks_exact_mut(width).enumerate() {
        let out = &mut out[column..column + ROWS];
        for (out, row) in out.iter_mut().zip(rows) {
            *out = row[k];
        }
    }
}
