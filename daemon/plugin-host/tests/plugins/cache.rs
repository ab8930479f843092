//! The folder of compiled plugins.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;

use atelier_plugin_host::{Limits, PluginHost};
use tempfile::TempDir;

use crate::bench::{Bench, only_file, prepare};
use atelier_tests::forge::good;

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn open(cache: &Path) -> Result<PluginHost, atelier_plugin_host::PluginError> {
    PluginHost::new(cache, Limits::default())
}

#[test]
fn the_second_load_compiles_nothing() {
    let bench = Bench::new();
    let first = bench.load(&good());
    assert!(!first.was_cached());
    let entry = only_file(&bench.cache());
    let before = fs::metadata(&entry).unwrap();
    let second = bench.load(&good());
    assert!(second.was_cached());
    let later_host = open(&bench.cache()).unwrap();
    let third = later_host.load(&bench.plugins().join("good")).unwrap();
    assert!(third.was_cached());
    assert_eq!(third.sha256(), first.sha256());
    let after = fs::metadata(only_file(&bench.cache())).unwrap();
    assert_eq!(
        (before.ino(), before.mtime_nsec()),
        (after.ino(), after.mtime_nsec())
    );
    assert!(prepare(&third).is_ok());
    let name = entry.file_name().unwrap().to_str().unwrap();
    assert!(name.starts_with(first.sha256()), "{name}");
}

#[test]
fn only_its_owner_gets_in() {
    let bench = Bench::new();
    bench.load(&good());
    assert_eq!(mode(&bench.cache()), 0o700);
    assert_eq!(mode(&only_file(&bench.cache())), 0o600);
}

#[test]
fn a_damaged_entry_is_compiled_again() {
    let bench = Bench::new();
    let first = bench.load(&good());
    let entry = only_file(&bench.cache());
    let whole = fs::read(&entry).unwrap();
    let mut changed = whole.clone();
    changed[whole.len() / 2] ^= 1;
    let middle = &whole[..whole.len() / 2];
    for damaged in [changed.as_slice(), middle, &whole[..10], b""] {
        fs::write(&entry, damaged).unwrap();
        let again = bench.load(&good());
        assert!(!again.was_cached());
        assert!(prepare(&again).is_ok());
        assert_eq!(fs::read(only_file(&bench.cache())).unwrap(), whole);
    }
    assert_eq!(first.sha256(), bench.load(&good()).sha256());
}

#[test]
fn a_folder_that_others_could_fill_is_not_trusted() {
    let bench = Bench::new();
    bench.load(&good());
    fs::set_permissions(bench.cache(), Permissions::from_mode(0o777)).unwrap();
    let error = open(&bench.cache()).err().unwrap();
    assert_eq!(error.code(), "plugin-host-start");
    assert!(
        error.to_string().contains("others could write to it"),
        "{error}"
    );
}

#[test]
fn an_open_folder_is_closed_while_nothing_is_in_it() {
    let folder = TempDir::new().unwrap();
    fs::set_permissions(folder.path(), Permissions::from_mode(0o777)).unwrap();
    open(folder.path()).unwrap();
    assert_eq!(mode(folder.path()), 0o700);
}

#[test]
fn a_link_or_a_file_is_no_folder() {
    let folder = TempDir::new().unwrap();
    let link = folder.path().join("link");
    symlink(folder.path(), &link).unwrap();
    assert!(open(&link).is_err());
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    assert!(open(&file).is_err());
}

#[test]
fn a_plugin_outlives_its_host() {
    let bench = Bench::new();
    let plugin = bench.load(&good());
    drop(bench);
    assert!(prepare(&plugin).is_ok());
}
