//! Builds a plugin's project to a component, whatever its language, and writes new projects.
//!
//! A project is a folder with `plugin.toml` and a source; [`language_of`] tells the language by
//! the source's name. [`build`] leaves `build/plugin.wasm` and `build/plugin.toml`, and looks at
//! what the component imports: that list is what the plugin may do, so it must be what
//! `plugin.toml` asks for and nothing more.
//!
//! This crate finds compilers, it never installs one: where something is missing, the error says
//! what to type. It never runs what it built.

mod c;
mod embedded;
mod error;
mod imports;
mod js;
mod language;
mod machine;
mod new;
mod options;
mod output;
mod project;
mod python;
mod rust;
mod script;
mod vendor;
mod world;

use std::fs;
use std::path::{Path, PathBuf};

use atelier_componentize::Interfaces;

pub use error::BuildError;
pub use language::{Language, language_of};
pub use machine::Machine;
pub use new::{SdkSource, create};
pub use options::BuildOptions;

use project::Project;

/// What [`build`] made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Built {
    /// Where the component lies: `build/plugin.wasm` in the project's folder.
    pub component: PathBuf,
    /// Its size in bytes.
    pub bytes: u64,
    /// What it imports, such as `atelier:plugin/log@1.0.0`, in the component's order.
    pub imports: Vec<String>,
}

/// Builds the project in a folder: `build/plugin.wasm`, and `build/plugin.toml` beside it. Each
/// arrives by rename, so that nobody ever reads half of it.
///
/// # Errors
///
/// Every [`BuildError`] that is not about new projects. What a compiler says goes to standard
/// error as it is.
pub fn build(project: &Path, options: &BuildOptions) -> Result<Built, BuildError> {
    let project = Project::open(project)?;
    let bytes = match project.language {
        Language::Rust => rust::component(&project, options)?,
        Language::Python => python::component(&project, options)?,
        Language::Js => js::component(&project, options)?,
        Language::C => c::component(&project, options)?,
    };
    let interfaces = Interfaces::of(&bytes)?;
    imports::check(&interfaces.imports, &project.about)?;

    let folder = project.build_folder()?;
    let component = folder.join("plugin.wasm");
    output::write(&component, &bytes)?;
    output::write(&folder.join("plugin.toml"), project.package.as_bytes())?;
    Ok(Built {
        component,
        bytes: bytes.len() as u64,
        imports: interfaces.imports,
    })
}

/// Reads a whole file.
fn read(path: &Path) -> Result<Vec<u8>, BuildError> {
    fs::read(path).map_err(|source| BuildError::Read {
        path: path.to_owned(),
        source,
    })
}
