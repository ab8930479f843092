//! Finished files into the outbox: each exactly once, whole, and over nobody's file.
//!
//! A staged file leaves the spool by one thing only, the rename that delivers it, and the name it gets
//! is written down before. So after a crash the question "was it delivered?" has an answer: if the
//! staged file is gone and a name was recorded, it was, even if the user has since taken it away.
//! Nothing is ever copied into the outbox, so nothing half-written can lie there.

use std::path::{Path, PathBuf};

use crate::durable::{self, Moved};
use crate::ledger::{Ledger, OutputRow};
use crate::spool::Entry;
use crate::{JobId, QueueError, names};

/// A file in the outbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivered {
    /// The output's number, from 0.
    pub index: u32,
    /// Its file name.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
    /// SHA-256, 64 hexadecimal digits.
    pub sha256: String,
}

/// What lies in the spool under an output's staged name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Staged {
    Whole,
    Damaged,
    Gone,
    /// The job's folder itself is missing, so that the file is gone says nothing.
    NoFolder,
}

/// What lies in the outbox under an output's recorded name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Placed {
    Nothing,
    /// A file with the recorded digest.
    Same,
    /// The staged file itself, under a second name.
    Itself,
    Other,
}

/// What to do next with one output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// Choose a name and record it.
    Name,
    /// Rename it to its recorded name.
    Place,
    /// Its name went to another file: choose the next one.
    Renumber,
    /// Delivered; the spool's second name of it goes.
    Unlink,
    /// Delivered.
    Done,
    /// It can neither be found nor have been delivered.
    Lost,
}

/// The decision table. Pure.
fn judge(staged: Staged, named: bool, placed: Placed) -> Step {
    match (staged, named, placed) {
        (Staged::Whole, false, _) => Step::Name,
        (Staged::Whole, true, Placed::Nothing) => Step::Place,
        (Staged::Whole, true, Placed::Itself) => Step::Unlink,
        // Even an equal file is another's: ours is still in the spool.
        (Staged::Whole, true, Placed::Same | Placed::Other) => Step::Renumber,
        (Staged::Gone, true, _) | (Staged::NoFolder, true, Placed::Same) => Step::Done,
        _ => Step::Lost,
    }
}

/// Places every output of a sealed job. Can be repeated after any failure or crash.
pub(crate) fn place_all(
    ledger: &Ledger,
    entry: &Entry,
    outbox: &Path,
    id: JobId,
) -> Result<Vec<Delivered>, QueueError> {
    let job = ledger.read(|db| Ledger::get(db, id))?;
    let mut delivered = Vec::with_capacity(job.outputs.len());
    for output in job.outputs {
        let name = if output.delivered {
            output.final_name.unwrap_or_default()
        } else {
            place(ledger, entry, outbox, id, &output)?
        };
        let path = outbox.join(&name);
        delivered.push(Delivered {
            index: output.index,
            name,
            path,
            sha256: output.sha256,
        });
    }
    durable::sync_dir(outbox)?;
    if durable::exists(&entry.out()) {
        durable::sync_dir(&entry.out())?;
    }
    ledger.write(|db| Ledger::set_all_delivered(db, id))?;
    Ok(delivered)
}

/// Places one output; gives its name in the outbox.
fn place(
    ledger: &Ledger,
    entry: &Entry,
    outbox: &Path,
    id: JobId,
    output: &OutputRow,
) -> Result<String, QueueError> {
    let from = entry.out().join(&output.staged);
    let mut name = output.final_name.clone();
    let mut number = 1;
    loop {
        let to = name.as_ref().map(|name| outbox.join(name));
        let staged = look_at_staged(entry, &from, output)?;
        let placed = look_at_placed(&from, to.as_deref(), output)?;
        match (judge(staged, name.is_some(), placed), name.as_deref(), to) {
            (Step::Name, ..) | (Step::Renumber, ..) => {
                let (chosen, n) = free_name(outbox, &output.wanted, number);
                number = n + 1;
                ledger.write(|db| Ledger::set_final(db, id, output.index, &chosen))?;
                name = Some(chosen);
            }
            (Step::Place, Some(_), Some(to)) => match durable::rename_noreplace(&from, &to)? {
                // Looked at again: the next round ends in `Done` or in another name.
                Moved::Yes | Moved::NameTaken | Moved::SourceGone => {}
            },
            (Step::Unlink, ..) => durable::remove_file(&from)?,
            (Step::Done, Some(name), _) => {
                if placed == Placed::Nothing {
                    tracing::info!(job = %id, name, "was delivered and has since been taken away");
                }
                return Ok(name.to_owned());
            }
            _ => {
                return Err(QueueError::StagedOutputLost {
                    id,
                    index: output.index,
                });
            }
        }
    }
}

fn look_at_staged(entry: &Entry, from: &Path, output: &OutputRow) -> Result<Staged, QueueError> {
    Ok(match durable::content_of(from)? {
        Some(content) if content.sha256 == output.sha256 => Staged::Whole,
        Some(_) => Staged::Damaged,
        None if durable::exists(&entry.out()) => Staged::Gone,
        None => Staged::NoFolder,
    })
}

fn look_at_placed(
    from: &Path,
    to: Option<&Path>,
    output: &OutputRow,
) -> Result<Placed, QueueError> {
    let Some(to) = to else {
        return Ok(Placed::Nothing);
    };
    if !durable::exists(to) {
        return Ok(Placed::Nothing);
    }
    if durable::same_file(from, to) {
        return Ok(Placed::Itself);
    }
    // What cannot be read is in any case not a reason to stop: it is somebody else's.
    let same = to.is_file()
        && durable::content_of(to).is_ok_and(|c| c.is_some_and(|c| c.sha256 == output.sha256));
    Ok(if same { Placed::Same } else { Placed::Other })
}

/// The first free name from `number` on, and its number. Only a guess: the rename decides.
fn free_name(outbox: &Path, wanted: &str, mut number: u32) -> (String, u32) {
    let (stem, extension) = wanted.rsplit_once('.').unwrap_or((wanted, "bin"));
    loop {
        let name = format!("{}.{extension}", names::numbered(stem, number));
        if !durable::exists(&outbox.join(&name)) {
            return (name, number);
        }
        number += 1;
    }
}

#[cfg(test)]
mod tests;
