//! Puts the SDK's sources and the templates into the crate: a list of every file's path under
//! `sdk/` and its bytes. Walking the folders keeps the list true when a file is added.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// Under `sdk/`; one that is not there is left out.
const FOLDERS: [&str; 7] = ["c", "draw", "js", "python", "rust", "templates", "wit"];

/// What building leaves in those folders, and what only the SDK's own tests need.
const LEFT_OUT: [&str; 5] = ["target", "build", "tests", "__pycache__", "node_modules"];

fn main() -> io::Result<()> {
    let crate_folder = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let sdk = crate_folder.join("..").canonicalize()?;
    let root = sdk.join("..").canonicalize()?;
    let mut files = Vec::new();
    for folder in FOLDERS {
        println!("cargo::rerun-if-changed={}", sdk.join(folder).display());
        collect(&sdk.join(folder), folder, &mut files)?;
    }
    for file in ["Cargo.toml", "LICENSE-APACHE", "LICENSE-MIT"] {
        println!("cargo::rerun-if-changed={}", root.join(file).display());
        files.push((format!("workspace/{file}"), root.join(file)));
    }
    files.sort();
    let mut text = String::from("static FILES: &[(&str, &[u8])] = &[\n");
    for (name, path) in &files {
        let _ = writeln!(text, "    ({name:?}, include_bytes!({path:?})),");
    }
    text.push_str("];\n");
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    fs::write(out.join("embedded.rs"), text)
}

fn collect(folder: &Path, name: &str, into: &mut Vec<(String, PathBuf)>) -> io::Result<()> {
    if !folder.is_dir() {
        return Ok(());
    }
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let file = entry.file_name();
        let file = file.to_string_lossy();
        let below = format!("{name}/{file}");
        if entry.file_type()?.is_dir() {
            if !LEFT_OUT.contains(&&*file) {
                collect(&entry.path(), &below, into)?;
            }
        } else {
            into.push((below, entry.path()));
        }
    }
    Ok(())
}
