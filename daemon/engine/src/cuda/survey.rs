//! What there is of CUDA on this machine.

use serde::Serialize;

use super::lack::Lack;
use super::version::Version;

/// The oldest driver whose interface this program calls: R525, of CUDA 12.0.
const DRIVER: Version = Version::new(12, 0);

/// The oldest cards that multiply bf16: Ampere.
const CAPABILITY: Version = Version::new(8, 0);

/// The oldest run-time compiler that knows all that kernels say: 8-bit floats on Ada's tensor cores came with CUDA
/// 12.4; other cards have other code for them, or none.
fn oldest_compiler(capability: Version) -> Version {
    match capability {
        Version { major: 8, minor: 9 } => Version::new(12, 4),
        _ => Version::new(11, 8),
    }
}

/// Driver, cards and compiler, as they are found without starting a context.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Survey {
    /// Up to which CUDA the driver goes.
    pub driver: Option<Version>,
    /// Why the driver does not start, where it does not.
    pub driver_fault: Option<String>,
    /// Its cards, in its order.
    pub cards: Vec<Card>,
    /// The run-time compiler's version.
    pub compiler: Option<Version>,
}

/// A card, as the driver describes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Card {
    /// As in `cuda:NUMBER`.
    pub number: u32,
    /// As its maker calls it.
    pub name: String,
    /// Bytes of its memory.
    pub memory: u64,
    /// Its compute capability.
    pub capability: Version,
}

impl Card {
    /// Whether its tensor cores multiply 8-bit floats: Ada, Hopper, and later ones.
    pub fn multiplies_fp8(&self) -> bool {
        self.capability >= Version::new(8, 9)
    }
}

impl Survey {
    /// Looks. Costs some milliseconds where there is a driver, nothing where there is none.
    pub fn take() -> Self {
        let (driver, found) = driver::look();
        let (cards, driver_fault) = match found {
            Ok(cards) => (cards, None),
            Err(fault) => (Vec::new(), Some(fault)),
        };
        Self {
            driver,
            driver_fault,
            cards,
            compiler: driver::compiler(),
        }
    }

    /// The card of this number, if it can be used.
    ///
    /// # Errors
    /// The first thing that is missing, in the order in which one would put it right.
    pub fn card(&self, number: u32) -> Result<&Card, Lack> {
        let driver = self.driver.ok_or(Lack::Driver)?;
        if driver < DRIVER {
            let (found, needed) = (driver, DRIVER);
            return Err(Lack::DriverOld { found, needed });
        }
        if let Some(reason) = &self.driver_fault {
            let reason = reason.clone();
            return Err(Lack::DriverFails { reason });
        }
        let last = self.cards.last().ok_or(Lack::NoCard)?.number;
        let card = self.cards.iter().find(|card| card.number == number);
        let card = card.ok_or(Lack::NoSuchCard { number, last })?;
        if card.capability < CAPABILITY {
            return Err(Lack::CardOld {
                name: card.name.clone(),
                found: card.capability,
                needed: CAPABILITY,
            });
        }
        let compiler = self.compiler.ok_or(Lack::Compiler)?;
        let needed = oldest_compiler(card.capability);
        if compiler < needed {
            return Err(Lack::CompilerOld {
                found: compiler,
                needed,
            });
        }
        if compiler > driver {
            return Err(Lack::CompilerNewer { compiler, driver });
        }
        Ok(card)
    }
}

/// Whether a driver is installed; starts nothing.
pub(crate) fn driver_is_there() -> bool {
    driver::is_there()
}

/// The driver's and the compiler's own answers.
#[allow(
    unsafe_code,
    reason = "CUDA's interface is C; each call fails as a value once its library is known to be there"
)]
mod driver {
    use cudarc::driver::sys::{self, CUdevice_attribute};
    use cudarc::driver::{DriverError, result};
    use cudarc::nvrtc;

    use super::super::fault::words;
    use super::{Card, Version};

    pub(super) fn is_there() -> bool {
        // SAFETY: it only tries to load the library, by its names.
        unsafe { sys::is_culib_present() }
    }

    /// Up to which CUDA the driver goes, if there is one, and its cards.
    pub(super) fn look() -> (Option<Version>, Result<Vec<Card>, String>) {
        if !is_there() {
            return (None, Ok(Vec::new()));
        }
        let mut number = 0;
        // SAFETY: the number outlives the call, which may come before any other.
        let version = unsafe { sys::cuDriverGetVersion(&raw mut number) }.result();
        let version = version.map_or(Version::new(0, 0), |()| Version::from_number(number));
        (Some(version), cards().map_err(|error| words(&error)))
    }

