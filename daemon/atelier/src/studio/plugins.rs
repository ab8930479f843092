//! The installed plugins: found by name, compiled when first used, and kept while the files stay
//! as they are.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use atelier_plugin_host::{
    Grants, Inference, Limits, Package, Permission, Plugin, PluginError, PluginHost, Powers,
};
use serde_json::{Map, Value};

use super::inference::SmallModels;
use super::kept::Kept;
use super::trust::Trust;
use crate::config::{Config, PluginConfig};
use crate::fault::{Fault, Stage};
use crate::home::Home;

/// The plugins of one home.
pub(crate) struct Plugins {
    own: PathBuf,
    cache: PathBuf,
    config: PluginConfig,
    folders: Vec<PathBuf>,
    host: Mutex<Option<Arc<PluginHost>>>,
    compiled: Mutex<HashMap<PathBuf, (State, Plugin)>>,
    trust: Trust,
    kept: Kept,
    models: Arc<SmallModels>,
}

/// A plugin that can be called, with what the user lets it do.
pub(crate) struct Ready {
    pub(crate) plugin: Plugin,
    /// By the settings and by command.
    pub(crate) granted: Grants,
    settings: Map<String, Value>,
    models: Arc<SmallModels>,
}

impl Ready {
    /// What one call gets beyond its pictures.
    pub(crate) fn powers(&self, seed: u64) -> Powers {
        let models: Arc<dyn Inference> = Arc::clone(&self.models) as Arc<dyn Inference>;
        Powers {
            granted: self.granted.clone(),
            settings: self.settings.clone(),
            seed,
            models: Some(models),
        }
    }

    /// A text that differs where what the plugin can reach does: part of what its result follows from.
    pub(super) fn reach(&self, seed: u64) -> String {
        let mut reach = String::new();
        for ask in &self.plugin.package().asks {
            let permission = &ask.permission;
            if !self.granted.contains(permission) {
                continue;
            }
            reach += &match permission {
                Permission::Random => format!("{permission}={seed}\n"),
                Permission::Setting(key) => {
                    let value = self.settings.get(key).unwrap_or(&Value::Null);
                    format!("{permission}={value}\n")
                }
                Permission::Model(name) => format!("{permission}={}\n", self.models.state(name)),
            };
        }
        reach
    }
}

impl Plugins {
    /// The plugins of a home; nothing is read yet.
    pub(super) fn new(home: &Home, config: &Config) -> Self {
        let mut folders = vec![home.plugins()];
        folders.extend(config.plugins.folders.iter().cloned());
        folders.extend(shipped("plugins"));
        // One folder under two names must not show its plugins twice.
        let mut seen = HashSet::new();
        folders
            .retain(|folder| seen.insert(folder.canonicalize().unwrap_or_else(|_| folder.clone())));
        Self {
            own: home.plugins(),
            cache: home.cache().join("plugins"),
            config: config.plugins.clone(),
            folders,
            host: Mutex::default(),
            compiled: Mutex::default(),
            trust: Trust::of(&home.plugins()),
            kept: Kept::new(home.cache().join("prepared"), config.plugins.kept.0),
            models: Arc::new(SmallModels::new(home, config)),
        }
    }

    /// What one call may use.
    ///
    /// # Errors
    ///
    /// When the settings give no usable value.
    pub(crate) fn limits(&self) -> Result<Limits, Fault> {
        self.config
            .limits()
            .map_err(|problem| Fault::rejected(Stage::Start, "config-invalid", problem))
    }

    /// What the user allowed by command.
    pub(crate) fn trust(&self) -> &Trust {
        &self.trust
    }

    /// Results that are kept between jobs.
    pub(super) fn kept(&self) -> &Kept {
        &self.kept
    }

    /// The models that plugins may be lent.
    pub(crate) fn models(&self) -> &SmallModels {
        &self.models
    }

    /// The home's own folder of plugins, where they are installed.
    pub(crate) fn own_folder(&self) -> &Path {
        &self.own
    }

    /// Loads the plugin in a folder, wherever that is: compiles it and checks what it imports.
    ///
    /// # Errors
    ///
    /// When it is not what a plugin must be.
    pub(crate) fn load_folder(&self, folder: &Path) -> Result<Plugin, Fault> {
        self.host()?
            .load(folder)
            .map_err(|e| Fault::plugin(Stage::Check, &e))
    }

    /// Everything that a plugin was granted, by the settings and by command.
    ///
    /// # Errors
    ///
    /// When what was granted cannot be read.
    pub(crate) fn granted(&self, plugin: &str) -> Result<Grants, Fault> {
        let mut granted = self.config.granted(plugin);
        granted.extend(self.trust.granted(plugin)?);
        Ok(granted)
    }

    /// A plugin, by name or by the path of its folder, with what it may do.
    ///
    /// # Errors
    ///
    /// When there is none, it does not compile, or what was granted cannot be read.
    pub(crate) fn ready(&self, name: &str) -> Result<Ready, Fault> {
        let plugin = self.load(name)?;
        let own = plugin.package().name.as_str();
        Ok(Ready {
            granted: self.granted(own)?,
            settings: self.config.settings.get(own).cloned().unwrap_or_default(),
            models: Arc::clone(&self.models),
            plugin,
        })
    }

    fn host(&self) -> Result<Arc<PluginHost>, Fault> {
        let mut host = self.host.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(host) = &*host {
            return Ok(Arc::clone(host));
        }
        let limits = self.limits()?;
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
        let folder = self.find(name)?;
        self.compiled(&*self.host()?, &folder)
            .map_err(|e| Fault::plugin(Stage::Prepare, &e))
    }

    /// The folder of a plugin, by name or by its own path.
    ///
    /// # Errors
    ///
    /// When there is none.
    pub(crate) fn find(&self, name: &str) -> Result<PathBuf, Fault> {
        let found = self
            .list()
            .into_iter()
            .find(|(_, package)| package.as_ref().is_ok_and(|package| package.name == name))
            .map(|(folder, _)| folder);
        let folder = found.or_else(|| {
            Some(PathBuf::from(name)).filter(|path| path.join("plugin.toml").is_file())
        });
        folder.ok_or_else(|| {
            let names = self.names().join(", ");
            Fault::missing(
                Stage::Prepare,
                "plugin-unknown",
                format!("there is no plugin `{name}`"),
            )
            .hint(format!(
                "installed are: {}",
                if names.is_empty() { "none" } else { &names }
            ))
        })
    }

    fn compiled(&self, host: &PluginHost, folder: &Path) -> Result<Plugin, PluginError> {
        let state = state(folder);
        let mut compiled = self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((seen, plugin)) = compiled.get(folder)
            && *seen == state
        {
            return Ok(plugin.clone());
        }
        let plugin = host.load(folder)?;
        compiled.insert(folder.to_path_buf(), (state, plugin.clone()));
        Ok(plugin)
    }
}

/// What tells whether a plugin's files are still the ones that were loaded.
type State = [Option<(SystemTime, u64)>; 2];

fn state(folder: &Path) -> State {
    ["plugin.wasm", "plugin.toml"].map(|name| {
        let facts = std::fs::metadata(folder.join(name)).ok()?;
        Some((facts.modified().ok()?, facts.len()))
    })
}

/// Where `make install` puts what comes with Atelier, relative to the program: `plugins` or `models`.
pub(super) fn shipped(what: &str) -> Option<PathBuf> {
    let program = std::env::current_exe().ok()?;
    let folder = program.parent()?.parent()?.join("share/atelier").join(what);
    folder.is_dir().then_some(folder)
}
