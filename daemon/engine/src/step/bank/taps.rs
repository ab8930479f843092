//! Weights whose rows lie otherwise in their file than a product takes them.
//!
//! A convolution's row is `[inputs][taps]` in a file and `[taps][inputs]` here, as the neighbourhoods that it is
//! multiplied by are. And products want rows and columns in multiples of eight: what is missing is zeros.

use rayon::prelude::*;

use crate::step::place::Matrix;
use crate::step::twin::encode;
use crate::weights::Stored;

/// How rows are laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Taps {
    /// Numbers of each input, beside one another in a file.
    pub(crate) taps: usize,
    /// Inputs here, at least as many as in the file.
    pub(crate) inputs: usize,
    /// Rows here, likewise.
    pub(crate) rows: usize,
}

impl Taps {
    /// Numbers in a row.
    pub(crate) fn columns(&self) -> usize {
        self.taps * self.inputs
    }

    /// Writes rows; what the host holds beside them is one row for each thread.
    pub(super) fn fill(&self, source: &Stored, values: Matrix, out: &mut [u8]) {
        let row_bytes = values.columns * values.kind.bytes();
        let given = source.row_length();
        let fresh = || (vec![0.0; given], vec![0.0; values.columns]);
        out.par_chunks_exact_mut(row_bytes)
            .enumerate()
            .for_each_init(fresh, |(file, here), (row, out)| {
                here.fill(0.0);
                if row < source.rows() {
                    source.widen_rows(row, file);
                    for (input, taps) in file.chunks_exact(self.taps).enumerate() {
                        for (tap, value) in taps.iter().enumerate() {
                            here[tap * self.inputs + input] = *value;
                        }
                    }
                }
                encode(values.kind, here, out);
            });
    }
}
