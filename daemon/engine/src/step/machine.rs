//! What runs programs, and which networks are on it.

use std::fmt::Debug;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use super::Program;
use super::bank::Bank;
use super::network::Arithmetic;
use super::place::Matrix;
use super::twin::Twin;
use crate::device::Precision;
use crate::error::EngineError;

/// The weights of one network on a device, with memory to compute in.
pub(crate) trait Machine: Debug + Send {
    /// Makes sure that there are so many bytes to compute in; what was written or kept before stays.
    ///
    /// # Errors
    /// `device-memory` where there is no room for them.
    fn reserve(&mut self, bytes: usize) -> Result<(), EngineError>;

    /// Puts numbers where a program finds them, rounded to what the place holds. What was written or kept before
    /// stays where it is, whatever the programs.
    ///
    /// # Errors
    /// `device-memory` where there is no room for so large a program, `compute-failed` if the device failed.
    fn write(&mut self, program: &Program, to: &Matrix, values: &[f32]) -> Result<(), EngineError>;

    /// Runs a program; what it writes can be read from then on.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    fn run(&mut self, program: &Program) -> Result<(), EngineError>;

    /// Another number for each machine: what one was given, another does not have.
    fn epoch(&self) -> u64;

    /// Reads numbers that a program left.
    ///
    /// # Errors
    /// `compute-failed` if the device failed, at whatever was run before.
    fn read(&mut self, from: &Matrix) -> Result<Vec<f32>, EngineError>;

    /// Waits until all that was run is done.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    fn finish(&mut self) -> Result<(), EngineError>;

    /// What comes to the device in each step, if anything does.
    fn traffic(&self) -> Option<Traffic>;

    /// Bytes of the device's memory that weights take, the places of those that come and go included.
    fn weights(&self) -> u64;
}

/// Weights that come in each step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Traffic {
    /// Bytes in a step.
    pub(crate) bytes: u64,
    /// Bytes per second that the link was measured to carry.
    pub(crate) rate: f64,
}

/// A device that runs programs.
pub(crate) trait Stepper: Debug + Send + Sync {
    /// What weights are best held in for this precision, and how they are multiplied.
    fn arithmetic(&self, precision: Precision) -> Arithmetic;

    /// Bytes of the device's memory that nobody has, if it has memory of its own.
    fn free(&self) -> Option<u64>;

    /// Those of them that another network may take.
    fn room(&self) -> Option<u64> {
        self.free()
    }

    /// Brings a network's weights to the device, or as much of them as fits beside so many bytes to compute in.
    ///
    /// # Errors
    /// `device-memory` where not even its parts fit one after another.
    fn machine(&self, bank: &Bank, bytes: usize) -> Result<Box<dyn Machine>, EngineError>;
}

/// A device and the networks whose weights are on it.
#[derive(Debug)]
pub(crate) struct Host {
    stepper: Box<dyn Stepper>,
    pub(super) resident: Mutex<Vec<(Owner, Box<dyn Machine>)>>,
}

/// A network among those of a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Owner(u64);

impl Owner {
    /// Another than all before.
    pub(crate) fn new() -> Self {
        Self(number())
    }
}

/// Another number than all before; 0 is none of them.
pub(crate) fn number() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

impl Host {
    pub(crate) fn new(stepper: Box<dyn Stepper>) -> Self {
        Self {
            stepper,
            resident: Mutex::default(),
        }
    }

    pub(crate) fn arithmetic(&self, precision: Precision) -> Arithmetic {
        self.stepper.arithmetic(precision)
    }

    /// Uses a network's machine, with so many bytes to compute in; brings the network first if it is not there.
    /// Where there is no room, all networks leave, this one too: it may fit with fewer of its blocks, and which of
    /// the others are needed next is not known here.
    ///
    /// # Errors
    /// Those of `act`, and `device-memory` where there is no room for this network by itself.
    pub(crate) fn with<T>(
        &self,
        owner: Owner,
        bank: &Bank,
        bytes: usize,
        mut act: impl FnMut(&mut dyn Machine) -> Result<T, EngineError>,
    ) -> Result<T, EngineError> {
        let mut resident = self.resident.lock().unwrap_or_else(PoisonError::into_inner);
        let had_any = !resident.is_empty();
        match self.attempt(&mut resident, owner, bank, bytes, &mut act) {
            Err(EngineError::DeviceMemory { .. }) if had_any => {
                resident.clear();
                self.attempt(&mut resident, owner, bank, bytes, &mut act)
            }
            result => result,
        }
    }