    fn cards() -> Result<Vec<Card>, DriverError> {
        match result::init() {
            // That there is no card is no fault of the driver.
            Err(DriverError(sys::CUresult::CUDA_ERROR_NO_DEVICE)) => return Ok(Vec::new()),
            other => other?,
        }
        let count = result::device::get_count()?;
        (0..count).map(card).collect()
    }

    fn card(number: i32) -> Result<Card, DriverError> {
        let device = result::device::get(number)?;
        let capability = |attribute| {
            // SAFETY: the device was just given by the driver.
            let found = unsafe { result::device::get_attribute(device, attribute) }?;
            Ok::<_, DriverError>(found.unsigned_abs())
        };
        Ok(Card {
            number: number.unsigned_abs(),
            name: result::device::get_name(device)?,
            // SAFETY: as above.
            memory: unsafe { result::device::total_mem(device) }? as u64,
            capability: Version::new(
                capability(CUdevice_attribute::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR)?,
                capability(CUdevice_attribute::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR)?,
            ),
        })
    }

    /// The version of the run-time compiler, if there is one.
    pub(super) fn compiler() -> Option<Version> {
        // SAFETY: it only tries to load the library, by its names.
        if !unsafe { nvrtc::sys::is_culib_present() } {
            return None;
        }
        let (mut major, mut minor) = (0, 0);
        // SAFETY: both numbers outlive the call.
        let found = unsafe { nvrtc::sys::nvrtcVersion(&raw mut major, &raw mut minor) };
        found.result().ok()?;
        Some(Version::new(major.unsigned_abs(), minor.unsigned_abs()))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn whole() -> Survey {
        let card = |number, name: &str, capability| Card {
            number,
            name: name.into(),
            memory: 24 << 30,
            capability,
        };
        Survey {
            driver: Some(Version::new(12, 8)),
            driver_fault: None,
            cards: vec![
                card(0, "NVIDIA GeForce RTX 4090", Version::new(8, 9)),
                card(1, "NVIDIA GeForce GTX 1080", Version::new(6, 1)),
                card(2, "NVIDIA GeForce RTX 3090", Version::new(8, 6)),
            ],
            compiler: Some(Version::new(12, 4)),
        }
    }

    #[test]
    fn a_whole_machine_gives_its_cards() {
        let survey = whole();
        assert!(survey.card(0).unwrap().multiplies_fp8());
        assert!(!survey.card(2).unwrap().multiplies_fp8());
    }

    /// Each thing that can be missing is told as that thing, and with something to do.
    #[test]
    fn what_is_missing_is_named() {
        let lacking = |change: fn(&mut Survey), number: u32| {
            let mut survey = whole();
            change(&mut survey);
            survey.card(number).unwrap_err()
        };
        let old = Version::new(11, 8);
        let cases = [
            (lacking(|s| s.driver = None, 0), Lack::Driver),
            (
                lacking(|s| s.driver = Some(Version::new(11, 8)), 0),
                Lack::DriverOld {
                    found: old,
                    needed: DRIVER,
                },
            ),
            (
                lacking(|s| s.driver_fault = Some("CUDA_ERROR_UNKNOWN".into()), 0),
                Lack::DriverFails {
                    reason: "CUDA_ERROR_UNKNOWN".into(),
                },
            ),
            (lacking(|s| s.cards.clear(), 0), Lack::NoCard),
            (lacking(|_| (), 3), Lack::NoSuchCard { number: 3, last: 2 }),
            (
                lacking(|_| (), 1),
                Lack::CardOld {
                    name: "NVIDIA GeForce GTX 1080".into(),
                    found: Version::new(6, 1),
                    needed: CAPABILITY,
                },
            ),
            (lacking(|s| s.compiler = None, 0), Lack::Compiler),
            (
                lacking(|s| s.compiler = Some(Version::new(12, 3)), 0),
                Lack::CompilerOld {
                    found: Version::new(12, 3),
                    needed: Version::new(12, 4),
                },
            ),
            (
                lacking(|s| s.compiler = Some(Version::new(11, 7)), 2),
                Lack::CompilerOld {
                    found: Version::new(11, 7),
                    needed: old,
                },
            ),
            (
                lacking(|s| s.compiler = Some(Version::new(13, 0)), 0),
                Lack::CompilerNewer {
                    compiler: Version::new(13, 0),
                    driver: Version::new(12, 8),
                },
            ),
        ];
        for (found, expected) in cases {
            assert_eq!(found, expected);
            assert!(!found.hint().is_empty());
        }
    }

    /// Whatever machine this runs on, looking neither fails nor starts anything.
    #[test]
    fn looking_is_safe_anywhere() {
        let survey = Survey::take();
        assert_eq!(survey, Survey::take());
        if survey.driver.is_none() {
            assert_eq!(survey.card(0), Err(Lack::Driver));
        }
    }
}
