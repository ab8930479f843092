//! Where each tensor lies in a file, and the header that says so.

use std::collections::BTreeMap;
use std::path::Path;

use super::error::WriteError;
use crate::weights::Dtype;

/// What the JSON is padded to: the widest element's alignment.
const ALIGNMENT: usize = 8;

/// A tensor that is to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TensorSpec {
    /// Its name in the file.
    pub name: String,
    /// The type of its elements.
    pub dtype: Dtype,
    /// Its shape, outermost axis first; empty for a single number.
    pub shape: Vec<usize>,
}

/// Where a tensor's next byte goes, and where its last one ends, from the start of the file.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) next: u64,
    pub(super) end: u64,
}

/// The header's bytes, and each tensor's place after it.
///
/// # Errors
/// `output-inconsistent` for a name given twice or a shape whose size overflows.
pub(super) fn lay_out(
    path: &Path,
    tensors: &[TensorSpec],
    metadata: &BTreeMap<String, String>,
) -> Result<(Vec<u8>, BTreeMap<String, Slot>), WriteError> {
    let inconsistent = |tensor: &TensorSpec, problem: &str| WriteError::Tensor {
        path: path.to_owned(),
        tensor: tensor.name.clone(),
        problem: problem.to_owned(),
    };
    let mut sorted: Vec<_> = tensors.iter().collect();
    sorted.sort_by_key(|tensor| (rank(tensor.dtype), tensor.name.as_str()));
    let mut members = Vec::with_capacity(sorted.len() + 1);
    if !metadata.is_empty() {
        members.push(format!("\"__metadata__\":{}", serde_json::json!(metadata)));
    }
    let mut ranges = BTreeMap::new();
    let mut reached = 0_u64;
    for tensor in sorted {
        let elements = tensor
            .shape
            .iter()
            .try_fold(1_usize, |all, &side| all.checked_mul(side));
        let end = elements
            .and_then(|count| tensor.dtype.bytes_of(count))
            .and_then(|bytes| reached.checked_add(bytes as u64))
            .ok_or_else(|| inconsistent(tensor, "has a shape of no possible size"))?;
        members.push(format!(
            "{}:{{\"dtype\":\"{}\",\"shape\":{},\"data_offsets\":[{reached},{end}]}}",
            serde_json::json!(tensor.name),
            tensor.dtype,
            serde_json::json!(tensor.shape),
        ));
        if ranges.insert(tensor.name.clone(), (reached, end)).is_some() {
            return Err(inconsistent(tensor, "is there twice"));
        }
        reached = end;
    }
    let mut json = format!("{{{}}}", members.join(","));
    let padded = json.len().next_multiple_of(ALIGNMENT);
    json.push_str(&" ".repeat(padded - json.len()));
    let mut header = (json.len() as u64).to_le_bytes().to_vec();
    header.extend_from_slice(json.as_bytes());
    let start = header.len() as u64;
    let slots = ranges.into_iter().map(|(name, (begin, end))| {
        let slot = Slot {
            next: start + begin,
            end: start + end,
        };
        (name, slot)
    });
    Ok((header, slots.collect()))
}

/// Sorts wide elements first, and floats before integers of their width.
fn rank(dtype: Dtype) -> (std::cmp::Reverse<usize>, bool, String) {
    use Dtype::{Bool, I8, I16, I32, I64, U8, U16, U32, U64};
    let integer = matches!(dtype, Bool | I8 | I16 | I32 | I64 | U8 | U16 | U32 | U64);
    // Eight elements of n bits take n bytes.
    let bits = dtype.bytes_of(8).unwrap_or_default();
    (std::cmp::Reverse(bits), integer, dtype.to_string())
}
