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
    /// A file is what PyTorch's own `save` writes.
    #[error("{}: this is a PyTorch pickle, which can run any program when it is read", path.display())]
    Pickle {
        /// The file.
        path: PathBuf,
    },
    /// A file says that a weight is scaled, and holds no scale for it.
    #[error("{}: the tensor {tensor} is scaled, as {told_by} says, but its scale {scale} is missing", path.display())]
    ScaleMissing {
        /// The file.
        path: PathBuf,
        /// The weight.
        tensor: String,
        /// The tensor that should hold its scale.
        scale: String,
        /// What in the file says that the weight is scaled.
        told_by: String,
    },
    /// A scale is no number that a weight can be multiplied by.
    #[error("{}: the scale {tensor} {problem}", path.display())]
    ScaleInvalid {
        /// The file.
        path: PathBuf,
        /// The scale.
        tensor: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A scale or a tag belongs to a weight that is not there, or is not quantised.
    #[error("{}: {tensor} belongs to {weight}, {problem}", path.display())]
    ScaleAlone {
        /// The file.
        path: PathBuf,
        /// The scale or the tag.
        tensor: String,
        /// The weight's name.
        weight: String,
        /// What is wrong with the weight.
        problem: &'static str,
    },
    /// What a file says about a tensor's quantisation contradicts itself or the tensor.
    #[error("{}: what {told_by} says about the tensor {tensor} {problem}", path.display())]
    QuantisationMalformed {
        /// The file.
        path: PathBuf,
        /// The tensor.
        tensor: String,
        /// What in the file says it.
        told_by: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A tensor is quantised in a way that this engine does not read.
    #[error("{}: the tensor {tensor} is quantised as {format}, which this engine does not read", path.display())]
    QuantisationUnknown {
        /// The file.
        path: PathBuf,
        /// The tensor.
        tensor: String,
        /// The quantisation, as the file names it.
        format: String,
    },
    /// A weight is NaN or infinite.
    #[error("{}: the tensor {tensor} holds {value} at position {position}", path.display())]
    NotFinite {
        /// The file.
        path: PathBuf,
        /// The first such tensor in the file.
        tensor: String,
        /// The first such number in it.
        value: f32,
        /// How many numbers of the tensor come before it.
        position: usize,
    },
    /// A tensor's element type is known, but not one that weights are read from.
    #[error("{}: the tensor {tensor} is {dtype}; weights are read from F32, F16, BF16, F8_E4M3 and F8_E5M2", path.display())]
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
            Self::Pickle { .. } => "weights-pickle",
            Self::ScaleMissing { .. } => "scale-missing",
            Self::ScaleInvalid { .. } => "scale-invalid",
            Self::ScaleAlone { .. } => "scale-without-weight",
            Self::QuantisationMalformed { .. } => "quantisation-malformed",
            Self::QuantisationUnknown { .. } => "quantisation-unknown",
            Self::NotFinite { .. } => "weights-not-finite",
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
            Self::ScaleMissing { .. } | Self::ScaleInvalid { .. } | Self::ScaleAlone { .. } => {
                "without the right scale every picture would be spoilt; fetch the file again, or \
                 make it again from the bf16 file with `atelier model quantize`"
                    .into()
            }
            Self::QuantisationMalformed { .. } => {
                "the file contradicts itself; fetch it again, or use the model's bf16 file".into()
            }
            Self::QuantisationUnknown { .. } | Self::DtypeUnsupported { .. } => {
                "use the model's bf16 file, its fp8 file with one scale for a tensor or a row, or a \
                 GGUF of Q8_0, Q6_K, Q5_K, Q4_K or Q4_0"
                    .into()
            }
            Self::Pickle { .. } => {
                "use the model's safetensors or GGUF file; a pickle is never opened".into()
            }
            Self::NotFinite { .. } => {
                "the file is damaged, or was converted badly; compare its checksum with the one that \
                 the model's author gives"
                    .into()
            }
            _ => return None,
        })
    }
}
