//! The one small model, on the runner that the daemon uses.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use atelier_onnx as onnx;
use atelier_plugin_host::{Inference, Tensor, Trouble};

pub(crate) struct Model(onnx::Models);

/// The same tensors in another crate's type: all have the same fields.
macro_rules! converted {
    ($tensors:expr, $from:ident => $($to:ident)::+) => {{
        use $($to)::+ as to;
        $tensors
            .into_iter()
            .map(|tensor| to::Tensor {
                name: tensor.name,
                shape: tensor.shape,
                numbers: match tensor.numbers {
                    $from::Numbers::Floats(numbers) => to::Numbers::Floats(numbers),
                    $from::Numbers::Integers(numbers) => to::Numbers::Integers(numbers),
                    $from::Numbers::Bytes(numbers) => to::Numbers::Bytes(numbers),
                },
            })
            .collect::<Vec<_>>()
    }};
}
pub(crate) use converted;

impl Model {
    pub(crate) fn at(file: &Path) -> Arc<Self> {
        let sources = BTreeMap::from([("movenet-lightning".to_owned(), file.to_owned())]);
        Arc::new(Self(onnx::Models::new(sources, onnx::Limits::default())))
    }

    pub(crate) fn answer(&self, name: &str, inputs: Vec<onnx::Tensor>) -> Vec<onnx::Tensor> {
        self.0.run(name, inputs, &|| false).unwrap()
    }
}

impl Inference for Model {
    fn run(
        &self,
        model: &str,
        inputs: Vec<Tensor>,
        _: &dyn Fn() -> bool,
    ) -> Result<Vec<Tensor>, Trouble> {
        use atelier_plugin_host as host;
        let made = self.answer(model, converted!(inputs, host => atelier_onnx));
        Ok(converted!(made, onnx => atelier_plugin_host))
    }
}
