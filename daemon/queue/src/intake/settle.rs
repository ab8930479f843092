//! When is a file finished? Pure: samples and times come in, a verdict goes out.
//!
//! That a file parses is no proof that it is whole, a prefix of a manifest may parse as well; so a file
//! must have stopped changing. How long it must be still depends on what is known about its writer: a
//! writer that closed it needs little patience, one that is known to write needs much.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::time::Duration;

/// How readiness is decided in a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The kernel reports every writer on this filesystem: a close or a rename in ends the writing.
    Native,
    /// Writers may be on another machine and events cannot be trusted: only stillness counts.
    Poll,
}

/// What makes two looks at a file equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signature {
    /// Length in bytes.
    pub bytes: u64,
    /// Time of the last change in nanoseconds since 1970.
    pub mtime_ns: i64,
    /// Inode number, so that a file replaced by another is seen even if it looks alike.
    pub inode: u64,
}

impl From<&Metadata> for Signature {
    fn from(meta: &Metadata) -> Self {
        Self {
            bytes: meta.size(),
            mtime_ns: meta
                .mtime()
                .saturating_mul(1_000_000_000)
                .saturating_add(meta.mtime_nsec()),
            inode: meta.ino(),
        }
    }
}

/// How long a file must be still.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// After its writer closed it or it was renamed in.
    pub settle: Duration,
    /// Where nothing is known of the writer: two equal samples at least this far apart.
    pub stability: Duration,
    /// While a writer is known to have it open: only a close that was lost makes this matter.
    pub abandoned: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            settle: Duration::from_millis(250),
            stability: Duration::from_secs(2),
            abandoned: Duration::from_secs(60),
        }
    }
}

/// One look at a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// What it looked like.
    pub signature: Signature,
    /// How long ago it was changed by the wall clock; `None` if that lies in the future.
    pub age: Option<Duration>,
}

/// What an event told about a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    /// A writer closed it, or it was renamed in.
    Closed,
    /// Somebody writes into it.
    Writing,
}

/// The answer to "is it finished?".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It has been still for long enough.
    Ready,
    /// Look again at this time.
    Wait(Duration),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Writer {
    Unknown,
    Active,
    Finished,
}

/// One file on its way to being finished. Times are durations since any fixed moment.
#[derive(Clone, Debug)]
pub struct Settling {
    signature: Signature,
    /// Since when it has looked like this and nothing was heard.
    still_since: Duration,
    last_sample: Duration,
    writer: Writer,
    /// It had been still for long when it was first seen.
    found_old: bool,
}

impl Settling {
    /// The first look.
    #[must_use]
    pub fn new(sample: Sample, timing: &Timing, now: Duration) -> Self {
        Self {
            signature: sample.signature,
            still_since: now,
            last_sample: now,
            writer: Writer::Unknown,
            found_old: sample.age.is_some_and(|age| age >= timing.stability),
        }
    }

    /// Another look.
    pub fn observe(&mut self, sample: Sample, now: Duration) {
        if sample.signature != self.signature {
            self.signature = sample.signature;
            self.still_since = now;
            self.found_old = false;
        }
        self.last_sample = now;
    }

    /// An event. It restarts the wait: the file was not still a moment ago.
    pub fn hear(&mut self, sign: Sign, now: Duration) {
        self.writer = match sign {
            Sign::Closed => Writer::Finished,
            Sign::Writing => Writer::Active,
        };
        self.still_since = now;
    }

    /// Events were lost, so what was heard about the writer is worth nothing.
    pub fn forget_writer(&mut self) {
        self.writer = Writer::Unknown;
    }

    /// What it looked like at the last look.
    #[must_use]
    pub fn signature(&self) -> Signature {
        self.signature
    }

    /// Whether the looks so far show a finished file; otherwise when to look again, always after `now`.
    #[must_use]
    pub fn verdict(&self, mode: Mode, timing: &Timing, now: Duration) -> Verdict {
        let needed = match (mode, self.writer) {
            // Some programs make an empty file, close it, and only then write: emptiness is suspect.
            (Mode::Native, Writer::Finished) if self.signature.bytes > 0 => timing.settle,
            (Mode::Native, Writer::Active) => timing.abandoned,
            (Mode::Native, Writer::Unknown) if self.found_old => timing.settle,
            _ => timing.stability,
        };
        if self.last_sample.saturating_sub(self.still_since) >= needed {
            Verdict::Ready
        } else {
            Verdict::Wait((self.still_since + needed).max(now + Duration::from_millis(1)))
        }
    }
}

#[cfg(test)]
mod tests;
