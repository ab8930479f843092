//! Every kernel against its twin, on random numbers.
//!
//! A machine runs an operation, the processor's twin runs the same one on the same numbers, and what they leave is
//! compared. The machine is a card where there is one, and the emulator in tests.

mod cases;

use serde::Serialize;

use super::Program;
use super::bank::Bank;
use super::machine::{Machine, Stepper};
use super::place::{Kind, Matrix};
use super::twin::Twin;
use crate::error::EngineError;

/// How far what a kernel left is from what its twin left.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// The kernel.
    pub kernel: &'static str,
    /// What it was given.
    pub case: String,
    /// `|found − expected| / |expected|` in L2.
    pub distance: f32,
    /// The largest distance that the order of sums and the rounding of its numbers explain.
    pub most: f32,
}

impl Comparison {
    /// Whether the kernel computes what its twin does.
    pub fn holds(&self) -> bool {
        self.distance <= self.most
    }
}

/// An operation with all it reads.
struct Case {
    kernel: &'static str,
    words: String,
    program: Program,
    inputs: Vec<(Matrix, Vec<f32>)>,
    outputs: Vec<Matrix>,
}

/// Compares all kernels; those of 8-bit products only where the device has them.
///
/// # Errors
/// `compute-failed` or `device-memory`, if the device failed.
pub(crate) fn compare(
    stepper: &dyn Stepper,
    multiplies_e4m3: bool,
) -> Result<Vec<Comparison>, EngineError> {
    let cases = cases::all(multiplies_e4m3);
    let bytes = cases
        .iter()
        .map(|case| case.program.bytes)
        .max()
        .unwrap_or(0);
    let bank = Bank::default();
    let mut machine = stepper.machine(&bank, bytes)?;
    let mut twin = Twin::new(&bank);
    let mut all = Vec::new();
    for case in &cases {
        case.run(&mut *machine)?;
        case.run(&mut twin)?;
        for output in &case.outputs {
            let found = machine.read(output)?;
            let expected = twin.read(output);
            all.push(Comparison {
                kernel: case.kernel,
                case: case.words.clone(),
                distance: distance(&found, &expected),
                most: most(output.kind),
            });
        }
    }
    Ok(all)
}

impl Case {
    fn run(&self, machine: &mut dyn Machine) -> Result<(), EngineError> {
        for (matrix, values) in &self.inputs {
            machine.write(&self.program, matrix, values)?;
        }
        machine.run(&self.program)
    }
}

/// What a result may differ by: sums of f32 in another order, and for narrower numbers those that fall to the other
/// side of a rounding by it.
fn most(kind: Kind) -> f32 {
    match kind {
        Kind::F32 => 1e-5,
        Kind::Bf16 => 4e-3,
        Kind::E4m3 => 1e-2,
    }
}

/// `|found − expected| / |expected|` in L2: NaN where either holds one, so that it never passes.
pub(crate) fn distance(found: &[f32], expected: &[f32]) -> f32 {
    let square = |x: f32| f64::from(x) * f64::from(x);
    let norm: f64 = expected.iter().map(|&x| square(x)).sum();
    let pairs = found.iter().zip(expected);
    let difference: f64 = pairs.map(|(a, b)| square(a - b)).sum();
    #[allow(clippy::cast_possible_truncation, reason = "a few digits are enough")]
    let distance = (difference / norm).sqrt() as f32;
    distance
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use crate::step::twin::emulator::Emulator;

    #[test]
    fn every_kernel_computes_what_its_twin_does() {
        let all = compare(&Emulator, true).unwrap();
        let kernels: std::collections::BTreeSet<_> = all.iter().map(|one| one.kernel).collect();
        assert_eq!(kernels.len(), 28, "{kernels:?}");
        for one in &all {
            println!("{} ({}): {:e}", one.kernel, one.case, one.distance);
        }
        let wrong: Vec<_> = all.iter().filter(|one| !one.holds()).collect();
        assert!(wrong.is_empty(), "{wrong:#?}");
    }

    #[test]
    fn what_is_no_number_is_no_match() {
        assert!(distance(&[f32::NAN, 1.0], &[0.0, 1.0]).is_nan());
        assert!(distance(&[0.0, 1.0], &[0.0, 1.0]) <= 0.0);
        assert!(distance(&[1.0, 1.0], &[0.0, 1.0]) > 0.9);
    }
}
