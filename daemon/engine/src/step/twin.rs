//! A step on the processor, operation by operation: what every kernel is compared with.
//!
//! Written for being read beside the kernels, not for speed. Sums are f32 as theirs are, in another order; what
//! they round is rounded here at the same places, so that the two agree to what a sum's order makes of it.

mod attend;
#[cfg(test)]
pub(crate) mod emulator;
mod picture;
mod rows;
#[cfg(test)]
pub(crate) mod tests;

use half::bf16;

use super::Program;
use super::bank::Bank;
use super::machine::number;
use super::op::{Op, Vector};
use super::place::{Address, Kind, Matrix, Operand, Raw, Space};
use crate::quantize::e4m3;
use crate::weights::Encoding;

/// The memory of a step on the processor.
#[derive(Debug)]
pub(crate) struct Twin {
    pub(super) epoch: u64,
    arena: Vec<u8>,
    weights: Vec<Vec<u8>>,
}

impl Twin {
    /// With all weights of a bank.
    pub(crate) fn new(bank: &Bank) -> Self {
        let weights = (0..bank.groups()).map(|group| {
            let mut image = vec![0; bank.bytes(group)];
            bank.fill(group, &mut image);
            image
        });
        Self {
            epoch: number(),
            arena: Vec::new(),
            weights: weights.collect(),
        }
    }

    /// Makes sure that there are so many bytes to compute in; what was written before stays.
    pub(crate) fn reserve(&mut self, bytes: usize) {
        if self.arena.len() < bytes {
            self.arena.resize(bytes, 0);
        }
    }

    /// Bytes of all weights.
    pub(super) fn held(&self) -> usize {
        self.weights.iter().map(Vec::len).sum::<usize>()
    }

    /// Runs all operations.
    pub(crate) fn run(&mut self, program: &Program) {
        for op in &program.ops {
            self.apply(op);
        }
    }

    /// Runs one operation.
    pub(crate) fn apply(&mut self, op: &Op) {
        match op {
            Op::Norm(norm) => self.norm(norm),
            Op::Gated(gated) => self.gated(gated),
            Op::Heads(heads) => self.heads(heads),
            Op::Attend(attend) => self.attend(attend),
            Op::Vector(vector) => self.vector(vector),
            Op::Decode { weight, out } => {
                let values = self.read(weight);
                self.write(out, &values);
            }
            Op::Product { a, b, out } => self.product(a, b, out),
            Op::Patches(patches) => self.patches(patches),
            Op::Moments(moments) => self.moments(moments),
            Op::Affine(affine) => self.affine(affine),
            Op::Settle(settle) => self.settle(settle),
            Op::Planes(planes) => self.planes(planes),
            Op::Softmax(softmax) => self.softmax(softmax),
            Op::Copy { from, to } => {
                let bytes = self.bytes(from.at, from.bytes()).to_vec();
                self.arena[to.at.offset..][..bytes.len()].copy_from_slice(&bytes);
            }
            Op::Enter(_) | Op::Leave(_) => {}
        }
    }

    /// Numbers as f32, row by row.
    pub(crate) fn read(&self, matrix: &Matrix) -> Vec<f32> {
        decode(matrix.kind, self.bytes(matrix.at, matrix.bytes()))
    }

    /// Rounds numbers to what the place holds.
    pub(crate) fn write(&mut self, matrix: &Matrix, values: &[f32]) {
        debug_assert_eq!(matrix.at.space, Space::Arena, "weights are not written");
        let out = &mut self.arena[matrix.at.offset..][..matrix.bytes()];
        encode(matrix.kind, values, out);
    }

    fn bytes(&self, at: Address, length: usize) -> &[u8] {
        let space = match at.space {
            Space::Arena => &self.arena,
            Space::Weights(group) => &self.weights[group],
        };
        &space[at.offset..at.offset + length]
    }

    fn vector_at(&self, at: Address, length: usize) -> Vec<f32> {
        self.read(&row(at, length))
    }

    fn write_vector(&mut self, at: Address, values: &[f32]) {
        self.write(&row(at, values.len()), values);
    }

    /// What a product gave, scaled.
    fn scaled(&self, raw: &Raw) -> Vec<f32> {
        let mut values = self.read(&raw.values);
        let [rows, columns] = [raw.values.rows, raw.values.columns];
        let by_row = raw.row_scales.map(|at| self.vector_at(at, rows));
        let by_column = raw.column_scales.map(|at| self.vector_at(at, columns));
        for (row, values) in values.chunks_exact_mut(columns).enumerate() {
            let own = by_row.as_ref().map_or(1.0, |scales| scales[row]);
            for (column, value) in values.iter_mut().enumerate() {
                *value *= own * by_column.as_ref().map_or(1.0, |scales| scales[column]);
            }
        }
        values
    }

