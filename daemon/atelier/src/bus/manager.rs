//! `org.atelier.Atelier1.Manager`: handing jobs over, and the daemon's own state.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use zbus::ObjectServer;
use zbus::object_server::SignalEmitter;
use zbus::wire::{ObjectPath, OwnedObjectPath, OwnedVariant};

use super::error::{BusError, blocking};
use super::job::Job;
use super::job_path;
use crate::daemon::Daemon;

/// The manager object.
pub(super) struct Manager {
    daemon: Arc<Daemon>,
}

impl Manager {
    pub(super) fn new(daemon: Arc<Daemon>) -> Self {
        Self { daemon }
    }

    /// Puts a job's object on the bus before its path is told, so that no caller finds nothing
    /// there. One that is there already is as good.
    async fn export(&self, server: &ObjectServer, id: &str) -> Result<OwnedObjectPath, BusError> {
        let path = path_of(id)?;
        server
            .at(&path, Job::new(id, Arc::clone(&self.daemon)))
            .await?;
        Ok(path)
    }
}

/// The object path of a job's id. Ids are letters and digits, so the path is always valid.
pub(super) fn path_of(id: &str) -> Result<OwnedObjectPath, BusError> {
    ObjectPath::try_from(job_path(id))
        .map(Into::into)
        .map_err(|cause| BusError::Failed(cause.to_string()))
}

fn hold_option(options: &HashMap<String, OwnedVariant>) -> Result<bool, BusError> {
    let mut hold = false;
    for (name, value) in options {
        match (name.as_str(), bool::try_from(value)) {
            ("hold", Ok(value)) => hold = value,
            ("hold", Err(_)) => {
                return Err(BusError::InvalidOption(
                    "error[option-invalid]: `hold` is a boolean".to_owned(),
                ));
            }
            _ => {
                return Err(BusError::InvalidOption(format!(
                    "error[option-unknown]: there is no option `{name}`"
                )));
            }
        }
    }
    Ok(hold)
}

/// Hands jobs to the daemon, and tells how it is.
#[zbus::interface(name = "org.atelier.Atelier1.Manager")]
impl Manager {
    /// Checks the manifest at a path that the daemon can read, takes a copy of it and of the
    /// pictures that it names, and queues the job. The reply comes once the job is durable. The
    /// option `hold` (b) queues it held back; any other option is refused.
    #[zbus(out_args("job"))]
    async fn submit_path(
        &self,
        #[zbus(object_server)] server: &ObjectServer,
        path: String,
        options: HashMap<String, OwnedVariant>,
    ) -> Result<OwnedObjectPath, BusError> {
        let hold = hold_option(&options)?;
        let daemon = Arc::clone(&self.daemon);
        let id = blocking(move || daemon.submit_path(&PathBuf::from(path), hold)).await?;
        self.export(server, &id).await
    }

    /// Validates the manifest at a path and tells what it would make: `outputs` (as), `width`,
    /// `height`, `steps` (u) and `model` (s). Nothing is queued.
    #[zbus(out_args("facts"))]
    async fn check_path(
        &self,
        path: String,
        options: HashMap<String, OwnedVariant>,
    ) -> Result<HashMap<String, OwnedVariant>, BusError> {
        if let Some(name) = options.keys().next() {
            return Err(BusError::InvalidOption(format!(
                "error[option-unknown]: there is no option `{name}`"
            )));
        }
        let daemon = Arc::clone(&self.daemon);
        let checked = blocking(move || daemon.check_path(&PathBuf::from(path))).await?;
        let stem = checked.job.stem.clone().unwrap_or(checked.stem);
        let facts: [(&str, zbus::Variant<'_>); 5] = [
            ("outputs", checked.job.outputs(&stem).into()),
            ("width", checked.job.width.into()),
            ("height", checked.job.height.into()),
            ("steps", checked.job.steps.into()),
            ("model", checked.job.model.name.clone().into()),
        ];
        facts
            .into_iter()
            .map(|(name, value)| {
                let value = value
                    .try_into_owned()
                    .map_err(|cause| BusError::Failed(cause.to_string()))?;
                Ok((name.to_owned(), value))
            })
            .collect()
    }

    /// The object of any job in the ledger. One that ended long ago comes back to the bus for a
    /// while.
    #[zbus(out_args("job"))]
    async fn get_job(
        &self,
        #[zbus(object_server)] server: &ObjectServer,
        id: String,
    ) -> Result<OwnedObjectPath, BusError> {
        let daemon = Arc::clone(&self.daemon);
        let wanted = id.clone();
        blocking(move || daemon.show(&wanted)).await?;
        self.export(server, &id).await
    }

    /// Starts nothing new; the job at hand goes on.
    async fn pause(&self) -> Result<(), BusError> {
        let daemon = Arc::clone(&self.daemon);
        blocking(move || daemon.pause(None)).await
    }

    /// Goes on after a pause.
    async fn resume(&self) -> Result<(), BusError> {
        let daemon = Arc::clone(&self.daemon);
        blocking(move || daemon.resume(None)).await
    }

    /// Looks at every watched folder now.
    async fn scan_now(&self) {
        self.daemon.scan_now();
    }

    /// The daemon's version.
    #[zbus(property(emits_changed_signal = "const"))]
    async fn version(&self) -> &str {
        env!("CARGO_PKG_VERSION")
    }

    /// `idle`, `running` or `paused`.
    #[zbus(property)]
    async fn state(&self) -> String {
        self.daemon.state().to_owned()
    }

    /// Whether nothing new is started.
    #[zbus(property)]
    async fn paused(&self) -> bool {
        self.daemon.is_paused()
    }

    /// Jobs that wait.
    #[zbus(property)]
    async fn queued(&self) -> u32 {
        self.daemon.live().counts().0
    }

    /// Jobs that are being worked on.
    #[zbus(property)]
    async fn running(&self) -> u32 {
        self.daemon.live().counts().1
    }

    /// The devices that compute: `cpu`, `cuda:N`, or `auto` where that is found out when a model is opened.
    #[zbus(property(emits_changed_signal = "const"))]
    async fn devices(&self) -> Vec<String> {
        self.daemon.devices()
    }

    /// The watched folders, absolute.
    #[zbus(property(emits_changed_signal = "const"))]
    async fn folders(&self) -> Vec<String> {
        self.daemon.folders()
    }

    /// Whether plugins that did not come with Atelier are installed.
    #[zbus(property(emits_changed_signal = "false"))]
    async fn tainted(&self) -> bool {
        self.daemon.is_tainted()
    }

    /// A job was queued.
    #[zbus(signal)]
    pub(super) async fn job_added(
        emitter: &SignalEmitter<'_>,
        job: ObjectPath<'_>,
    ) -> zbus::Result<()>;

    /// A job that ended a while ago left the bus.
    #[zbus(signal)]
    pub(super) async fn job_removed(
        emitter: &SignalEmitter<'_>,
        job: ObjectPath<'_>,
    ) -> zbus::Result<()>;
}
