//! Packing an operand into panels, `[panel][block][part][depth][width]`: blocks of at most [`DEPTH`], the
//! depth in words, the width as many columns as a [`Unit`] sums side by side.

use std::ops::Range;

use super::matrix::Rows;
use super::scratch::{self, Slot};
use super::tile::DEPTH;
use super::unit::{Unit, Words, words_of};

thread_local! {
    static READ: Slot = const { Slot::new(Vec::new()) };
}

/// Rows that are read and turned at once.
const ROWS: usize = 8;

/// Packs the rows `rows` of a weight into one panel, with zeros for absent rows.
pub(crate) fn pack<U: Unit, R: Rows + ?Sized>(
    weight: &R,
    rows: Range<usize>,
    width: usize,
    panel: &mut [f32],
) {
    let depth = words_of::<U>(weight.row_length());
    let parts = U::Right::PARTS;
    scratch::with(&READ, parts * ROWS * depth, |words| {
        for column in (0..width).step_by(ROWS) {
            let first = (rows.start + column).min(rows.end);
            let count = ROWS.min(rows.end - first);
            let (now, _) = words.split_at_mut(parts * count * depth);
            U::Right::read(weight, first, depth, now);
            for start in (0..depth).step_by(DEPTH) {
                let block = start..depth.min(start + DEPTH);
                let place = block.start * parts * width..block.end * parts * width;
                let panel = panel[place].chunks_exact_mut(block.len() * width);
                for (part, panel) in panel.enumerate() {
                    let mut rows = [&[][..]; ROWS];
                    let part = &now[part * count * depth..];
                    for (row, words) in rows[..count].iter_mut().zip(part.chunks_exact(depth)) {
                        *row = &words[block.clone()];
                    }
                    turn(rows, width, column, panel);
                }
            }
        }
    });
}

/// Writes these rows as the columns of `panel` from `column` on; zeros for rows that are empty.
fn turn(mut rows: [&[f32]; ROWS], width: usize, column: usize, panel: &mut [f32]) {
    const NOTHING: [f32; DEPTH] = [0.0; DEPTH];
    for row in &mut rows {
        if row.is_empty() {
            *row = &NOTHING;
        }
    }
    if !width.is_multiple_of(ROWS) {
        // A panel narrower than what is turned at once.
        for (row, values) in (column..width).zip(rows) {
            for (out, &value) in panel.chunks_exact_mut(width).zip(values) {
                out[row] = value;
            }
        }
        return;
    }
    for (k, out) in panel.chunks_exact_mut(width).enumerate() {
        let out = &mut out[column..column + ROWS];
        for (out, row) in out.iter_mut().zip(rows) {
            *out = row[k];
        }
    }
}
