//! Why a project was not built or not made.

use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;

/// Why a project was not built or not made. Each has a stable [code](BuildError::code).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// A file of the project, or a compiler's result, could not be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },

    /// A file or folder could not be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },

    /// The folder has no `plugin.toml`.
    #[error("{} has no plugin.toml", folder.display())]
    NoPackage {
        /// The project's folder.
        folder: PathBuf,
    },

    /// `plugin.toml` does not say what it must.
    #[error("{}: {problem}", path.display())]
    Package {
        /// The file.
        path: PathBuf,
        /// What is wrong, with its place or key.
        problem: String,
    },

    /// None of the sources that tell a language is there.
    #[error("{} has no source of a plugin", folder.display())]
    NoSource {
        /// The project's folder.
        folder: PathBuf,
    },

    /// The sources of two languages are there.
    #[error("{} has both {} and {}", folder.display(), found.0, found.1)]
    TwoSources {
        /// The project's folder.
        folder: PathBuf,
        /// Two of the sources.
        found: (&'static str, &'static str),
    },

    /// A new plugin's name breaks the rule.
    #[error("{0:?} cannot be a plugin's name: 1 to 64 of a-z, 0-9 and -, the first a letter")]
    Name(String),

    /// A new project's folder is there already.
    #[error("{} is there already", path.display())]
    Exists {
        /// The folder.
        path: PathBuf,
    },

    /// The sources that the program carries are not as they should be, or a folder that was named
    /// as the SDK's is not.
    #[error("the SDK's sources: {0}")]
    Sdk(String),

    /// A program that is needed is not on the `PATH`.
    #[error("{tool} is not on the PATH, and {purpose}")]
    NoTool {
        /// The program.
        tool: &'static str,
        /// What needs it.
        purpose: &'static str,
        /// How to get it.
        hint: String,
    },

    /// Rust is here, but nothing that can make WebAssembly with it.
    #[error("this Rust has no standard library for wasm32-unknown-unknown{detail}")]
    NoWasmStd {
        /// What else was looked at and why it does not do; may be empty.
        detail: String,
        /// How to get it.
        hint: String,
    },

    /// A program is there and could not be started.
    #[error("cannot start {}: {source}", tool.display())]
    Start {
        /// The program.
        tool: PathBuf,
        /// What the system said.
        source: io::Error,
    },

    /// A compiler, linker or bundler failed. What it said went to standard error.
    #[error("{tool} failed ({status})")]
    Failed {
        /// The program.
        tool: String,
        /// How it ended.
        status: ExitStatus,
        /// What often helps.
        hint: Option<String>,
    },

    /// The module did not become a component.
    #[error(transparent)]
    Component(#[from] atelier_componentize::Error),

    /// The component imports an interface that `plugin.toml` does not ask for.
    #[error("the plugin uses `{interface}`, and plugin.toml does not ask for it")]
    Unasked {
        /// `infer`, `random` or `settings`.
        interface: &'static str,
        /// The line of `asks` that would.
        ask: &'static str,
    },

    /// The component imports an interface of WASI.
    #[error("the plugin imports {0}, and plugins have no WASI")]
    Wasi(String),

    /// The component imports what no host of this version has.
    #[error("the plugin imports {0}, which Atelier does not have")]
    UnknownImport(String),

    /// This program was built without what the language needs.
    #[error("this version of Atelier does not build plugins in {0}")]
    Language(&'static str),
}

impl BuildError {
    /// A stable name for scripts.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Read { .. } => "project-unreadable",
            Self::Write { .. } => "project-unwritable",
            Self::NoPackage { .. } => "project-without-package",
            Self::Package { .. } => "project-package",
            Self::NoSource { .. } => "project-without-source",
            Self::TwoSources { .. } => "project-ambiguous",
            Self::Name(_) => "plugin-name",
            Self::Exists { .. } => "project-exists",
            Self::Sdk(_) => "sdk-sources",
            Self::NoTool { .. } => "tool-missing",
            Self::NoWasmStd { .. } => "wasm-std-missing",
            Self::Start { .. } => "tool-unstartable",
            Self::Failed { .. } => "compiler-failed",
            Self::Component(error) => error.code(),
            Self::Unasked { .. } => "import-unasked",
            Self::Wasi(_) => "import-wasi",
            Self::UnknownImport(_) => "import-unknown",
            Self::Language(_) => "language-unavailable",
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoPackage { .. } => Some(
                "name a plugin's folder, or make one with: atelier plugin new --lang rust NAME"
                    .to_owned(),
            ),
            Self::NoSource { .. } => Some(
                "the language is told by the source: Cargo.toml with src/lib.rs, plugin.py, \
                 plugin.js or plugin.c"
                    .to_owned(),
            ),
            Self::TwoSources { .. } => Some("move one of them to another folder".to_owned()),
            Self::Exists { .. } => Some("choose another name, or remove it first".to_owned()),
            Self::NoTool { hint, .. } | Self::NoWasmStd { hint, .. } => Some(hint.clone()),
            Self::Failed { hint, .. } => hint.clone(),
            Self::Component(error) => error.hint().map(str::to_owned),
            Self::Unasked { ask, .. } => Some(format!(
                "add to asks in plugin.toml: {{ permission = \"{ask}\", reason = \"…\" }}, \
                 or leave out what needs it"
            )),
            Self::Wasi(_) => Some(
                "leave out what opens files or sockets, or reads the clock or the environment"
                    .to_owned(),
            ),
            Self::UnknownImport(_) => Some(
                "build against sdk/wit/plugin.wit of this version, or use a newer Atelier"
                    .to_owned(),
            ),
            _ => None,
        }
    }
}
