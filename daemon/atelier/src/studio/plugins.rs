//! The installed plugins: found by name, compiled when first used, and kept while the files stay
//! as they are.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use atelier_plugin_host::{Limits, Package, Plugin, PluginError, PluginHost};

use crate::config::{Config, PluginConfig};
use crate::fault::{Fault, Stage};
use crate::home::Home;

/// The plugins of one home.
pub(crate) struct Plugins {
    cache: PathBuf,
    config: PluginConfig,
    folders: Vec<PathBuf>,
    host: Mutex<Option<Arc<PluginHost>>>,
    compiled: Mutex<HashMap<PathBuf, (SystemTime, Plugin)>>,
}

impl Plugins {
    /// The plugins of a home; nothing is read yet.
    pub(super) fn new(home: &Home, config: &Config) -> Self {
        let mut folders = vec![home.plugins()];
        folders.extend(config.plugins.folders.iter().cloned());
        folders.extend(shipped());
        // One folder under two names must not show its plugins twice.
        let mut seen = HashSet::new();
        folders
            .retain(|folder| seen.insert(folder.canonicalize().unwrap_or_else(|_| folder.clone())));
        Self {
            cache: home.cache().join("plugins"),
            config: config.plugins.clone(),
            folders,
            host: Mutex::default(),
            compiled: Mutex::default(),
        }
    }

    fn host(&self) -> Result<Arc<PluginHost>, Fault> {
        let mut host = self.host.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(host) = &*host {
            return Ok(Arc::clone(host));
        }
        let limits = Limits {
            time: Duration::try_from_secs_f64(self.config.seconds).map_err(|cause| {
                Fault::rejected(
                    Stage::Start,
                    "config-invalid",
                    format!("plugins.seconds: {cause}"),
                )
            })?,
            memory: usize::try_from(self.config.memory.0).unwrap_or(usize::MAX),
            ..Limits::default()
        };
        let opened = PluginHost::new(&self.cache, limits)
            .map(Arc::new)
            .map_err(|e| Fault::plugin(Stage::Start, &e))?;
        Ok(Arc::clone(host.insert(opened)))
    }

    /// Every plugin folder found, with what is wrong with it where something is.
    pub(crate) fn list(&self) -> Vec<(PathBuf, Result<Package, PluginError>)> {
        PluginHost::discover(&self.folders)
    }

    /// The names of the plugins that can be used.
    pub(crate) fn names(&self) -> Vec<String> {
        self.list()
            .into_iter()
            .filter_map(|(_, package)| Some(package.ok()?.name))
            .collect()
    }

    /// Compiles every plugin that is not compiled yet, so that no job waits for it. What does not
    /// compile is only logged: the job that names it will say so.
    pub(crate) fn warm(&self) {
        for name in self.names() {
            if let Err(fault) = self.load(&name) {
                tracing::warn!(plugin = %name, code = %fault.code, "{}", fault.message);
            }
        }
    }

    /// A plugin, by name or by the path of its folder, ready to be called.
    ///
    /// # Errors
    ///
    /// When there is none, or it does not compile.
    pub(crate) fn load(&self, name: &str) -> Result<Plugin, Fault> {
        let found = self
            .list()
            .into_iter()
            .find(|(_, package)| package.as_ref().is_ok_and(|package| package.name == name))
            .map(|(folder, _)| folder);
        let folder = found.or_else(|| {
            Some(PathBuf::from(name)).filter(|path| path.join("plugin.toml").is_file())
        });
        let Some(folder) = folder else {
            let names = self.names().join(", ");
            return Err(Fault::missing(
                Stage::Prepare,
                "plugin-unknown",
                format!("there is no plugin `{name}`"),
            )
            .hint(format!(
                "installed are: {}",
                if names.is_empty() { "none" } else { &names }
            )));
        };
        self.compiled(&*self.host()?, &folder)
            .map_err(|e| Fault::plugin(Stage::Prepare, &e))
    }

    fn compiled(&self, host: &PluginHost, folder: &Path) -> Result<Plugin, PluginError> {
        let changed = std::fs::metadata(folder.join("plugin.wasm"))
            .and_then(|facts| facts.modified())
            .unwrap_or(SystemTime::UNIX_EPOCH);
        let mut compiled = self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((seen, plugin)) = compiled.get(folder)
            && *seen == changed
        {
            return Ok(plugin.clone());
        }
        let plugin = host.load(folder)?;
        compiled.insert(folder.to_path_buf(), (changed, plugin.clone()));
        Ok(plugin)
    }
}

/// Where `make install` puts the plugins that come with Atelier, relative to the program.
fn shipped() -> Option<PathBuf> {
    let program = std::env::current_exe().ok()?;
    let folder = program.parent()?.parent()?.join("share/atelier/plugins");
    folder.is_dir().then_some(folder)
}
