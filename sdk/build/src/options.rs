//! With what and where to build.

use std::env;
use std::path::PathBuf;

use crate::Machine;

/// With what and where to build; [`BuildOptions::default`] is right for this machine.
#[derive(Clone, Debug)]
pub struct BuildOptions {
    /// Where the compilers are.
    pub machine: Machine,
    /// cargo's target folder for WebAssembly, one for all projects: the standard library is built
    /// once in it. It may be deleted at any time.
    pub wasm_target: PathBuf,
    /// Whether the compilers keep their progress to themselves. What they complain of is shown in
    /// any case.
    pub quiet: bool,
}

impl Default for BuildOptions {
    /// This machine; `$CARGO_TARGET_DIR/wasm` or, without that, `atelier/wasm` in the user's cache
    /// folder; not quiet.
    fn default() -> Self {
        Self {
            machine: Machine::this(),
            wasm_target: wasm_target(),
            quiet: false,
        }
    }
}

fn wasm_target() -> PathBuf {
    let folder = |name| {
        env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    if let Some(target) = folder("CARGO_TARGET_DIR") {
        return target.join("wasm");
    }
    folder("XDG_CACHE_HOME")
        .or_else(|| Some(folder("HOME")?.join(".cache")))
        .unwrap_or_else(env::temp_dir)
        .join("atelier/wasm")
}
