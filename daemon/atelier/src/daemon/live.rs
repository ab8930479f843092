//! What the outside may see of jobs right now: a view of each, and word of every change. The
//! ledger is the truth; this is its reflection, kept in memory so that a property read never
//! waits for a disk, and bounded, since finished jobs leave it after a while. Beside each view lies
//! the newest preview, which lasts no longer than the picture is being made.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use image::RgbImage;
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast;

/// How long a finished job can still be asked about on the bus.
pub(crate) const RETENTION: Duration = Duration::from_secs(600);

/// A job's state as the contract names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Phase {
    /// Waits its turn.
    Queued,
    /// References are prepared.
    Preparing,
    /// The model computes.
    Running,
    /// Files are written and signed.
    Signing,
    /// Delivered.
    Done,
    /// Ended with an error.
    Failed,
    /// Taken back.
    Cancelled,
}

impl Phase {
    /// The contract's word.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Preparing => "preparing",
            Self::Running => "running",
            Self::Signing => "signing",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether nothing more will happen.
    pub(crate) fn is_final(self) -> bool {
        matches!(self, Self::Done | Self::Failed | Self::Cancelled)
    }
}

/// One job, seen from outside.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct View {
    /// The job's name: its manifest's stem.
    pub(crate) name: String,
    /// Where it is.
    pub(crate) state: Phase,
    /// What it does within its state, in a word.
    pub(crate) stage: &'static str,
    /// 0.0 to 1.0 over the whole job.
    pub(crate) progress: f64,
    /// Denoising steps done of the picture at hand.
    pub(crate) step: u32,
    /// Denoising steps of the picture at hand; 0 before the first.
    pub(crate) steps: u32,
    /// Which attempt this is, from 1; 0 before the first.
    pub(crate) attempt: u32,
    /// -10 to 10; higher goes first.
    pub(crate) priority: i32,
    /// The error's stable code; empty without one.
    pub(crate) error_code: String,
    /// The error's sentence; empty without one.
    pub(crate) error_message: String,
    /// Delivered pictures.
    pub(crate) outputs: Vec<String>,
}

/// Word of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Change {
    /// This job's view changed, or the job is new.
    Job(String),
    /// The daemon's own properties changed.
    Daemon,
}

struct Entry {
    view: View,
    finished: Option<Instant>,
    /// The newest of the picture at hand, while there is one.
    preview: Option<Arc<RgbImage>>,
}

/// The views of all live jobs, by id.
pub(crate) struct Live {
    entries: Mutex<BTreeMap<String, Entry>>,
    changes: broadcast::Sender<Change>,
}

impl Live {
    /// Nothing yet.
    pub(crate) fn new() -> Self {
        Self {
            entries: Mutex::default(),
            changes: broadcast::channel(1024).0,
        }
    }

    fn entries(&self) -> MutexGuard<'_, BTreeMap<String, Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hears of every change from now on. A listener that lags misses some and should look at all.
    pub(crate) fn subscribe(&self) -> broadcast::Receiver<Change> {
        self.changes.subscribe()
    }

    /// Says that the daemon's own properties changed.
    pub(crate) fn announce_daemon(&self) {
        // Without listeners there is nobody to tell.
        let _ = self.changes.send(Change::Daemon);
    }

    /// Shows a job, new or changed.
    pub(crate) fn put(&self, id: &str, view: View) {
        let finished = view.state.is_final().then(Instant::now);
        let entry = Entry {
            view,
            finished,
            preview: None,
        };
        self.entries().insert(id.to_owned(), entry);
        let _ = self.changes.send(Change::Job(id.to_owned()));
    }

    /// Changes a job's view, if it is shown.
    pub(crate) fn update(&self, id: &str, change: impl FnOnce(&mut View)) {
        if let Some(entry) = self.entries().get_mut(id) {
            change(&mut entry.view);
            if entry.view.state != Phase::Running {
                entry.preview = None;
            }
            if entry.view.state.is_final() {
                entry.finished.get_or_insert_with(Instant::now);
            } else {
                entry.finished = None;
            }
        }
        let _ = self.changes.send(Change::Job(id.to_owned()));
    }

    /// Keeps the newest preview of a running job. It is no property, so nobody is told.
    pub(crate) fn show_preview(&self, id: &str, preview: RgbImage) {
        if let Some(entry) = self.entries().get_mut(id) {
            entry.preview = Some(Arc::new(preview));
        }
    }

    /// The newest preview of the picture that a job is making.
    pub(crate) fn preview(&self, id: &str) -> Option<Arc<RgbImage>> {
        self.entries().get(id)?.preview.clone()
    }

    /// A job's view.
    pub(crate) fn get(&self, id: &str) -> Option<View> {
        self.entries().get(id).map(|entry| entry.view.clone())
    }

    /// The ids of all that are shown.
    pub(crate) fn ids(&self) -> Vec<String> {
        self.entries().keys().cloned().collect()
    }

    /// The ids of those that neither wait nor have ended.
    pub(crate) fn busy(&self) -> Vec<String> {
        self.entries()
            .iter()
            .filter(|(_, entry)| entry.view.state != Phase::Queued && !entry.view.state.is_final())
            .map(|(id, _)| id.clone())
            .collect()
    }

    /// How many jobs wait, and how many are being worked on.
    pub(crate) fn counts(&self) -> (u32, u32) {
        self.entries()
            .values()
            .fold((0, 0), |(queued, running), entry| match entry.view.state {
                Phase::Queued => (queued + 1, running),
                state if state.is_final() => (queued, running),
                _ => (queued, running + 1),
            })
    }

    /// Forgets jobs that have been finished for longer than [`RETENTION`], and names them.
    pub(crate) fn expire(&self) -> Vec<String> {
        let mut entries = self.entries();
        let gone: Vec<String> = entries
            .iter()
            .filter(|(_, entry)| entry.finished.is_some_and(|at| at.elapsed() > RETENTION))
            .map(|(id, _)| id.clone())
            .collect();
        for id in &gone {
            entries.remove(id);
        }
        gone
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn a_preview_lasts_while_the_picture_is_being_made() {
        let live = Live::new();
        let view = View {
            name: "poster".to_owned(),
            state: Phase::Running,
            stage: "denoising",
            progress: 0.0,
            step: 0,
            steps: 4,
            attempt: 1,
            priority: 0,
            error_code: String::new(),
            error_message: String::new(),
            outputs: Vec::new(),
        };
        live.put("j", view);
        assert!(live.preview("j").is_none());
        live.show_preview("j", RgbImage::new(8, 8));
        live.update("j", |view| view.step = 1);
        live.show_preview("j", RgbImage::new(16, 8));
        assert_eq!(live.preview("j").unwrap().width(), 16);
        live.update("j", |view| view.state = Phase::Signing);
        assert!(live.preview("j").is_none());
        live.show_preview("gone", RgbImage::new(8, 8));
        assert!(live.preview("gone").is_none());
    }
}
