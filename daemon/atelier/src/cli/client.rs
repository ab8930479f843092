//! Talking to a running daemon over the session bus.

use std::path::Path;
use std::time::Duration;

use futures_util::StreamExt;
use zbus::wire::{OwnedObjectPath, OwnedVariant};
use zbus::{Connection, proxy};

use super::progress::Bar;
use crate::bus::{NAME, job_path};
use crate::fault::{Fault, Stage};

#[proxy(
    interface = "org.atelier.Atelier1.Manager",
    default_service = "org.atelier.Atelier1",
    default_path = "/org/atelier/Atelier1"
)]
trait Manager {
    fn submit_path(
        &self,
        path: &str,
        options: std::collections::HashMap<&str, zbus::Variant<'_>>,
    ) -> zbus::Result<OwnedObjectPath>;
    fn get_job(&self, id: &str) -> zbus::Result<OwnedObjectPath>;
    fn pause(&self) -> zbus::Result<()>;
    fn resume(&self) -> zbus::Result<()>;
    #[zbus(property(emits_changed_signal = "const"))]
    fn version(&self) -> zbus::Result<String>;
}

#[proxy(
    interface = "org.atelier.Atelier1.Job",
    default_service = "org.atelier.Atelier1"
)]
trait Job {
    fn cancel(&self) -> zbus::Result<()>;
    fn retry(&self) -> zbus::Result<()>;
    fn hold(&self) -> zbus::Result<()>;
    fn release(&self) -> zbus::Result<()>;
}

/// What a client asks of one job.
#[derive(Debug, Clone, Copy)]
pub(super) enum Ask {
    Cancel,
    Retry,
    Hold,
    Release,
}

/// How a job ended.
#[derive(Debug)]
pub(super) struct Ended {
    /// `done`, `failed` or `cancelled`.
    pub(super) state: String,
    pub(super) error_code: String,
    pub(super) error_message: String,
    pub(super) outputs: Vec<String>,
}

fn block<T>(work: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|cause| Fault::fatal(Stage::Bus, "internal", cause.to_string()))?
        .block_on(work)
}

async fn connect() -> Result<Connection, Fault> {
    Connection::session().await.map_err(|cause| {
        Fault::unreachable(format!(
            "there is no session bus to find the daemon on: {cause}"
        ))
    })
}

async fn manager(connection: &Connection) -> Result<ManagerProxy<'_>, Fault> {
    ManagerProxy::new(connection)
        .await
        .map_err(|cause| fault(&cause))
}

async fn job<'c>(connection: &'c Connection, id: &str) -> Result<JobProxy<'c>, Fault> {
    JobProxy::builder(connection)
        .path(job_path(id))
        .cache_properties(zbus::proxy::CacheProperties::No)
        .build()
        .await
        .map_err(|cause| fault(&cause))
}

/// A D-Bus error as the fault that it came from.
fn fault(cause: &zbus::Error) -> Fault {
    let zbus::Error::MethodError(name, text, _) = cause else {
        return Fault::unreachable(format!("the daemon cannot be reached: {cause}"));
    };
    let text = text.as_deref().unwrap_or_default();
    // Our own errors carry `error[code]: sentence`.
    let (code, message) = text
        .strip_prefix("error[")
        .and_then(|rest| rest.split_once("]: "))
        .unwrap_or(("bus-error", text));
    let mut fault = match name.rsplit('.').next().unwrap_or_default() {
        "ServiceUnknown" | "NameHasNoOwner" | "NoReply" | "Disconnected" | "SpawnExecFailed"
        | "Spawn" => {
            return Fault::unreachable("no daemon runs on this session bus");
        }
        "UnknownObject" => {
            return Fault::missing(Stage::Bus, "unknown-job", "the job left the bus");
        }
        "InvalidManifest" | "WrongState" => Fault::rejected(Stage::Bus, code, message),
        "UnknownJob" | "NotFound" => Fault::missing(Stage::Bus, code, message),
        _ => Fault::fatal(Stage::Bus, code, message),
    };
    if let Some((message, hint)) = message.split_once("\n  hint: ") {
        fault.message = message.to_owned();
        fault.hint = Some(hint.to_owned());
    }
    fault
}

/// The version of the daemon on this bus.
pub(super) fn daemon_version() -> Result<String, Fault> {
    block(async {
        let connection = connect().await?;
        manager(&connection)
            .await?
            .version()
            .await
            .map_err(|cause| fault(&cause))
    })
}

