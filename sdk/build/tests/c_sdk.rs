//! The C SDK's own tests, in `sdk/c/tests`, with the machine's compiler and its sanitizers.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use std::path::Path;
use std::process::Command;

/// Compiles and runs one of them; the program says with its exit status whether all was well.
fn passes(name: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../c/tests");
    let out = tempfile::tempdir().unwrap();
    let program = out.path().join(name);
    let compiled = Command::new("cc")
        .args(["-std=c17", "-Wall", "-Wextra", "-Werror", "-g", "-O1"])
        .args(["-fsanitize=address,undefined", "-fno-sanitize-recover=all"])
        .arg(folder.join(name).with_extension("c"))
        .arg("-o")
        .arg(&program)
        .status()
        .expect("cc is on the PATH: .ci/setup installs it");
    assert!(compiled.success(), "{name}.c does not compile");
    let ran = Command::new(&program).output().unwrap();
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{name}: {said}");
}

#[test]
fn parameters_are_read_and_mistakes_are_named() {
    passes("parameters");
}

#[test]
fn the_allocator_keeps_what_it_gave() {
    passes("allocator");
}
