//! Plugins in Rust: cargo makes a core module, and the module becomes a component.
//!
//! The same source gives the same bytes wherever it lies: no path of this machine gets into the
//! module. That holds for crates from a registry or from git, and for path dependencies inside
//! the project's workspace; one outside of it lends its absolute path to cargo's hashes.

mod cargo;
mod toolchain;

use crate::project::Project;
use crate::{BuildError, BuildOptions, machine, read};

use cargo::{Manifest, module_build};
use toolchain::Toolchain;

pub(crate) use toolchain::rust_lld;

/// What is built for.
const TRIPLE: &str = "wasm32-unknown-unknown";

/// Makes a component of a cargo project.
///
/// # Errors
///
/// Those of choosing a compiler, of cargo and of making a component.
pub(crate) fn component(project: &Project, options: &BuildOptions) -> Result<Vec<u8>, BuildError> {
    let cargo = cargo::find(&options.machine)?;
    let toolchain = Toolchain::choose(&options.machine, &project.folder)?;
    let manifest = Manifest::read(&cargo, &project.folder, options)?;
    let mut build = module_build(&cargo, &project.folder, &manifest, &toolchain, options);
    machine::run(&mut build, None)?;
    let module = options
        .wasm_target
        .join(TRIPLE)
        .join(cargo::PROFILE)
        .join(format!("{}.wasm", manifest.library));
    Ok(atelier_componentize::component_of(&read(&module)?)?)
}
