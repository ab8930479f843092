//! The daemon: keeps the queue, knows nothing of models.
//!
//! Three threads work on it. `intake` (in the queue crate) says which files are whole, `accept`
//! makes jobs of them, and `worker` takes one job at a time through the [`Studio`] to the outbox.
//! Everything that must survive a crash is in the [`Queue`]; what is here may be lost at any time.

pub(crate) mod accept;
mod bell;
pub(crate) mod live;
mod run;
mod take;
mod view;
mod watch;
mod worker;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use atelier_queue::{CancelOutcome, Intake, JobId, Queue};

use crate::config::{Config, PictureSize};
use crate::fault::{Fault, Stage};
use crate::home::Home;
use crate::studio::Studio;
use accept::Checked;
use bell::Bell;
use live::Live;
pub(crate) use run::run;

/// Plugins that come with Atelier.
const FIRST_PARTY: [&str; 7] = [
    "collage",
    "edges",
    "fit",
    "palette",
    "pose",
    "pose-from-photo",
    "retarget",
];

/// Everything that the threads and the bus share.
pub(crate) struct Daemon {
    home: Home,
    config: Config,
    studio: Studio,
    queue: Queue,
    live: Arc<Live>,
    bell: Bell,
    /// Sizes of pictures that are to be made ready for, the next one last.
    cold: Mutex<Vec<PictureSize>>,
    intake: OnceLock<Intake>,
    /// The job at hand, and the flag that calls it off.
    at_hand: Mutex<Option<(JobId, Arc<AtomicBool>)>>,
    stopping: AtomicBool,
}

impl Daemon {
    /// What the outside sees.
    pub(crate) fn live(&self) -> &Live {
        &self.live
    }

    /// `idle`, `running` or `paused`.
    pub(crate) fn state(&self) -> &'static str {
        match (self.live.counts().1, self.is_paused()) {
            (0, true) => "paused",
            (0, false) => "idle",
            _ => "running",
        }
    }

    /// Whether nothing new is started.
    pub(crate) fn is_paused(&self) -> bool {
        self.queue.is_paused().unwrap_or(false)
    }

    /// What computes.
    pub(crate) fn devices(&self) -> Vec<String> {
        vec![self.studio.device().to_string()]
    }

    /// The watched folders.
    pub(crate) fn folders(&self) -> Vec<String> {
        self.roots()
            .iter()
            .map(|root| root.display().to_string())
            .collect()
    }

    fn roots(&self) -> Vec<PathBuf> {
        let mut roots = vec![self.home.inbox()];
        roots.extend(self.config.intake.folders.iter().cloned());
        roots
    }

    /// Whether plugins of other authors are installed.
    pub(crate) fn is_tainted(&self) -> bool {
        self.studio
            .plugins()
            .names()
            .iter()
            .any(|name| !FIRST_PARTY.contains(&name.as_str()))
    }

    /// Looks at every watched folder now.
    pub(crate) fn scan_now(&self) {
        if let Some(intake) = self.intake.get() {
            intake.scan_now();
        }
    }

    /// Checks a manifest that is handed in by its path.
    ///
    /// # Errors
    ///
    /// Every problem that it has.
    pub(crate) fn check_path(&self, path: &Path) -> Result<Checked, Fault> {
        accept::check(path, &self.studio, &self.home, &self.config)
    }

    /// Calls a job off.
    ///
    /// # Errors
    ///
    /// When there is no such job, or it has ended or is being delivered.
    pub(crate) fn cancel(&self, id: &str) -> Result<(), Fault> {
        let id = parse(id)?;
        match self
            .queue
            .cancel(id)
            .map_err(|e| Fault::queue(Stage::Bus, &e))?
        {
            CancelOutcome::Requested => {
                let at_hand = self.at_hand.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some((_, cancelled)) = at_hand.as_ref().filter(|(job, _)| *job == id) {
                    cancelled.store(true, Ordering::Relaxed);
                }
                Ok(())
            }
            CancelOutcome::Cancelled => self.reflect(id),
            CancelOutcome::TooLate => Err(wrong_state(id, "is being delivered")),
            CancelOutcome::Ended(state) => Err(wrong_state(id, &format!("is {state} already"))),
        }
    }

    /// Queues a failed or cancelled job again.
    ///
    /// # Errors
    ///
    /// When its state or its files do not allow it.
    pub(crate) fn retry(&self, id: &str) -> Result<(), Fault> {
        let id = parse(id)?;
        self.queue
            .retry(id)
            .map_err(|e| Fault::queue(Stage::Bus, &e))?;
        self.reflect(id)?;
        self.bell.ring();
        Ok(())
    }

    /// Moves a job in the queue.
    ///
    /// # Errors
    ///
    /// When there is no such job, or the priority is out of range.
    pub(crate) fn set_priority(&self, id: &str, priority: i32) -> Result<(), Fault> {
        let id = parse(id)?;
        self.queue
            .set_priority(id, priority)
            .map_err(|e| Fault::queue(Stage::Bus, &e))?;
        self.live
            .update(&id.to_string(), |view| view.priority = priority);
        Ok(())
    }

    /// Holds back one job, or everything that has not begun.
    ///
    /// # Errors
    ///
    /// When there is no such job.
    pub(crate) fn pause(&self, id: Option<&str>) -> Result<(), Fault> {
        let id = id.map(parse).transpose()?;
        self.queue
            .pause(id)
            .map_err(|e| Fault::queue(Stage::Bus, &e))?;
        self.live.announce_daemon();
        Ok(())
    }

    /// Lets one job, or everything, go on.
    ///
    /// # Errors
    ///
    /// When there is no such job.
    pub(crate) fn resume(&self, id: Option<&str>) -> Result<(), Fault> {
        let id = id.map(parse).transpose()?;
        self.queue
            .resume(id)
            .map_err(|e| Fault::queue(Stage::Bus, &e))?;
        self.live.announce_daemon();
        self.bell.ring();
        Ok(())
    }

    /// Shows a job of the ledger on the bus, if it is not shown already.
    ///
    /// # Errors
    ///
    /// When there is no such job.
    pub(crate) fn show(&self, id: &str) -> Result<(), Fault> {
        let job = parse(id)?;
        match self.live.get(&job.to_string()) {
            Some(_) => Ok(()),
            None => self.reflect(job),
        }
    }

    /// Brings the outside's view of a job up to the ledger.
    fn reflect(&self, id: JobId) -> Result<(), Fault> {
        let job = self
            .queue
            .get(id)
            .map_err(|e| Fault::queue(Stage::Bus, &e))?;
        self.live
            .put(&id.to_string(), view::of(&job, &self.home.outbox()));
        Ok(())
    }

    fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }
}

fn parse(id: &str) -> Result<JobId, Fault> {
    id.parse().map_err(|e| Fault::queue(Stage::Bus, &e))
}

fn wrong_state(id: JobId, how: &str) -> Fault {
    Fault::rejected(Stage::Bus, "illegal-transition", format!("job {id} {how}"))
}
