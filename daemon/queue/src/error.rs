//! What can go wrong in the queue, each with a code that never changes.
//!
//! The code goes into error files, D-Bus names and exit statuses, so a variant may be reworded but its
//! code may not. An error says which folder or job it is about; it never carries a job's content.

use std::io;
use std::path::{Path, PathBuf};

use rustix::io::Errno;

use crate::JobId;

/// What was being done to a path when the system refused. It completes "could not … PATH".
pub type Errand = &'static str;

/// A failure of the queue itself, as opposed to a job that failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum QueueError {
    /// The system refused an operation on a file or folder.
    #[error("could not {errand} {}: {source}", path.display())]
    Io {
        /// What was being done.
        errand: Errand,
        /// What it was done to.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// Data could not be forced to the disk. The file is abandoned: a second fsync of the same file
    /// may report success for pages that were already dropped.
    #[error("could not write {} safely to disk: {source}", path.display())]
    SyncFailed {
        /// The file or folder that was being synced.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// A rename would cross filesystems, so it could not be atomic.
    #[error("{} and {} are on different filesystems", from.display(), to.display())]
    AcrossFilesystems {
        /// Where the file is.
        from: PathBuf,
        /// Where it should go.
        to: PathBuf,
    },
    /// A watched folder is, contains or lies in one of the daemon's own folders, or is listed twice.
    #[error("the watched folder {} overlaps {}", root.display(), other.display())]
    FoldersOverlap {
        /// The watched folder.
        root: PathBuf,
        /// What it overlaps.
        other: PathBuf,
    },
    /// A folder's path is not UTF-8, so it could not be written into the ledger.
    #[error("the path {} is not UTF-8", .0.display())]
    PathNotUtf8(PathBuf),
    /// Another daemon owns this home.
    #[error("another daemon{} already works on {}", pid.map(|p| format!(" (process {p})")).unwrap_or_default(), home.display())]
    AlreadyRunning {
        /// The folder that holds the lock.
        home: PathBuf,
        /// The other process, when it wrote its number.
        pid: Option<u32>,
    },
    /// SQLite failed.
    #[error("the ledger could not be read or written: {0}")]
    Ledger(#[from] rusqlite::Error),
    /// The ledger's file is damaged. It is left as it is.
    #[error("the ledger {} is damaged: {detail}", path.display())]
    LedgerCorrupt {
        /// The ledger's file.
        path: PathBuf,
        /// What the check said.
        detail: String,
    },
    /// The file is an SQLite database of some other program.
    #[error("{} is not a ledger of this program", .0.display())]
    LedgerForeign(PathBuf),
    /// The ledger was written by a newer version. It is left as it is.
    #[error("the ledger {} has version {found}, this program knows up to {known}", path.display())]
    LedgerNewer {
        /// The ledger's file.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// The newest version that this program reads.
        known: i64,
    },
    /// There is no ledger to read.
    #[error("there is no ledger at {}", .0.display())]
    LedgerMissing(PathBuf),
    /// A stored or spooled record does not parse.
    #[error("the record {what} cannot be read: {detail}")]
    RecordUnreadable {
        /// Which record.
        what: String,
        /// What the parser said.
        detail: String,
    },
    /// No job has this id.
    #[error("there is no job {0}")]
    UnknownJob(JobId),
    /// The text is not a job id.
    #[error("{0:?} is not a job id")]
    BadJobId(String),
    /// The job's state does not allow this.
    #[error("job {id} is {state}, so it cannot {event}")]
    IllegalTransition {
        /// The job.
        id: JobId,
        /// Its state, by its public name.
        state: &'static str,
        /// What was asked.
        event: &'static str,
    },
    /// A later attempt has taken over, so this one may write no more.
    #[error("attempt {attempt} of job {id} is no longer the current one")]
    Superseded {
        /// The job.
        id: JobId,
        /// The attempt that came too late.
        attempt: u32,
    },
    /// The user cancelled the job while it was worked on; nothing may be delivered any more.
    #[error("job {0} was cancelled")]
    CancelRequested(JobId),
    /// A priority outside −10 … 10.
    #[error("priority {0} is not between -10 and 10")]
    PriorityOutOfRange(i32),
    /// The disk is too full to take on more work.
    #[error("{} has {free} bytes free, {needed} are kept free", path.display())]
    LowSpace {
        /// A folder on the full filesystem.
        path: PathBuf,
        /// Bytes an unprivileged process may still write.
        free: u64,
        /// The watermark.
        needed: u64,
    },
    /// A manifest is not a plain file, or too long.
    #[error("{} is not a usable manifest: {reason}", path.display())]
    ManifestUnusable {
        /// The manifest.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// An input is missing, or not a plain file.
    #[error("the input {} cannot be used: {reason}", path.display())]
    InputUnusable {
        /// The input.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// An input changed while it was copied.
    #[error("the input {} changed while it was copied", .0.display())]
    InputChanged(PathBuf),
    /// A staged output is gone or does not have its recorded digest.
    #[error("output {index} of job {id} is missing or damaged in the spool")]
    StagedOutputLost {
        /// The job.
        id: JobId,
        /// The output, from 0.
        index: u32,
    },
    /// A failed or cancelled job whose files are no longer there to run again.
    #[error("job {id} cannot run again: {reason}")]
    NotRetryable {
        /// The job.
        id: JobId,
        /// What is missing.
        reason: String,
    },
}

impl QueueError {
    pub(crate) fn io(errand: Errand, path: &Path, source: impl Into<io::Error>) -> Self {
        Self::Io {
            errand,
            path: path.to_owned(),
            source: source.into(),
        }
    }

    /// The stable code, in kebab case.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Io { source, .. } => match errno(source) {
                Some(Errno::NOSPC | Errno::DQUOT) => "disk-full",
                Some(Errno::ACCESS | Errno::PERM | Errno::ROFS) => "permission-denied",
                _ => "io-error",
            },
            Self::SyncFailed { .. } => "sync-failed",
            Self::AcrossFilesystems { .. } => "across-filesystems",
            Self::FoldersOverlap { .. } => "folders-overlap",
            Self::PathNotUtf8(_) => "path-not-utf8",
            Self::AlreadyRunning { .. } => "already-running",
            Self::Ledger(_) => "ledger-error",
            Self::LedgerCorrupt { .. } => "ledger-corrupt",
            Self::LedgerForeign(_) => "ledger-foreign",
            Self::LedgerNewer { .. } => "ledger-newer",
            Self::LedgerMissing(_) => "ledger-missing",
            Self::RecordUnreadable { .. } => "record-unreadable",
            Self::UnknownJob(_) => "unknown-job",
            Self::BadJobId(_) => "bad-job-id",
            Self::IllegalTransition { .. } => "illegal-transition",
            Self::Superseded { .. } => "attempt-superseded",
            Self::CancelRequested(_) => "cancelled",
            Self::PriorityOutOfRange(_) => "priority-out-of-range",
            Self::LowSpace { .. } => "low-disk-space",
            Self::ManifestUnusable { .. } => "manifest-unusable",
            Self::InputUnusable { .. } => "input-unusable",
            Self::InputChanged(_) => "input-changed",
            Self::StagedOutputLost { .. } => "staged-output-lost",
            Self::NotRetryable { .. } => "not-retryable",
        }
    }

    /// What the user can do about it, where there is something.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let text = match self {
            Self::Io { .. } => match self.code() {
                "disk-full" => "free some space, then ask again",
                "permission-denied" => "give the daemon's user the right to write there",
                _ => return None,
            },
            Self::SyncFailed { .. } => {
                "the disk reports write errors; check it before relying on it"
            }
            Self::AcrossFilesystems { .. } => {
                "put both folders on one filesystem: only then is a move atomic"
            }
            Self::FoldersOverlap { .. } => {
                "watch a folder that is neither inside nor above the daemon's own folders"
            }
            Self::PathNotUtf8(_) => "rename the folder",
            Self::AlreadyRunning { .. } => {
                "use the daemon that runs, or give this one another --home"
            }
            Self::LedgerCorrupt { path, .. } => {
                return Some(format!(
                    "nothing was changed; restore {0} from a backup, or move it away to start with \
                     an empty queue (finished files in done/, failed/ and outbox/ are not touched)",
                    path.display()
                ));
            }
            Self::LedgerForeign(_) => "give the daemon another ledger path",
            Self::LedgerNewer { .. } => "run the newer version of the program",
            Self::LedgerMissing(_) => "start the daemon once; it makes its folders and its ledger",
            Self::LowSpace { .. } => "free some space; the manifest stays in its inbox until then",
            Self::ManifestUnusable { .. } => "copy a plain TOML file, not a link, pipe or device",
            Self::InputUnusable { .. } => "copy the pictures first and the manifest last",
            Self::InputChanged(_) => "copy the pictures first and the manifest last",
            Self::NotRetryable { .. } => "submit the manifest again",
            _ => return None,
        };
        Some(text.to_owned())
    }

    /// Whether the same call may succeed later with nothing done by the user.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Io { source, .. } => matches!(
                errno(source),
                Some(
                    Errno::NOSPC
                        | Errno::DQUOT
                        | Errno::INTR
                        | Errno::AGAIN
                        | Errno::BUSY
                        | Errno::MFILE
                        | Errno::NFILE
                        | Errno::NOMEM
                        | Errno::STALE
                        | Errno::TIMEDOUT
                        | Errno::IO
                )
            ),
            Self::Ledger(source) => matches!(
                source.sqlite_error_code(),
                Some(
                    rusqlite::ErrorCode::DatabaseBusy
                        | rusqlite::ErrorCode::DatabaseLocked
                        | rusqlite::ErrorCode::DiskFull
                        | rusqlite::ErrorCode::OutOfMemory
                )
            ),
            Self::SyncFailed { .. } | Self::LowSpace { .. } | Self::InputChanged(_) => true,
            _ => false,
        }
    }
}

fn errno(error: &io::Error) -> Option<Errno> {
    error.raw_os_error().map(Errno::from_raw_os_error)
}
