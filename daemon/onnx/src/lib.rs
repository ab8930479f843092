//! Runs small ONNX models on the processor, by name, within limits: what a plugin's `infer` asks
//! for.
//!
//! The way of a call: a name is looked up and its file [read](mod@file), its parts are
//! [examined](examine) before anything of their size is made, tract [loads](loaded) it once for
//! all callers and keeps it on the [shelf], the caller's [tensors](tensor) are [brought](inputs)
//! into the types that the model takes, and it is [run](mod@run) node by node, so that it can be
//! stopped between two.
//!
//! A model's file is not trusted: whatever is in it, the worst that comes of it is an error. What
//! the file names outside itself is never read. Nothing here knows of plugins or permissions.

mod examine;
mod file;
mod inputs;
mod loaded;
mod outputs;
mod run;
mod shelf;
mod tensor;
mod trouble;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

pub use tensor::{Numbers, Tensor};
pub use trouble::Trouble;

/// What a model may cost.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// The largest file that is loaded, in bytes.
    pub file_bytes: u64,
    /// The largest tensor that goes in, comes out or lies between, in bytes.
    pub tensor_bytes: u64,
    /// How long one run may take, in seconds, loading included. A run is asked between two nodes
    /// of the model, so it can last one node longer; loading is not interrupted. What is no
    /// positive number means no time at all.
    pub seconds: f64,
}

impl Default for Limits {
    /// 64 MiB, 64 MiB and ten seconds.
    fn default() -> Self {
        Self {
            file_bytes: 64 << 20,
            tensor_bytes: 64 << 20,
            seconds: 10.0,
        }
    }
}

impl Limits {
    fn deadline(&self) -> Instant {
        let time = Duration::try_from_secs_f64(self.seconds).unwrap_or_default();
        let now = Instant::now();
        // Further away than a clock can say is no limit: a year is as good.
        let year = Duration::from_secs(365 * 86_400);
        now.checked_add(time.min(year)).unwrap_or(now)
    }
}

/// Says where the file of a model lies, if there is one of that name.
type Lookup = Box<dyn Fn(&str) -> Option<PathBuf> + Send + Sync>;

/// The models that there are. Threads share it: each model is loaded once, by the first who wants
/// it, and again when its file is another.
pub struct Models {
    lookup: Lookup,
    limits: Limits,
    shelf: shelf::Shelf,
}

impl Models {
    /// The models of a fixed list of names and files.
    pub fn new(sources: BTreeMap<String, PathBuf>, limits: Limits) -> Self {
        Self::looking(move |name| sources.get(name).cloned(), limits)
    }

    /// Models that are looked for at each run, so that one may be added while the program runs.
    /// The name that `lookup` gets is never a path: it has letters, digits, `-`, `_` and `.` only
    /// and does not begin with a dot.
    pub fn looking(
        lookup: impl Fn(&str) -> Option<PathBuf> + Send + Sync + 'static,
        limits: Limits,
    ) -> Self {
        Self {
            lookup: Box::new(lookup),
            limits,
            shelf: shelf::Shelf::default(),
        }
    }

    /// The limits that it was made with.
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// Runs a model once, on this thread, which may take as long as the limits allow.
    ///
    /// Inputs are matched by their names, or by their order where the name is empty; numbers are
    /// converted to what the model takes where that loses nothing but precision. `stop` is asked
    /// before each node of the model, and while another thread loads it; once it says yes, the
    /// answer is [`Trouble::Stopped`].
    ///
    /// ```
    /// use std::collections::BTreeMap;
    /// use atelier_onnx::{Limits, Models, Trouble};
    ///
    /// let models = Models::new(BTreeMap::new(), Limits::default());
    /// let answer = models.run("movenet", Vec::new(), &|| false);
    /// assert!(matches!(answer, Err(Trouble::Missing { .. })));
    /// ```
    ///
    /// # Errors
    ///
    /// [`Trouble`] says whether the name, the inputs, the file, or the run was at fault.
    pub fn run(
        &self,
        name: &str,
        inputs: Vec<Tensor>,
        stop: &dyn Fn() -> bool,
    ) -> Result<Vec<Tensor>, Trouble> {
        let until = run::Until {
            stop,
            deadline: self.limits.deadline(),
            seconds: self.limits.seconds,
        };
        let model = self.load(name, &until)?;
        let inputs = inputs::for_model(&model, inputs, self.limits.tensor_bytes)?;
        run::once(&model, inputs, &until, self.limits.tensor_bytes)
    }

    /// Loads a model, if that was not done yet, so that the next run need not.
    ///
    /// # Errors
    ///
    /// [`Trouble::Missing`], [`Trouble::Unusable`] or [`Trouble::TooLong`].
    pub fn prepare(&self, name: &str) -> Result<(), Trouble> {
        let until = run::Until {
            stop: &|| false,
            deadline: self.limits.deadline(),
            seconds: self.limits.seconds,
        };
        self.load(name, &until).map(drop)
    }

    /// How many times a file was loaded, whether that succeeded or not.
    pub fn loads(&self) -> u64 {
        self.shelf.loads()
    }

    fn load(
        &self,
        name: &str,
        until: &run::Until<'_>,
    ) -> Result<std::sync::Arc<loaded::Loaded>, Trouble> {
        let missing = || Trouble::Missing {
            model: name.to_owned(),
        };
        if !is_name(name) {
            return Err(missing());
        }
        let path = (self.lookup)(name).ok_or_else(missing)?;
        self.shelf.get(name, &path, &self.limits, until)
    }
}

impl std::fmt::Debug for Models {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Models")
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

/// Whether this can be the name of a model: of a file without its ending, and never of a path.
fn is_name(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    !name.is_empty() && name.len() <= 128 && !name.starts_with('.') && name.bytes().all(fits)
}

#[cfg(test)]
mod tests;
