//! Which compiler and linker make WebAssembly of C here.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::{BuildError, Machine, rust};

/// Names with a version, as distributions have them, newest first.
const VERSIONS: std::ops::RangeInclusive<u32> = 14..=22;

/// A compiler that knows wasm32, and a linker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tools {
    pub(super) clang: PathBuf,
    /// The program, and the arguments that make it link WebAssembly.
    pub(super) linker: (PathBuf, Vec<OsString>),
}

impl Tools {
    /// Looks for `clang`, then `clang-22` and older, and for `wasm-ld` in the same way; Rust's
    /// own linker stands in for that.
    ///
    /// # Errors
    ///
    /// [`BuildError::NoTool`].
    pub(super) fn find(machine: &Machine, folder: &Path) -> Result<Self, BuildError> {
        let mut clangs = candidates(machine, "clang");
        let clang = clangs.find(|clang| makes_wasm(machine, clang, folder));
        let clang = clang.ok_or_else(|| BuildError::NoTool {
            tool: "clang",
            purpose: "a plugin in C is built with it (14 or newer, with its wasm32 target)",
            hint: get(machine),
        })?;
        let wasm_ld = candidates(machine, "wasm-ld").next();
        let linker = match wasm_ld {
            Some(linker) => Some((linker, Vec::new())),
            None => rust::rust_lld(machine, folder)
                .map(|linker| (linker, vec!["-flavor".into(), "wasm".into()])),
        };
        let linker = linker.ok_or_else(|| BuildError::NoTool {
            tool: "wasm-ld",
            purpose: "it links WebAssembly; Rust's own rust-lld is not here either",
            hint: get(machine),
        })?;
        Ok(Self { clang, linker })
    }
}

fn candidates(machine: &Machine, name: &str) -> impl Iterator<Item = PathBuf> {
    let versioned = VERSIONS
        .rev()
        .map(move |version| format!("{name}-{version}"));
    std::iter::once(name.to_owned())
        .chain(versioned)
        .filter_map(|name| machine.find(name))
}

/// Some builds of clang know only the machine that they run on.
fn makes_wasm(machine: &Machine, clang: &Path, folder: &Path) -> bool {
    let targets = machine.ask(clang, &["--print-targets"], folder);
    targets.is_some_and(|targets| {
        targets
            .lines()
            .any(|line| line.split_whitespace().next() == Some("wasm32"))
    })
}

fn get(machine: &Machine) -> String {
    if machine.has_apt {
        "apt-get install --no-install-recommends clang lld".to_owned()
    } else {
        "install clang and lld of LLVM 14 or newer".to_owned()
    }
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        reason = "a test fails by panicking"
    )]

    use std::path::{Path, PathBuf};

    use super::Tools;
    use crate::machine::tests::{program, script};
    use crate::{BuildError, Machine};

    const KNOWS_WASM: &str = "printf '  Registered Targets:\\n    wasm32  - WebAssembly\\n'";
    const KNOWS_NONE: &str = "printf '  Registered Targets:\\n    x86-64  - 64-bit\\n'";

    fn find(bin: &Path, has_apt: bool) -> Result<Tools, BuildError> {
        let machine = Machine {
            path: bin.into(),
            cargo_home: PathBuf::new(),
            debian_rustc: PathBuf::new(),
            has_apt,
        };
        Tools::find(&machine, bin)
    }

    #[test]
    fn a_clang_without_the_target_is_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let bin = folder.path();
        script(&bin.join("clang"), KNOWS_NONE);
        script(&bin.join("clang-14"), KNOWS_WASM);
        script(&bin.join("clang-19"), KNOWS_WASM);
        program(&bin.join("wasm-ld-14"));
        let tools = find(bin, false).unwrap();
        assert_eq!(tools.clang, bin.join("clang-19"));
        assert_eq!(tools.linker, (bin.join("wasm-ld-14"), Vec::new()));
    }

    #[test]
    fn rusts_linker_stands_in() {
        let folder = tempfile::tempdir().unwrap();
        let bin = folder.path();
        script(&bin.join("clang"), KNOWS_WASM);
        program(&bin.join("rust-lld"));
        let (linker, flavor) = find(bin, false).unwrap().linker;
        assert_eq!(linker, bin.join("rust-lld"));
        assert_eq!(flavor, ["-flavor", "wasm"]);
        program(&bin.join("wasm-ld"));
        assert_eq!(find(bin, false).unwrap().linker.0, bin.join("wasm-ld"));
    }

    #[test]
    fn what_is_missing_is_named_with_how_to_get_it() {
        let folder = tempfile::tempdir().unwrap();
        let bin = folder.path();
        script(&bin.join("clang"), KNOWS_NONE);
        let error = find(bin, true).unwrap_err();
        assert_eq!(error.code(), "tool-missing");
        assert!(error.to_string().starts_with("clang is not on the PATH"));
        assert!(error.hint().unwrap().ends_with("clang lld"));
        script(&bin.join("clang"), KNOWS_WASM);
        let error = find(bin, false).unwrap_err();
        assert!(error.to_string().starts_with("wasm-ld is not on the PATH"));
    }
}
