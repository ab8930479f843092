//! Which Rust compiler makes WebAssembly here.
//!
//! In this order: the active toolchain, where it has the standard library for wasm32; Debian's
//! compiler, which can build that library from its packaged source; nothing, with the words to
//! type. Nothing is ever installed.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::TRIPLE;
use crate::machine::is_executable;
use crate::{BuildError, Machine};

/// The minor version of the oldest Rust 1 that builds the SDK: its `rust-version`.
const OLDEST_MINOR: u32 = 95;

/// A compiler that makes WebAssembly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Toolchain {
    /// What cargo uses anyway.
    Active,
    /// Debian's, which first builds the standard library.
    Debian { rustc: PathBuf, linker: PathBuf },
}

impl Toolchain {
    /// Chooses for a project's folder, which may name a toolchain.
    ///
    /// # Errors
    ///
    /// [`BuildError::NoTool`] without any `rustc` or linker, [`BuildError::NoWasmStd`].
    pub(super) fn choose(machine: &Machine, folder: &Path) -> Result<Self, BuildError> {
        let Some(active) = machine.find("rustc") else {
            return Err(BuildError::NoTool {
                tool: "rustc",
                purpose: "a plugin in Rust is built with it",
                hint: get_rust(machine),
            });
        };
        if has_wasm_std(machine, &active, folder) {
            return Ok(Self::Active);
        }
        let debian = Debian::of(machine, folder);
        if !debian.is_ready() {
            return Err(BuildError::NoWasmStd {
                detail: debian.complaint(),
                hint: get_wasm_std(machine),
            });
        }
        let linker = rust_lld(machine, folder).ok_or_else(|| BuildError::NoTool {
            tool: "rust-lld",
            purpose: "it links WebAssembly",
            hint: if machine.has_apt {
                "apt-get install --no-install-recommends rust-web-llvm".to_owned()
            } else {
                "rustup component add llvm-tools".to_owned()
            },
        })?;
        Ok(Self::Debian {
            rustc: machine.debian_rustc.clone(),
            linker,
        })
    }

    /// Makes cargo use it.
    pub(super) fn apply(&self, cargo: &mut Command) {
        // Of a user's shell, and meant for the machine's own code.
        for name in ["RUSTC", "RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS"] {
            cargo.env_remove(name);
        }
        if let Self::Debian { rustc, linker } = self {
            cargo
                .env("RUSTC", rustc)
                // Lets a stable compiler build its own standard library.
                .env("RUSTC_BOOTSTRAP", "1")
                .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker)
                .args(["-Z", "build-std=std,panic_abort"]);
        }
    }
}

/// Whether a compiler comes with the standard library.
fn has_wasm_std(machine: &Machine, rustc: &Path, folder: &Path) -> bool {
    let arguments = ["--print", "target-libdir", "--target", TRIPLE];
    let Some(libraries) = machine.ask(rustc, &arguments, folder) else {
        return false;
    };
    let Ok(mut files) = Path::new(&libraries).read_dir() else {
        return false;
    };
    files.any(|file| {
        file.is_ok_and(|file| {
            let name = file.file_name();
            let name = name.to_string_lossy();
            name.starts_with("libstd-") && name.ends_with(".rlib")
        })
    })
}

/// The linker that comes with Rust: of the active toolchain, or where Debian keeps it. It links
/// C as well (`-flavor wasm`).
pub(crate) fn rust_lld(machine: &Machine, folder: &Path) -> Option<PathBuf> {
    let of_toolchain = || {
        let rustc = machine.find("rustc")?;
        let sysroot = machine.ask(&rustc, &["--print", "sysroot"], folder)?;
        let version = machine.ask(&rustc, &["--version", "--verbose"], folder)?;
        let host = version
            .lines()
            .find_map(|line| line.strip_prefix("host: "))?;
        let linker = Path::new(&sysroot)
            .join("lib/rustlib")
            .join(host)
            .join("bin/rust-lld");
        is_executable(&linker).then_some(linker)
    };
    of_toolchain().or_else(|| machine.find("rust-lld"))
}

/// What is known of Debian's compiler.
struct Debian {
    /// None where there is none.
    minor: Option<u32>,
    has_source: bool,
}

impl Debian {
    fn of(machine: &Machine, folder: &Path) -> Self {
        let rustc = &machine.debian_rustc;
        if !is_executable(rustc) {
            return Self {
                minor: None,
                has_source: false,
            };
        }
        let source = |sysroot: String| {
            Path::new(&sysroot).join("lib/rustlib/src/rust/library/std/Cargo.toml")
        };
        Self {
            minor: machine
                .ask(rustc, &["--version"], folder)
                .as_deref()
                .and_then(minor_of),
            has_source: machine
                .ask(rustc, &["--print", "sysroot"], folder)
                .map(source)
                .is_some_and(|file| file.is_file()),
        }
    }

    fn is_ready(&self) -> bool {
        self.minor.is_some_and(|minor| minor >= OLDEST_MINOR) && self.has_source
    }

    /// Why it does not do, where there is one.
    fn complaint(&self) -> String {
        match self.minor {
            Some(minor) if minor < OLDEST_MINOR => format!(
                ", and Debian's compiler is 1.{minor}, where 1.{OLDEST_MINOR} or newer is needed"
            ),
            Some(_) if !self.has_source => {
                ", and Debian's compiler is here without the library's source".to_owned()
            }
            _ => String::new(),
        }
    }
}

/// The minor version in `rustc 1.96.0 (…)`.
fn minor_of(version: &str) -> Option<u32> {
    let rest = version.strip_prefix("rustc 1.")?;
    rest.split('.').next()?.parse().ok()
}

fn get_wasm_std(machine: &Machine) -> String {
    let rustup = format!("run: rustup target add {TRIPLE}");
    if machine.has_apt {
        format!(
            "{rustup}\nor, for Debian's compiler (cargo and rustc on the PATH stay as they are): \
             apt-get install --no-install-recommends rustc-web rust-web-src"
        )
    } else {
        rustup
    }
}

/// How to get Rust at all.
pub(super) fn get_rust(machine: &Machine) -> String {
    if machine.has_apt {
        "install Rust from https://rustup.rs, or: apt-get install --no-install-recommends \
         cargo-web rustc-web rust-web-src rust-web-llvm"
            .to_owned()
    } else {
        "install Rust from https://rustup.rs".to_owned()
    }
}

#[cfg(test)]
mod tests;
