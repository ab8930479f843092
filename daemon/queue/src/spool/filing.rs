//! Putting a manifest where the user sees how it ended: `done/`, `failed/` or `cancelled/`.
//!
//! Several files get one number, and a crash may come between any two renames. So the chosen name is
//! written down in the entry first; whoever finds that record carries on from there, and a file that
//! is no longer in the entry has been moved. The manifest moves last: once it is visible, the file
//! that explains it is too.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{Entry, Origin, Spool, plain, snapshot};
use crate::durable::{self, Moved};
use crate::ledger::InputRow;
use crate::records::{self, ErrorFile};
use crate::{JobId, QueueError, names};

/// Which of the three folders.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Ending {
    Done,
    Failed,
    Cancelled,
}

impl Ending {
    fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    fn note_suffix(self) -> &'static str {
        match self {
            Self::Done => "result.toml",
            Self::Failed | Self::Cancelled => "error.toml",
        }
    }
}

/// Where a job's files were put. Written `failed/NAME-2` in the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Filed {
    pub(crate) ending: Ending,
    pub(crate) stem: String,
}

impl fmt::Display for Filed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.ending.as_str(), self.stem)
    }
}

impl FromStr for Filed {
    type Err = QueueError;

    fn from_str(text: &str) -> Result<Self, QueueError> {
        let all = [Ending::Done, Ending::Failed, Ending::Cancelled];
        text.split_once('/')
            .and_then(|(folder, stem)| {
                let ending = all.into_iter().find(|ending| ending.as_str() == folder)?;
                Some(Self {
                    ending,
                    stem: stem.to_owned(),
                })
            })
            .ok_or_else(|| QueueError::RecordUnreadable {
                what: "filing".into(),
                detail: format!("{text:?}"),
            })
    }
}

/// The record in the entry: the chosen name, and which files were there to be moved.
#[derive(Debug, Serialize, Deserialize)]
struct Plan {
    ending: Ending,
    stem: String,
    number: u32,
    inputs: bool,
    manifest: bool,
}

impl Plan {
    fn filed(&self) -> Filed {
        Filed {
            ending: self.ending,
            stem: names::numbered(&self.stem, self.number),
        }
    }
}

/// The three names of a filed job.
struct Names {
    note: PathBuf,
    inputs: PathBuf,
    manifest: PathBuf,
}

impl Spool {
    /// Files the entry's manifest, with `note` beside it, and the inputs of a job that may run again.
    /// The entry itself stays, empty of these; it is made if it is missing. Doing it twice, or half
    /// and then again, is the same as doing it once; `note` counts only the first time.
    pub(crate) fn file_away(
        &self,
        entry: &Entry,
        ending: Ending,
        stem: &str,
        note: &str,
    ) -> Result<Filed, QueueError> {
        if !durable::exists(&entry.filing()) {
            if !entry.exists() {
                durable::create_dir(entry.dir())?;
                durable::sync_dir(&self.home.working)?;
            }
            durable::remove_file(&entry.note())?;
            durable::write_new(&entry.note(), note.as_bytes())?;
            self.choose(entry, ending, stem, 1)?;
        }
        self.finish_filing(entry)
    }

    /// Carries on with a filing whose name was chosen.
    pub(crate) fn finish_filing(&self, entry: &Entry) -> Result<Filed, QueueError> {
        loop {
            let plan: Plan = entry.read_record(&entry.filing(), "filing")?;
            if self.place(entry, &plan)? {
                return Ok(plan.filed());
            }
            self.choose(entry, plan.ending, &plan.stem, plan.number + 1)?;
        }
    }

