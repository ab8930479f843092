//! Everything that can go wrong between a plugin's folder and its pictures. Each message names the
//! plugin, so that a failed job says whom to ask.

use std::path::PathBuf;
use std::time::Duration;

use atelier_plugin_package::PackageError;
use thiserror::Error;

/// What a plugin itself gave as the reason why nothing came out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// A parameter is missing or out of range.
    Parameter {
        /// The parameter's name, as the plugin gave it.
        name: String,
        /// What is wrong with it.
        message: String,
    },
    /// The reference cannot be used.
    Source(String),
    /// Anything else.
    Other(String),
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Parameter { name, message } => write!(out, "parameter {name:?}: {message}"),
            Self::Source(message) => write!(out, "the reference: {message}"),
            Self::Other(message) => out.write_str(message),
        }
    }
}

/// Why a plugin could not be loaded, or gave nothing.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PluginError {
    /// There is no such folder, or no `plugin.toml` in it.
    #[error("plugin {plugin:?}: there is no plugin at {}", path.display())]
    NotFound {
        /// The folder's name.
        plugin: String,
        /// What was looked for.
        path: PathBuf,
    },
    /// `plugin.toml` is not what it must be, or does not agree with the component.
    #[error("plugin {plugin:?}: {problem}")]
    Package {
        /// The folder's name, or the plugin's once it is known.
        plugin: String,
        /// What is wrong, with line and column where the text has one.
        problem: String,
    },
    /// `plugin.wasm` is not a component of a known world.
    #[error("plugin {plugin:?}: plugin.wasm {problem}")]
    Component {
        /// The plugin's name.
        plugin: String,
        /// What is wrong; continues the words "plugin.wasm …".
        problem: String,
    },
    /// The component imports something that this host does not offer, or did not grant.
    #[error("plugin {plugin:?}: it imports `{import}`, which {reason}")]
    ImportRefused {
        /// The plugin's name.
        plugin: String,
        /// The import's full name, such as `wasi:cli/environment@0.2.6`.
        import: String,
        /// Why not; continues the words "which …".
        reason: String,
    },
    /// The call took longer than it may.
    #[error("plugin {plugin:?}: stopped after {} s, the time that a call may take", limit.as_secs_f64())]
    Time {
        /// The plugin's name.
        plugin: String,
        /// The time it had.
        limit: Duration,
    },
    /// The caller asked the call to stop.
    #[error("plugin {plugin:?}: cancelled")]
    Cancelled {
        /// The plugin's name.
        plugin: String,
    },
    /// The plugin needed more memory than it may have.
    #[error("plugin {plugin:?}: it needs more than the {} MiB of memory that a call may use", limit >> 20)]
    Memory {
        /// The plugin's name.
        plugin: String,
        /// The bytes it could have.
        limit: usize,
    },
    /// The plugin crashed.
    #[error("plugin {plugin:?}: it crashed ({trap}){}", said.as_deref().map(|said| format!(": {said}")).unwrap_or_default())]
    Trap {
        /// The plugin's name.
        plugin: String,
        /// What the machine says: "wasm `unreachable` instruction executed".
        trap: String,
        /// The last line that the plugin logged as an error: a panic's message, as a rule.
        said: Option<String>,
    },
    /// What came back is not what the interface promises.
    #[error("plugin {plugin:?}: {problem}")]
    Output {
        /// The plugin's name.
        plugin: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The plugin itself said why not.
    #[error("plugin {plugin:?}: {refusal}")]
    Refused {
        /// The plugin's name.
        plugin: String,
        /// Its words.
        refusal: Refusal,
    },
    /// A limit other than time and memory.
    #[error("plugin {plugin:?}: {problem}")]
    Limit {
        /// The plugin's name.
        plugin: String,
        /// Which limit, and its value.
        problem: String,
    },
    /// A packed plugin cannot be packed or unpacked.
    #[error("plugin {plugin:?}: {problem}")]
    Archive {
        /// The file's or folder's name.
        plugin: String,
        /// What is wrong.
        problem: String,
    },
    /// A plugin's signature does not hold.
    #[error("plugin {plugin:?}: {problem}")]
    Signature {
        /// The folder's name.
        plugin: String,
        /// What is wrong.
        problem: String,
    },
    /// The caller asked for what no plugin can do.
    #[error("plugin {plugin:?}: {problem}")]
    Request {
        /// The plugin's name.
        plugin: String,
        /// What is wrong with the request.
        problem: String,
    },
    /// The host failed, not the plugin.
    #[error("plugin {plugin:?}: the plugin host failed: {problem}")]
    Host {
        /// The plugin's name.
        plugin: String,
        /// What failed.
        problem: String,
    },
    /// The folder of compiled plugins cannot be used, or the host cannot start.
    #[error("the plugin host cannot start: {problem}")]
    Start {
        /// What is wrong, with the folder's path where it is the folder.
        problem: String,
    },
}

