//! What goes to stdout: tables for people, one JSON document for programs. A reader that stops
//! early (`| head`) is no error.

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use serde::Serialize;

use crate::fault::Fault;

/// Prints a line on stdout.
pub(super) fn line(text: impl AsRef<str>) {
    // Nobody is left to tell when stdout is closed.
    let _ = writeln!(io::stdout(), "{}", text.as_ref());
}

/// Whether the one JSON document that a command prints is printed.
static PRINTED: AtomicBool = AtomicBool::new(false);

/// Prints one JSON document on stdout.
pub(super) fn json(value: &impl Serialize) {
    PRINTED.store(true, Ordering::Relaxed);
    match serde_json::to_string_pretty(value) {
        Ok(text) => line(text),
        Err(cause) => tracing::error!(%cause, "cannot be written as JSON"),
    }
}

/// Prints rows in columns, the first row as the heading.
pub(super) fn table(rows: &[Vec<String>]) {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns)
        .map(|column| {
            rows.iter()
                .filter_map(|row| row.get(column))
                .map(|cell| cell.chars().count())
                .max()
                .unwrap_or(0)
        })
        .collect();
    for row in rows {
        let mut text = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            text.push_str(&format!("{cell:<width$}  "));
        }
        line(text.trim_end());
    }
}

/// Bytes for a person, in the decimal units that shops and file managers use.
#[allow(clippy::cast_precision_loss, reason = "shown with three digits")]
pub(super) fn bytes(count: u64) -> String {
    match count {
        0..1_000 => format!("{count} B"),
        1_000..1_000_000 => format!("{:.1} kB", count as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", count as f64 / 1e6),
        _ => format!("{:.2} GB", count as f64 / 1e9),
    }
}

/// Says what went wrong: for people on stderr, and with `--json` as the document on stdout, unless
/// the command has printed its own, which then says it too.
pub(crate) fn fail(fault: &Fault, as_json: bool) {
    if as_json && !PRINTED.load(Ordering::Relaxed) {
        #[derive(Serialize)]
        struct Failure<'a> {
            error: &'a Fault,
        }
        json(&Failure { error: fault });
    }
    let _ = writeln!(io::stderr(), "{fault}");
}
