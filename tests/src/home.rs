//! A home in a temporary folder, and the folders that the contract promises in it.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::Value;
use tempfile::TempDir;
use toml::Table;

use crate::bus::NOWHERE;
use crate::fixtures::Fixtures;
use crate::program::{Run, command, plugin_folder, run};
use crate::wait::wait_for;

/// The settings of every test home: the same arithmetic on every machine, whatever card it has.
const SETTINGS: &str = "[device]\ndevice = \"cpu\"\nprecision = \"f32\"\n";

/// One home, removed when the value goes.
#[derive(Debug)]
pub struct Home {
    /// Holds the home and, beside it, the logs.
    around: TempDir,
    path: PathBuf,
    logs: AtomicU32,
}

impl Home {
    /// A home with nothing in it.
    ///
    /// # Panics
    ///
    /// When it cannot be made.
    #[must_use]
    pub fn empty() -> Self {
        let around = tempfile::Builder::new()
            .prefix("atelier-")
            .tempdir()
            .expect("a temporary folder");
        let path = around.path().join("home");
        fs::create_dir(&path).expect("a folder can be made");
        Self {
            around,
            path,
            logs: AtomicU32::new(0),
        }
    }

    /// A home that has the small model as `klein`, and so as its default, and computes on the CPU.
    ///
    /// # Panics
    ///
    /// When it cannot be made.
    #[must_use]
    #[expect(
        clippy::new_without_default,
        reason = "a default that makes folders would surprise"
    )]
    pub fn new() -> Self {
        Self::with_settings("")
    }

    /// The same with more settings: tables of `config.toml`.
    ///
    /// # Panics
    ///
    /// When it cannot be made.
    #[must_use]
    pub fn with_settings(more: &str) -> Self {
        let home = Self::empty();
        fs::create_dir(home.path().join("models")).expect("a folder can be made");
        symlink(Fixtures::model(), home.path().join("models/klein")).expect("a link can be made");
        fs::write(home.path().join("config.toml"), format!("{SETTINGS}{more}"))
            .expect("settings can be written");
        fs::create_dir(home.inbox()).expect("a folder can be made");
        home
    }

    /// Its folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A folder beside the home, for what a user keeps elsewhere.
    ///
    /// # Panics
    ///
    /// When it cannot be made.
    #[must_use]
    pub fn elsewhere(&self) -> PathBuf {
        let folder = self.around.path().join("elsewhere");
        fs::create_dir_all(&folder).expect("a folder can be made");
        folder
    }

    /// Where manifests are dropped.
    #[must_use]
    pub fn inbox(&self) -> PathBuf {
        self.path.join("inbox")
    }

    /// Where pictures appear.
    #[must_use]
    pub fn outbox(&self) -> PathBuf {
        self.path.join("outbox")
    }

    /// Where manifests of finished jobs lie.
    #[must_use]
    pub fn done(&self) -> PathBuf {
        self.path.join("done")
    }

    /// Where manifests of failed jobs lie.
    #[must_use]
    pub fn failed(&self) -> PathBuf {
        self.path.join("failed")
    }

    /// Where manifests of cancelled jobs lie.
    #[must_use]
    pub fn cancelled(&self) -> PathBuf {
        self.path.join("cancelled")
    }

    /// A new file for a daemon's output, outside the home.
    pub(crate) fn next_log(&self) -> PathBuf {
        let number = self.logs.fetch_add(1, Ordering::Relaxed);
        self.around.path().join(format!("daemon-{number}.log"))
    }

    /// Installs a first-party plugin.
    ///
    /// # Panics
    ///
    /// When it is not built, or cannot be copied.
    pub fn install(&self, plugin: &str) {
        let from = plugin_folder(plugin);
        let to = self.path.join("plugins").join(plugin);
        fs::create_dir_all(&to).expect("a folder can be made");
        for file in ["plugin.toml", "plugin.wasm"] {
            fs::copy(from.join(file), to.join(file)).expect("a plugin can be copied");
        }
    }

    /// Copies a file into the inbox, under its own name.
    ///
    /// # Panics
    ///
    /// When it cannot be copied.
    pub fn put(&self, file: &Path) {
        let name = file.file_name().expect("a file has a name");
        fs::copy(file, self.inbox().join(name)).expect("a reference can be copied");
    }

    /// Drops a manifest the way that the contract asks for: written under a name that is no
    /// manifest's, then renamed.
    ///
    /// # Panics
    ///
    /// When it cannot be written.
    pub fn drop_manifest(&self, name: &str, text: &str) {
        let hidden = self.inbox().join(format!(".{name}.toml"));
        fs::write(&hidden, text).expect("a manifest can be written");
        fs::rename(&hidden, self.inbox().join(format!("{name}.toml")))
            .expect("a manifest can be renamed");
    }

    /// Writes a manifest outside the inbox, for commands that are given one.
    ///
    /// # Panics
    ///
    /// When it cannot be written.
    #[must_use]
    pub fn write_manifest(&self, name: &str, text: &str) -> PathBuf {
        let path = self.elsewhere().join(format!("{name}.toml"));
        fs::write(&path, text).expect("a manifest can be written");
        path
    }

    /// Waits for a job's result file.
    ///
    /// # Panics
    ///
    /// When the job fails, or nothing comes.
    #[must_use]
    pub fn wait_for_result(&self, name: &str) -> Table {
        let error = self.failed().join(format!("{name}.error.toml"));
        wait_for(&format!("the result of {name}"), || {
            if let Ok(text) = fs::read_to_string(&error) {
                panic!("{name} failed:\n{text}");
            }
            read_toml(&self.done().join(format!("{name}.result.toml")))
        })
    }

    /// Waits for a job's error file.
    ///
    /// # Panics
    ///
    /// When the job succeeds, or nothing comes.
    #[must_use]
    pub fn wait_for_error(&self, name: &str) -> Table {
        let result = self.done().join(format!("{name}.result.toml"));
        wait_for(&format!("the error of {name}"), || {
            assert!(!result.exists(), "{name} was to fail, and is done");
            read_toml(&self.failed().join(format!("{name}.error.toml")))
        })
    }

    /// The names of the files in one of its folders, in order; none if there is no such folder.
    ///
    /// # Panics
    ///
    /// When a name is not UTF-8.
    #[must_use]
    pub fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(folder)
            .into_iter()
            .flatten()
            .map(|entry| {
                entry
                    .expect("an entry")
                    .file_name()
                    .into_string()
                    .expect("test names are UTF-8")
            })
            .collect();
        names.sort();
        names
    }

    /// What `atelier verify` says of a picture in the outbox.
    ///
    /// # Panics
    ///
    /// When its signature does not hold.
    #[must_use]
    pub fn provenance(&self, picture: &str) -> Value {
        let picture = self.outbox().join(picture);
        let picture = picture.to_str().expect("test paths are UTF-8");
        let reports = self.atelier(&["verify", picture, "--json"]).exits(0).json();
        reports[0].clone()
    }

    /// Runs the program with this home and no bus.
    #[must_use = "a run is looked into; use `_` if its status says all"]
    pub fn atelier(&self, arguments: &[&str]) -> Run {
        let mut command = command(self.path(), NOWHERE);
        command.args(arguments);
        run(command)
    }
}

/// A TOML file, if it is there. Result and error files are renamed into place, so one that is
/// there is whole.
fn read_toml(path: &Path) -> Option<Table> {
    let text = fs::read_to_string(path).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|cause| panic!("{}: {cause}\n{text}", path.display())),
    )
}
