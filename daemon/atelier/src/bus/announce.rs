//! Word of changes to the bus: objects appear and go, properties change, jobs finish. Progress is
//! gathered and told a few times a second; a change of state is told at once.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::broadcast::{self, error::RecvError};
use zbus::fdo::Properties;
use zbus::names::InterfaceName;
use zbus::object_server::{Interface, SignalEmitter};
use zbus::wire::ObjectPath;
use zbus::{Connection, Variant};

use super::job::Job;
use super::manager::Manager;
use super::{PATH, job_path};
use crate::daemon::Daemon;
use crate::daemon::live::{Change, View};

/// Between two words about one job's progress.
const INTERVAL: Duration = Duration::from_millis(250);
/// Between two looks for jobs that may leave.
const SWEEP: Duration = Duration::from_secs(30);

/// Keeps the bus in step with [`crate::daemon::live::Live`].
pub(super) struct Announcer {
    connection: Connection,
    daemon: Arc<Daemon>,
    told: HashMap<String, View>,
}

impl Announcer {
    pub(super) fn new(connection: Connection, daemon: Arc<Daemon>) -> Self {
        Self {
            connection,
            daemon,
            told: HashMap::new(),
        }
    }

    /// Puts every live job on the bus.
    pub(super) async fn show_all(&mut self) {
        for id in self.daemon.live().ids() {
            self.tell(&id).await;
        }
    }

    /// Tells changes until the connection ends.
    pub(super) async fn run(&mut self, changes: &mut broadcast::Receiver<Change>) {
        let mut waiting: BTreeSet<String> = BTreeSet::new();
        let mut interval = tokio::time::interval(INTERVAL);
        let mut sweep = tokio::time::interval(SWEEP);
        let connection = self.connection.clone();
        loop {
            tokio::select! {
                _ = connection.closed() => return,
                change = changes.recv() => match change {
                    Ok(Change::Job(id)) => {
                        let now = self.daemon.live().get(&id).map(|view| view.state);
                        if now == self.told.get(&id).map(|view| view.state) {
                            waiting.insert(id);
                        } else {
                            waiting.remove(&id);
                            self.tell(&id).await;
                            self.tell_daemon().await;
                        }
                    }
                    Ok(Change::Daemon) => self.tell_daemon().await,
                    // Too far behind to know what changed: look at everything.
                    Err(RecvError::Lagged(_)) => waiting.extend(self.daemon.live().ids()),
                    Err(RecvError::Closed) => return,
                },
                _ = interval.tick() => for id in std::mem::take(&mut waiting) {
                    self.tell(&id).await;
                },
                _ = sweep.tick() => for id in self.daemon.live().expire() {
                    self.withdraw(&id).await;
                },
            }
        }
    }

    /// A client that does not listen, or a bus that went away, is no reason to stop working.
    async fn tell(&mut self, id: &str) {
        let Some(view) = self.daemon.live().get(id) else {
            return;
        };
        if let Err(cause) = self.try_tell(id, &view).await {
            tracing::debug!(job = id, %cause, "not told on the bus");
        }
        self.told.insert(id.to_owned(), view);
    }

    async fn try_tell(&self, id: &str, view: &View) -> zbus::Result<()> {
        let path = ObjectPath::try_from(job_path(id))?;
        let emitter = SignalEmitter::new(&self.connection, path.clone())?;
        match self.told.get(id) {
            None => {
                let job = Job::new(id, Arc::clone(&self.daemon));
                self.connection.object_server().at(&path, job).await?;
                Manager::job_added(&SignalEmitter::new(&self.connection, PATH)?, path).await?;
            }
            Some(told) => {
                let changed = differences(told, view);
                if !changed.is_empty() {
                    properties_changed(&emitter, Job::name(), changed).await?;
                }
            }
        }
        let was_final = self.told.get(id).is_some_and(|told| told.state.is_final());
        if view.state.is_final() && !was_final {
            Job::finished(&emitter, view.state.name()).await?;
        }
        Ok(())
    }

    async fn withdraw(&mut self, id: &str) {
        self.told.remove(id);
        let gone = async {
            let path = ObjectPath::try_from(job_path(id))?;
            self.connection
                .object_server()
                .remove::<Job, _>(&path)
                .await?;
            Manager::job_removed(&SignalEmitter::new(&self.connection, PATH)?, path).await
        };
        if let Err(cause) = gone.await {
            tracing::debug!(job = id, %cause, "not withdrawn from the bus");
        }
    }

    async fn tell_daemon(&self) {
        let (queued, running) = self.daemon.live().counts();
        let changed: HashMap<&str, Variant<'_>> = HashMap::from([
            ("Queued", queued.into()),
            ("Running", running.into()),
            ("Paused", self.daemon.is_paused().into()),
            ("State", self.daemon.state().into()),
        ]);
        let told = async {
            let emitter = SignalEmitter::new(&self.connection, PATH)?;
            properties_changed(&emitter, <Manager as Interface>::name(), changed).await
        };
        if let Err(cause) = told.await {
            tracing::debug!(%cause, "not told on the bus");
        }
    }
}

async fn properties_changed(
    emitter: &SignalEmitter<'_>,
    interface: InterfaceName<'_>,
    changed: HashMap<&str, Variant<'_>>,
) -> zbus::Result<()> {
    Properties::properties_changed(emitter, interface, changed, Cow::Borrowed(&[])).await
}

fn differences<'a>(told: &View, view: &'a View) -> HashMap<&'static str, Variant<'a>> {
    let mut changed: HashMap<&'static str, Variant<'a>> = HashMap::new();
    if told.state != view.state {
        changed.insert("State", view.state.name().into());
    }
    if told.stage != view.stage {
        changed.insert("Stage", view.stage.into());
    }
    if (told.progress - view.progress).abs() > f64::EPSILON {
        changed.insert("Progress", view.progress.into());
    }
    for (name, before, now) in [
        ("Step", told.step, view.step),
        ("Steps", told.steps, view.steps),
        ("Attempt", told.attempt, view.attempt),
    ] {
        if before != now {
            changed.insert(name, now.into());
        }
    }
    if told.error_code != view.error_code {
        changed.insert("ErrorCode", view.error_code.as_str().into());
    }
    if told.error_message != view.error_message {
        changed.insert("ErrorMessage", view.error_message.as_str().into());
    }
    if told.outputs != view.outputs {
        changed.insert("Outputs", view.outputs.clone().into());
    }
    changed
}