    /// Whether what networks compute in is the device's own memory, and not the host's.
    pub(crate) fn has_own_memory(&self) -> bool {
        self.stepper.room().is_some()
    }

    /// Makes room: the network is brought again when it is used again.
    pub(crate) fn release(&self, owner: Owner) {
        let mut resident = self.resident.lock().unwrap_or_else(PoisonError::into_inner);
        resident.retain(|(other, _)| *other != owner);
    }

    fn attempt<T>(
        &self,
        resident: &mut Vec<(Owner, Box<dyn Machine>)>,
        owner: Owner,
        bank: &Bank,
        bytes: usize,
        act: &mut impl FnMut(&mut dyn Machine) -> Result<T, EngineError>,
    ) -> Result<T, EngineError> {
        let place = resident.iter().position(|(other, _)| *other == owner);
        let place = match place {
            Some(place) => place,
            None => {
                // A network that is brought again for each picture costs less than one that streams in each step.
                let needed = (bank.total() + bytes) as u64;
                if self.stepper.room().is_some_and(|room| room < needed) {
                    resident.clear();
                }
                resident.push((owner, self.stepper.machine(bank, bytes)?));
                resident.len() - 1
            }
        };
        let result = act(&mut *resident[place].1);
        if result.is_err() {
            // It may have stopped in the middle of a program.
            resident.remove(place);
        }
        result
    }
}

/// The processor as a device that runs programs: slowly, to compare.
#[derive(Debug)]
pub(crate) struct Processor;

impl Stepper for Processor {
    fn arithmetic(&self, precision: Precision) -> Arithmetic {
        Arithmetic::native(precision)
    }

    fn free(&self) -> Option<u64> {
        None
    }

    fn machine(&self, bank: &Bank, bytes: usize) -> Result<Box<dyn Machine>, EngineError> {
        let mut twin = Twin::new(bank);
        twin.reserve(bytes);
        Ok(Box::new(twin))
    }
}

impl Machine for Twin {
    fn reserve(&mut self, bytes: usize) -> Result<(), EngineError> {
        Self::reserve(self, bytes);
        Ok(())
    }

    fn write(&mut self, program: &Program, to: &Matrix, values: &[f32]) -> Result<(), EngineError> {
        Self::reserve(self, program.bytes);
        Self::write(self, to, values);
        Ok(())
    }

    fn epoch(&self) -> u64 {
        self.epoch
    }

    fn run(&mut self, program: &Program) -> Result<(), EngineError> {
        Self::run(self, program);
        Ok(())
    }

    fn read(&mut self, from: &Matrix) -> Result<Vec<f32>, EngineError> {
        Ok(Self::read(self, from))
    }

    fn finish(&mut self) -> Result<(), EngineError> {
        Ok(())
    }

    fn traffic(&self) -> Option<Traffic> {
        None
    }

    fn weights(&self) -> u64 {
        self.held() as u64
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    /// A device on which another network may take so many bytes.
    #[derive(Debug)]
    struct Roomy(u64);

    impl Stepper for Roomy {
        fn arithmetic(&self, precision: Precision) -> Arithmetic {
            Arithmetic::native(precision)
        }

        fn free(&self) -> Option<u64> {
            Some(self.0)
        }

        fn machine(&self, bank: &Bank, _: usize) -> Result<Box<dyn Machine>, EngineError> {
            Ok(Box::new(Twin::new(bank)))
        }
    }

    #[test]
    fn others_leave_where_a_network_does_not_fit_beside_them() {
        for (room, stay) in [(1000, 2), (999, 1)] {
            let host = Host::new(Box::new(Roomy(room)));
            for owner in [Owner::new(), Owner::new()] {
                let used = host.with(owner, &Bank::default(), 1000, |_| Ok(()));
                used.unwrap();
            }
            assert_eq!(host.resident.lock().unwrap().len(), stay, "{room}");
        }
    }

    #[test]
    fn a_network_that_failed_leaves() {
        let host = Host::new(Box::new(Roomy(1000)));
        let failed = host.with(Owner::new(), &Bank::default(), 0, |_| {
            Err::<(), _>(EngineError::Cancelled)
        });
        assert!(failed.is_err());
        assert!(host.resident.lock().unwrap().is_empty());
    }
}
