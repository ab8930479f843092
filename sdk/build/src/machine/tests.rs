//! Programs that tests put on a path of their own.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use super::run;

/// A shell script that can be executed.
pub(crate) fn script(file: &Path, body: &str) {
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, format!("#!/bin/sh\n{body}\n")).unwrap();
    fs::set_permissions(file, fs::Permissions::from_mode(0o755)).unwrap();
}

/// A program that does nothing.
pub(crate) fn program(file: &Path) {
    script(file, "exit 0");
}

#[test]
fn a_failing_tool_is_named_with_how_it_ended() {
    let mut command = Command::new("/bin/sh");
    let error = run(command.args(["-c", "exit 3"]), Some("look above")).unwrap_err();
    assert_eq!(error.code(), "compiler-failed");
    assert_eq!(error.to_string(), "sh failed (exit status: 3)");
    assert_eq!(error.hint().as_deref(), Some("look above"));
}

#[test]
fn a_tool_that_is_not_there_cannot_be_started() {
    let error = run(&mut Command::new("/no/such/tool"), None).unwrap_err();
    assert_eq!(error.code(), "tool-unstartable");
    assert!(error.to_string().contains("/no/such/tool"), "{error}");
}
