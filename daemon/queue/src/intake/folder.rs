//! One watched folder: what is settling in it, and whether its watch is still alive.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::time::Duration;

use super::scan::{self, Kind, Look};
use super::settle::{Settling, Sign, Verdict};
use super::watch::Events;
use super::{FolderStatus, Mode, Signature, Timing, filesystem};

/// How soon a root that is not there is looked for again. One `stat` a second costs nothing.
const MISSING_ROOT: Duration = Duration::from_secs(1);

pub(crate) struct Folder {
    pub(crate) status: FolderStatus,
    /// Device and inode of the folder that the watch is on; `None` when there is no live watch.
    armed: Option<(u64, u64)>,
    settling: HashMap<OsString, (Settling, Kind)>,
    next_list: Duration,
}

/// A file that has settled.
pub(crate) struct Settled {
    pub(crate) name: OsString,
    pub(crate) signature: Signature,
    pub(crate) kind: Kind,
}

impl Folder {
    pub(crate) fn new(path: PathBuf) -> Self {
        let status = FolderStatus {
            path,
            mode: Mode::Poll,
            reason: "not looked at yet".into(),
            problem: None,
        };
        Self {
            status,
            armed: None,
            settling: HashMap::new(),
            next_list: Duration::ZERO,
        }
    }

    /// The watch is dead; the next tick looks for the folder.
    pub(crate) fn gone(&mut self) {
        self.armed = None;
        self.next_list = Duration::ZERO;
    }

    /// A name that something happened to.
    pub(crate) fn hear(
        &mut self,
        name: &OsStr,
        sign: Option<Sign>,
        timing: &Timing,
        now: Duration,
    ) {
        match scan::look(&self.status.path, name) {
            None => {
                self.settling.remove(name);
            }
            Some(look) => {
                let file = self.observe(name, look, timing, now);
                if let Some(sign) = sign {
                    file.hear(sign, now);
                }
            }
        }
    }

    /// Lists the folder in full, after making sure that it is the folder that is watched. `busy` names
    /// are being dealt with elsewhere. Says whether the folder could be read.
    pub(crate) fn list(
        &mut self,
        events: &mut Events,
        timing: &Timing,
        now: Duration,
        busy: impl Fn(&OsStr) -> bool,
    ) {
        self.arm(events);
        match scan::list(&self.status.path) {
            Err(error) => {
                let problem = error.to_string();
                if self.status.problem.as_ref() != Some(&problem) {
                    tracing::warn!(folder = %self.status.path.display(), %error, "cannot be read");
                }
                self.status.problem = Some(problem);
                self.settling.clear();
            }
            Ok(found) => {
                if self.status.problem.take().is_some() {
                    tracing::info!(folder = %self.status.path.display(), "can be read again");
                }
                self.settling.retain(|name, _| found.contains_key(name));
                for (name, look) in found {
                    if !busy(&name) {
                        self.observe(&name, look, timing, now);
                    }
                }
            }
        }
    }

    /// When the folder must be listed by its own needs: a missing one soon, a polled one often.
    pub(crate) fn plan_list(&mut self, poll: Duration, now: Duration) {
        self.next_list = match (&self.status.problem, self.status.mode) {
            (Some(_), _) => now + MISSING_ROOT,
            (None, Mode::Poll) => now + poll,
            (None, Mode::Native) => Duration::MAX,
        };
    }

    pub(crate) fn list_due(&self) -> Duration {
        self.next_list
    }

    /// Events were lost: what was heard about writers is forgotten.
    pub(crate) fn forget_writers(&mut self) {
        for (file, _) in self.settling.values_mut() {
            file.forget_writer();
        }
    }

