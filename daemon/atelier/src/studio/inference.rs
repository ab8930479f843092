//! Models that plugins may run: found by name in the settings, in the home's `models/` or among what
//! comes with Atelier, and run by `atelier-onnx`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::UNIX_EPOCH;

use atelier_onnx as onnx;
use atelier_plugin_host::{Inference, Numbers, Tensor, Trouble};

use super::plugins::shipped;
use crate::config::Config;
use crate::home::Home;

/// The models of one home. They are loaded when a plugin first runs one, and shared by all plugins.
pub(crate) struct SmallModels {
    places: Places,
    runner: onnx::Models,
}

#[derive(Clone)]
struct Places {
    named: BTreeMap<String, PathBuf>,
    folders: Vec<PathBuf>,
}

impl Places {
    fn find(&self, name: &str) -> Option<PathBuf> {
        let here = |folder: &PathBuf| folder.join(format!("{name}.onnx"));
        self.named.get(name).cloned().or_else(|| {
            let mut files = self.folders.iter().map(here);
            files.find(|file| file.is_file())
        })
    }
}

impl SmallModels {
    /// The models of a home; nothing is read yet.
    pub(super) fn new(home: &Home, config: &Config) -> Self {
        let mut folders = vec![home.models()];
        folders.extend(shipped("models"));
        let places = Places {
            named: config.plugins.models.clone(),
            folders,
        };
        let looked_up = places.clone();
        Self {
            places,
            runner: onnx::Models::looking(
                move |name| looked_up.find(name),
                onnx::Limits::default(),
            ),
        }
    }

    /// The file of a model, if there is one.
    pub(crate) fn file(&self, name: &str) -> Option<PathBuf> {
        self.places.find(name)
    }

    /// A text that differs where the model's file does.
    pub(super) fn state(&self, name: &str) -> String {
        let Some(path) = self.places.find(name) else {
            return "none".to_owned();
        };
        let facts = std::fs::metadata(&path).ok();
        let modified = facts.as_ref().and_then(|facts| facts.modified().ok());
        let since = modified.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        format!(
            "{} {} {}",
            path.display(),
            facts.map_or(0, |facts| facts.len()),
            since.map_or(0, |since| since.as_nanos())
        )
    }
}

impl Inference for SmallModels {
    fn run(
        &self,
        model: &str,
        inputs: Vec<Tensor>,
        stop: &dyn Fn() -> bool,
    ) -> Result<Vec<Tensor>, Trouble> {
        let inputs = inputs.into_iter().map(lowered).collect();
        match self.runner.run(model, inputs, stop) {
            Ok(outputs) => Ok(outputs.into_iter().map(lifted).collect()),
            Err(trouble) => Err(told(&trouble)),
        }
    }
}

/// The runner's trouble in the words of the interface, with what to do where something can be done.
fn told(trouble: &onnx::Trouble) -> Trouble {
    let sentence = match trouble.hint() {
        Some(hint) => format!("{trouble}; {hint}"),
        None => trouble.to_string(),
    };
    match trouble {
        onnx::Trouble::Missing { .. } => Trouble::Missing(sentence),
        onnx::Trouble::Input { .. } => Trouble::Input(sentence),
        _ => Trouble::Failed(sentence),
    }
}

fn lowered(tensor: Tensor) -> onnx::Tensor {
    onnx::Tensor {
        name: tensor.name,
        shape: tensor.shape,
        numbers: match tensor.numbers {
            Numbers::Floats(numbers) => onnx::Numbers::Floats(numbers),
            Numbers::Integers(numbers) => onnx::Numbers::Integers(numbers),
            Numbers::Bytes(numbers) => onnx::Numbers::Bytes(numbers),
        },
    }
}

fn lifted(tensor: onnx::Tensor) -> Tensor {
    Tensor {
        name: tensor.name,
        shape: tensor.shape,
        numbers: match tensor.numbers {
            onnx::Numbers::Floats(numbers) => Numbers::Floats(numbers),
            onnx::Numbers::Integers(numbers) => Numbers::Integers(numbers),
            onnx::Numbers::Bytes(numbers) => Numbers::Bytes(numbers),
        },
    }
}
