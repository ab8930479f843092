//! What a file says of itself is checked before tract makes anything of it: that its constants are
//! as large as their data, that nothing lies outside the file, and that no shape is absurd. tract
//! checks much of this too; but it computes what is constant while it loads, with whatever shapes
//! the file asks for, and memory that runs out ends the process.

use std::collections::HashMap;

use tract_onnx::pb::tensor_proto::DataLocation;
use tract_onnx::pb::tensor_shape_proto::dimension::Value as Side;
use tract_onnx::pb::type_proto::Value as Kind;
use tract_onnx::pb::{GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto};

use crate::tensor::count;

/// More nodes than any small model has. Loading takes more than a time in proportion to them.
const MOST_NODES: usize = 20_000;

/// The bytes of the usual number; those of twice as many are rare, and counted when it runs.
const USUAL_BYTES: u64 = 4;

/// Shapes, and numbers that shapes are made of, are short.
const LONGEST_SHAPE: usize = 64;

/// Looks at all of a model.
///
/// # Errors
///
/// A sentence, for the first thing that is wrong.
pub(crate) fn model(model: &ModelProto, tensor_bytes: u64) -> Result<(), String> {
    let graph = model
        .graph
        .as_ref()
        .ok_or("it has no graph, so it is no ONNX model")?;
    if !model.functions.is_empty() {
        return Err("it defines functions of its own, which are not supported".to_owned());
    }
    Examiner {
        most: tensor_bytes / USUAL_BYTES,
        nodes: 0,
    }
    .graph(graph)
}

struct Examiner {
    /// The most numbers of one tensor.
    most: u64,
    nodes: usize,
}

impl Examiner {
    fn graph(&mut self, graph: &GraphProto) -> Result<(), String> {
        if !graph.sparse_initializer.is_empty() {
            return Err("it has sparse constants, which are not supported".to_owned());
        }
        let mut constants = HashMap::new();
        for tensor in &graph.initializer {
            self.constant(tensor)?;
            if let Some(numbers) = integers(tensor) {
                constants.insert(tensor.name.as_str(), numbers);
            }
        }
        let values = graph
            .input
            .iter()
            .chain(&graph.output)
            .chain(&graph.value_info);
        for value in values {
            self.value(value)?;
        }
        for node in &graph.node {
            self.node(node, &constants)?;
            if let (Some(name), "Constant") = (node.output.first(), node.op_type.as_str()) {
                let numbers = node
                    .attribute
                    .iter()
                    .find_map(|a| a.t.as_ref())
                    .and_then(integers);
                let numbers = numbers.or_else(|| {
                    let ints = node.attribute.iter().find(|a| a.name == "value_ints")?;
                    (ints.ints.len() <= LONGEST_SHAPE).then(|| ints.ints.clone())
                });
                if let Some(numbers) = numbers {
                    constants.insert(name.as_str(), numbers);
                }
            }
        }
        Ok(())
    }

    /// A constant has as much data as its shape needs, and has it here.
    fn constant(&self, tensor: &TensorProto) -> Result<(), String> {
        let name = tensor.name.escape_debug();
        let outside = tensor.data_location == Some(DataLocation::External as i32);
        if outside || !tensor.external_data.is_empty() {
            return Err(format!(
                "the numbers of \"{name}\" lie in another file, which is never read; save the \
                 model with its weights inside"
            ));
        }
        let lies = || format!("the shape of \"{name}\" does not go with its data");
        let sides = tensor.dims.iter().map(|&side| u64::try_from(side));
        let sides: Vec<u64> = sides.collect::<Result<_, _>>().map_err(|_| lies())?;
        let numbers = count(sides).ok_or_else(lies)?;
        // Half a byte a number is the least; each list counts for the types that are kept in it.
        let listed = tensor.float_data.len()
            + tensor.int32_data.len()
            + tensor.int64_data.len()
            + tensor.double_data.len()
            + tensor.uint64_data.len()
            + tensor.string_data.len();
        if numbers > (2 * tensor.raw_data.len()).max(2 * listed) as u64 {
            return Err(lies());
        }
        Ok(())
    }

