use super::*;
use crate::cpu::finish::{Added, Plain, Swiglu};
use crate::cpu::testing::{assert_close, draw, exact};

/// Tokens, inputs and outputs around the sizes of bands, blocks, steps, panels and groups.
const SIZES: [[usize; 3]; 12] = [
    [1, 5, 3],
    [2, 300, 37],
    [3, 1, 1],
    [4, 7, 2],
    [7, 256, 32],
    [31, 32, 33],
    [33, 511, 64],
    [50, 513, 129],
    [97, 64, 1100],
    [200, 300, 96],
    [24, 5000, 600],
    [64, 1025, 31],
];

/// A product into a copy of `before`.
#[derive(Clone, Copy)]
struct Trial<'a, F> {
    inputs: &'a [Matrix<'a>],
    weight: &'a dyn Rows,
    finish: F,
    before: &'a [f32],
    width: usize,
}

impl<F: Finish> OnUnit for Trial<'_, F> {
    type Output = Vec<f32>;

    fn on<U: Unit>(self, unit: U) -> Vec<f32> {
        let mut out = self.before.to_vec();
        let product = Product {
            inputs: self.inputs,
            weight: self.weight,
            factors: self.weight.factors().unwrap_or_default(),
            finish: &self.finish,
            out: &mut out,
            width: self.width,
        };
        product.on(unit);
        out
    }
}

/// The results of every unit, and of what is chosen.
fn everywhere<F: Finish + Copy>(trial: Trial<'_, F>) -> Vec<(Operands, Vec<f32>)> {
    let Trial {
        inputs,
        weight,
        finish,
        before,
        width,
    } = trial;
    let mut found = unit::everywhere(weight.factors().is_some(), trial);
    for operands in [Operands::F32, Operands::Bf16] {
        let mut out = before.to_vec();
        product(operands, inputs, weight, &finish, &mut out, width);
        found.push((operands, out));
    }
    found
}

/// Compares the results of every unit with what they ought to be for its operands.
fn check<F: Finish + Copy>(trial: Trial<'_, F>, expected: impl Fn(Operands) -> Vec<f64>) {
    for (operands, found) in everywhere(trial) {
        assert_close(&found, &expected(operands));
    }
}

/// The exact sums of what operands are rounded to.
fn sums(operands: Operands, x: &[f32], weight: &[f32], inputs: usize) -> Vec<f64> {
    let [x, weight] = [x, weight].map(|numbers| {
        let mut numbers = numbers.to_vec();
        operands.round(&mut numbers);
        numbers
    });
    exact(&x, &weight, inputs)
}

#[test]
fn plain_sums_are_the_product() {
    for [tokens, inputs, outputs] in SIZES {
        let (x, weight) = (draw(1, tokens * inputs), draw(2, outputs * inputs));
        let matrix = Matrix::dense(&weight, inputs);
        let before = vec![f32::NAN; tokens * outputs];
        let x_matrix = [Matrix::dense(&x, inputs)];
        check(
            Trial {
                inputs: &x_matrix,
                weight: &matrix,
                finish: Plain,
                before: &before,
                width: outputs,
            },
            |operands| sums(operands, &x, &weight, inputs),
        );
    }
}

/// A weight of numbers that are bf16 but for a factor of each row, if there are any.
struct Narrow<'a>(Matrix<'a>, &'a [f32]);

impl Rows for Narrow<'_> {
    fn rows(&self) -> usize {
        self.0.rows()
    }

    fn row_length(&self) -> usize {
        self.0.width()
    }

    fn widen_rows(&self, first: usize, out: &mut [f32]) {
        self.0.widen_rows(first, out);
        let factors = self.1.iter().skip(first);
        for (row, factor) in out.chunks_exact_mut(self.0.width()).zip(factors) {
            row.iter_mut().for_each(|number| *number *= factor);
        }
    }

    fn factors(&self) -> Option<Vec<f32>> {
        Some(self.1.to_vec())
    }

    fn unscaled_rows(&self, first: usize, out: &mut [u16]) {
        self.0.narrow_rows(first, out);
    }
}

