//! What a card makes of random numbers, beside what plain arithmetic makes of them.

use std::sync::Arc;

use crate::device::{Precision, Target};
use crate::drawn::{Drawn, Part};
use crate::error::EngineError;
use crate::host::download;
use crate::plan::RenderShape;
use crate::published::Size;
use crate::step::compare::{compare, distance};
use crate::step::machine::{Host, Processor, Stepper};

/// Side of the picture and of its reference.
const SIDE: u32 = 64;

/// Why a card is not trusted.
#[derive(Debug)]
pub(super) enum Doubt {
    /// It computes something else, in words.
    Wrong(String),
    /// It could not be found out.
    Failed(EngineError),
}

impl From<EngineError> for Doubt {
    fn from(error: EngineError) -> Self {
        Self::Failed(error)
    }
}

/// Compares each kernel with its twin.
pub(super) fn of_kernels(stepper: &dyn Stepper, multiplies_e4m3: bool) -> Result<(), Doubt> {
    let all = compare(stepper, multiplies_e4m3)?;
    match all.iter().find(|one| !one.holds()) {
        None => Ok(()),
        Some(one) => Err(Doubt::Wrong(format!(
            "its kernel {} ({}) is off by {:.1e} where rounding explains {:.1e}",
            one.kernel, one.case, one.distance, one.most
        ))),
    }
}

/// Compares small networks as programs on the card with the same programs in plain arithmetic.
pub(super) fn of_networks(
    stepper: impl Stepper + 'static,
    multiplies_e4m3: bool,
) -> Result<(), Doubt> {
    let card = Arc::new(Host::new(Box::new(stepper)));
    let twin = Arc::new(Host::new(Box::new(Processor)));
    let shape = RenderShape {
        width: SIDE,
        height: SIDE,
        references: vec![(SIDE, SIDE)],
        ..RenderShape::default()
    };
    for part in Part::ALL {
        let drawn = Drawn::of(&Size::TINY, part)?;
        let made = |host: &Arc<Host>, precision| -> Result<Vec<f32>, EngineError> {
            download(drawn
                .load(&shape, &Target::programs(Arc::clone(host), precision))?(
            )?)
        };
        for (precision, most) in precisions(multiplies_e4m3) {
            let found = made(&card, precision)?;
            let off = distance(&found, &made(&twin, precision)?);
            tracing::debug!(part = part.name(), %precision, off, most, "a network was tried");
            if off.is_nan() || off > most {
                return Err(Doubt::Wrong(format!(
                    "in {precision} a small network ({}) is off by {off:.1e} where rounding explains {most:.1e}",
                    part.name()
                )));
            }
        }
    }
    Ok(())
}

/// In what to compute, and how far the order of sums may take the results of all layers apart: where numbers are
/// rounded between layers, some fall to the other side of it. In the emulator, where it cuts sums of
/// 8-bit products off as Ada does, the farthest are 2.5e-6, 1.9e-2 (of the autoencoder) and 2.4e-2 (of a step) apart.
fn precisions(multiplies_e4m3: bool) -> impl Iterator<Item = (Precision, f32)> {
    let all = [
        (Precision::F32, 1e-4),
        (Precision::Bf16, 5e-2),
        (Precision::Fp8, 0.1),
    ];
    all.into_iter()
        .filter(move |&(precision, _)| precision != Precision::Fp8 || multiplies_e4m3)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use crate::step::Program;
    use crate::step::bank::Bank;
    use crate::step::machine::{Machine, Traffic};
    use crate::step::network::Arithmetic;
    use crate::step::place::Matrix;
    use crate::step::twin::emulator::Emulator;

    /// A card of which one multiprocessor is broken: one number of so many is another.
    #[derive(Debug, Clone, Copy)]
    struct Broken(usize);

    #[derive(Debug)]
    struct BrokenMachine(Box<dyn Machine>, usize);

    impl Stepper for Broken {
        fn arithmetic(&self, precision: Precision) -> Arithmetic {
            Processor.arithmetic(precision)
        }

        fn free(&self) -> Option<u64> {
            None
        }

        fn machine(&self, bank: &Bank, bytes: usize) -> Result<Box<dyn Machine>, EngineError> {
            Ok(Box::new(BrokenMachine(
                Processor.machine(bank, bytes)?,
                self.0,
            )))
        }
    }

    impl Machine for BrokenMachine {
        fn reserve(&mut self, bytes: usize) -> Result<(), EngineError> {
            self.0.reserve(bytes)
        }

        fn write(
            &mut self,
            program: &Program,
            to: &Matrix,
            values: &[f32],
        ) -> Result<(), EngineError> {
            self.0.write(program, to, values)
        }

        fn run(&mut self, program: &Program) -> Result<(), EngineError> {
            self.0.run(program)
        }

        fn epoch(&self) -> u64 {
            self.0.epoch()
        }

        fn read(&mut self, from: &Matrix) -> Result<Vec<f32>, EngineError> {
            let mut values = self.0.read(from)?;
            for value in values.iter_mut().step_by(self.1) {
                *value = 1.0 - *value;
            }
            Ok(values)
        }

        fn finish(&mut self) -> Result<(), EngineError> {
            self.0.finish()
        }

        fn traffic(&self) -> Option<Traffic> {
            None
        }

        fn weights(&self) -> u64 {
            self.0.weights()
        }
    }

    fn words(found: Result<(), Doubt>) -> String {
        match found {
            Err(Doubt::Wrong(words)) => words,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_computes_as_the_twin_does_is_trusted() {
        of_kernels(&Processor, true).unwrap();
        of_networks(Processor, true).unwrap();
    }

    #[test]
    fn so_are_the_kernels_themselves() {
        of_networks(Emulator, true).unwrap();
    }

    #[test]
    fn what_computes_something_else_is_not_and_is_named() {
        let said = words(of_kernels(&Broken(32), true));
        assert!(
            said.contains("its kernel ") && said.contains("is off by"),
            "{said}"
        );
        let said = words(of_networks(Broken(32), true));
        assert!(said.contains("in f32 a small network (text)"), "{said}");
    }
}
