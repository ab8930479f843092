//! Walking a spanned TOML table strictly.
//!
//! A [`Section`] is a table that is being read. Every key that is asked for becomes a key that is
//! known; [`Section::finish`] reports the rest as unknown, with the nearest of the known ones. So
//! the list of keys is written once, as the code that reads them. Faults do not stop the walk:
//! they gather in [`Findings`], and the value counts as left out.

use std::collections::BTreeMap;
use std::ops::Range;

use toml::de::{DeTable, DeValue};

mod home;
mod syntax;
mod types;

pub(crate) use syntax::parse;
pub(crate) use types::{integer, number, string, wrong_type};

use crate::place::{Place, Places, Ruler};
use crate::problem::{Code, Fault, Problem};
use crate::suggest;

/// A fault at a byte offset.
struct Found {
    key: String,
    offset: usize,
    fault: Fault,
}

/// What a walk through a document has found so far.
#[derive(Default)]
pub(crate) struct Findings {
    found: Vec<Found>,
    seen: BTreeMap<String, usize>,
}

impl Findings {
    /// Notes a fault of a key whose text begins at `offset`.
    pub(crate) fn report(&mut self, key: &str, offset: usize, fault: Fault) {
        self.found.push(Found {
            key: key.to_owned(),
            offset,
            fault,
        });
    }

    /// Forgets what cannot be relied on because the text is broken from `offset` on: everything
    /// that stands there, and what was missed for want of it.
    pub(crate) fn trust_only_before(&mut self, offset: usize) {
        self.found
            .retain(|found| found.offset < offset && found.fault.code != Code::MissingKey);
    }

    /// The problems, and the places of all keys, now as lines and columns.
    pub(crate) fn in_text(mut self, text: &str) -> (Vec<Problem>, Places) {
        self.found.sort_by_key(|found| found.offset);
        let mut ruler = Ruler::new(text);
        let problems = self
            .found
            .into_iter()
            .map(|found| {
                let key = (!found.key.is_empty()).then_some(found.key);
                Problem::new(key, Some(ruler.place(found.offset)), found.fault)
            })
            .collect();
        let mut seen: Vec<_> = self.seen.into_iter().collect();
        seen.sort_by_key(|(_, offset)| *offset);
        let mut ruler = Ruler::new(text);
        let places = seen
            .into_iter()
            .map(|(key, offset)| (key, ruler.place(offset)))
            .collect::<Vec<(String, Place)>>();
        (problems, places.into_iter().collect())
    }
}

/// A value with the key path that led to it.
#[derive(Clone)]
pub(crate) struct Entry<'t> {
    /// The whole path, numbers from 1: `reference[2].prepare[1].plugin`.
    pub(crate) key: String,
    /// Where the value begins, in bytes.
    pub(crate) offset: usize,
    pub(crate) value: &'t DeValue<'t>,
}

/// A table that is being read.
pub(crate) struct Section<'f, 't> {
    path: String,
    offset: usize,
    table: &'t DeTable<'t>,
    known: Vec<&'static str>,
    findings: &'f mut Findings,
}

impl<'f, 't> Section<'f, 't> {
    /// The whole document.
    pub(crate) fn top(table: &'t DeTable<'t>, findings: &'f mut Findings) -> Self {
        Self {
            path: String::new(),
            offset: 0,
            table,
            known: Vec::new(),
            findings,
        }
    }

