//! `org.atelier.Atelier1.Job`: one live job. Finished jobs stay for a while, so that a late
//! client reads the truth instead of missing a signal.

use std::sync::Arc;

use zbus::object_server::SignalEmitter;
use zbus::wire::OwnedFd;

use super::error::{BusError, blocking};
use super::preview;
use crate::daemon::Daemon;
use crate::daemon::live::View;

/// A job's object.
pub(super) struct Job {
    id: String,
    daemon: Arc<Daemon>,
}

impl Job {
    pub(super) fn new(id: &str, daemon: Arc<Daemon>) -> Self {
        Self {
            id: id.to_owned(),
            daemon,
        }
    }

    fn view(&self) -> zbus::fdo::Result<View> {
        let gone =
            || zbus::fdo::Error::UnknownObject(format!("job {} ended too long ago", self.id));
        self.daemon.live().get(&self.id).ok_or_else(gone)
    }
}

/// One job: what it does, and a way to stop it.
#[zbus::interface(name = "org.atelier.Atelier1.Job")]
impl Job {
    /// Stops the job: at once if it waits, between two steps if it runs. Replies once that is
    /// durable; the job is then cancelled, or about to be.
    async fn cancel(&self) -> Result<(), BusError> {
        let (daemon, id) = (Arc::clone(&self.daemon), self.id.clone());
        blocking(move || daemon.cancel(&id)).await
    }

    /// Queues a failed or cancelled job again.
    async fn retry(&self) -> Result<(), BusError> {
        let (daemon, id) = (Arc::clone(&self.daemon), self.id.clone());
        blocking(move || daemon.retry(&id)).await
    }

    /// Keeps a waiting job back until it is released.
    async fn hold(&self) -> Result<(), BusError> {
        let (daemon, id) = (Arc::clone(&self.daemon), self.id.clone());
        blocking(move || daemon.pause(Some(&id))).await
    }

    /// Lets a job that was held back take its turn.
    async fn release(&self) -> Result<(), BusError> {
        let (daemon, id) = (Arc::clone(&self.daemon), self.id.clone());
        blocking(move || daemon.resume(Some(&id))).await
    }

    /// Moves a waiting job in the queue: -10 to 10, higher goes first.
    async fn set_priority(&self, priority: i32) -> Result<(), BusError> {
        let (daemon, id) = (Arc::clone(&self.daemon), self.id.clone());
        blocking(move || daemon.set_priority(&id, priority)).await
    }

    /// The newest preview of the picture at hand: a small PNG in sealed memory, read from its
    /// beginning. It is marked as unfinished, and not signed.
    #[zbus(out_args("preview"))]
    async fn open_preview(&self) -> Result<OwnedFd, BusError> {
        let Some(picture) = self.daemon.live().preview(&self.id) else {
            return Err(BusError::NoPreview(format!(
                "error[no-preview]: there is nothing to see of job {} now",
                self.id
            )));
        };
        blocking(move || preview::file(&picture).map(OwnedFd::from)).await
    }

    /// The job's id: the last part of this object's path.
    #[zbus(property(emits_changed_signal = "const"))]
    async fn id(&self) -> String {
        self.id.clone()
    }

    /// The manifest's name.
    #[zbus(property(emits_changed_signal = "const"))]
    async fn name(&self) -> zbus::fdo::Result<String> {
        self.view().map(|view| view.name)
    }

    /// `queued`, `preparing`, `running`, `signing`, `done`, `failed` or `cancelled`.
    #[zbus(property)]
    async fn state(&self) -> zbus::fdo::Result<String> {
        self.view().map(|view| view.state.name().to_owned())
    }

    /// What it does within its state, in a word.
    #[zbus(property)]
    async fn stage(&self) -> zbus::fdo::Result<String> {
        self.view().map(|view| view.stage.to_owned())
    }

    /// 0.0 to 1.0 over the whole job.
    #[zbus(property)]
    async fn progress(&self) -> zbus::fdo::Result<f64> {
        self.view().map(|view| view.progress)
    }

    /// Denoising steps done of the picture at hand.
    #[zbus(property)]
    async fn step(&self) -> zbus::fdo::Result<u32> {
        self.view().map(|view| view.step)
    }

    /// Denoising steps of the picture at hand; 0 before the first.
    #[zbus(property)]
    async fn steps(&self) -> zbus::fdo::Result<u32> {
        self.view().map(|view| view.steps)
    }

    /// Which attempt this is, from 1; 0 before the first.
    #[zbus(property)]
    async fn attempt(&self) -> zbus::fdo::Result<u32> {
        self.view().map(|view| view.attempt)
    }

    /// The error's stable code; empty without one.
    #[zbus(property)]
    async fn error_code(&self) -> zbus::fdo::Result<String> {
        self.view().map(|view| view.error_code)
    }

    /// The error's sentence; empty without one.
    #[zbus(property)]
    async fn error_message(&self) -> zbus::fdo::Result<String> {
        self.view().map(|view| view.error_message)
    }

    /// Delivered pictures, as paths.
    #[zbus(property)]
    async fn outputs(&self) -> zbus::fdo::Result<Vec<String>> {
        self.view().map(|view| view.outputs)
    }

    /// The job ended: `done`, `failed` or `cancelled`.
    #[zbus(signal)]
    pub(super) async fn finished(emitter: &SignalEmitter<'_>, state: &str) -> zbus::Result<()>;
}
