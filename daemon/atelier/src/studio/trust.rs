//! What the user allowed to plugins by command, kept beside them in `trust.toml`: permissions that
//! were granted, and the author's key that a plugin was first installed with. The settings may grant
//! more; nothing here is ever taken from a plugin's own folder.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use atelier_plugin_host::{Grants, Permission};
use serde::{Deserialize, Serialize};

use crate::fault::{Fault, Stage};

/// The file, in the home's `plugins/`.
const FILE: &str = "trust.toml";

/// What the user allowed.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Written {
    /// Permissions by plugin.
    grants: BTreeMap<String, BTreeSet<String>>,
    /// Authors' keys by plugin.
    authors: BTreeMap<String, String>,
}

/// The trust of one home.
pub(crate) struct Trust {
    path: PathBuf,
}

impl Trust {
    /// Of the plugins in a folder; nothing is read yet.
    pub(super) fn of(plugins: &Path) -> Self {
        Self {
            path: plugins.join(FILE),
        }
    }

    /// What was granted to a plugin.
    ///
    /// # Errors
    ///
    /// When the file is damaged: then nothing is granted.
    pub(crate) fn granted(&self, plugin: &str) -> Result<Grants, Fault> {
        let granted = self.read()?.grants.remove(plugin).unwrap_or_default();
        granted
            .iter()
            .map(|text| text.parse::<Permission>())
            .collect::<Result<_, _>>()
            .map_err(|cause| self.damaged(&cause.to_string()))
    }

    /// Grants permissions to a plugin.
    ///
    /// # Errors
    ///
    /// When the file cannot be read or written.
    pub(crate) fn grant(&self, plugin: &str, permissions: &Grants) -> Result<(), Fault> {
        let _alone = self.alone()?;
        let mut written = self.read()?;
        let granted = written.grants.entry(plugin.to_owned()).or_default();
        granted.extend(permissions.iter().map(Permission::to_string));
        self.write(&written)
    }

    /// Takes permissions back; none named: all of them. Returns those that were there.
    ///
    /// # Errors
    ///
    /// When the file cannot be read or written.
    pub(crate) fn revoke(&self, plugin: &str, permissions: &Grants) -> Result<Vec<String>, Fault> {
        let _alone = self.alone()?;
        let mut written = self.read()?;
        let granted = written.grants.entry(plugin.to_owned()).or_default();
        let named: BTreeSet<String> = permissions.iter().map(Permission::to_string).collect();
        let goes = |text: &String| named.is_empty() || named.contains(text);
        let gone = granted.iter().filter(|text| goes(text)).cloned().collect();
        granted.retain(|text| !goes(text));
        if granted.is_empty() {
            written.grants.remove(plugin);
        }
        self.write(&written)?;
        Ok(gone)
    }

    /// The author's key that a plugin was first installed with, if it was signed.
    ///
    /// # Errors
    ///
    /// When the file is damaged.
    pub(crate) fn author(&self, plugin: &str) -> Result<Option<String>, Fault> {
        Ok(self.read()?.authors.remove(plugin))
    }

    /// Remembers a plugin's author.
    ///
    /// # Errors
    ///
    /// When the file cannot be read or written.
    pub(crate) fn know(&self, plugin: &str, author: &str) -> Result<(), Fault> {
        let _alone = self.alone()?;
        let mut written = self.read()?;
        written.authors.insert(plugin.to_owned(), author.to_owned());
        self.write(&written)
    }

    /// Forgets everything about a plugin.
    ///
    /// # Errors
    ///
    /// When the file cannot be read or written.
    pub(crate) fn forget(&self, plugin: &str) -> Result<(), Fault> {
        let _alone = self.alone()?;
        let mut written = self.read()?;
        let granted = written.grants.remove(plugin).is_some();
        if written.authors.remove(plugin).is_some() || granted {
            self.write(&written)?;
        }
        Ok(())
    }

    /// Nobody else changes the file while this lives: two commands at once must not lose a grant.
    fn alone(&self) -> Result<File, Fault> {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        File::open(folder)
            .and_then(|folder| folder.lock().map(|()| folder))
            .map_err(|cause| Fault::io(Stage::Start, "trust-unwritable", folder, &cause))
    }

    fn read(&self) -> Result<Written, Fault> {
        match fs::read_to_string(&self.path) {
            Ok(text) => toml::from_str(&text).map_err(|cause| self.damaged(cause.message())),
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(Written::default()),
            Err(cause) => Err(Fault::io(
                Stage::Start,
                "trust-unreadable",
                &self.path,
                &cause,
            )),
        }
    }

    /// Whole or not at all, so that a crash leaves what was granted before.
    fn write(&self, written: &Written) -> Result<(), Fault> {
        let text = toml::to_string(written).map_err(|cause| self.damaged(&cause.to_string()))?;
        let draft = self
            .path
            .with_extension(format!("{}.part", std::process::id()));
        fs::write(&draft, text)
            .and_then(|()| fs::rename(&draft, &self.path))
            .map_err(|cause| Fault::io(Stage::Start, "trust-unwritable", &self.path, &cause))
    }

    fn damaged(&self, why: &str) -> Fault {
        Fault::rejected(
            Stage::Start,
            "trust-damaged",
            format!("{}: {why}", self.path.display()),
        )
        .hint("correct the file, or remove it and grant again what plugins ask for")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn what_is_granted_stays_until_it_is_taken_back() {
        let folder = tempfile::tempdir().unwrap();
        let trust = Trust::of(folder.path());
        assert!(trust.granted("pose").unwrap().is_empty());
        let both: Grants = ["random", "model:joints"]
            .iter()
            .map(|text| text.parse().unwrap())
            .collect();
        trust.grant("pose", &both).unwrap();
        trust.know("pose", "ed25519:abc").unwrap();
        let again = Trust::of(folder.path());
        assert_eq!(again.granted("pose").unwrap(), both);
        let one = Grants::from([Permission::Random]);
        assert_eq!(again.revoke("pose", &one).unwrap(), ["random"]);
        assert_eq!(trust.granted("pose").unwrap().len(), 1);
        assert_eq!(
            trust.revoke("pose", &Grants::new()).unwrap(),
            ["model:joints"]
        );
        assert_eq!(
            trust.author("pose").unwrap().as_deref(),
            Some("ed25519:abc")
        );
        trust.forget("pose").unwrap();
        assert_eq!(trust.author("pose").unwrap(), None);
    }

    #[test]
    fn grants_given_at_once_are_all_kept() {
        let folder = tempfile::tempdir().unwrap();
        std::thread::scope(|scope| {
            for number in 0..16 {
                let trust = Trust::of(folder.path());
                scope.spawn(move || {
                    let one = Grants::from([Permission::Setting(format!("key{number}"))]);
                    trust.grant("pose", &one).unwrap();
                });
            }
        });
        assert_eq!(Trust::of(folder.path()).granted("pose").unwrap().len(), 16);
    }

    #[test]
    fn a_damaged_file_grants_nothing_and_says_so() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(FILE), "grants = 3").unwrap();
        let fault = Trust::of(folder.path()).granted("pose").unwrap_err();
        assert_eq!(fault.code, "trust-damaged");
    }
}