    /// What goes in, comes out, or lies between.
    fn value(&self, value: &ValueInfoProto) -> Result<(), String> {
        let Some(Kind::TensorType(tensor)) = value.r#type.as_ref().and_then(|t| t.value.as_ref())
        else {
            return Ok(());
        };
        let sides = tensor.shape.iter().flat_map(|shape| &shape.dim);
        let sides = sides.filter_map(|side| match side.value {
            Some(Side::DimValue(side)) => Some(side.unsigned_abs()),
            _ => None,
        });
        self.fits(sides, &value.name)
    }

    fn node(
        &mut self,
        node: &NodeProto,
        constants: &HashMap<&str, Vec<i64>>,
    ) -> Result<(), String> {
        self.nodes += 1;
        if self.nodes > MOST_NODES {
            return Err(format!("it has more than {MOST_NODES} nodes"));
        }
        for attribute in &node.attribute {
            if attribute.sparse_tensor.is_some() || !attribute.sparse_tensors.is_empty() {
                return Err("it has sparse constants, which are not supported".to_owned());
            }
            for tensor in attribute.t.iter().chain(&attribute.tensors) {
                self.constant(tensor)?;
            }
            for graph in attribute.g.iter().chain(&attribute.graphs) {
                self.graph(graph)?;
            }
        }
        self.makes(node, constants)
    }

    /// Operators that make a tensor as large as a constant says.
    fn makes(&self, node: &NodeProto, constants: &HashMap<&str, Vec<i64>>) -> Result<(), String> {
        let input = |index: usize| {
            let name = node.input.get(index)?;
            constants.get(name.as_str())
        };
        let attribute = |name: &str| {
            let attribute = node.attribute.iter().find(|a| a.name == name)?;
            Some(&attribute.ints)
        };
        let sides = match node.op_type.as_str() {
            "ConstantOfShape" => input(0),
            "Expand" | "Tile" => input(1),
            "Resize" => input(3),
            "OneHot" => input(1),
            "Pad" => {
                // What is padded may be of any size; no side may become absurd.
                for &side in input(1).or_else(|| attribute("pads")).into_iter().flatten() {
                    self.fits([side.unsigned_abs()], &node.name)?;
                }
                None
            }
            "Range" => {
                let ends = [0, 1, 2].map(|index| input(index)?.first().copied());
                if let [Some(from), Some(to), Some(step)] = ends {
                    let steps = from.abs_diff(to) / step.unsigned_abs().max(1);
                    self.fits([steps], &node.name)?;
                }
                None
            }
            "RandomNormal" | "RandomUniform" => attribute("shape"),
            _ => None,
        };
        match sides {
            Some(sides) => self.fits(sides.iter().map(|side| side.unsigned_abs()), &node.name),
            None => Ok(()),
        }
    }

    fn fits(&self, sides: impl IntoIterator<Item = u64>, name: &str) -> Result<(), String> {
        match count(sides) {
            Some(numbers) if numbers <= self.most => Ok(()),
            _ => {
                let (name, most) = (name.escape_debug(), self.most);
                Err(format!(
                    "\"{name}\" has more than the {most} numbers that a tensor may have"
                ))
            }
        }
    }
}

/// The numbers of a short constant of whole numbers.
fn integers(tensor: &TensorProto) -> Option<Vec<i64>> {
    /// ONNX's number for integers of 64 bits, and of 32.
    const INT64: i32 = 7;
    const INT32: i32 = 6;
    let numbers: Vec<i64> = match (tensor.data_type, tensor.raw_data.is_empty()) {
        (INT64, true) => tensor.int64_data.clone(),
        (INT32, true) => tensor.int32_data.iter().map(|&n| n.into()).collect(),
        (INT64, false) if tensor.raw_data.len() <= 8 * LONGEST_SHAPE => {
            let (numbers, _) = tensor.raw_data.as_chunks();
            numbers
                .iter()
                .map(|&bytes| i64::from_le_bytes(bytes))
                .collect()
        }
        (INT32, false) if tensor.raw_data.len() <= 4 * LONGEST_SHAPE => {
            let (numbers, _) = tensor.raw_data.as_chunks();
            numbers
                .iter()
                .map(|&bytes| i32::from_le_bytes(bytes).into())
                .collect()
        }
        _ => return None,
    };
    (numbers.len() <= LONGEST_SHAPE).then_some(numbers)
}