    /// Looks at what should have settled by now; gives what has, and when to look again.
    pub(crate) fn settle(&mut self, timing: &Timing, now: Duration) -> (Vec<Settled>, Duration) {
        let mut ready = Vec::new();
        let mut next = Duration::MAX;
        let (root, mode) = (&self.status.path, self.status.mode);
        self.settling.retain(|name, (file, kind)| {
            if let Verdict::Wait(until) = file.verdict(mode, timing, now)
                && until > now + Duration::from_millis(1)
            {
                next = next.min(until);
                return true;
            }
            let Some(look) = scan::look(root, name) else {
                return false;
            };
            file.observe(look.sample, now);
            *kind = look.kind;
            match file.verdict(mode, timing, now) {
                Verdict::Wait(until) => {
                    next = next.min(until);
                    true
                }
                Verdict::Ready => {
                    let signature = file.signature();
                    ready.push(Settled {
                        name: name.clone(),
                        signature,
                        kind: *kind,
                    });
                    false
                }
            }
        });
        (ready, next)
    }

    fn observe(
        &mut self,
        name: &OsStr,
        look: Look,
        timing: &Timing,
        now: Duration,
    ) -> &mut Settling {
        let (file, kind) = self
            .settling
            .entry(name.to_owned())
            .or_insert_with(|| (Settling::new(look.sample, timing, now), look.kind));
        file.observe(look.sample, now);
        *kind = look.kind;
        file
    }

    /// Puts a watch on the folder if the one it has is not on this very folder.
    fn arm(&mut self, events: &mut Events) {
        let path = &self.status.path;
        let identity = fs::metadata(path).ok().map(|meta| (meta.dev(), meta.ino()));
        if identity.is_none() || identity == self.armed {
            self.armed = identity;
            return;
        }
        let (mode, reason) = match (filesystem::mode_of(path), events.arm(path)) {
            (Ok((mode, reason)), Ok(())) => (mode, reason),
            (Err(error), _) => (Mode::Poll, error.to_string()),
            (Ok(_), Err(why)) => (Mode::Poll, why),
        };
        tracing::info!(folder = %path.display(), ?mode, %reason, "watching");
        self.armed = identity;
        self.status.mode = mode;
        self.status.reason = reason;
    }
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        reason = "a test fails by panicking"
    )]

    use super::*;

    /// A folder without kernel events, as on a network filesystem: only listings, and a clock of ours.
    #[test]
    fn without_events_two_equal_looks_decide() {
        let dir = tempfile::tempdir().unwrap();
        let mut folder = Folder::new(dir.path().to_owned());
        let mut events = Events::none("no watches left");
        let timing = Timing::default();
        let at = Duration::from_millis;
        std::fs::write(dir.path().join("x.toml"), "x = 1").unwrap();
        folder.list(&mut events, &timing, at(0), |_| false);
        assert_eq!(folder.status.mode, Mode::Poll);
        assert_eq!(folder.status.reason, "no watches left");
        let (ready, next) = folder.settle(&timing, at(0));
        assert!(ready.is_empty());
        assert_eq!(next, at(2000));

        std::fs::write(dir.path().join("x.toml"), "x = 12").unwrap();
        let (ready, next) = folder.settle(&timing, at(2000));
        assert!(ready.is_empty(), "it had changed");
        assert_eq!(next, at(4000));
        let (ready, next) = folder.settle(&timing, at(4000));
        assert_eq!(ready.len(), 1);
        assert_eq!(ready[0].signature.bytes, 6);
        assert_eq!(next, Duration::MAX);
        folder.plan_list(at(5000), at(4000));
        assert_eq!(folder.list_due(), at(9000));
    }

    #[test]
    fn a_missing_folder_is_looked_for_every_second() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("later");
        let mut folder = Folder::new(path.clone());
        let mut events = Events::none("");
        folder.list(&mut events, &Timing::default(), Duration::ZERO, |_| false);
        assert!(folder.status.problem.is_some());
        folder.plan_list(Duration::from_secs(5), Duration::ZERO);
        assert_eq!(folder.list_due(), MISSING_ROOT);
        std::fs::create_dir(&path).unwrap();
        folder.list(&mut events, &Timing::default(), MISSING_ROOT, |_| false);
        assert_eq!(folder.status.problem, None);
    }
}
