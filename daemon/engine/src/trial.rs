//! Whether a card computes on this machine what it should: found out before `auto` takes it.
//!
//! Card, driver and compiler are of other versions on every machine, and what goes wrong between them need not end in
//! an error: it may be a picture that is a little off. So before `auto` takes a card for the first time, all kernels
//! are compared with plain arithmetic there, and so is what small networks of each kind make of random numbers. The
//! verdict is kept beside the compiled kernels, and holds until card, driver, compiler or kernels are others. Where it
//! is bad, `auto` is the processor, and every picture says so. A card that is named is used as it is.

mod evidence;
mod record;

use std::cmp::Reverse;
use std::path::PathBuf;

use tracing::{debug, info, warn};

use crate::cuda::{Card, Meter, Opened, Survey, caches, edition};
use crate::device::DeviceChoice;
use crate::observer::Notice;
use evidence::Doubt;

/// How a card stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It is tried when `auto` is first to compute on it.
    Untried,
    /// It computes what it should.
    Trusted,
    /// `auto` does not take it.
    Doubted {
        /// Why, in words.
        reason: String,
    },
}

/// What a choice came to.
#[derive(Debug)]
pub(crate) struct Settled {
    /// Never `auto`.
    pub(crate) device: DeviceChoice,
    /// That a card which could have been taken was not.
    pub(crate) notice: Option<Notice>,
}

/// A card in view of `auto`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outlook<'a> {
    /// The card.
    pub card: &'a Card,
    /// How it stands.
    pub standing: Standing,
    /// The file that says so: without it, the card is tried again.
    pub kept: Option<PathBuf>,
}

/// The card that `auto` takes or tries next, without trying it: of those that are fit the largest that is not doubted,
/// or else the largest; nothing where none is fit.
pub fn outlook(survey: &Survey) -> Option<Outlook<'_>> {
    foresee(survey, |card| {
        let kept = place(card);
        let standing = kept.as_deref().map_or(Standing::Untried, record::read);
        (standing, kept)
    })
}

fn foresee(
    survey: &Survey,
    known: impl Fn(&Card) -> (Standing, Option<PathBuf>),
) -> Option<Outlook<'_>> {
    let mut doubted = None;
    for card in fit(survey) {
        let (standing, kept) = known(card);
        let is_doubted = matches!(standing, Standing::Doubted { .. });
        let outlook = Outlook {
            card,
            standing,
            kept,
        };
        if !is_doubted {
            return Some(outlook);
        }
        doubted.get_or_insert(outlook);
    }
    doubted
}

/// The cards that can be used, the largest first.
fn fit(survey: &Survey) -> impl Iterator<Item = &Card> {
    let mut fit: Vec<_> = survey
        .cards
        .iter()
        .filter_map(|card| survey.card(card.number).ok())
        .collect();
    fit.sort_by_key(|card| Reverse(card.memory));
    fit.into_iter()
}

/// The device of a choice. For `auto` that is the largest card that is fit and computes what it should, tried now if
/// it never was, and the processor where there is none.
pub(crate) fn settle(choice: DeviceChoice) -> Settled {
    match choice {
        DeviceChoice::Auto => choose(&Survey::take(), try_kept),
        named => Settled {
            device: named,
            notice: None,
        },
    }
}

fn choose(survey: &Survey, try_card: impl Fn(&Card) -> Standing) -> Settled {
    let mut notice = None;
    for card in fit(survey) {
        let device = DeviceChoice::Cuda(card.number);
        let Standing::Doubted { reason } = try_card(card) else {
            return Settled {
                device,
                notice: None,
            };
        };
        warn!(%device, name = %card.name, %reason, "the card is set aside");
        notice.get_or_insert(Notice::CardSetAside {
            device: device.to_string(),
            name: card.name.clone(),
            reason,
        });
    }
    Settled {
        device: DeviceChoice::Cpu,
        notice,
    }
}

/// What is known of a card, or else what trying it says.
fn try_kept(card: &Card) -> Standing {
    let attempt = || attempt(card);
    match place(card) {
        Some(file) => record::settle(&file, &card.name, attempt),
        None => record::judge(attempt()),
    }
}

