//! What cargo is asked and told.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;

use super::TRIPLE;
use super::toolchain::{Toolchain, get_rust};
use crate::{BuildError, BuildOptions, Machine};

/// The profile that modules are built with.
pub(super) const PROFILE: &str = "wasm";

/// Small and quick to load. A project need not know the profile: it is given on cargo's command
/// line, and so is the same for everybody.
const PROFILE_SETTINGS: [&str; 8] = [
    "inherits=\"release\"",
    "opt-level=3",
    "debug=false",
    "lto=true",
    "codegen-units=1",
    "panic=\"abort\"",
    "strip=true",
    "incremental=false",
];

/// Finds cargo.
///
/// # Errors
///
/// [`BuildError::NoTool`].
pub(super) fn find(machine: &Machine) -> Result<PathBuf, BuildError> {
    machine.find("cargo").ok_or_else(|| BuildError::NoTool {
        tool: "cargo",
        purpose: "a plugin in Rust is built with it",
        hint: get_rust(machine),
    })
}

/// What cargo knows of a project without looking at its dependencies' sources.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Manifest {
    /// The file name of the library, without `.wasm`.
    pub(super) library: String,
    /// The workspaces of path dependencies that lie outside of the project's own.
    outside: Vec<PathBuf>,
}

#[derive(Deserialize)]
struct Metadata {
    workspace_root: PathBuf,
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    manifest_path: PathBuf,
    targets: Vec<Target>,
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

#[derive(Deserialize)]
struct Dependency {
    path: Option<PathBuf>,
}

impl Package {
    /// The library's file name, none without a library.
    fn library(&self) -> Option<String> {
        let of_library = |kind: &String| matches!(kind.as_str(), "lib" | "rlib" | "cdylib");
        let target = self
            .targets
            .iter()
            .find(|target| target.kind.iter().any(of_library))?;
        Some(target.name.replace('-', "_"))
    }
}

impl Manifest {
    /// Asks cargo about the project in a folder.
    ///
    /// # Errors
    ///
    /// [`BuildError::Start`], [`BuildError::Failed`], and [`BuildError::Package`] where the project
    /// has no library.
    pub(super) fn read(
        cargo: &Path,
        folder: &Path,
        options: &BuildOptions,
    ) -> Result<Self, BuildError> {
        let path = folder.join("Cargo.toml");
        let metadata = metadata(cargo, folder, options)?;
        let package = metadata
            .packages
            .iter()
            .find(|package| package.manifest_path == path);
        let Some(library) = package.and_then(Package::library) else {
            return Err(BuildError::Package {
                path,
                problem: "no library: a plugin is a package with src/lib.rs".to_owned(),
            });
        };
        let own = &metadata.workspace_root;
        let mut outside: Vec<PathBuf> = Vec::new();
        let dependencies = package
            .into_iter()
            .flat_map(|package| &package.dependencies);
        for dependency in dependencies.filter_map(|dependency| dependency.path.as_ref()) {
            let is_known = |root: &PathBuf| dependency.starts_with(root);
            if is_known(own) || outside.iter().any(is_known) {
                continue;
            }
            // Its whole workspace: it may have path dependencies of its own there.
            outside.push(self::metadata(cargo, dependency, options)?.workspace_root);
        }
        Ok(Self { library, outside })
    }
}

fn metadata(cargo: &Path, folder: &Path, options: &BuildOptions) -> Result<Metadata, BuildError> {
    let mut command = options.machine.command(cargo);
    command
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .arg("--manifest-path")
        .arg(folder.join("Cargo.toml"))
        .current_dir(folder)
        .stderr(Stdio::inherit());
    let output = command.output().map_err(|source| BuildError::Start {
        tool: cargo.to_owned(),
        source,
    })?;
    if !output.status.success() {
        return Err(BuildError::Failed {
            tool: "cargo metadata".to_owned(),
            status: output.status,
            hint: None,
        });
    }
    serde_json::from_slice(&output.stdout).map_err(|error| BuildError::Package {
        path: folder.join("Cargo.toml"),
        problem: format!("cargo's description of it cannot be read: {error}"),
    })
}

/// The command that makes the core module.
pub(super) fn module_build(
    cargo: &Path,
    folder: &Path,
    manifest: &Manifest,
    toolchain: &Toolchain,
    options: &BuildOptions,
) -> Command {
    let mut command = options.machine.command(cargo);
    command
        .args([
            "rustc",
            "--lib",
            "--crate-type",
            "cdylib",
            "--profile",
            PROFILE,
        ])
        .args(["--target", TRIPLE, "--target-dir"])
        .arg(&options.wasm_target)
        .arg("--manifest-path")
        .arg(folder.join("Cargo.toml"))
        .current_dir(folder);
    if options.quiet {
        command.arg("--quiet");
    }
    for setting in PROFILE_SETTINGS {
        command.args(["--config", &format!("profile.{PROFILE}.{setting}")]);
    }
    // Joined with what the project's own .cargo/config.toml has for the target, where RUSTFLAGS
    // would replace it.
    let flags = remappings(manifest, options);
    let flags = toml::Value::from(flags);
    command.args(["--config", &format!("target.{TRIPLE}.rustflags={flags}")]);
    toolchain.apply(&mut command);
    command
}

/// Keeps this machine's paths out of the module, where panics have their places. Of two that
/// match, rustc takes the last.
///
/// The project's own workspace needs none, because cargo names its files from there; and it must
/// have none: another flag for each project would build the standard library again for each.
fn remappings(manifest: &Manifest, options: &BuildOptions) -> Vec<String> {
    let outside = manifest.outside.iter().map(|root| remap(root, "/beside"));
    outside
        .chain([
            remap(&options.machine.cargo_home, "/cargo"),
            remap(&options.wasm_target, "/target"),
        ])
        .collect()
}

fn remap(from: &Path, to: &str) -> String {
    format!("--remap-path-prefix={}={to}", from.display())
}

#[cfg(test)]
mod tests;