    /// Rounds rows to an operand.
    fn write_operand(&mut self, operand: &Operand, fixed: Option<f32>, mut values: Vec<f32>) {
        if let Some(at) = operand.scales {
            let rows = values.chunks_exact_mut(operand.values.columns);
            let scales: Vec<_> = rows
                .map(|row| {
                    let largest = row.iter().fold(0.0_f32, |most, x| most.max(x.abs()));
                    let scale = fixed.unwrap_or_else(|| e4m3::scale(largest));
                    row.iter_mut().for_each(|value| *value /= scale);
                    scale
                })
                .collect();
            self.write_vector(at, &scales);
        }
        self.write(&operand.values, &values);
    }

    fn product(&mut self, a: &Matrix, b: &Matrix, out: &Matrix) {
        let (m, n, k) = (a.rows, b.rows, a.columns);
        let values = times_transposed(&self.read(a), &self.read(b), [m, n, k]);
        self.write(out, &values);
    }

    fn vector(&mut self, vector: &Vector) {
        let weight = &vector.weight;
        let mut x = self.vector_at(vector.x, weight.columns);
        if vector.silu {
            x.iter_mut().for_each(|x| *x = silu(*x));
        }
        let sums = times_transposed(&x, &self.read(weight), [1, weight.rows, weight.columns]);
        let scales = vector.scales.map(|at| self.vector_at(at, weight.rows));
        let mut out = match vector.add {
            true => self.vector_at(vector.out, weight.rows),
            false => vec![0.0; weight.rows],
        };
        for (row, (out, sum)) in out.iter_mut().zip(sums).enumerate() {
            *out += sum * scales.as_ref().map_or(1.0, |scales| scales[row]);
        }
        self.write_vector(vector.out, &out);
    }
}

fn row(at: Address, length: usize) -> Matrix {
    Matrix {
        at,
        rows: 1,
        columns: length,
        kind: Kind::F32,
    }
}

fn silu(x: f32) -> f32 {
    x / (1.0 + (-x).exp())
}

/// Numbers of this kind as f32.
pub(crate) fn decode(kind: Kind, bytes: &[u8]) -> Vec<f32> {
    let encoding = match kind {
        Kind::F32 => Encoding::F32,
        Kind::Bf16 => Encoding::Bf16,
        Kind::E4m3 => Encoding::E4M3,
    };
    let mut values = vec![0.0; bytes.len() / kind.bytes()];
    encoding.widen(bytes, 1.0, &mut values);
    values
}

/// Writes numbers in this kind, rounded to the nearest.
pub(crate) fn encode(kind: Kind, values: &[f32], out: &mut [u8]) {
    match kind {
        Kind::F32 => {
            for (value, out) in values.iter().zip(out.chunks_exact_mut(4)) {
                out.copy_from_slice(&value.to_le_bytes());
            }
        }
        Kind::Bf16 => {
            for (value, out) in values.iter().zip(out.chunks_exact_mut(2)) {
                out.copy_from_slice(&bf16::from_f32(*value).to_le_bytes());
            }
        }
        Kind::E4m3 => {
            for (value, out) in values.iter().zip(out) {
                *out = e4m3::encode(*value);
            }
        }
    }
}

/// `a·bᵀ` of `[m, k]` and `[n, k]`.
fn times_transposed(a: &[f32], b: &[f32], [m, n, k]: [usize; 3]) -> Vec<f32> {
    let mut out = vec![0.0; m * n];
    multiply(&mut out, [m, n, k], (a, [k, 1]), (b, [1, k]));
    out
}

/// `out = a·b`, `[m, k]` times `[k, n]`, each with the steps from row to row and from column to column.
#[allow(unsafe_code, reason = "gemm takes pointers")]
#[allow(clippy::cast_possible_wrap, reason = "steps are far below isize::MAX")]
fn multiply(
    out: &mut [f32],
    [m, n, k]: [usize; 3],
    (a, a_steps): (&[f32], [usize; 2]),
    (b, b_steps): (&[f32], [usize; 2]),
) {
    let last = |rows: usize, columns: usize, [row, column]: [usize; 2]| {
        (rows.max(1) - 1) * row + (columns.max(1) - 1) * column
    };
    assert!(out.len() >= m * n, "as large as the product");
    assert!(
        k == 0 || m == 0 || a.len() > last(m, k, a_steps),
        "all of a"
    );
    assert!(
        k == 0 || n == 0 || b.len() > last(k, n, b_steps),
        "all of b"
    );
    // SAFETY: all that is read and written lies in the slices, as just asserted; out is not a or b.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            out.as_mut_ptr(),
            1,
            n as isize,
            false,
            a.as_ptr(),
            a_steps[1] as isize,
            a_steps[0] as isize,
            b.as_ptr(),
            b_steps[1] as isize,
            b_steps[0] as isize,
            0.0,
            1.0,
            false,
            false,
            false,
            gemm::Parallelism::Rayon(0),
        );
    }
}
