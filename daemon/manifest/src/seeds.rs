//! Seeds: how many pictures a job makes, and from which noise.
//!
//! A manifest gives one seed, a list, or a range; what it leaves out is drawn later by the
//! program and recorded with the result, so that every picture can be made again. Nothing here
//! draws: a check must give the same answer each time.

use serde::{Deserialize, Serialize};
use toml::de::DeValue;

use crate::document::{self, Entry, Section};
use crate::limits::{self, MAX_RENDERS, MAX_SEED};
use crate::problem::{Code, Fault};

/// The seeds of a job, one for each picture; at most [`MAX_RENDERS`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Seeds {
    /// These, in this order; at least one, no two the same, each 0 to 2^63 − 1.
    Fixed(Vec<u64>),
    /// This many (at least one), to be drawn when the job is accepted.
    Drawn {
        /// How many.
        count: usize,
    },
}

impl Seeds {
    /// How many pictures they make.
    #[must_use]
    pub fn count(&self) -> usize {
        match self {
            Self::Fixed(seeds) => seeds.len(),
            Self::Drawn { count } => *count,
        }
    }

    /// The seed of the first picture; none while it is still to be drawn.
    #[must_use]
    pub fn first(&self) -> Option<u64> {
        match self {
            Self::Fixed(seeds) => seeds.first().copied(),
            Self::Drawn { .. } => None,
        }
    }
}

impl Default for Seeds {
    /// One, to be drawn: what a manifest without a seed means.
    fn default() -> Self {
        Self::Drawn { count: 1 }
    }
}

const WRITTEN: &str = "seed = 42, seed = [1, 2, 3] or seed = { start = 1, count = 8 }";

/// The key `seed` in any of its forms.
pub(crate) fn read(section: &mut Section<'_, '_>) -> Option<Seeds> {
    let entry = section.entry("seed")?;
    match entry.value {
        DeValue::Integer(_) => one(section, &entry).map(|seed| Seeds::Fixed(vec![seed])),
        DeValue::Array(_) => list(section, &entry),
        DeValue::Table(_) => range(section, &entry),
        other => {
            // A quoted number gets the hint that numbers get; anything else, all the forms.
            let fault = match document::integer(other) {
                Err(fault) if fault.hint.is_some() => fault,
                _ => {
                    let must = "be a whole number, a list of them, or a range";
                    document::wrong_type(other, must).hint(format!("write {WRITTEN}"))
                }
            };
            section.report(&entry, fault);
            None
        }
    }
}

fn one(section: &mut Section<'_, '_>, entry: &Entry<'_>) -> Option<u64> {
    document::integer(entry.value)
        .and_then(limits::seed)
        .map_err(|fault| section.report(entry, fault))
        .ok()
}

fn list<'t>(section: &mut Section<'_, 't>, entry: &Entry<'t>) -> Option<Seeds> {
    let elements = section.elements(entry, MAX_RENDERS, WRITTEN);
    if elements.is_empty() {
        if matches!(entry.value, DeValue::Array(array) if array.is_empty()) {
            let fault = Fault::of_key(Code::InvalidValue, "is an empty list")
                .hint("leave seed out, and one is drawn");
            section.report(entry, fault);
        }
        return None;
    }
    let mut seeds = Vec::with_capacity(elements.len());
    let mut all_good = true;
    for element in &elements {
        match one(section, element) {
            Some(seed) if seeds.contains(&seed) => {
                let says = format!("is {seed} again; that would be the same picture twice");
                section.report(element, Fault::of_key(Code::InvalidValue, says));
                all_good = false;
            }
            Some(seed) => seeds.push(seed),
            None => all_good = false,
        }
    }
    all_good.then_some(Seeds::Fixed(seeds))
}

fn range<'t>(section: &mut Section<'_, 't>, entry: &Entry<'t>) -> Option<Seeds> {
    let mut range = section.enter(entry, WRITTEN)?;
    let has_start = range.entry("start").is_some();
    let start = range.integer("start", limits::seed);
    let count = range.integer("count", limits::count);
    range.require("count", "say how many pictures: { start = 1, count = 8 }");
    range.finish();
    let count = count?;
    if !has_start {
        return Some(Seeds::Drawn { count });
    }
    let start = start?;
    // Both are below 2^63, so the sum cannot wrap.
    let last = start + (count as u64 - 1);
    if last > MAX_SEED {
        let fault = Fault::of_key(
            Code::OutOfRange,
            format!("runs from {start} to {last}; seeds go up to 2^63 - 1"),
        );
        section.report(entry, fault);
        return None;
    }
    Some(Seeds::Fixed((start..=last).collect()))
}