#[test]
fn a_narrow_weight_meets_inputs_of_full_width() {
    for [tokens, inputs, outputs] in SIZES {
        let (x, mut weight) = (draw(11, tokens * inputs), draw(12, 2 * outputs * inputs));
        Operands::Bf16.round(&mut weight);
        let factors = draw(13, 2 * outputs);
        for factors in [&[][..], &factors] {
            let narrow = Narrow(Matrix::dense(&weight, inputs), factors);
            let mut scaled = vec![0.0; weight.len()];
            narrow.widen_rows(0, &mut scaled);
            let x_matrix = [Matrix::dense(&x, inputs)];
            let width = 2 * outputs;
            let before = vec![f32::NAN; tokens * width];
            check(
                Trial {
                    inputs: &x_matrix,
                    weight: &narrow,
                    finish: Plain,
                    before: &before,
                    width,
                },
                |operands| sums(operands, &x, &scaled, inputs),
            );
            let before = vec![f32::NAN; tokens * outputs];
            check(
                Trial {
                    inputs: &x_matrix,
                    weight: &narrow,
                    finish: Swiglu,
                    before: &before,
                    width: outputs,
                },
                |operands| swiglu(&sums(operands, &x, &scaled, inputs), outputs),
            );
        }
    }
}

#[test]
fn inputs_side_by_side_are_one_input() {
    for [tokens, inputs, outputs] in SIZES {
        let (x, weight) = (draw(3, tokens * inputs), draw(4, outputs * inputs));
        let cut = inputs / 3;
        let parts = [
            Matrix::strided(&x, tokens, cut, inputs),
            Matrix::strided(&x[cut..], tokens, inputs - cut, inputs),
        ];
        let matrix = Matrix::dense(&weight, inputs);
        let before = vec![f32::NAN; tokens * outputs];
        check(
            Trial {
                inputs: &parts,
                weight: &matrix,
                finish: Plain,
                before: &before,
                width: outputs,
            },
            |operands| sums(operands, &x, &weight, inputs),
        );
    }
}

#[test]
fn what_is_added_goes_through_its_gate() {
    for [tokens, inputs, outputs] in SIZES {
        let (x, weight) = (draw(5, tokens * inputs), draw(6, outputs * inputs));
        let (before, gate) = (draw(7, tokens * outputs), draw(8, outputs));
        let matrix = Matrix::dense(&weight, inputs);
        for gate in [None, Some(&gate[..])] {
            let of = |index: usize| gate.map_or(1.0, |gate| f64::from(gate[index % outputs]));
            let x_matrix = [Matrix::dense(&x, inputs)];
            let finish = Added { gate };
            check(
                Trial {
                    inputs: &x_matrix,
                    weight: &matrix,
                    finish,
                    before: &before,
                    width: outputs,
                },
                |operands| {
                    let sums = sums(operands, &x, &weight, inputs).into_iter();
                    let expected = sums.zip(&before).enumerate();
                    let expected =
                        expected.map(|(index, (sum, &before))| f64::from(before) + of(index) * sum);
                    expected.collect()
                },
            );
        }
    }
}

#[test]
fn halves_meet_in_swiglu() {
    for [tokens, inputs, outputs] in SIZES {
        let (x, weight) = (draw(9, tokens * inputs), draw(10, 2 * outputs * inputs));
        let matrix = Matrix::dense(&weight, inputs);
        let before = vec![f32::NAN; tokens * outputs];
        let x_matrix = [Matrix::dense(&x, inputs)];
        check(
            Trial {
                inputs: &x_matrix,
                weight: &matrix,
                finish: Swiglu,
                before: &before,
                width: outputs,
            },
            |operands| swiglu(&sums(operands, &x, &weight, inputs), outputs),
        );
    }
}

/// SwiGLU of rows whose first half are the gates.
fn swiglu(sums: &[f64], outputs: usize) -> Vec<f64> {
    let rows = sums.chunks_exact(2 * outputs);
    let made = rows.flat_map(|row| {
        let (gates, values) = row.split_at(outputs);
        let pairs = gates.iter().zip(values);
        pairs.map(|(gate, value)| gate / (1.0 + (-gate).exp()) * value)
    });
    made.collect()
}
