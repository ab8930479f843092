//! A job as the ledger stores it, and as the rest sees it.

use std::path::PathBuf;

use rusqlite::Row;

use crate::job::{Life, Stage, State, StateName};
use crate::records::{self, ErrorFile, ResultNotes};
use crate::schedule::Waiting;
use crate::spool::Filed;
use crate::{JobId, QueueError};

/// One job.
#[derive(Clone, Debug, PartialEq)]
pub struct JobRow {
    /// The id.
    pub id: JobId,
    /// The place in the order of acceptance, from 1.
    pub sequence: i64,
    /// The manifest's file name without `.toml`, made safe for other file names.
    pub name: String,
    /// The manifest's file name.
    pub manifest: String,
    /// The watched folder it came from; `None` if it was handed in.
    pub root: Option<PathBuf>,
    /// What the program stored when it accepted the job.
    pub spec: String,
    /// −10 … 10, the higher the sooner.
    pub priority: i32,
    /// The user holds it back.
    pub paused: bool,
    /// State and counts.
    pub life: Life,
    /// Milliseconds since 1970.
    pub accepted_ms: i64,
    /// When the last attempt began, in milliseconds since 1970.
    pub started_ms: Option<i64>,
    /// The inputs as they were copied, by number.
    pub inputs: Vec<InputRow>,
    /// The outputs that are staged or delivered, by number.
    pub outputs: Vec<OutputRow>,
    pub(crate) result: Option<ResultNotes>,
    pub(crate) filed: Option<Filed>,
    pub(crate) unfile: Option<Filed>,
}

/// An input of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputRow {
    /// From 1, as in the prompt.
    pub number: u32,
    /// Its file name as the user had it.
    pub name: String,
    /// Its file name in the spool entry's `inputs/`.
    pub file: String,
    /// SHA-256, 64 hexadecimal digits.
    pub sha256: String,
    /// Length in bytes.
    pub bytes: i64,
}

/// An output of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputRow {
    /// From 0.
    pub index: u32,
    /// Its file name in the spool entry's `out/`.
    pub staged: String,
    /// The file name that was asked for.
    pub wanted: String,
    /// SHA-256, 64 hexadecimal digits.
    pub sha256: String,
    /// Length in bytes.
    pub bytes: i64,
    /// The seed it was made with.
    pub seed: Option<i64>,
    /// Width in pixels.
    pub width: Option<u32>,
    /// Height in pixels.
    pub height: Option<u32>,
    /// Its file name in the outbox, once that is chosen.
    pub final_name: Option<String>,
    /// Whether it is in the outbox for good.
    pub delivered: bool,
}

/// Which jobs to list, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only these states; all if empty.
    pub states: Vec<StateName>,
    /// Only jobs accepted before the one with this sequence: the next page.
    pub before: Option<i64>,
    /// At most this many; 0 is no limit.
    pub limit: u32,
}

impl JobRow {
    /// The public name of the state.
    #[must_use]
    pub fn state(&self) -> StateName {
        self.life.state.name()
    }

    /// Why it failed, or why the last attempt did.
    #[must_use]
    pub fn fault(&self) -> Option<&ErrorFile> {
        match &self.life.state {
            State::Failed { fault, .. } => Some(fault),
            State::Queued { last_fault, .. } => last_fault.as_deref(),
            _ => None,
        }
    }

    /// When it ended, in milliseconds since 1970.
    #[must_use]
    pub fn ended_ms(&self) -> Option<i64> {
        match self.life.state {
            State::Done { at_ms } | State::Failed { at_ms, .. } | State::Cancelled { at_ms } => {
                Some(at_ms)
            }
            _ => None,
        }
    }

    /// Where its files were put after its end, such as `failed/poster-2`, relative to the home.
    #[must_use]
    pub fn filed(&self) -> Option<String> {
        self.filed.as_ref().map(ToString::to_string)
    }
}

/// The columns that [`job`] reads, in its order.
pub(super) const COLUMNS: &str = "id, sequence, name, manifest, root, spec, priority, paused, state, \
     attempts, crashes, failures, cancel_requested, not_before_ms, fault, result, accepted_ms, \
     started_ms, ended_ms, filed, unfile";

/// How a state is stored: the column `state`, apart from what goes with it.
pub(super) fn stored_name(state: &State) -> &'static str {
    match state {
        State::Working {
            stage: Stage::Delivering,
        } => "delivering",
        other => other.name().as_str(),
    }
}

/// A job without its inputs and outputs.
pub(super) fn job(row: &Row<'_>) -> Result<JobRow, QueueError> {
    let id: JobId = parse(row, 0)?;
    Ok(JobRow {
        id,
        sequence: row.get(1)?,
        name: row.get(2)?,
        manifest: row.get(3)?,
        root: row.get::<_, Option<String>>(4)?.map(PathBuf::from),
        spec: row.get(5)?,
        priority: row.get(6)?,
        paused: row.get(7)?,
        life: Life {
            state: state(row)?,
            attempts: row.get(9)?,
            crashes: row.get(10)?,
            failures: row.get(11)?,
            cancel_requested: row.get(12)?,
        },
        accepted_ms: row.get(16)?,
        started_ms: row.get(17)?,
        inputs: Vec::new(),
        outputs: Vec::new(),
        result: match row.get::<_, Option<String>>(15)? {
            Some(text) => Some(records::from_json(&text, &format!("result of job {id}"))?),
            None => None,
        },
        filed: filed(row, 19)?,
        unfile: filed(row, 20)?,
    })
}

fn state(row: &Row<'_>) -> Result<State, QueueError> {
    let name: String = row.get(8)?;
    let fault = || -> Result<Option<Box<ErrorFile>>, QueueError> {
        let text: Option<String> = row.get(14)?;
        text.map(|text| records::from_json(&text, "fault of a job"))
            .transpose()
    };
    let at_ms = || row.get::<_, i64>(18);
    Ok(match name.as_str() {
        "queued" => State::Queued {
            not_before_ms: row.get(13)?,
            last_fault: fault()?,
        },
        "preparing" => State::Working {
            stage: Stage::Preparing,
        },
        "running" => State::Working {
            stage: Stage::Running,
        },
        "signing" => State::Working {
            stage: Stage::Signing,
        },
        "delivering" => State::Working {
            stage: Stage::Delivering,
        },
        "done" => State::Done { at_ms: at_ms()? },
        "failed" => State::Failed {
            at_ms: at_ms()?,
            fault: fault()?.unwrap_or_default(),
        },
        "cancelled" => State::Cancelled { at_ms: at_ms()? },
        other => {
            return Err(QueueError::RecordUnreadable {
                what: "state of a job".into(),
                detail: format!("{other:?}"),
            });
        }
    })
}

fn filed(row: &Row<'_>, column: usize) -> Result<Option<Filed>, QueueError> {
    row.get::<_, Option<String>>(column)?
        .map(|text| text.parse())
        .transpose()
}

fn parse(row: &Row<'_>, column: usize) -> Result<JobId, QueueError> {
    row.get::<_, String>(column)?.parse()
}

/// `id, sequence, priority, paused, not_before_ms`.
pub(super) fn waiting(row: &Row<'_>) -> Result<Waiting, QueueError> {
    Ok(Waiting {
        id: parse(row, 0)?,
        sequence: row.get(1)?,
        priority: row.get(2)?,
        paused: row.get(3)?,
        not_before_ms: row.get(4)?,
    })
}
