//! How the graphics card stands: what there is, what is missing, and how to use it.

use atelier_flux::DeviceChoice;
use atelier_flux::cuda::{Card, Lack, Survey};

use super::{Finding, Health};

/// What is said where a card could compute and the settings do not name it.
const HOW_TO_USE: &str = "\
pictures are made on the processor; to use the card: device = \"cuda\" under [device], or --device cuda
what cards make has not been measured yet: compare a picture with the processor's";

/// The finding for a machine, with the device that its settings name.
pub(super) fn finding(survey: &Survey, device: &str) -> Finding {
    let chosen = match device.parse() {
        Ok(DeviceChoice::Cuda(number)) => Some(number),
        _ => None,
    };
    match (survey.card(chosen.unwrap_or(0)), chosen) {
        (Ok(_), Some(_)) => Finding::new("device", Health::Good, describe(survey)),
        (Ok(_), None) => Finding::new("device", Health::Poor, describe(survey)).advise(HOW_TO_USE),
        (Err(lack), Some(number)) => Finding::new(
            "device",
            Health::Bad,
            format!("the settings say cuda:{number}, and {lack}"),
        )
        .advise(lack.hint()),
        // Nobody misses a driver on a machine without a card of NVIDIA's.
        (Err(lack @ (Lack::Driver | Lack::NoCard)), None) => {
            Finding::new("device", Health::Good, format!("the processor; {lack}"))
        }
        (Err(lack), None) => Finding::new(
            "device",
            Health::Poor,
            format!("the processor, since {lack}"),
        )
        .advise(lack.hint()),
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
        let found = finding(&machine(), "cuda");
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
        let unused = finding(&machine(), "auto");
        assert!(unused.advice.unwrap().contains("--device cuda"));
    }

    #[test]
    fn what_is_missing_weighs_as_much_as_the_settings_need_it() {
        let mut bare = machine();
        bare.driver = None;
        bare.cards.clear();
        assert_eq!(finding(&bare, "auto").health, Health::Good);
        let asked = finding(&bare, "cuda:1");
        assert_eq!(asked.health, Health::Bad);
        assert!(asked.says.contains("cuda:1") && asked.advice.is_some());

        let mut half = machine();
        half.compiler = None;
        let found = finding(&half, "auto");
        assert_eq!(found.health, Health::Poor);
        assert!(found.advice.unwrap().contains("libnvrtc"));
    }
}
