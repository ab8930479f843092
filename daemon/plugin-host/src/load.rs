//! Decides whether the bytes of a `plugin.wasm` may run here: that they are a component and not
//! machine code, that it imports nothing but what its world offers, and that it exports what its
//! world promises. Every refusal names what is missing or in excess.

use std::fs::File;
use std::io::{self, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use sha2::{Digest, Sha256};
use wasmtime::Engine;
use wasmtime::component::Component;

use crate::cache::Cache;
use crate::error::PluginError;
use crate::hex::hex;
use atelier_plugin_package::{Interface, Package};

/// The name of the file that holds the component.
pub(crate) const COMPONENT_FILE: &str = "plugin.wasm";

/// Larger components are refused unread: a Python one is 18 MB, one with a model inside 35 MB.
const LARGEST_FILE: u64 = 64 << 20;

/// How a WebAssembly file starts, and then what a module and a component say.
const MAGIC: &[u8] = b"\0asm";
const MODULE: &[u8] = &[1, 0, 0, 0];
const COMPONENT: &[u8] = &[0x0d, 0, 1, 0];

/// What a version of the world offers and wants.
pub(crate) struct Contract {
    /// The interfaces that any component may import.
    pub(crate) offers: &'static [&'static str],
    /// Those that only a component may import whose `plugin.toml` asks for something of theirs:
    /// each with its full name.
    pub(crate) on_request: &'static [(Interface, &'static str)],
    /// The interface that it must export.
    pub(crate) wants: &'static str,
}

/// A component that was compiled.
pub(crate) struct Compiled {
    pub(crate) component: Component,
    /// Of `plugin.wasm`, in lower hex.
    pub(crate) sha256: String,
    /// Whether it came from the cache.
    pub(crate) cached: bool,
}

/// Reads, checks and compiles `folder/plugin.wasm`.
pub(crate) fn compile(
    engine: &Engine,
    cache: &Cache,
    plugin: &str,
    folder: &Path,
) -> Result<Compiled, PluginError> {
    let refuse = |problem: String| PluginError::Component {
        plugin: plugin.to_owned(),
        problem,
    };
    let bytes = read(&folder.join(COMPONENT_FILE)).map_err(refuse)?;
    check_preamble(&bytes).map_err(|problem| refuse(problem.to_owned()))?;
    let sha256 = hex(Sha256::digest(&bytes).as_slice());
    // A compiler is a large program given hostile input: should it panic, that is this plugin's
    // misfortune and nobody else's.
    let compiled = catch_unwind(AssertUnwindSafe(|| {
        cache.component(engine, &bytes, &sha256)
    }));
    match compiled {
        Ok(Ok((component, cached))) => Ok(Compiled {
            component,
            sha256,
            cached,
        }),
        Ok(Err(error)) => Err(refuse(format!("is not a valid component: {error:#}"))),
        Err(_) => Err(refuse("makes the compiler fail".to_owned())),
    }
}

/// Compares a component's imports and exports with its world's; gives what it imports.
pub(crate) fn check(
    engine: &Engine,
    package: &Package,
    component: &Component,
    contract: &Contract,
) -> Result<Vec<String>, PluginError> {
    let plugin = package.name.as_str();
    let shape = component.component_type();
    for (import, _) in shape.imports(engine) {
        if contract.offers.contains(&import) {
            continue;
        }
        let requested = contract.on_request.iter().find(|(_, full)| *full == import);
        let reason = match requested {
            Some(&(interface, _)) if package.needs(interface) => continue,
            Some((interface, _)) => format!(
                "its plugin.toml does not ask for: add to asks {{ permission = \"{}\", reason = \"…\" }}",
                interface.permission()
            ),
            None => {
                let asked = contract.on_request.iter().map(|(_, full)| *full);
                let offers: Vec<&str> = contract.offers.iter().copied().chain(asked).collect();
                format!("nobody offers here; on offer: {}", offers.join(", "))
            }
        };
        return Err(PluginError::ImportRefused {
            plugin: plugin.to_owned(),
            import: import.to_owned(),
            reason,
        });
    }
    if shape.get_export(engine, contract.wants).is_none() {
        let exports: Vec<&str> = shape.exports(engine).map(|(name, _)| name).collect();
        let exports = if exports.is_empty() {
            "nothing".to_owned()
        } else {
            exports.join(", ")
        };
        return Err(PluginError::Component {
            plugin: plugin.to_owned(),
            problem: format!("does not export `{}`; it exports {exports}", contract.wants),
        });
    }
    Ok(shape
        .imports(engine)
        .map(|(import, _)| import.to_owned())
        .collect())
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(LARGEST_FILE + 1).read_to_end(&mut bytes))
        .map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => "is missing".to_owned(),
            _ => format!("cannot be read: {error}"),
        })?;
    if bytes.len() as u64 > LARGEST_FILE {
        return Err(format!("is larger than {} MiB", LARGEST_FILE >> 20));
    }
    Ok(bytes)
}

fn check_preamble(bytes: &[u8]) -> Result<(), &'static str> {
    if Engine::detect_precompiled(bytes).is_some() || bytes.starts_with(b"\x7fELF") {
        return Err("is machine code, compiled by someone else; that is never run");
    }
    match bytes.strip_prefix(MAGIC) {
        None => Err("is not WebAssembly"),
        Some(rest) if rest.starts_with(COMPONENT) => Ok(()),
        Some(rest) if rest.starts_with(MODULE) => {
            Err("is a core module, not a component; the SDK's build makes one of it")
        }
        Some(_) => Err("is of a version of WebAssembly that is not known here"),
    }
}
