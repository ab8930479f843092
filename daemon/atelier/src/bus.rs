//! The session bus: one manager object, one object for each live job, the standard object
//! manager. Objects are thin: they read [`crate::daemon::live::Live`], call [`Daemon`], and hold
//! nothing. The name is taken last, so that who finds it finds everything.

mod announce;
mod error;
mod job;
mod manager;
mod preview;

use std::sync::Arc;

use zbus::connection;
use zbus::fdo::{ObjectManager, RequestNameFlags, RequestNameReply};

use crate::daemon::Daemon;
use crate::fault::{Fault, Stage};
use manager::Manager;

/// The well-known name.
pub(crate) const NAME: &str = "org.atelier.Atelier1";
/// The manager's object, and the root of all others.
pub(crate) const PATH: &str = "/org/atelier/Atelier1";

/// The object of a job.
pub(crate) fn job_path(id: &str) -> String {
    format!("{PATH}/jobs/{id}")
}

/// Serves the daemon on the session bus until the connection ends.
///
/// # Errors
///
/// When there is no session bus, or another daemon owns the name.
pub(crate) async fn serve(daemon: Arc<Daemon>, ready: impl FnOnce()) -> Result<(), Fault> {
    let failed = |cause: zbus::Error| {
        Fault::fatal(
            Stage::Bus,
            "bus-unavailable",
            format!("the session bus cannot be used: {cause}"),
        )
        .hint("start the daemon in a session with a bus, or with --no-dbus")
    };
    let mut changes = daemon.live().subscribe();
    let connection = connection::Builder::session()
        .serve_at(PATH, ObjectManager)
        .serve_at(PATH, Manager::new(Arc::clone(&daemon)))
        .build()
        .await
        .map_err(failed)?;
    let mut announcer = announce::Announcer::new(connection.clone(), Arc::clone(&daemon));
    announcer.show_all().await;
    let reply = connection
        .request_name_with_flags(NAME, RequestNameFlags::DO_NOT_QUEUE)
        .await;
    match reply {
        Ok(RequestNameReply::PrimaryOwner | RequestNameReply::AlreadyOwner) => {}
        Ok(_) | Err(zbus::Error::NameTaken) => {
            return Err(Fault::fatal(
                Stage::Bus,
                "bus-name-taken",
                format!("another daemon owns {NAME} on this session bus"),
            )
            .hint("stop it, or start this one with --no-dbus"));
        }
        Err(cause) => return Err(failed(cause)),
    }
    ready();
    announcer.run(&mut changes).await;
    Ok(())
}
