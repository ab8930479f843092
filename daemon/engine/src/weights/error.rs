//! What can be wrong with a weight file.

use std::io;
use std::path::PathBuf;

use super::Dtype;

/// Why a part's weights cannot be used. Every variant names the file, and the tensor if there is one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WeightsError {
    /// A part's folder holds no weights.
    #[error("{}: there is neither {stem}.safetensors nor {stem}.safetensors.index.json", folder.display())]
    Missing {
        /// The part's folder.
        folder: PathBuf,
        /// The file name that was looked for, less its ending.
        stem: String,
    },
    /// A file named in the index is not there.
    #[error("{} names the file {shard}, which is missing", index.display())]
    ShardMissing {
        /// The index file.
        index: PathBuf,
        /// The missing file's name.
        shard: String,
    },
    /// The index is not an index.
    #[error("{}: {problem}", path.display())]
    IndexMalformed {
        /// The index file.
        path: PathBuf,
        /// What is wrong in it.
        problem: String,
    },
    /// The system refuses to read a file.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file is not a safetensors file, or its header is damaged.
    #[error("{}: {problem}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The file ends before its last tensor does.
    #[error("{}: the file ends before the tensor {tensor}, which needs {expected} bytes of data; there are {found}", path.display())]
    Truncated {
        /// The file.
        path: PathBuf,
        /// A tensor that lies beyond the end.
        tensor: String,
        /// Bytes of tensor data that the header promises, at least.
        expected: u64,
        /// Bytes of tensor data that are there.
        found: u64,
    },
    /// A tensor's entry contradicts itself or another tensor's.
    #[error("{}: the tensor {tensor} {problem}", path.display())]
    TensorMalformed {
        /// The file.
        path: PathBuf,
        /// The tensor.
        tensor: String,
        /// What is wrong with its entry.
        problem: String,
    },
    /// The model's config promises a tensor that is not there.
    #[error("{}: the tensor {tensor} is missing", path.display())]
    TensorMissing {
        /// The file, or the part's folder where no file should have held it.
        path: PathBuf,
        /// The tensor.
        tensor: String,
    },
    /// A tensor has another shape than the model's config implies.
    #[error("{}: the tensor {tensor} has the shape {found:?}; the config implies {expected:?}", path.display())]
    Shape {
        /// The file.
        path: PathBuf,
        /// The tensor.
        tensor: String,
        /// The shape that the config implies.
        expected: Vec<usize>,
        /// The shape in the file.
        found: Vec<usize>,
    },
    /// A tensor's element type is known, but not one that weights are read from.
    #[error("{}: the tensor {tensor} is {dtype}; weights are read from F32, F16 and BF16", path.display())]
    DtypeUnsupported {
        /// The file.
        path: PathBuf,
        /// The tensor.
        tensor: String,
        /// Its element type.
        dtype: Dtype,
    },
}

impl WeightsError {
    /// A stable name for scripts and result files.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Missing { .. } | Self::ShardMissing { .. } => "weights-missing",
            Self::Unreadable { .. } => "weights-unreadable",
            Self::IndexMalformed { .. } | Self::Malformed { .. } | Self::TensorMalformed { .. } => {
                "weights-malformed"
            }
            Self::Truncated { .. } => "weights-truncated",
            Self::TensorMissing { .. } => "tensor-missing",
            Self::Shape { .. } => "tensor-shape",
            Self::DtypeUnsupported { .. } => "weights-precision",
        }
    }

    /// What the user can do about it, where there is something to do.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Missing { .. } | Self::ShardMissing { .. } => {
                "copy or download the whole model again; a file of it is missing".into()
            }
            Self::Truncated { .. } | Self::Malformed { .. } | Self::TensorMalformed { .. } => {
                "the file is damaged, perhaps a download that was cut short; fetch it again".into()
            }
            Self::TensorMissing { .. } | Self::Shape { .. } => {
                "the weights and the config.json beside them must come from the same model".into()
            }
            Self::DtypeUnsupported { dtype, .. } if dtype.is_fp8() => {
                "this build reads no fp8 weights; use the model's bf16 files".into()
            }
            _ => return None,
        })
    }
}
