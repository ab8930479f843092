//! A card that is not there: a driver and a run-time compiler for the program under test, which the processor plays.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;

use tempfile::TempDir;

use crate::bus::NOWHERE;
use crate::home::Home;
use crate::program::{Run, command, run_within};
use crate::wait::COMPILING;

/// The libraries, and beside them what the program compiles for the card: for all tests of a process.
static BUILT: LazyLock<TempDir> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let script =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../daemon/engine/kernels/stand-in/build.sh");
    let mut build = Command::new(script);
    build.arg(folder.path());
    let _ = run_within(build, COMPILING).exits(0);
    folder
});

/// A card with what it is asked to do, by `daemon/engine/kernels/stand-in/driver.cpp`.
#[derive(Debug, Clone, Default)]
pub struct Card {
    asked: Vec<(&'static str, String)>,
}

impl Card {
    /// A card that does what it should.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same, asked for something: `ORDER`, `MEMORY`, `WRONG`, `FAULT`, `DEATH` or `ONCE`.
    #[must_use]
    pub fn asked(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.asked.push((name, value.into()));
        self
    }

    /// A home with these settings under `[device]`, and no model but the starter.
    ///
    /// # Panics
    ///
    /// When it cannot be made.
    #[must_use]
    pub fn home(settings: &str) -> Home {
        let kernels = BUILT.path().join("kernels");
        Self::untried_home(&format!("kernels = \"{}\"\n{settings}", kernels.display()))
    }

    /// The same, with kernels and what a trial says kept in it: no card was tried for it.
    ///
    /// # Panics
    ///
    /// When it cannot be made.
    #[must_use]
    pub fn untried_home(settings: &str) -> Home {
        let home = Home::empty();
        fs::write(
            home.path().join("config.toml"),
            format!("[device]\n{settings}"),
        )
        .expect("settings can be written");
        fs::create_dir(home.inbox()).expect("a folder can be made");
        home
    }

    /// The program's command line in a home with this card.
    #[must_use]
    pub fn atelier(&self, home: &Home, arguments: &[&str]) -> Run {
        let mut command = command(home.path(), NOWHERE);
        command.args(arguments).envs(self.environment());
        run_within(command, COMPILING)
    }

    /// What comes before a daemon's command line, to give it this card.
    #[must_use]
    pub fn tracer(&self) -> Command {
        let mut tracer = Command::new("env");
        tracer.args(
            self.environment()
                .map(|(name, value)| format!("{name}={value}")),
        );
        tracer
    }

    fn environment(&self) -> impl Iterator<Item = (String, String)> {
        let libraries = BUILT.path().display().to_string();
        let asked = self
            .asked
            .iter()
            .map(|(name, value)| (format!("STAND_IN_{name}"), value.clone()));
        std::iter::once(("LD_LIBRARY_PATH".to_owned(), libraries)).chain(asked)
    }
}
