//! The intake loop: one thread, one clock, one sleep.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::folder::{Folder, Settled};
use super::mailbox::{Mail, Mailbox};
use super::settle::Sign;
use super::watch::{Events, Hint};
use super::{Candidate, FolderStatus, Offer, WatchOptions};

/// A file that was offered and not yet let go, or that rests for a while.
#[derive(Debug, Default)]
struct Busy {
    /// Something happened to its name meanwhile, so it must be looked at again.
    touched: bool,
    /// Let go, but to be left alone until then.
    resting: Option<Duration>,
}

pub(crate) struct Run {
    options: WatchOptions,
    mailbox: Arc<Mailbox>,
    shown: Arc<Mutex<Vec<FolderStatus>>>,
    offers: Sender<Offer>,
    events: Events,
    folders: Vec<Folder>,
    busy: HashMap<PathBuf, Busy>,
    started: Instant,
    next_full: Duration,
}

impl Run {
    pub(crate) fn new(
        options: WatchOptions,
        mailbox: Arc<Mailbox>,
        shown: Arc<Mutex<Vec<FolderStatus>>>,
        offers: Sender<Offer>,
    ) -> Self {
        let events = Events::new(options.roots.clone(), Arc::clone(&mailbox));
        let folders = options.roots.iter().cloned().map(Folder::new).collect();
        Self {
            options,
            mailbox,
            shown,
            offers,
            events,
            folders,
            busy: HashMap::new(),
            started: Instant::now(),
            next_full: Duration::ZERO,
        }
    }

    /// Runs until it is told to stop or nobody takes offers any more.
    pub(crate) fn run(mut self) {
        let mut wake = Duration::ZERO;
        loop {
            let mail = self.mailbox.collect(self.started + wake);
            if mail.stop {
                return;
            }
            let now = self.started.elapsed();
            self.take_in(mail, now);
            self.end_rests(now);
            self.list_due(now);
            let Some(next) = self.offer_settled(now) else {
                return;
            };
            wake = next
                .max(now + Duration::from_millis(1))
                .min(now + self.options.rescan);
        }
    }

    fn take_in(&mut self, mail: Mail, now: Duration) {
        if mail.lost {
            self.folders.iter_mut().for_each(Folder::forget_writers);
        }
        if mail.lost || mail.rescan {
            self.next_full = now;
        }
        // Hints first: one that came before a release must still count for the file it was about.
        for hint in mail.hints {
            match hint {
                Hint::Closed(path) => self.hear(&path, Some(Sign::Closed), now),
                Hint::Writing(path) => self.hear(&path, Some(Sign::Writing), now),
                Hint::Touched(path) => self.hear(&path, None, now),
                Hint::RootGone(path) => {
                    self.folders
                        .iter_mut()
                        .filter(|f| f.status.path == path)
                        .for_each(Folder::gone);
                }
            }
        }
        for (path, hold) in mail.released {
            match hold {
                Some(delay) => {
                    let rest = Busy {
                        touched: true,
                        resting: Some(now + delay),
                    };
                    self.busy.insert(path, rest);
                }
                None => {
                    if self.busy.remove(&path).is_some_and(|busy| busy.touched) {
                        self.hear(&path, None, now);
                    }
                }
            }
        }
    }

    fn hear(&mut self, path: &Path, sign: Option<Sign>, now: Duration) {
        if let Some(busy) = self.busy.get_mut(path) {
            busy.touched = true;
            return;
        }
        let (Some(root), Some(name)) = (path.parent(), path.file_name()) else {
            return;
        };
        if let Some(folder) = self.folders.iter_mut().find(|f| f.status.path == root) {
            folder.hear(name, sign, &self.options.timing, now);
        }
    }

    fn end_rests(&mut self, now: Duration) {
        let over: Vec<PathBuf> = self
            .busy
            .iter()
            .filter(|(_, busy)| busy.resting.is_some_and(|until| until <= now))
            .map(|(path, _)| path.clone())
            .collect();
        for path in over {
            self.busy.remove(&path);
            self.hear(&path, None, now);
        }
    }

    fn list_due(&mut self, now: Duration) {
        let full = self.next_full <= now;
        for folder in &mut self.folders {
            if full || folder.list_due() <= now {
                let root = folder.status.path.clone();
                let busy = |name: &OsStr| self.busy.contains_key(&root.join(name));
                folder.list(&mut self.events, &self.options.timing, now, busy);
                folder.plan_list(self.options.poll, now);
            }
        }
        if full {
            self.next_full = now + self.options.rescan;
        }
        *self.shown.lock().unwrap_or_else(PoisonError::into_inner) = self
            .folders
            .iter()
            .map(|folder| folder.status.clone())
            .collect();
    }

    /// Offers what has settled; gives when to wake next, or `None` if nobody listens.
    fn offer_settled(&mut self, now: Duration) -> Option<Duration> {
        let mut next = self.next_full;
        for folder in &mut self.folders {
            let (settled, due) = folder.settle(&self.options.timing, now);
            next = next.min(due).min(folder.list_due());
            for file in settled {
                let candidate = candidate(&folder.status.path, file);
                self.busy.insert(candidate.path.clone(), Busy::default());
                let mailbox = Arc::clone(&self.mailbox);
                self.offers
                    .send(Offer {
                        candidate,
                        mailbox,
                        hold: None,
                    })
                    .ok()?;
            }
        }
        let rests = self.busy.values().filter_map(|busy| busy.resting);
        Some(rests.fold(next, Duration::min))
    }
}

fn candidate(root: &Path, file: Settled) -> Candidate {
    Candidate {
        root: root.to_owned(),
        path: root.join(&file.name),
        name: file.name.to_string_lossy().into_owned(),
        signature: file.signature,
        kind: file.kind,
    }
}
