//! Where compiled kernels are kept from one start to the next.

use std::path::PathBuf;
use std::sync::OnceLock;

static FOLDER: OnceLock<PathBuf> = OnceLock::new();

/// Keeps compiled kernels in this folder; without this, each start compiles what it uses. To be called before the
/// first pipeline is opened; later calls change nothing.
pub fn keep_in(folder: PathBuf) {
    if FOLDER.set(folder).is_err() {
        tracing::debug!("the folder of compiled kernels has been set before");
    }
}

/// The folder, if one was set.
pub fn folder() -> Option<PathBuf> {
    FOLDER.get().cloned()
}
