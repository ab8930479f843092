//! How the graphics card stands: what there is, what is missing, and how to use it.

use std::fmt::Write;

use atelier_flux::DeviceChoice;
use atelier_flux::cuda::{Card, Lack, Survey};
use atelier_flux::trial::{Outlook, Standing};

use super::{Finding, Health};

/// The finding for a machine, with the device that its settings name, and the card that `auto` takes or tries next.
pub(super) fn finding(survey: &Survey, device: &str, outlook: Option<Outlook<'_>>) -> Finding {
    let good = |says| Finding::new("device", Health::Good, says);
    match device.parse() {
        Ok(DeviceChoice::Cuda(number)) => match survey.card(number) {
            Ok(_) => good(describe(survey)),
            Err(lack) => Finding::new(
                "device",
                Health::Bad,
                format!("the settings say cuda:{number}, and {lack}"),
            )
            .advise(lack.hint()),
        },
        Ok(DeviceChoice::Cpu | DeviceChoice::Twin) => {
            good(format!("{device}, as the settings say"))
        }
        // What the settings say wrongly is a finding of theirs.
        Ok(DeviceChoice::Auto) | Err(_) => match outlook {
            Some(outlook) => in_view(survey, outlook),
            None => out_of_view(survey),
        },
    }
}

/// Where `auto` has a card to take, or to try.
fn in_view(survey: &Survey, outlook: Outlook<'_>) -> Finding {
    let (number, all) = (outlook.card.number, describe(survey));
    match outlook.standing {
        Standing::Trusted => {
            let says = format!("cuda:{number}, which passed its trial; {all}");
            Finding::new("device", Health::Good, says)
        }
        Standing::Untried => {
            let says = format!("cuda:{number}, if it passes its trial at the first picture; {all}");
            Finding::new("device", Health::Good, says)
        }
        Standing::Doubted { reason } => {
            let says =
                format!("the processor, for cuda:{number} did not pass its trial: {reason}; {all}");
            let mut advice = format!(
                "with another driver or run-time compiler it is tried again by itself; \
                 `atelier bench --kernels --device cuda:{number}` says what is off"
            );
            if let Some(kept) = outlook.kept {
                let _ = write!(advice, "\nto try it again as it is: rm {}", kept.display());
            }
            let _ = write!(
                advice,
                "\nto use it nevertheless: device = \"cuda:{number}\" under [device], or --device cuda:{number}"
            );
            Finding::new("device", Health::Poor, says).advise(advice)
        }
    }
}

/// Where it has none.
fn out_of_view(survey: &Survey) -> Finding {
    match survey.card(0) {
        // Nobody misses a driver on a machine without a card of NVIDIA's.
        Err(lack @ (Lack::Driver | Lack::NoCard)) => {
            Finding::new("device", Health::Good, format!("the processor; {lack}"))
        }
        Err(lack) => Finding::new(
            "device",
            Health::Poor,
            format!("the processor, since {lack}"),
        )
        .advise(lack.hint()),
        Ok(_) => Finding::new("device", Health::Good, "the processor"),
    }
}

fn describe(survey: &Survey) -> String {
    let cards: Vec<_> = survey.cards.iter().map(describe_card).collect();
    let version = |version: Option<_>| version.map_or("?".to_owned(), |found| format!("{found}"));
    format!(
        "{}; driver for CUDA {}, compiler {}",
        cards.join(", "),
        version(survey.driver),
        version(survey.compiler)
    )
}

fn describe_card(card: &Card) -> String {
    let fp8 = if card.multiplies_fp8() {
        "multiplies fp8"
    } else {
        "does not multiply fp8"
    };
    format!(
        "cuda:{}: {}, {} MiB, compute capability {}, {fp8}",
        card.number,
        card.name,
        card.memory >> 20,
        card.capability
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use atelier_flux::cuda::Version;

    use super::*;

    fn machine() -> Survey {
        Survey {
            driver: Some(Version::new(12, 8)),
            driver_fault: None,
            cards: vec![Card {
                number: 0,
                name: "NVIDIA GeForce RTX 4090".into(),
                memory: 24 << 30,
                capability: Version::new(8, 9),
            }],
            compiler: Some(Version::new(12, 8)),
        }
    }

    #[test]
    fn a_card_that_can_be_used_is_described() {
        let found = finding(&machine(), "cuda", None);
        assert_eq!(found.health, Health::Good);
        for part in [
            "RTX 4090",
            "24576 MiB",
            "8.9",
            "multiplies fp8",
            "CUDA 12.8",
        ] {
            assert!(found.says.contains(part), "{}", found.says);
        }
        let unused = finding(&machine(), "cpu", None);
        assert_eq!(unused.health, Health::Good);
        assert!(unused.says.starts_with("cpu"), "{}", unused.says);
    }

    #[test]
    fn by_itself_a_card_is_used_once_it_passed_its_trial() {
        let survey = machine();
        let found = |standing| {
            let outlook = Outlook {
                card: &survey.cards[0],
                standing,
                kept: Some("/kernels/a.trial".into()),
            };
            finding(&survey, "auto", Some(outlook))
        };
        let trusted = found(Standing::Trusted);
        assert_eq!(trusted.health, Health::Good);
        assert!(
            trusted.says.contains("passed its trial"),
            "{}",
            trusted.says
        );
        let untried = found(Standing::Untried);
        assert_eq!(untried.health, Health::Good);
        assert!(untried.says.contains("first picture"), "{}", untried.says);
        let doubted = found(Standing::Doubted {
            reason: "its kernel norm_f32 is off".into(),
        });
        assert_eq!(doubted.health, Health::Poor);
        assert!(doubted.says.contains("norm_f32"), "{}", doubted.says);
        let advice = doubted.advice.unwrap();
        for part in ["--kernels --device cuda:0", "rm /kernels/a.trial"] {
            assert!(advice.contains(part), "{advice}");
        }
    }

    #[test]
    fn what_is_missing_weighs_as_much_as_the_settings_need_it() {
        let mut bare = machine();
        bare.driver = None;
        bare.cards.clear();
        assert_eq!(finding(&bare, "auto", None).health, Health::Good);
        let asked = finding(&bare, "cuda:1", None);
        assert_eq!(asked.health, Health::Bad);
        assert!(asked.says.contains("cuda:1") && asked.advice.is_some());

        let mut half = machine();
        half.compiler = None;
        let found = finding(&half, "auto", None);
        assert_eq!(found.health, Health::Poor);
        assert!(found.advice.unwrap().contains("libnvrtc"));
    }
}
