//! The choice of a compiler, on machines made of small scripts.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use std::fs;
use std::path::{Path, PathBuf};

use super::{Toolchain, minor_of};
use crate::machine::tests::{program, script};
use crate::{BuildError, Machine};

/// A machine whose programs are in `bin`, with the root of the active toolchain in `active` and
/// of Debian's in `debian`.
struct Fake {
    folder: tempfile::TempDir,
    has_apt: bool,
}

impl Fake {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("bin")).unwrap();
        Self {
            folder,
            has_apt: false,
        }
    }

    fn at(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    /// A compiler that answers what the choice asks.
    fn rustc(&self, place: &str, version: &str, root: &str) {
        let root = self.at(root);
        let root = root.display();
        let answers = format!(
            r#"case "$*" in
            "--print sysroot") echo {root} ;;
            "--print target-libdir --target wasm32-unknown-unknown") echo {root}/wasm ;;
            "--version --verbose") printf 'rustc {version}\nhost: a-host\n' ;;
            --version) echo 'rustc {version} (of a test)' ;;
            *) exit 1 ;;
            esac"#
        );
        script(&self.at(place), &answers);
    }

    fn file(&self, path: &str) {
        let path = self.at(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "").unwrap();
    }

    fn debian(&self, version: &str) {
        self.rustc("debian-rustc", version, "debian");
        self.file("debian/lib/rustlib/src/rust/library/std/Cargo.toml");
    }

    fn machine(&self) -> Machine {
        Machine {
            path: self.at("bin").into(),
            cargo_home: self.at("cargo"),
            debian_rustc: self.at("debian-rustc"),
            has_apt: self.has_apt,
        }
    }

    fn choose(&self) -> Result<Toolchain, BuildError> {
        Toolchain::choose(&self.machine(), self.folder.path())
    }
}

fn linker_of(toolchain: &Toolchain) -> &Path {
    match toolchain {
        Toolchain::Debian { linker, .. } => linker,
        Toolchain::Active => panic!("the active toolchain was chosen"),
    }
}

#[test]
fn the_active_toolchain_comes_first() {
    let fake = Fake::new();
    fake.rustc("bin/rustc", "1.95.0", "active");
    fake.file("active/wasm/libstd-0123.rlib");
    fake.debian("1.96.0");
    assert_eq!(fake.choose().unwrap(), Toolchain::Active);
}

#[test]
fn debian_builds_what_the_active_toolchain_lacks_and_takes_its_linker() {
    let fake = Fake::new();
    fake.rustc("bin/rustc", "1.95.0", "active");
    fake.debian("1.95.0");
    program(&fake.at("active/lib/rustlib/a-host/bin/rust-lld"));
    program(&fake.at("bin/rust-lld"));
    let chosen = fake.choose().unwrap();
    assert_eq!(
        linker_of(&chosen),
        fake.at("active/lib/rustlib/a-host/bin/rust-lld")
    );
}

#[test]
fn debians_own_linker_stands_in() {
    let fake = Fake::new();
    fake.rustc("bin/rustc", "1.95.0", "active");
    fake.debian("1.95.0");
    program(&fake.at("bin/rust-lld"));
    assert_eq!(linker_of(&fake.choose().unwrap()), fake.at("bin/rust-lld"));
}

#[test]
fn without_a_linker_it_is_named() {
    let fake = Fake::new();
    fake.rustc("bin/rustc", "1.95.0", "active");
    fake.debian("1.95.0");
    let error = fake.choose().unwrap_err();
    assert_eq!(error.code(), "tool-missing");
    assert!(error.to_string().starts_with("rust-lld is not on the PATH"));
}

#[test]
fn elsewhere_it_says_what_to_type() {
    let mut fake = Fake::new();
    fake.rustc("bin/rustc", "1.95.0", "active");
    let error = fake.choose().unwrap_err();
    assert_eq!(error.code(), "wasm-std-missing");
    assert_eq!(
        error.hint().unwrap(),
        "run: rustup target add wasm32-unknown-unknown"
    );
    fake.has_apt = true;
    let hint = fake.choose().unwrap_err().hint().unwrap();
    assert!(hint.contains("rustup target add"), "{hint}");
    assert!(hint.contains("rustc-web rust-web-src"), "{hint}");
}

#[test]
fn a_debian_too_old_or_without_source_is_told() {
    let fake = Fake::new();
    fake.rustc("bin/rustc", "1.95.0", "active");
    fake.debian("1.94.1");
    let old = fake.choose().unwrap_err().to_string();
    assert!(old.contains("1.94, where 1.95"), "{old}");

    fake.rustc("debian-rustc", "1.96.0", "bare");
    let bare = fake.choose().unwrap_err().to_string();
    assert!(bare.contains("without the library's source"), "{bare}");
}

#[test]
fn without_rust_it_says_where_to_get_it() {
    let mut fake = Fake::new();
    fake.has_apt = true;
    let error = fake.choose().unwrap_err();
    assert_eq!(error.code(), "tool-missing");
    let hint = error.hint().unwrap();
    assert!(
        hint.contains("rustup.rs") && hint.contains("cargo-web"),
        "{hint}"
    );
}

#[test]
fn versions_are_read() {
    assert_eq!(minor_of("rustc 1.96.0 (ac68faa20 2026-05-25)"), Some(96));
    assert_eq!(minor_of("rustc 2.0.0"), None);
    assert_eq!(minor_of("gcc 1.96.0"), None);
}
