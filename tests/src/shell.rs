//! A shell as a plugin's author has it.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::home::Home;
use crate::program::program;

/// Where `make guests` wrote how the languages' compilers are found.
fn guests() -> PathBuf {
    let release = program().parent().unwrap().to_path_buf();
    let file = release.with_file_name("tools/guests/environment");
    assert!(
        file.is_file(),
        "{} is missing: run `make guests`",
        file.display()
    );
    file
}

/// A shell in a folder that runs these lines and stops at the first that fails; `atelier` is the
/// program under test, with this home, and finds the compilers of all languages.
///
/// # Panics
///
/// When those compilers were not fetched.
#[must_use]
pub fn shell(home: &Home, folder: &Path, lines: &str) -> Command {
    let folders = [program().parent().unwrap().to_path_buf()];
    let path = env::var_os("PATH").unwrap();
    let path = env::join_paths(folders.into_iter().chain(env::split_paths(&path)));
    let target = program().parent().unwrap().with_file_name("");
    let mut command = Command::new("bash");
    command
        .arg("-euxc")
        .arg(format!("source {}\n{lines}", guests().display()))
        .current_dir(folder)
        .env("PATH", path.unwrap())
        .env("ATELIER_HOME", home.path())
        // The standard library for WebAssembly is there already, from the first-party plugins.
        .env("CARGO_TARGET_DIR", target);
    command
}
