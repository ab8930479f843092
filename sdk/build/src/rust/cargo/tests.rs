//! What cargo is told, and what is read from what it tells.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use std::fs;
use std::path::{Path, PathBuf};

use super::{Manifest, module_build};
use crate::machine::tests::script;
use crate::rust::toolchain::Toolchain;
use crate::{BuildOptions, Machine};

fn options(path: &Path) -> BuildOptions {
    BuildOptions {
        machine: Machine {
            path: path.into(),
            cargo_home: PathBuf::from("/home/a/.cargo"),
            debian_rustc: PathBuf::from("/usr/bin/rustc"),
            has_apt: false,
        },
        wasm_target: PathBuf::from("/home/a/\"wasm\""),
        quiet: true,
    }
}

fn arguments(toolchain: &Toolchain) -> Vec<String> {
    let manifest = Manifest {
        library: "grey".to_owned(),
        outside: vec![PathBuf::from("/home/a/sdk")],
    };
    let folder = Path::new("/home/a/grey");
    let command = module_build(
        Path::new("cargo"),
        folder,
        &manifest,
        toolchain,
        &options(folder),
    );
    let arguments = command.get_args();
    arguments
        .map(|argument| argument.to_str().unwrap().to_owned())
        .collect()
}

#[test]
fn the_profile_and_the_paths_are_given_whatever_the_project_says() {
    let arguments = arguments(&Toolchain::Active);
    assert!(arguments.contains(&"profile.wasm.panic=\"abort\"".to_owned()));
    let flags = arguments
        .iter()
        .find_map(|argument| argument.strip_prefix("target.wasm32-unknown-unknown.rustflags="))
        .unwrap();
    let read: toml::Table = toml::from_str(&format!("flags = {flags}")).unwrap();
    let read: Vec<&str> = read["flags"]
        .as_array()
        .unwrap()
        .iter()
        .map(|flag| flag.as_str().unwrap())
        .collect();
    assert_eq!(
        read,
        [
            "--remap-path-prefix=/home/a/sdk=/beside",
            "--remap-path-prefix=/home/a/.cargo=/cargo",
            "--remap-path-prefix=/home/a/\"wasm\"=/target",
        ]
    );
    assert!(
        !arguments
            .iter()
            .any(|argument| argument.contains("build-std"))
    );
}

#[test]
fn debians_compiler_builds_the_standard_library() {
    let toolchain = Toolchain::Debian {
        rustc: PathBuf::from("/usr/bin/rustc"),
        linker: PathBuf::from("/lld"),
    };
    assert!(arguments(&toolchain).contains(&"build-std=std,panic_abort".to_owned()));
}

#[test]
fn the_library_and_what_lies_outside_are_read_from_cargo() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    fs::create_dir(root.join("sdk")).unwrap();
    // Answers for the project and for the dependency outside of it.
    let project = format!(
        r#"{{"workspace_root":"{0}/project","packages":[
            {{"manifest_path":"{0}/project/other/Cargo.toml","targets":[],"dependencies":[]}},
            {{"manifest_path":"{0}/project/Cargo.toml",
              "targets":[{{"name":"build-script-build","kind":["custom-build"]}},
                         {{"name":"grey-plugin","kind":["cdylib","rlib"]}}],
              "dependencies":[{{"path":"{0}/project/inside"}},{{"path":"{0}/sdk"}},{{"path":null}}]}}]}}"#,
        root.display()
    );
    let outside = format!(
        r#"{{"workspace_root":"{}","packages":[]}}"#,
        root.join("sdk").display()
    );
    let cargo = root.join("bin/cargo");
    script(
        &cargo,
        &format!("case $PWD in */sdk) echo '{outside}' ;; *) echo '{project}' ;; esac"),
    );
    let folder = root.join("project");
    fs::create_dir(&folder).unwrap();
    let manifest = Manifest::read(&cargo, &folder, &options(&root.join("bin"))).unwrap();
    assert_eq!(
        manifest,
        Manifest {
            library: "grey_plugin".to_owned(),
            outside: vec![root.join("sdk")],
        }
    );
}

#[test]
fn a_package_without_a_library_is_no_plugin() {
    let folder = tempfile::tempdir().unwrap();
    let cargo = folder.path().join("bin/cargo");
    script(&cargo, r#"echo '{"workspace_root":"/","packages":[]}'"#);
    let error = Manifest::read(&cargo, folder.path(), &options(folder.path())).unwrap_err();
    assert_eq!(error.code(), "project-package");
    assert!(error.to_string().contains("no library"), "{error}");
}