/// Hands a manifest over; the answer is the job's id.
pub(super) fn submit(path: &Path) -> Result<String, Fault> {
    block(async {
        let connection = connect().await?;
        let path = path.to_str().ok_or_else(|| {
            Fault::rejected(
                Stage::Bus,
                "path-not-text",
                "the manifest's path is not UTF-8",
            )
        })?;
        let job = manager(&connection)
            .await?
            .submit_path(path, Default::default())
            .await;
        let job = job.map_err(|cause| fault(&cause))?;
        Ok(job
            .as_str()
            .rsplit('/')
            .next()
            .unwrap_or_default()
            .to_owned())
    })
}

/// Asks something of one job.
pub(super) fn ask(id: &str, what: Ask) -> Result<(), Fault> {
    block(async {
        let connection = connect().await?;
        // Puts a job that ended long ago back on the bus, so that it can be retried.
        manager(&connection)
            .await?
            .get_job(id)
            .await
            .map_err(|cause| fault(&cause))?;
        let job = job(&connection, id).await?;
        match what {
            Ask::Cancel => job.cancel().await,
            Ask::Retry => job.retry().await,
            Ask::Hold => job.hold().await,
            Ask::Release => job.release().await,
        }
        .map_err(|cause| fault(&cause))
    })
}

/// How far a job is, if a daemon can say.
pub(super) fn progress(id: &str) -> Option<f64> {
    block(async {
        let connection = connect().await?;
        look(&properties(&connection, id).await?).await
    })
    .ok()
    .map(|seen| seen.progress)
}

/// Pauses or resumes the whole daemon.
pub(super) fn pause(paused: bool) -> Result<(), Fault> {
    block(async {
        let connection = connect().await?;
        let manager = manager(&connection).await?;
        if paused {
            manager.pause().await
        } else {
            manager.resume().await
        }
        .map_err(|cause| fault(&cause))
    })
}

/// Follows a job to its end, on a bar.
pub(super) fn follow(id: &str, bar: &Bar) -> Result<Ended, Fault> {
    block(async {
        let connection = connect().await?;
        let properties = properties(&connection, id).await?;
        // Listen first, then look: no end can fall between.
        let mut changes = properties
            .receive_properties_changed()
            .await
            .map_err(|cause| fault(&cause))?;
        loop {
            let seen = look(&properties).await?;
            bar.show(&seen.stage, seen.progress);
            if matches!(seen.ended.state.as_str(), "done" | "failed" | "cancelled") {
                bar.finish();
                return Ok(seen.ended);
            }
            // A lost daemon sends nothing: look again now and then.
            let _ = tokio::time::timeout(Duration::from_secs(2), changes.next()).await;
        }
    })
}

async fn properties<'c>(
    connection: &'c Connection,
    id: &str,
) -> Result<zbus::fdo::PropertiesProxy<'c>, Fault> {
    zbus::fdo::PropertiesProxy::builder(connection)
        .destination(NAME)
        .path(job_path(id))
        .build()
        .await
        .map_err(|cause| fault(&cause))
}

struct Seen {
    stage: String,
    progress: f64,
    ended: Ended,
}

async fn look(properties: &zbus::fdo::PropertiesProxy<'_>) -> Result<Seen, Fault> {
    let interface =
        zbus::names::InterfaceName::from_static_str_unchecked("org.atelier.Atelier1.Job");
    let all = properties
        .get_all(interface)
        .await
        .map_err(|cause| fault(&cause.into()))?;
    let text = |name: &str| -> String {
        all.get(name)
            .and_then(|value| String::try_from(value.clone()).ok())
            .unwrap_or_default()
    };
    Ok(Seen {
        stage: text("Stage"),
        progress: all
            .get("Progress")
            .and_then(|value| f64::try_from(value).ok())
            .unwrap_or_default(),
        ended: Ended {
            state: text("State"),
            error_code: text("ErrorCode"),
            error_message: text("ErrorMessage"),
            outputs: all
                .get("Outputs")
                .and_then(|value: &OwnedVariant| Vec::<String>::try_from(value.clone()).ok())
                .unwrap_or_default(),
        },
    })
}

impl Ended {
    /// The outcome as a result: `done` is good, everything else a fault with the job's code.
    pub(super) fn outcome(&self) -> Result<(), Fault> {
        match self.state.as_str() {
            "done" => Ok(()),
            "cancelled" => Err(Fault::cancelled(Stage::Bus)),
            _ => Err(Fault::fatal(
                Stage::Bus,
                &self.error_code,
                self.error_message.clone(),
            )),
        }
    }
}
