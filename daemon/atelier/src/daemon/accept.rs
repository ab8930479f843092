//! From a file to a checked job: the same reading and checking for a dropped manifest, a submitted
//! one and `atelier check`. Nothing is changed here.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use atelier_manifest::{Job, Seeds};

use crate::config::Config;
use crate::fault::{Fault, Stage};
use crate::home::Home;
use crate::studio::{self, Studio, Surroundings};

/// A manifest that holds.
pub(crate) struct Checked {
    /// What it asks for.
    pub(crate) job: Job,
    /// Its file's stem, which names its pictures unless it says otherwise.
    pub(crate) stem: String,
}

/// Reads and checks the manifest at a path, its own paths relative to its folder.
///
/// # Errors
///
/// Every problem that the manifest has, or why it cannot be read.
pub(crate) fn check(
    path: &Path,
    studio: &Studio,
    home: &Home,
    config: &Config,
) -> Result<Checked, Fault> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let folder = std::path::absolute(folder)
        .map_err(|cause| Fault::io(Stage::Check, "manifest-unreadable", folder, &cause))?;
    let job = load(&read(path)?, &folder, studio, home, config)?;
    Ok(Checked {
        job,
        stem: stem(path),
    })
}

/// Checks a manifest's text; its paths are relative to `folder`.
///
/// # Errors
///
/// Every problem that the manifest has.
pub(crate) fn load(
    text: &str,
    folder: &Path,
    studio: &Studio,
    home: &Home,
    config: &Config,
) -> Result<Job, Fault> {
    let world = Surroundings::new(studio, folder, &config.intake.allow, home.templates());
    atelier_manifest::load(text, &world).map_err(|problems| Fault::from_problems(&problems))
}

/// Reads the text of a manifest at a path.
///
/// # Errors
///
/// When it cannot be opened, is no plain file, too large or not UTF-8.
pub(crate) fn read(path: &Path) -> Result<String, Fault> {
    atelier_manifest::read(&mut open(path)?).map_err(|problems| Fault::from_problems(&problems))
}

/// Opens a manifest for reading. A pipe or a device that bears its name must not hang the daemon,
/// so opening never waits.
fn open(path: &Path) -> Result<File, Fault> {
    OpenOptions::new()
        .read(true)
        .custom_flags(rustix::fs::OFlags::NONBLOCK.bits().cast_signed())
        .open(path)
        .map_err(|cause| Fault::io(Stage::Check, "manifest-unreadable", path, &cause))
}

/// The seeds of a job are settled when it is accepted, so that a second attempt after a crash
/// makes the same pictures.
///
/// # Errors
///
/// When the system gives no randomness.
pub(crate) fn settle_seeds(job: &mut Job) -> Result<(), Fault> {
    job.seeds = Seeds::Fixed(studio::seeds(job)?);
    Ok(())
}

fn stem(path: &Path) -> String {
    path.file_stem().map_or_else(
        || "picture".to_owned(),
        |stem| stem.to_string_lossy().into_owned(),
    )
}
