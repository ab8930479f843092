//! Models that plugins may run: found by name, run by `atelier-onnx`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use atelier_plugin_host::{Inference, Tensor, Trouble};

use super::plugins::shipped;
use crate::config::Config;
use crate::home::Home;

/// The models of one home.
pub(crate) struct Models {
    named: BTreeMap<String, PathBuf>,
    folders: Vec<PathBuf>,
}

impl Models {
    /// The models of a home; nothing is read yet.
    pub(super) fn new(home: &Home, config: &Config) -> Self {
        let mut folders = vec![home.models()];
        folders.extend(shipped("models"));
        Self {
            named: config.plugins.models.clone(),
            folders,
        }
    }
}
