//! Syntax: from text to a table, with as many of its errors as can be told apart.
//!
//! The parser recovers after an error and goes on, so several slips are found at once; but one
//! slip (a quote left open) makes others on its line, of which only the first is worth saying. A
//! key given twice breaks nothing else and is told apart from broken text.

use toml::Spanned;
use toml::de::{DeTable, DeValue, Error};

use super::{Findings, join};
use crate::problem::{Code, Fault};

/// Broken lines that are reported; after so many it is hardly a manifest.
const MAX_BROKEN_LINES: usize = 10;

/// Keys given twice that are reported; finding the table around one costs a walk through all.
const MAX_DUPLICATES: usize = 20;

/// A parsed document, as far as it could be.
pub(crate) struct Syntax<'t> {
    pub(crate) table: DeTable<'t>,
    /// Where the first line begins whose text is broken: from here on the table is a guess.
    pub(crate) broken_from: Option<usize>,
    /// The errors, not yet told apart from other findings.
    pub(crate) findings: Findings,
}

/// Parses a text that is at most [`crate::MAX_MANIFEST_BYTES`] long.
pub(crate) fn parse(text: &str) -> Syntax<'_> {
    let (table, errors) = DeTable::parse_recoverable(text);
    let table = table.into_inner();
    let mut errors: Vec<(usize, Error)> = errors
        .into_iter()
        .map(|error| (error.span().map_or(0, |span| span.start), error))
        .collect();
    errors.sort_by_key(|(offset, _)| *offset);

    let mut findings = Findings::default();
    let mut broken_from = None;
    let (mut duplicates, mut broken_lines) = (0, 0);
    let mut last = None;
    for (offset, error) in errors {
        if error.message() == "duplicate key" {
            duplicates += 1;
            if duplicates <= MAX_DUPLICATES {
                report_duplicate(text, &table, offset, &error, &mut findings);
            }
            continue;
        }
        if broken_lines == MAX_BROKEN_LINES || last.is_some_and(|last| one_line(text, last, offset))
        {
            continue;
        }
        broken_from = broken_from.or_else(|| Some(line_start(text, offset)));
        broken_lines += 1;
        last = Some(offset);
        let key = key_at(text, &table, offset).unwrap_or_default();
        findings.report(&key, offset, broken(text, offset, &error));
    }
    Syntax {
        table,
        broken_from,
        findings,
    }
}

fn broken(text: &str, offset: usize, error: &Error) -> Fault {
    let what = error.message();
    let what = what.strip_suffix(", expected nothing").unwrap_or(what);
    let fault = Fault::whole(Code::ManifestSyntax, format!("this is not TOML: {what}"));
    let rest = text.get(offset..).unwrap_or_default();
    if rest.trim().is_empty() {
        fault.hint(
            "the text ends in the middle; if it was still being copied: write a manifest under \
             another name, and rename it when it is complete",
        )
    } else {
        fault
    }
}

/// Reports a key that is given twice, at the second.
fn report_duplicate(
    text: &str,
    table: &DeTable<'_>,
    offset: usize,
    error: &Error,
    findings: &mut Findings,
) {
    let end = error.span().map_or(offset, |span| span.end);
    // The parser points at the last part of a dotted key; the parts before it are on its left.
    let start = text[..floor(text, offset)]
        .rfind(|letter: char| !(letter.is_ascii_alphanumeric() || "_-.\"'".contains(letter)))
        .map_or(0, |before| before + 1);
    let start = if text.is_char_boundary(start) {
        start
    } else {
        offset
    };
    let name = text.get(start..end).unwrap_or_default();
    let header = text[..floor(text, start)].ends_with('[');
    let key = if header {
        name.to_owned()
    } else {
        let mut around = Around {
            text,
            offset,
            start: 0,
            path: String::new(),
        };
        around.search(table, "");
        match around.path.as_str() {
            "" => name.to_owned(),
            path => format!("{path}.{name}"),
        }
    };
    let hint = match name {
        "reference" => "write [[reference]], in double brackets, once for each reference",
        _ => "keep one of them",
    };
    let fault = Fault::of_key(Code::DuplicateKey, "is given more than once").hint(hint);
    findings.report(&key, offset, fault);
}

/// Finds the innermost table around a place in the text.
struct Around<'t> {
    text: &'t str,
    offset: usize,
    start: usize,
    path: String,
}

impl Around<'_> {
    fn search(&mut self, table: &DeTable<'_>, path: &str) {
        for (key, value) in table {
            self.consider(value, &join(path, key.get_ref()));
        }
    }

    fn consider(&mut self, value: &Spanned<DeValue<'_>>, path: &str) {
        match value.get_ref() {
            DeValue::Table(table) => {
                let span = value.span();
                let inside = match self.text.as_bytes().get(span.start) {
                    // [table]: reaches to the next one, which then begins later.
                    Some(b'[') => span.end <= self.offset,
                    // { inline }: reaches to its own end.
                    Some(b'{') => span.contains(&self.offset),
                    // Parts of a dotted key: the text before the key says them.
                    _ => false,
                };
                if inside && span.start >= self.start {
                    self.start = span.start;
                    path.clone_into(&mut self.path);
                }
                self.search(table, path);
            }
            DeValue::Array(array) => {
                for (index, element) in array.iter().enumerate() {
                    if matches!(element.get_ref(), DeValue::Table(_) | DeValue::Array(_)) {
                        self.consider(element, &format!("{path}[{}]", index + 1));
                    }
                }
            }
            _ => {}
        }
    }
}

/// The key whose value is at `offset`, where the parser kept it: the last one that begins before,
/// on the same line or with a value that reaches so far.
fn key_at(text: &str, table: &DeTable<'_>, offset: usize) -> Option<String> {
    let mut best: Option<(usize, String)> = None;
    let line = line_start(text, offset);
    let mut search = vec![(String::new(), table)];
    while let Some((path, table)) = search.pop() {
        for (key, value) in table {
            let start = key.span().start;
            let reached = start >= line || value.span().contains(&offset);
            let later = best.as_ref().is_none_or(|(best, _)| start > *best);
            let path = join(&path, key.get_ref());
            if start <= offset && reached && later {
                best = Some((start, path.clone()));
            }
            match value.get_ref() {
                DeValue::Table(inner) => search.push((path, inner)),
                DeValue::Array(array) => {
                    for (index, element) in array.iter().enumerate() {
                        if let DeValue::Table(inner) = element.get_ref() {
                            search.push((format!("{path}[{}]", index + 1), inner));
                        }
                    }
                }
                _ => {}
            }
        }
    }
    best.map(|(_, path)| path)
}

/// Where the line of a byte begins.
fn line_start(text: &str, offset: usize) -> usize {
    text.as_bytes()[..offset.min(text.len())]
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |newline| newline + 1)
}

/// Whether two bytes, the earlier first, are on one line.
fn one_line(text: &str, earlier: usize, later: usize) -> bool {
    let between = text.as_bytes().get(earlier..later).unwrap_or_default();
    !between.contains(&b'\n')
}

/// The nearest character boundary at or before a byte.
fn floor(text: &str, offset: usize) -> usize {
    text.floor_char_boundary(offset)
}