impl From<PackageError> for PluginError {
    fn from(error: PackageError) -> Self {
        match error {
            PackageError::NotFound { plugin, path } => Self::NotFound { plugin, path },
            PackageError::Invalid { plugin, problem } => Self::Package { plugin, problem },
        }
    }
}

impl PluginError {
    /// The stable name of this error, as a job's error file and scripts see it.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotFound { .. } => "plugin-not-found",
            Self::Package { .. } => "plugin-package",
            Self::Component { .. } => "plugin-component",
            Self::ImportRefused { .. } => "plugin-import-refused",
            Self::Time { .. } => "plugin-time",
            Self::Cancelled { .. } => "plugin-cancelled",
            Self::Memory { .. } => "plugin-memory",
            Self::Trap { .. } => "plugin-trap",
            Self::Output { .. } => "plugin-output",
            Self::Refused { .. } => "plugin-refused",
            Self::Limit { .. } => "plugin-limit",
            Self::Archive { .. } => "plugin-archive",
            Self::Signature { .. } => "plugin-signature",
            Self::Request { .. } => "plugin-request",
            Self::Host { .. } => "plugin-host",
            Self::Start { .. } => "plugin-host-start",
        }
    }

    /// The plugin's name; none where no plugin was involved yet.
    pub fn plugin(&self) -> Option<&str> {
        match self {
            Self::NotFound { plugin, .. }
            | Self::Package { plugin, .. }
            | Self::Component { plugin, .. }
            | Self::ImportRefused { plugin, .. }
            | Self::Time { plugin, .. }
            | Self::Cancelled { plugin }
            | Self::Memory { plugin, .. }
            | Self::Trap { plugin, .. }
            | Self::Output { plugin, .. }
            | Self::Refused { plugin, .. }
            | Self::Limit { plugin, .. }
            | Self::Archive { plugin, .. }
            | Self::Signature { plugin, .. }
            | Self::Request { plugin, .. }
            | Self::Host { plugin, .. } => Some(plugin),
            Self::Start { .. } => None,
        }
    }

    /// What to do about it, where something can be done.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::NotFound { .. } => {
                "`atelier plugin list` shows the installed plugins and the folders searched"
            }
            Self::Package { .. } => {
                "plugin.toml needs name, version, license, summary and world, and no other key than asks"
            }
            Self::Component { .. } => {
                "install the plugin again, or build it again with its SDK; only a WebAssembly component made from source is accepted"
            }
            Self::ImportRefused { import, .. } if import.starts_with("wasi:") => {
                "plugins get no WASI; build for wasm32-unknown-unknown with the SDK, which needs none"
            }
            Self::ImportRefused { .. } => {
                "build it with the SDK of this version of Atelier, and ask in plugin.toml for what it imports; `atelier plugin check` shows both"
            }
            Self::Archive { .. } => {
                "a packed plugin is a zip of plugin.toml, plugin.wasm and a few plain files; `atelier plugin pack` makes one"
            }
            Self::Signature { .. } => {
                "get it again from its author; what was changed after signing is not installed"
            }
            Self::Time { .. } | Self::Memory { .. } | Self::Limit { .. } => {
                "give it a smaller reference, or raise the plugin limits in the config"
            }
            Self::Trap { .. } | Self::Output { .. } => {
                "this is a fault of the plugin: tell its author, with this message"
            }
            Self::Refused {
                refusal: Refusal::Parameter { .. },
                ..
            } => "correct the parameter in the job's `prepare` entry",
            Self::Refused { .. }
            | Self::Cancelled { .. }
            | Self::Request { .. }
            | Self::Host { .. }
            | Self::Start { .. } => return None,
        };
        Some(hint.to_owned())
    }
}