    /// The table that an entry holds; anything else is reported, with how it is written.
    pub(crate) fn enter<'a>(
        &'a mut self,
        entry: &Entry<'t>,
        written: &str,
    ) -> Option<Section<'a, 't>> {
        match entry.value {
            DeValue::Table(table) => Some(Section {
                path: entry.key.clone(),
                offset: entry.offset,
                table,
                known: Vec::new(),
                findings: self.findings,
            }),
            other => {
                let fault = wrong_type(other, "be a table").hint(format!("write {written}"));
                self.findings.report(&entry.key, entry.offset, fault);
                None
            }
        }
    }

    /// The value of a key as it stands.
    pub(crate) fn entry(&mut self, key: &'static str) -> Option<Entry<'t>> {
        self.known.push(key);
        let value = self.table.get(key)?;
        let Range { start, end } = value.span();
        let path = join(&self.path, key);
        self.findings.seen.insert(path.clone(), start);
        // The parser puts an empty one where a value is missing, and has said so.
        (start < end).then(|| Entry {
            key: path,
            offset: start,
            value: value.get_ref(),
        })
    }

    /// A value through its type and its rule, or the report of what is wrong with it.
    pub(crate) fn value<T>(
        &mut self,
        key: &'static str,
        rule: impl FnOnce(&'t DeValue<'t>) -> Result<T, Fault>,
    ) -> Option<T> {
        let entry = self.entry(key)?;
        rule(entry.value)
            .map_err(|fault| self.findings.report(&entry.key, entry.offset, fault))
            .ok()
    }

    /// A string.
    pub(crate) fn string<T>(
        &mut self,
        key: &'static str,
        rule: impl FnOnce(&str) -> Result<T, Fault>,
    ) -> Option<T> {
        self.value(key, |value| rule(string(value)?))
    }

    /// A whole number.
    pub(crate) fn integer<T>(
        &mut self,
        key: &'static str,
        rule: impl FnOnce(i64) -> Result<T, Fault>,
    ) -> Option<T> {
        self.value(key, |value| rule(integer(value)?))
    }

    /// A number, with or without a fraction.
    pub(crate) fn number<T>(
        &mut self,
        key: &'static str,
        rule: impl FnOnce(f64) -> Result<T, Fault>,
    ) -> Option<T> {
        self.value(key, |value| rule(number(value)?))
    }

    /// True or false.
    pub(crate) fn boolean(&mut self, key: &'static str) -> Option<bool> {
        self.value(key, types::boolean)
    }

    /// The entries of a list, none if it is left out; over `most` the whole list is refused.
    pub(crate) fn list(&mut self, key: &'static str, most: usize, written: &str) -> Vec<Entry<'t>> {
        let Some(entry) = self.entry(key) else {
            return Vec::new();
        };
        self.elements(&entry, most, written)
    }

    /// The elements of an entry that is a list, numbered from 1.
    pub(crate) fn elements(
        &mut self,
        entry: &Entry<'t>,
        most: usize,
        written: &str,
    ) -> Vec<Entry<'t>> {
        let DeValue::Array(array) = entry.value else {
            let fault = wrong_type(entry.value, "be a list").hint(format!("write {written}"));
            self.findings.report(&entry.key, entry.offset, fault);
            return Vec::new();
        };
        if array.len() > most {
            let says = format!("has {} entries; at most {most} are possible", array.len());
            let fault = Fault::of_key(Code::TooMany, says);
            self.findings.report(&entry.key, entry.offset, fault);
            return Vec::new();
        }
        let mut elements = Vec::with_capacity(array.len());
        for (index, element) in array.iter().enumerate() {
            let key = format!("{}[{}]", entry.key, index + 1);
            let offset = element.span().start;
            self.findings.seen.insert(key.clone(), offset);
            elements.push(Entry {
                key,
                offset,
                value: element.get_ref(),
            });
        }
        elements
    }

    /// Reports a fault of an entry of this section.
    pub(crate) fn report(&mut self, entry: &Entry<'_>, fault: Fault) {
        self.findings.report(&entry.key, entry.offset, fault);
    }

    /// Notes where a value stands that is not asked for by name: a plugin's parameter.
    pub(crate) fn saw(&mut self, entry: &Entry<'_>) {
        self.findings.seen.insert(entry.key.clone(), entry.offset);
    }

    /// Whether the table says anything at all.
    pub(crate) fn is_given(&self) -> bool {
        !self.table.is_empty()
    }

    /// Reports that a key must be there and is not, unless it is there (and perhaps bad).
    pub(crate) fn require(&mut self, key: &'static str, hint: &str) {
        if self.table.get(key).is_none() {
            let fault = Fault::of_key(Code::MissingKey, "is missing").hint(hint);
            let path = join(&self.path, key);
            self.findings.report(&path, self.offset, fault);
        }
    }

    /// The entries that nobody has asked for, by name: a plugin's parameters.
    pub(crate) fn others(&self) -> Vec<(String, Entry<'t>)> {
        self.table
            .iter()
            .filter(|(key, _)| !self.known.contains(&&**key.get_ref()))
            .map(|(key, value)| {
                let entry = Entry {
                    key: join(&self.path, key.get_ref()),
                    offset: value.span().start,
                    value: value.get_ref(),
                };
                (key.get_ref().to_string(), entry)
            })
            .collect()
    }

    /// Ends the reading: what nobody has asked for is unknown.
    pub(crate) fn finish(self) {
        for key in self.table.keys() {
            let name: &str = key.get_ref();
            if self.known.contains(&name) {
                continue;
            }
            let near = || {
                let near = suggest::nearest(name, self.known.iter().copied())?;
                Some(format!("did you mean {near}?"))
            };
            let hint = home::advice(name, &self.path).or_else(near);
            let fault = Fault::of_key(Code::UnknownKey, "is not a key known here").maybe_hint(hint);
            let path = join(&self.path, name);
            self.findings.report(&path, key.span().start, fault);
        }
    }
}

/// A key path one part longer; a part that is no bare key is quoted, as in TOML.
pub(crate) fn join(path: &str, key: &str) -> String {
    let bare = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-');
    let quoted;
    let key = if !key.is_empty() && key.len() <= 64 && key.chars().all(bare) {
        key
    } else {
        quoted = crate::problem::quoted(key);
        &quoted
    };
    if path.is_empty() {
        key.to_owned()
    } else {
        format!("{path}.{key}")
    }
}
