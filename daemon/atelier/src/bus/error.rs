//! Faults as D-Bus errors: one name for each thing that a caller can act on. The stable code of
//! the fault stands first in the text.

use crate::fault::{Class, Fault};

/// The errors of both interfaces.
#[derive(Debug, zbus::DBusError)]
#[zbus(prefix = "org.atelier.Atelier1.Error")]
pub(super) enum BusError {
    /// An error of the bus itself.
    #[zbus(error)]
    ZBus(zbus::Error),
    /// No job has this id, or it ended too long ago.
    UnknownJob(String),
    /// The manifest is refused.
    InvalidManifest(String),
    /// Something named is not there.
    NotFound(String),
    /// The job has ended, or its state does not allow this.
    WrongState(String),
    /// The job makes no picture at the moment, or nothing can be seen of it yet.
    NoPreview(String),
    /// A call's option is unknown, or of the wrong type.
    InvalidOption(String),
    /// Anything else.
    Failed(String),
}

impl From<Fault> for BusError {
    fn from(fault: Fault) -> Self {
        let text = fault.to_string();
        match (fault.code.as_str(), fault.class) {
            ("unknown-job" | "bad-job-id", _) => Self::UnknownJob(text),
            ("illegal-transition" | "not-retryable", _) => Self::WrongState(text),
            (_, Class::Rejected) => Self::InvalidManifest(text),
            (_, Class::Missing) => Self::NotFound(text),
            _ => Self::Failed(text),
        }
    }
}

/// Runs what may wait for a disk where waiting is allowed.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Fault> + Send + 'static,
) -> Result<T, BusError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done.map_err(BusError::from),
        Err(cause) => Err(BusError::Failed(format!("error[internal]: {cause}"))),
    }
}
