//! `sdk/c/atelier.h` and `atelier.c` are what the bindings generator makes of `sdk/wit`.
//!
//! After a change to `plugin.wit`, `REGENERATE=1 cargo test -p atelier-plugin-build --test
//! c_bindings` writes them anew.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use std::fs;
use std::path::Path;

use wit_bindgen_c::Opts;
use wit_parser::Resolve;

/// Short names: the world has no two interfaces that would collide.
const INTERFACES: [&str; 7] = [
    "pictures", "log", "draw", "infer", "random", "settings", "preparer",
];

fn generated() -> Vec<(String, Vec<u8>)> {
    let wit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../wit/plugin.wit");
    let mut resolve = Resolve::default();
    let package = resolve.push_file(&wit).unwrap();
    let world = resolve
        .select_world(&[package], Some("asking-plugin"))
        .unwrap();
    let renamed = INTERFACES.map(|name| {
        let full = format!("atelier:plugin/{name}@1.0.0");
        (full, name.to_owned())
    });
    let options = Opts {
        no_object_file: true,
        rename: renamed.into(),
        rename_world: Some("atelier".to_owned()),
        ..Opts::default()
    };
    let mut files = wit_bindgen_core::Files::default();
    options
        .build()
        .generate(&mut resolve, world, &mut files)
        .unwrap();
    files
        .iter()
        .map(|(name, bytes)| (name.to_owned(), bytes.to_vec()))
        .collect()
}

#[test]
fn the_bindings_for_c_are_those_of_the_interface() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../c");
    let files = generated();
    let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["atelier.c", "atelier.h"]);
    for (name, bytes) in &files {
        let path = folder.join(name);
        if std::env::var_os("REGENERATE").is_some() {
            fs::write(&path, bytes).unwrap();
        }
        assert!(
            fs::read(&path).is_ok_and(|committed| committed == *bytes),
            "sdk/c/{name} is not what plugin.wit says: run \
             REGENERATE=1 cargo test -p atelier-plugin-build --test c_bindings"
        );
    }
}