fn attempt(card: &Card) -> Result<(), Doubt> {
    info!(name = %card.name, "a card is tried, once: its kernels are compiled and compared with plain arithmetic");
    let folder = caches::folder;
    let bare = Opened::bare(card, folder())?;
    evidence::of_kernels(&bare, card.multiplies_fp8())?;
    drop(bare);
    let whole = Opened::new(card, None, folder())?;
    evidence::of_networks(whole, card.multiplies_fp8())?;
    debug!(name = %card.name, "the card computes what it should");
    Ok(())
}

/// Where what is known of a card is kept: by everything that the verdict depends on.
fn place(card: &Card) -> Option<PathBuf> {
    let folder = caches::folder()?;
    let Survey {
        driver: cuda,
        compiler,
        ..
    } = Survey::take();
    let meter = Meter::open(card);
    let driver = meter.as_ref().and_then(Meter::driver);
    let driver = driver.or_else(|| Some(cuda?.to_string()));
    let name = edition(&[
        env!("CARGO_PKG_VERSION"),
        meter.as_ref().map_or(&card.name, Meter::uuid),
        &card.capability.to_string(),
        &driver.unwrap_or_default(),
        &compiler?.to_string(),
    ]);
    Some(folder.join(format!("{name}.trial")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cuda::Version;

    fn machine(memories: &[u64]) -> Survey {
        let card = |(number, &memory)| Card {
            number,
            name: format!("card {number}"),
            memory: memory << 30,
            capability: Version::new(8, 9),
        };
        Survey {
            driver: Some(Version::new(12, 8)),
            driver_fault: None,
            cards: (0..).zip(memories).map(card).collect(),
            compiler: Some(Version::new(12, 8)),
        }
    }

    fn doubted(card: &Card) -> Standing {
        Standing::Doubted {
            reason: format!("{} is off", card.name),
        }
    }

    #[test]
    fn the_largest_card_that_computes_right_is_taken() {
        let survey = machine(&[8, 24, 12]);
        let all = choose(&survey, |_| Standing::Trusted);
        assert_eq!(all.device, DeviceChoice::Cuda(1));
        let some = choose(&survey, |card| match card.number {
            1 => doubted(card),
            _ => Standing::Trusted,
        });
        assert_eq!(some.device, DeviceChoice::Cuda(2));
        assert!(some.notice.is_none());
    }

    #[test]
    fn where_none_does_the_processor_is_taken_and_that_is_said() {
        let none = choose(&machine(&[8, 24]), doubted);
        assert_eq!(none.device, DeviceChoice::Cpu);
        let said = none.notice.map(|notice| notice.to_string());
        let said = said.unwrap_or_default();
        for part in ["cuda:1", "card 1 is off", "processor"] {
            assert!(said.contains(part), "{said}");
        }
    }

    #[test]
    fn in_view_is_the_card_that_would_be_taken() {
        let survey = machine(&[8, 24]);
        let known = |doubt: &'static [u32]| {
            let outlook = foresee(&survey, |card| match doubt.contains(&card.number) {
                true => (doubted(card), None),
                false => (Standing::Untried, None),
            });
            outlook.map(|outlook| (outlook.card.number, outlook.standing))
        };
        assert_eq!(known(&[]), Some((1, Standing::Untried)));
        assert_eq!(known(&[1]), Some((0, Standing::Untried)));
        assert_eq!(known(&[0, 1]), Some((1, doubted(&survey.cards[1]))));
        assert_eq!(foresee(&machine(&[]), |_| (Standing::Untried, None)), None);
    }

    #[test]
    fn a_card_that_is_not_fit_is_not_tried() {
        let mut survey = machine(&[8]);
        survey.compiler = None;
        let settled = choose(&survey, |_| unreachable!("it cannot be tried"));
        assert_eq!(settled.device, DeviceChoice::Cpu);
        assert!(settled.notice.is_none());
    }

    #[test]
    fn a_device_that_is_named_is_that_device() {
        for named in [DeviceChoice::Cpu, DeviceChoice::Cuda(7), DeviceChoice::Twin] {
            assert_eq!(settle(named).device, named);
        }
    }
}
