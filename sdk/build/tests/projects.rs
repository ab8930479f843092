//! New projects really build: with this machine's compilers, from a folder that has nothing of
//! this repository in it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use std::fs;
use std::path::{Path, PathBuf};

use atelier_plugin_build::{BuildError, BuildOptions, Built, Language, SdkSource, build, create};

const PICTURES: &str = "atelier:plugin/pictures@1.0.0";
const LOG: &str = "atelier:plugin/log@1.0.0";

/// Shares the folder of WebAssembly builds with `atelier plugin build` in this repository, so that
/// the standard library is built once.
fn options() -> BuildOptions {
    BuildOptions {
        wasm_target: Path::new(env!("CARGO_TARGET_TMPDIR")).join("../wasm"),
        quiet: true,
        ..BuildOptions::default()
    }
}

fn project(language: Language, into: &Path) -> PathBuf {
    create(language, "my-grey", into, &SdkSource::Carried).unwrap()
}

fn bytes_of(built: &Built) -> Vec<u8> {
    fs::read(&built.component).unwrap()
}

#[test]
fn a_new_project_in_rust_builds_to_the_same_bytes_anywhere() {
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let project_here = project(Language::Rust, one.path());
    let here = build(&project_here, &options()).unwrap();
    assert_eq!(here.component, project_here.join("build/plugin.wasm"));
    assert_eq!(here.bytes, bytes_of(&here).len() as u64);
    assert_eq!(here.imports, [PICTURES, LOG]);
    let package = fs::read_to_string(project_here.join("build/plugin.toml")).unwrap();
    assert!(package.contains("name = \"my-grey\""));

    let there = other.path().join("deeper/down");
    fs::create_dir_all(&there).unwrap();
    let project_there = project(Language::Rust, &there);
    // The same crates, whatever the registry has by now.
    fs::copy(
        project_here.join("Cargo.lock"),
        project_there.join("Cargo.lock"),
    )
    .unwrap();
    let there = build(&project_there, &options()).unwrap();
    assert!(
        bytes_of(&here) == bytes_of(&there),
        "the bytes depend on where the project lies"
    );
    let text = String::from_utf8_lossy(&bytes_of(&here)).into_owned();
    let place = one.path().to_str().unwrap();
    assert!(!text.contains(place), "the component names {place}");
}

/// Builds a project in C. A machine without a compiler for it is one that `.ci/setup` was not run on.
fn build_c(folder: &Path) -> Result<Built, BuildError> {
    let result = build(folder, &options());
    if let Err(error) = &result
        && error.code() == "tool-missing"
    {
        let hint = error.hint().unwrap_or_default();
        panic!("{error}; .ci/setup installs it, as does: {hint}");
    }
    result
}

#[test]
fn a_new_project_in_c_builds_to_the_same_bytes_anywhere() {
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let here = build_c(&project(Language::C, one.path())).unwrap();
    assert_eq!(here.imports, [PICTURES, LOG]);
    let there = other.path().join("deeper/down");
    fs::create_dir_all(&there).unwrap();
    let there = build_c(&project(Language::C, &there)).unwrap();
    assert!(
        bytes_of(&here) == bytes_of(&there),
        "the bytes depend on where the project lies"
    );
}

#[test]
fn what_c_imports_and_does_not_ask_for_is_refused() {
    let into = tempfile::tempdir().unwrap();
    let folder = project(Language::C, into.path());
    let source = folder.join("plugin.c");
    let text = fs::read_to_string(&source).unwrap();
    let asking = "atelier_list_u8_t dice;\n  if (!random_bytes(4, &dice, &refused)) \
                  return fail_refused(err, refused);\n  pictures_own_canvas_t canvas;";
    fs::write(
        &source,
        text.replace("pictures_own_canvas_t canvas;", asking),
    )
    .unwrap();
    let refused = build_c(&folder).unwrap_err();
    assert_eq!(refused.code(), "import-unasked");
    assert!(refused.to_string().contains("`random`"), "{refused}");
    assert!(!folder.join("build/plugin.wasm").exists());

    let package = folder.join("plugin.toml");
    let asked = fs::read_to_string(&package).unwrap().replace(
        "asks = []",
        "asks = [{ permission = \"random\", reason = \"Throws dice.\" }]",
    );
    fs::write(&package, asked).unwrap();
    let built = build_c(&folder).unwrap();
    assert!(
        built
            .imports
            .contains(&"atelier:plugin/random@1.0.0".to_owned())
    );
}

#[test]
fn c_has_no_libc_to_call() {
    let into = tempfile::tempdir().unwrap();
    let folder = project(Language::C, into.path());
    let more = "int puts(const char *line);\nint say_it(void);\n\
                int say_it(void) { return puts(\"a\"); }\n\
                __attribute__((export_name(\"x\"))) int x(void) { return say_it(); }\n";
    fs::write(folder.join("more.c"), more).unwrap();
    let refused = build_c(&folder).unwrap_err();
    assert_eq!(refused.code(), "compiler-failed");
    assert!(refused.hint().unwrap().contains("undefined symbol"));
}