    /// Makes an entry for a job that failed or was cancelled and shall run again, from copies of what
    /// was kept. Nothing that was filed is changed.
    pub(crate) fn revive(
        &self,
        id: JobId,
        origin: &Origin,
        filed: &Filed,
        inputs: &[InputRow],
    ) -> Result<Entry, QueueError> {
        let kept = self.names(filed);
        let entry = self.begin(id, origin)?;
        let restored = plain::open_plain(&kept.manifest)
            .map_err(|reason| format!("{}: {reason}", kept.manifest.display()))
            .and_then(|(file, _)| {
                durable::copy_new(&file, &entry.manifest()).map_err(|e| e.to_string())
            })
            .and_then(|_| snapshot::restore(&entry, &kept.inputs, inputs));
        if let Err(reason) = restored {
            self.remove(&entry)?;
            return Err(QueueError::NotRetryable { id, reason });
        }
        durable::remove_tree(self.job(id).dir())?;
        self.settle(id)
    }

    /// Removes the filed files of a job that runs again, if they are that job's.
    pub(crate) fn unfile(&self, id: JobId, filed: &Filed) -> Result<(), QueueError> {
        let names = self.names(filed);
        let Ok(text) = std::fs::read_to_string(&names.note) else {
            return Ok(());
        };
        let note: ErrorFile = records::from_toml(&text, "error file")?;
        if note.job != Some(id) {
            return Ok(());
        }
        durable::remove_tree(&names.inputs)?;
        durable::remove_file(&names.manifest)?;
        // Last, for it is what says whose files these are.
        durable::remove_file(&names.note)?;
        durable::sync_dir(self.folder(filed.ending))
    }

    fn folder(&self, ending: Ending) -> &Path {
        match ending {
            Ending::Done => &self.home.done,
            Ending::Failed => &self.home.failed,
            Ending::Cancelled => &self.home.cancelled,
        }
    }

    fn names(&self, filed: &Filed) -> Names {
        let folder = self.folder(filed.ending);
        let name = |suffix: &str| folder.join(format!("{}.{suffix}", filed.stem));
        Names {
            note: name(filed.ending.note_suffix()),
            inputs: name("inputs"),
            manifest: name("toml"),
        }
    }

    /// Writes down the first number from `number` on under which all three names are free.
    pub(super) fn choose(
        &self,
        entry: &Entry,
        ending: Ending,
        stem: &str,
        number: u32,
    ) -> Result<(), QueueError> {
        let mut plan = Plan {
            ending,
            stem: stem.to_owned(),
            number,
            inputs: ending != Ending::Done && durable::exists(&entry.inputs()),
            manifest: durable::exists(&entry.manifest()),
        };
        let taken = |plan: &Plan| {
            let names = self.names(&plan.filed());
            [names.note, names.inputs, names.manifest]
                .iter()
                .any(|path| durable::exists(path))
        };
        while taken(&plan) {
            plan.number += 1;
        }
        let next = entry.filing().with_extension("next");
        durable::remove_file(&next)?;
        durable::write_new(&next, records::to_toml(&plan, "filing")?.as_bytes())?;
        let _ = durable::rename(&next, &entry.filing())?;
        durable::sync_dir(entry.dir())
    }

    /// Moves what is still in the entry. `false`: a name was taken since it was chosen; what was
    /// already moved is back in the entry.
    fn place(&self, entry: &Entry, plan: &Plan) -> Result<bool, QueueError> {
        let names = self.names(&plan.filed());
        let moves = [
            (true, entry.note(), names.note),
            (plan.inputs, entry.inputs(), names.inputs),
            (plan.manifest, entry.manifest(), names.manifest),
        ];
        let mut moved = Vec::new();
        for (_, from, to) in moves.iter().filter(|(wanted, ..)| *wanted) {
            if durable::rename_noreplace(from, to)? == Moved::NameTaken {
                for (from, to) in moved {
                    let _ = durable::rename_noreplace(to, from)?;
                }
                return Ok(false);
            }
            moved.push((from, to));
        }
        durable::sync_dir(self.folder(plan.ending))?;
        durable::sync_dir(entry.dir())?;
        Ok(true)
    }
}
