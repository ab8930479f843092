//! A model in memory: tract's plan for it, what it takes and what it gives.

use std::path::Path;
use std::sync::Arc;

use tract_onnx::pb::GraphProto;
use tract_onnx::prelude::{
    DatumType, Framework, InferenceModelExt, IntoRunnable, TDim, TractResult, TypedRunnableModel,
};

use crate::{Limits, examine, file, trouble};

/// The stack of the thread that loads, in bytes. What recurses over a graph needs more than an
/// ordinary thread has, and a stack that is full ends the process.
const STACK: usize = 64 << 20;

/// A model that can run.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// The name that it was asked for by.
    pub(crate) name: String,
    pub(crate) plan: Arc<TypedRunnableModel>,
    pub(crate) takes: Vec<Input>,
    /// The names of its outputs, in order.
    pub(crate) gives: Vec<String>,
}

/// What one input takes.
#[derive(Debug)]
pub(crate) struct Input {
    pub(crate) name: String,
    pub(crate) kind: DatumType,
    /// Each side, or the name of one that may be any.
    pub(crate) shape: Vec<TDim>,
}

/// Reads, examines and optimises a model.
///
/// # Errors
///
/// A sentence, whatever is in the file.
pub(crate) fn load(name: &str, path: &Path, limits: &Limits) -> Result<Loaded, String> {
    let loading = || read(name, path, limits);
    // A thread of its own, for its stack, and because a panic ends no more than a thread.
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new()
            .name("load-model".to_owned())
            .stack_size(STACK)
            .spawn_scoped(scope, loading)
            .map_err(|error| format!("no thread could be started to load it: {error}"))?;
        thread
            .join()
            .unwrap_or_else(|panic| Err(trouble::of_panic(&*panic)))
    })
}

fn read(name: &str, path: &Path, limits: &Limits) -> Result<Loaded, String> {
    let bytes = file::bytes(path, limits.file_bytes)?;
    let onnx = tract_onnx::onnx();
    let proto = onnx
        .proto_model_for_read(&mut bytes.as_slice())
        .map_err(|_| "it is no ONNX file, or is damaged".to_owned())?;
    drop(bytes);
    examine::model(&proto, limits.tensor_bytes)?;

    let spoken = |error| trouble::sentence(&error);
    // Without a path nothing can be found outside the file.
    let parsed = onnx.parse(&proto, None).map_err(spoken)?;
    if let Some(input) = parsed.unresolved_inputs.first() {
        let input = input.escape_debug();
        return Err(format!("it uses \"{input}\", which nothing in it makes"));
    }
    let plan = parsed
        .model
        .into_optimized()
        .and_then(IntoRunnable::into_runnable)
        .map_err(spoken)?;
    let graph = proto.graph.unwrap_or_default();
    described(plan, graph, name).map_err(spoken)
}

/// The names come from the file, because optimising renames.
fn described(plan: Arc<TypedRunnableModel>, graph: GraphProto, name: &str) -> TractResult<Loaded> {
    let constants: std::collections::HashSet<_> = graph
        .initializer
        .iter()
        .map(|tensor| &tensor.name)
        .collect();
    let inputs = graph
        .input
        .iter()
        .filter(|input| !constants.contains(&input.name));
    let takes = inputs
        .enumerate()
        .map(|(index, input)| {
            let fact = plan.model().input_fact(index)?;
            Ok(Input {
                name: input.name.clone(),
                kind: fact.datum_type,
                shape: fact.shape.to_tvec().to_vec(),
            })
        })
        .collect::<TractResult<_>>()?;
    Ok(Loaded {
        name: name.to_owned(),
        takes,
        gives: graph.output.into_iter().map(|output| output.name).collect(),
        plan,
    })
}
