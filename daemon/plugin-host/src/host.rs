//! The engine that all plugins share, and the folders that they come from.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use wasmtime::{Config, Engine};

use crate::cache::Cache;
use crate::clock::Clock;
use crate::error::PluginError;
use crate::limits::Limits;
use crate::load;
use crate::plugin::Plugin;
use crate::v1;
use atelier_plugin_package::{PACKAGE_FILE, Package, World, folder_name};

/// Loads plugins and lends them its engine. One is enough for a process; it may be shared between
/// threads, and plugins outlive it.
pub struct PluginHost {
    engine: Engine,
    clock: Arc<Clock>,
    cache: Cache,
    limits: Limits,
}

impl PluginHost {
    /// Starts the engine. `cache` is the folder of compiled plugins: made when it is missing, and
    /// closed to everyone but its owner.
    ///
    /// # Errors
    /// [`PluginError::Start`] when the folder belongs to someone else, others could have written
    /// to it, or it cannot be made; or when the engine or its clock do not start.
    pub fn new(cache: &Path, limits: Limits) -> Result<Self, PluginError> {
        let start = |problem: String| PluginError::Start { problem };
        let engine = engine().map_err(|error| start(format!("{error:#}")))?;
        let clock = Clock::start(&engine).map_err(|error| start(error.to_string()))?;
        let cache = Cache::open(cache, &engine)
            .map_err(|error| start(format!("{}: {error}", cache.display())))?;
        Ok(Self {
            engine,
            clock: Arc::new(clock),
            cache,
            limits,
        })
    }

    /// What each call may use.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Loads the plugin in `folder`, which holds `plugin.toml` and `plugin.wasm`. Compiles it,
    /// unless its compiled form is in the cache: some 20 ms for a small plugin, seconds for one in
    /// an interpreted language. Runs nothing of it.
    ///
    /// # Errors
    /// [`PluginError::NotFound`], [`PluginError::Package`], [`PluginError::Component`] and
    /// [`PluginError::ImportRefused`].
    pub fn load(&self, folder: &Path) -> Result<Plugin, PluginError> {
        let package = Package::read(folder)?;
        let compiled = load::compile(&self.engine, &self.cache, &package.name, folder)?;
        let World::V1 = package.world;
        let imports = load::check(&self.engine, &package, &compiled.component, &v1::CONTRACT)?;
        let interface = v1::Interface::link(&self.engine, &package.name, &compiled.component)?;
        Ok(Plugin::new(
            package,
            compiled,
            imports,
            interface,
            Arc::clone(&self.clock),
            self.limits.clone(),
        ))
    }

    /// The plugins in `folders`: each folder inside one of them that holds a `plugin.toml`, in the
    /// order of `folders` and then of names, with what it says of itself or what is wrong with it.
    /// Compiles and runs nothing. A folder of `folders` that does not exist holds no plugins.
    pub fn discover(folders: &[PathBuf]) -> Vec<(PathBuf, Result<Package, PluginError>)> {
        folders
            .iter()
            .flat_map(|folder| discover_in(folder))
            .collect()
    }
}

fn discover_in(folder: &Path) -> Vec<(PathBuf, Result<Package, PluginError>)> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Vec::new(),
        Err(error) => {
            let problem = format!("the folder cannot be read: {error}");
            let refused = PluginError::Package {
                plugin: folder_name(folder),
                problem,
            };
            return vec![(folder.to_owned(), Err(refused))];
        }
    };
    let mut found: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| !folder_name(path).starts_with('.') && path.join(PACKAGE_FILE).is_file())
        .collect();
    found.sort();
    found
        .into_iter()
        .map(|path| (path.clone(), Package::read(&path).map_err(Into::into)))
        .collect()
}

/// The engine's settings. Those that change what a plugin computes make the same job give the same
/// bytes on every machine.
fn engine() -> wasmtime::Result<Engine> {
    let mut config = Config::new();
    config.wasm_component_model(true);
    config.epoch_interruption(true);
    config.relaxed_simd_deterministic(true);
    config.cranelift_nan_canonicalization(true);
    // Neither is needed by any SDK, and both widen what a plugin can reach.
    config.shared_memory(false);
    config.wasm_memory64(false);
    Engine::new(&config)
}
