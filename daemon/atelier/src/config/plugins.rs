//! `[plugins]`: where they are, what one call may use, and what the user granted and set for each.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use atelier_plugin_host::{Grants, Limits, NoPermission, Permission};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::ByteSize;

/// `[plugins]`
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct PluginConfig {
    /// More folders with plugins.
    pub(crate) folders: Vec<PathBuf>,
    /// Seconds that one call may take.
    pub(crate) seconds: f64,
    /// Memory that one call may hold.
    pub(crate) memory: ByteSize,
    /// WebAssembly instances that one call may make.
    pub(crate) instances: usize,
    /// Pictures that one call may hold at once.
    pub(crate) handles: usize,
    /// Pixels of all pictures that one call makes.
    pub(crate) pixels: u64,
    /// Bytes that one call of a function may pass.
    pub(crate) at_once: ByteSize,
    /// Lines of log that are kept of one call.
    pub(crate) log_lines: u32,
    /// What is kept of prepared references, so that the same one is not prepared twice; 0: nothing.
    pub(crate) kept: ByteSize,
    /// What each plugin may do beyond its pictures.
    pub(crate) grants: BTreeMap<String, Vec<Granted>>,
    /// What each plugin may read with `setting:KEY`.
    pub(crate) settings: BTreeMap<String, Map<String, Value>>,
    /// Models that plugins may run, by name.
    pub(crate) models: BTreeMap<String, PathBuf>,
}

/// A permission in the settings.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Granted(Permission);

impl TryFrom<String> for Granted {
    type Error = NoPermission;

    fn try_from(text: String) -> Result<Self, NoPermission> {
        text.parse().map(Self)
    }
}

impl Default for PluginConfig {
    fn default() -> Self {
        let Limits {
            time,
            memory,
            instances,
            handles,
            output_pixels,
            hostcall_bytes,
            log_lines,
            ..
        } = Limits::default();
        Self {
            folders: Vec::new(),
            seconds: time.as_secs_f64(),
            memory: ByteSize(memory as u64),
            instances,
            handles,
            pixels: output_pixels,
            at_once: ByteSize(hostcall_bytes as u64),
            log_lines,
            kept: ByteSize(512 << 20),
            grants: BTreeMap::new(),
            settings: BTreeMap::new(),
            models: BTreeMap::new(),
        }
    }
}

impl PluginConfig {
    /// Every path in it.
    pub(super) fn paths_mut(&mut self) -> impl Iterator<Item = &mut PathBuf> {
        self.folders.iter_mut().chain(self.models.values_mut())
    }

    /// What one call may use.
    ///
    /// # Errors
    ///
    /// Which key has no usable value.
    pub(crate) fn limits(&self) -> Result<Limits, String> {
        let bytes = |size: ByteSize| usize::try_from(size.0).unwrap_or(usize::MAX);
        Ok(Limits {
            time: Duration::try_from_secs_f64(self.seconds)
                .map_err(|cause| format!("plugins.seconds: {cause}"))?,
            memory: bytes(self.memory),
            instances: self.instances,
            handles: self.handles,
            output_pixels: self.pixels,
            hostcall_bytes: bytes(self.at_once),
            log_lines: self.log_lines,
            ..Limits::default()
        })
    }

    /// What the settings grant to a plugin.
    pub(crate) fn granted(&self, plugin: &str) -> Grants {
        let granted = self.grants.get(plugin).into_iter().flatten();
        granted.map(|granted| granted.0.clone()).collect()
    }
}
