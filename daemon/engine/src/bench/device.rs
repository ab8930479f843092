//! What is timed, by name.

use std::fs;

use super::report::Device;
use crate::cuda::{Meter, Survey};
use crate::device::DeviceChoice;

/// The device, and what counts its memory if it is a card. That a card is missing, whoever opens it says.
pub(super) fn find(choice: DeviceChoice) -> (Device, Option<Meter>) {
    let kind = choice.to_string();
    let DeviceChoice::Cuda(number) = choice else {
        let device = Device {
            name: line("/proc/cpuinfo", "model name").unwrap_or_else(|| "processor".into()),
            kind,
            driver: None,
            memory_mib: line("/proc/meminfo", "MemTotal").and_then(|size| mebibytes(&size)),
        };
        return (device, None);
    };
    let survey = Survey::take();
    let card = survey.cards.iter().find(|card| card.number == number);
    let meter = card.and_then(Meter::open);
    let device = Device {
        name: card.map_or_else(String::new, |card| card.name.clone()),
        kind,
        driver: meter.as_ref().and_then(Meter::driver),
        memory_mib: card.map(|card| card.memory >> 20),
    };
    (device, meter)
}

/// What a file of the system says under this name, the first time.
fn line(path: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let mut pairs = text.lines().filter_map(|line| line.split_once(':'));
    let (_, value) = pairs.find(|(found, _)| found.trim() == name)?;
    Some(value.trim().to_owned())
}

/// Of a number of kibibytes, as `24572452 kB`.
fn mebibytes(size: &str) -> Option<u64> {
    let kibibytes: u64 = size.strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes >> 10)
}
