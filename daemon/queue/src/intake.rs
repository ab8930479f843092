//! From watched folders to candidates: files that are whole and ready to be claimed.
//!
//! Events are only hints that say where to look; a listing is the truth. The loop merges both, keeps a
//! set of the files that are being dealt with so that none is offered twice at once, and sleeps when
//! nothing settles. It reads names and times, never contents, and moves nothing.

mod filesystem;
mod folder;
mod mailbox;
mod run;
mod scan;
pub mod settle;
mod watch;

use std::ops::Deref;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

pub use scan::Kind;
pub use settle::{Mode, Signature, Timing};

pub(crate) use filesystem::shares_memory;

use mailbox::Mailbox;

use crate::home::absolute;

/// A file that is whole, as far as anyone can tell from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The watched folder it lies in.
    pub root: PathBuf,
    /// The file.
    pub path: PathBuf,
    /// Its file name. Bytes that are not UTF-8 are replaced; `path` still has them.
    pub name: String,
    /// What it looked like when it was found whole; a claim that meets anything else is given up.
    pub signature: Signature,
    /// A plain file, or something that can only be refused.
    pub kind: Kind,
}

/// A candidate on loan. While it lives its file is not offered again.
#[derive(Debug)]
pub struct Offer {
    candidate: Candidate,
    mailbox: Arc<Mailbox>,
    hold: Option<Duration>,
}

impl Offer {
    /// Ends the loan, but looks at the file again only after `delay`: for a claim that failed for a
    /// reason that may pass.
    pub fn hold(mut self, delay: Duration) {
        self.hold = Some(delay);
    }
}

impl Deref for Offer {
    type Target = Candidate;

    fn deref(&self) -> &Candidate {
        &self.candidate
    }
}

impl Drop for Offer {
    fn drop(&mut self) {
        self.mailbox
            .release(std::mem::take(&mut self.candidate.path), self.hold);
    }
}

/// How to watch.
#[derive(Clone, Debug)]
pub struct WatchOptions {
    /// The folders. One that does not exist yet is watched from when it appears.
    pub roots: Vec<PathBuf>,
    /// How often each folder is listed in full, whatever the events say.
    pub rescan: Duration,
    /// How often a folder is listed whose filesystem gives no reliable events.
    pub poll: Duration,
    /// When a file counts as whole.
    pub timing: Timing,
}

impl WatchOptions {
    /// The usual intervals: 300 s, 5 s and [`Timing::default`].
    #[must_use]
    pub fn new(roots: Vec<PathBuf>) -> Self {
        Self {
            roots,
            rescan: Duration::from_secs(300),
            poll: Duration::from_secs(5),
            timing: Timing::default(),
        }
    }
}

/// What a user is told about a watched folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FolderStatus {
    /// The folder.
    pub path: PathBuf,
    /// How readiness is decided there.
    pub mode: Mode,
    /// Why, for a person: the filesystem's name, or what went wrong with events.
    pub reason: String,
    /// What keeps the folder from being read now, if anything does.
    pub problem: Option<String>,
}

/// The running intake. Dropping it stops the loop.
#[derive(Debug)]
pub struct Intake {
    mailbox: Arc<Mailbox>,
    folders: Arc<Mutex<Vec<FolderStatus>>>,
    thread: Option<JoinHandle<()>>,
}

impl Intake {
    /// Starts watching and lists every folder at once; what lies there already is offered too.
    ///
    /// # Errors
    /// The system's refusal to start a thread.
    pub fn start(mut options: WatchOptions) -> std::io::Result<(Self, Receiver<Offer>)> {
        // Events name absolute paths, so the folders must be absolute too.
        options.roots = options.roots.iter().map(|root| absolute(root)).collect();
        let mailbox = Arc::new(Mailbox::default());
        let folders = Arc::new(Mutex::new(Vec::new()));
        let (offers, receiver) = channel();
        let run = run::Run::new(options, Arc::clone(&mailbox), Arc::clone(&folders), offers);
        let thread = std::thread::Builder::new()
            .name("intake".into())
            .spawn(move || run.run())?;
        Ok((
            Self {
                mailbox,
                folders,
                thread: Some(thread),
            },
            receiver,
        ))
    }

    /// Lists every folder now.
    pub fn scan_now(&self) {
        self.mailbox.ask_rescan();
    }

    /// How each folder is watched. Empty until the loop has looked once.
    #[must_use]
    pub fn folders(&self) -> Vec<FolderStatus> {
        self.folders
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl Drop for Intake {
    fn drop(&mut self) {
        self.mailbox.stop();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the intake ended by a panic");
        }
    }
}
