//! Where compilers are looked for, and how they are started.
//!
//! Everything that the choice of a compiler depends on is in [`Machine`], so that a test can be
//! another machine.

use std::env;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::BuildError;

/// The machine that builds: where its programs are.
#[derive(Clone, Debug)]
pub struct Machine {
    /// Where programs are looked for, as in `PATH`.
    pub path: OsString,
    /// cargo's own folder, where it keeps crates' sources.
    pub cargo_home: PathBuf,
    /// The compiler that Debian packages, which may not be the first on the path.
    pub debian_rustc: PathBuf,
    /// Whether programs are installed with apt here.
    pub has_apt: bool,
}

impl Machine {
    /// The machine that this runs on, by its environment.
    pub fn this() -> Self {
        let home = env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
        let path = env::var_os("PATH").unwrap_or_default();
        Self {
            cargo_home: env::var_os("CARGO_HOME")
                .map_or_else(|| home.join(".cargo"), PathBuf::from),
            debian_rustc: PathBuf::from("/usr/bin/rustc"),
            has_apt: find_in(&path, OsStr::new("apt-get")).is_some(),
            path,
        }
    }

    /// The first program of a name on the path.
    pub(crate) fn find(&self, program: impl AsRef<OsStr>) -> Option<PathBuf> {
        find_in(&self.path, program.as_ref())
    }

    /// A command with this machine's path that asks nothing and that rustup lets be: a toolchain
    /// that a project names and that is missing is an error, not a download.
    pub(crate) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .env("PATH", &self.path)
            .env("RUSTUP_AUTO_INSTALL", "0")
            .stdin(Stdio::null());
        command
    }

    /// What a program prints, without the line break at its end; none where it fails.
    pub(crate) fn ask(&self, program: &Path, arguments: &[&str], folder: &Path) -> Option<String> {
        let output = self
            .command(program)
            .args(arguments)
            .current_dir(folder)
            .stderr(Stdio::null())
            .output()
            .ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        output.status.success().then(|| text.trim_end().to_owned())
    }
}

fn find_in(path: &OsStr, program: &OsStr) -> Option<PathBuf> {
    env::split_paths(path)
        .map(|folder| folder.join(program))
        .find(|file| is_executable(file))
}

/// Whether a file is there and may be executed.
pub(crate) fn is_executable(file: &Path) -> bool {
    file.metadata()
        .is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}

/// Runs a compiler to its end. What it prints goes to standard error, where complaints belong.
///
/// # Errors
///
/// [`BuildError::Start`], and [`BuildError::Failed`] with `hint`.
pub(crate) fn run(command: &mut Command, hint: Option<&str>) -> Result<(), BuildError> {
    let tool = PathBuf::from(command.get_program());
    let status = command
        .stdout(Stdio::from(io::stderr()))
        .status()
        .map_err(|source| BuildError::Start {
            tool: tool.clone(),
            source,
        })?;
    if status.success() {
        return Ok(());
    }
    let name = tool.file_name().unwrap_or(tool.as_os_str());
    Err(BuildError::Failed {
        tool: name.to_string_lossy().into_owned(),
        status,
        hint: hint.map(str::to_owned),
    })
}

#[cfg(test)]
pub(crate) mod tests;
