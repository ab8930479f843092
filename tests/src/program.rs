//! Finding and running the built program.

use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::wait::PATIENCE;

/// The program under test: `$ATELIER_BIN`, else `atelier` of the build that this test belongs to.
///
/// # Panics
///
/// When it is not built.
#[must_use]
pub fn program() -> PathBuf {
    let path = std::env::var_os("ATELIER_BIN")
        .map_or_else(|| release_folder().join("atelier"), PathBuf::from);
    assert!(
        path.is_file(),
        "{} is not built: run `make build`",
        path.display()
    );
    path
}

/// A first-party plugin's folder: in `$ATELIER_PLUGINS_DIR`, else where `make plugins` puts it.
///
/// # Panics
///
/// When it is not built.
#[must_use]
pub fn plugin_folder(name: &str) -> PathBuf {
    let plugins = std::env::var_os("ATELIER_PLUGINS_DIR")
        .map_or_else(|| release_folder().with_file_name("plugins"), PathBuf::from);
    let folder = plugins.join(name);
    assert!(
        folder.join("plugin.wasm").is_file(),
        "{} holds no plugin.wasm: run `make plugins`",
        folder.display()
    );
    folder
}

/// `target/release`: test executables lie in its `deps/`.
fn release_folder() -> PathBuf {
    let test = std::env::current_exe().expect("a test knows its own path");
    test.ancestors()
        .nth(2)
        .expect("a test executable lies in deps/")
        .to_path_buf()
}

/// The program with a home of its own, cut off from the settings, folders and bus of whoever runs
/// the tests.
#[must_use]
pub fn command(home: &Path, bus_address: &str) -> Command {
    let mut command = Command::new(program());
    isolate(&mut command, home, bus_address);
    command
}

/// Gives any command the environment of [`command`].
pub(crate) fn isolate(command: &mut Command, home: &Path, bus_address: &str) {
    command
        .env("ATELIER_HOME", home)
        .env("HOME", home)
        .env("DBUS_SESSION_BUS_ADDRESS", bus_address)
        .env_remove("ATELIER_LOG")
        .env_remove("XDG_RUNTIME_DIR");
}

/// What a finished command left behind.
#[derive(Debug)]
pub struct Run {
    /// The command line, for messages.
    pub command: String,
    /// The exit status; −1 if a signal ended it.
    pub status: i32,
    /// All of stdout.
    pub stdout: String,
    /// All of stderr.
    pub stderr: String,
}

impl Run {
    /// The same run, if it ended with `status`.
    ///
    /// # Panics
    ///
    /// When it ended otherwise, with everything it printed.
    #[must_use = "a run is looked into; use `_` if its status says all"]
    pub fn exits(self, status: i32) -> Self {
        assert_eq!(self.status, status, "exit status of {self}");
        self
    }

    /// Stdout as the one JSON document that `--json` promises.
    ///
    /// # Panics
    ///
    /// When it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|cause| panic!("no JSON ({cause}) from {self}"))
    }
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}`, which ended with {}\nstdout:\n{}\nstderr:\n{}",
            self.command, self.status, self.stdout, self.stderr
        )
    }
}

/// Runs a command to its end, with nothing on stdin.
///
/// # Panics
///
/// When it cannot be started, or has not ended after [`PATIENCE`]: it is killed then.
pub fn run(command: Command) -> Run {
    run_within(command, PATIENCE)
}

/// Runs a command to its end, as [`run`], but with more patience: for compilers.
///
/// # Panics
///
/// As [`run`].
pub fn run_within(mut command: Command, patience: Duration) -> Run {
    let line = format!("{command:?}");
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|cause| panic!("{line}: {cause}"));
    let stdout = drain(child.stdout.take().expect("stdout is piped"));
    let stderr = drain(child.stderr.take().expect("stderr is piped"));
    let deadline = Instant::now() + patience;
    let status = loop {
        if let Some(status) = child.try_wait().expect("a child can be waited for") {
            break status;
        }
        if Instant::now() > deadline {
            child.kill().expect("a child can be killed");
            child.wait().expect("a killed child ends");
            let (stdout, stderr) = (stdout.join().unwrap(), stderr.join().unwrap());
            panic!("{line} did not end\nstdout:\n{stdout}\nstderr:\n{stderr}");
        }
        thread::sleep(Duration::from_millis(5));
    };
    Run {
        command: line,
        status: status.code().unwrap_or(-1),
        stdout: stdout.join().unwrap(),
        stderr: stderr.join().unwrap(),
    }
}

/// Reads a pipe to its end on a thread, so that a full one never stops the writer.
fn drain(mut pipe: impl Read + Send + 'static) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        // What came before an error is still worth showing.
        let _ = pipe.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    })
}
