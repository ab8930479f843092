//! A plugin that is loaded and can be called.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use wasmtime::Store;

use crate::call::{self, Call, Rules};
use crate::clock::Clock;
use crate::error::PluginError;
use crate::limits::Limits;
use crate::load::Compiled;
use crate::outcome::{Description, Prepared};
use crate::powers::{Powers, Reach};
use crate::request::{PrepareRequest, Source};
use crate::speech::{Said, Voice};
use crate::v1;
use atelier_plugin_package::Package;

/// What `describe` may take at most: it only says constants.
const DESCRIBE_TIME: Duration = Duration::from_secs(5);

/// A loaded plugin. Cloning it is cheap, and clones may be called at the same time from several
/// threads: every call has an instance of its own, so no call sees another.
#[derive(Clone)]
pub struct Plugin {
    loaded: Arc<Loaded>,
}

struct Loaded {
    package: Package,
    sha256: String,
    cached: bool,
    imports: Vec<String>,
    interface: v1::Interface,
    clock: Arc<Clock>,
    limits: Limits,
    described: OnceLock<Description>,
}

impl Loaded {
    fn store(&self, voice: Voice, powers: &Powers) -> Store<Call> {
        let Package { name, asks, .. } = &self.package;
        let reach = Reach::new(name, asks, powers);
        self.interface.store(&self.limits, voice, reach)
    }
}

impl Plugin {
    pub(crate) fn new(
        package: Package,
        compiled: Compiled,
        imports: Vec<String>,
        interface: v1::Interface,
        clock: Arc<Clock>,
        limits: Limits,
    ) -> Self {
        let Compiled { sha256, cached, .. } = compiled;
        Self {
            loaded: Arc::new(Loaded {
                package,
                sha256,
                cached,
                imports,
                interface,
                clock,
                limits,
                described: OnceLock::new(),
            }),
        }
    }

    /// What its `plugin.toml` says.
    pub fn package(&self) -> &Package {
        &self.loaded.package
    }

    /// The SHA-256 of its `plugin.wasm`, 64 digits of lower hex.
    pub fn sha256(&self) -> &str {
        &self.loaded.sha256
    }

    /// The interfaces that it imports, with their versions: what it may call.
    pub fn imports(&self) -> &[String] {
        &self.loaded.imports
    }

    /// Whether loading found its compiled form in the cache.
    pub fn was_cached(&self) -> bool {
        self.loaded.cached
    }

    /// What the plugin says of itself; it is asked once.
    ///
    /// # Errors
    /// [`PluginError::Output`] when its answer is not what it must be or contradicts its
    /// `plugin.toml`; as [`Plugin::prepare`] otherwise.
    pub fn describe(&self) -> Result<Description, PluginError> {
        let loaded = &*self.loaded;
        if let Some(described) = loaded.described.get() {
            return Ok(described.clone());
        }
        let rules = Rules {
            plugin: &loaded.package.name,
            limits: &loaded.limits,
            time: loaded.limits.time.min(DESCRIBE_TIME),
            cancel: None,
        };
        let (raw, _) = call::run(
            &rules,
            &loaded.clock,
            &mut |_| {},
            |voice| loaded.store(voice, &Powers::default()),
            |store| loaded.interface.describe(store),
        )?;
        let described = raw
            .checked(&loaded.package)
            .map_err(|problem| self.output(problem))?;
        Ok(loaded.described.get_or_init(|| described).clone())
    }

    /// Lets the plugin make pictures of a reference. Returns when it is done or stopped; `hear` is
    /// called meanwhile, on this thread, with all that it says.
    ///
    /// # Errors
    /// [`PluginError::Request`] for a request that no plugin can answer; [`PluginError::Refused`]
    /// when the plugin says why it gives nothing; [`PluginError::Time`],
    /// [`PluginError::Cancelled`], [`PluginError::Memory`], [`PluginError::Limit`],
    /// [`PluginError::Trap`] and [`PluginError::Output`] when it is stopped, crashes or gives what
    /// cannot be used; [`PluginError::Host`] when the fault is ours.
    pub fn prepare(
        &self,
        request: &PrepareRequest,
        hear: &mut dyn FnMut(Said),
    ) -> Result<Prepared, PluginError> {
        let loaded = &*self.loaded;
        let plugin = &loaded.package.name;
        if let Some(problem) = impossible(request, &loaded.limits) {
            return Err(PluginError::Request {
                plugin: plugin.clone(),
                problem,
            });
        }
        let rules = Rules {
            plugin,
            limits: &loaded.limits,
            time: loaded.limits.time,
            cancel: request.cancel.clone(),
        };
        let (answer, dropped) = call::run(
            &rules,
            &loaded.clock,
            hear,
            |voice| loaded.store(voice, &request.powers),
            |store| loaded.interface.prepare(store, request),
        )?;
        match answer {
            Ok(prepared) => Prepared {
                dropped_log_lines: dropped,
                ..prepared
            }
            .checked(loaded.limits.output_pixels)
            .map_err(|problem| self.output(problem)),
            Err(refusal) => Err(PluginError::Refused {
                plugin: plugin.clone(),
                refusal,
            }),
        }
    }

    fn output(&self, problem: String) -> PluginError {
        PluginError::Output {
            plugin: self.loaded.package.name.clone(),
            problem,
        }
    }
}

impl fmt::Debug for Plugin {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Plugin")
            .field("package", &self.loaded.package)
            .field("sha256", &self.loaded.sha256)
            .finish_non_exhaustive()
    }
}

/// Why no plugin could answer this, if so.
fn impossible(request: &PrepareRequest, limits: &Limits) -> Option<String> {
    let (width, height) = request.output;
    if width == 0 || height == 0 {
        return Some(format!("an output of {width} x {height} pixels"));
    }
    if request.sources.is_empty() {
        return Some("there is no reference to start from".to_owned());
    }
    if request.sources.len() > limits.handles {
        return Some(format!("more than {} references at once", limits.handles));
    }
    let empty = |source: &Source| matches!(source, Source::Picture { pixels, .. } if pixels.width() == 0 || pixels.height() == 0);
    request
        .sources
        .iter()
        .any(empty)
        .then(|| "an empty picture to start from".to_owned())
}
