//! Making an fp8 file of a transformer.
//!
//! The blocks' matrices, nearly all of a transformer, become 8-bit floats (e4m3fn) with one f32 scale
//! for each: `scale = max|w| / 448`, `q = round(w / scale)`. The rest is stored as bf16. The file is
//! what ComfyUI writes today: its names with its prefix, `LAYER.weight_scale` beside `LAYER.weight`,
//! and a `LAYER.comfy_quant` that names the format.
//!
//! - Queries, keys and values that come apart share one scale: they are one matrix in the file.
//! - The scale is f32. In bf16 it would be off by up to 0.4 % for all weights of a matrix.
//! - What is quantised already is refused, and so are weights that are not finite: a NaN would become
//!   the largest weight of its matrix, and drown the others.
//! - Weights are read a few rows at a time, once to find the largest and once to convert them; the
//!   scratch is 20 MiB whatever the model's size.

pub(crate) mod e4m3;
mod error;
mod folder;
mod names;
mod recipe;

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use half::bf16;
use rayon::prelude::*;
use serde::Serialize;

use crate::layout::{self, Kind};
use crate::part;
use crate::weights::{Dtype, Encoding, SafetensorsWriter, Stored, TensorSpec, Weights};
pub use error::QuantizeError;
pub use recipe::Recipe;

/// Numbers that are converted at once: 16 MiB of f32.
const AT_ONCE: usize = 4 << 20;
/// Numbers that one thread converts at once.
const AT_ONCE_EACH: usize = 1 << 16;
/// What `comfy_quant` holds, down to the space.
const TAG: &[u8] = br#"{"format": "float8_e4m3fn"}"#;

/// How to quantise.
#[derive(Debug, Clone, Copy, Default)]
pub struct QuantizeOptions {
    /// Which weights become 8-bit floats.
    pub recipe: Recipe,
    /// Whether to replace a file that is there.
    pub overwrite: bool,
}

/// How far the work is.
#[derive(Debug, Clone, Copy)]
pub struct QuantizeProgress<'a> {
    /// The tensor that is being converted.
    pub tensor: &'a str,
    /// Numbers read so far, each weight that is quantised counted twice.
    pub done: u64,
    /// The same in the end.
    pub total: u64,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Quantized {
    /// The new file.
    pub path: PathBuf,
    /// What was quantised; never [`Recipe::Auto`].
    pub recipe: Recipe,
    /// Matrices that are 8-bit floats now.
    pub quantized: usize,
    /// Tensors that are not.
    pub kept: usize,
    /// Bytes of the weights as they were.
    pub bytes_before: u64,
    /// Bytes of the new file.
    pub bytes_after: u64,
}

/// One tensor of the new file.
struct Planned {
    /// Its name without the prefix.
    name: String,
    stored: Stored,
    fp8: bool,
}

/// Quantises the transformer at `input`, a diffusers pipeline folder, its `transformer/`, or a single
/// file, into the file `output`. If `input` is a pipeline folder and `output` not called
/// `….safetensors`, that becomes a pipeline folder too, with the other parts of `input`. Nothing is left
/// there if it fails.
///
/// # Errors
/// See [`QuantizeError`]. `Break` from `watch`, which is called before each part of a tensor, ends it
/// with `cancelled`.
pub fn quantize(
    input: &Path,
    output: &Path,
    options: &QuantizeOptions,
    watch: &mut dyn FnMut(QuantizeProgress<'_>) -> ControlFlow<()>,
) -> Result<Quantized, QuantizeError> {
    if folder::is_meant(input, output) {
        folder::quantize(input, output, options, watch)
    } else {
        quantize_file(input, output, options, watch)
    }
}

fn quantize_file(
    input: &Path,
    output: &Path,
    options: &QuantizeOptions,
    watch: &mut dyn FnMut(QuantizeProgress<'_>) -> ControlFlow<()>,
) -> Result<Quantized, QuantizeError> {
    let weights = open(input)?;
    refuse_quantised(&weights)?;
    if layout::find(Kind::Transformer, &weights).is_none() {
        return Err(QuantizeError::NotATransformer {
            path: input.to_owned(),
            problem: "it holds no transformer of FLUX.2".into(),
        });
    }
    let canonical = layout::canonical(Kind::Transformer, open(input)?)?;
    let renamed = names::renamed(&weights, &canonical)?;
    let recipe = options
        .recipe
        .settle(renamed.iter().map(|(name, _)| name.as_str()));
    let planned: Vec<_> = renamed
        .into_iter()
        .map(|(name, stored)| Planned {
            fp8: recipe.covers(&name, stored.shape()),
            name,
            stored,
        })
        .collect();
    let others = others(&weights);
    let specs = planned.iter().flat_map(Planned::specs);
    let specs: Vec<_> = specs
        .chain(others.iter().map(|other| other.0.clone()))
        .collect();
    let writer = SafetensorsWriter::create(output, &specs, &metadata(&weights), options.overwrite)?;
    let quantized = planned.iter().filter(|tensor| tensor.fp8).count();
    let result = Quantized {
        path: output.to_owned(),
        recipe,
        quantized,
        kept: specs.len() - 3 * quantized,
        bytes_before: weights.bytes_by_dtype().values().sum(),
        bytes_after: writer.length(),
    };
    let mut work = Work {
        total: planned.iter().map(Planned::reads).sum(),
        done: 0,
        scratch: vec![0.0; AT_ONCE],
        bytes: Vec::with_capacity(2 * AT_ONCE),
        writer,
        watch,
    };
    for tensor in &planned {
        work.convert(tensor)?;
    }
    for (spec, bytes) in others {
        work.writer.write(&spec.name, bytes)?;
    }
    work.writer.finish()?;
    Ok(result)
}

/// Tensors that are no weights, such as markers: they go into the file as they are.
fn others(weights: &Weights) -> Vec<(TensorSpec, &[u8])> {
    let own = names::own(weights);
    let others = weights.others().iter().filter_map(|(name, other)| {
        let spec = TensorSpec {
            name: format!("{}{}", names::PREFIX, own(name)?),
            dtype: other.dtype(),
            shape: other.shape().to_vec(),
        };
        Some((spec, other.bytes()))
    });
    others.collect()
}

/// What the files say about themselves, but for what says only who may read them: `format` names a
/// library that expects other tensors, and a GGUF's pairs mean nothing elsewhere.
fn metadata(weights: &Weights) -> BTreeMap<String, String> {
    let mut metadata = weights.metadata().clone();
    metadata.remove("format");
    if weights.gguf().is_some() {
        metadata.clear();
    }
    metadata
}

fn open(input: &Path) -> Result<Weights, QuantizeError> {
    if !input.exists() {
        return Err(QuantizeError::Missing {
            path: input.to_owned(),
        });
    }
    if input.is_file() {
        return Ok(Weights::open_file(input)?);
    }
    let kind = Kind::Transformer;
    let own = input.join(kind.name());
    let folder = if own.is_dir() { &own } else { input };
    Ok(part::open_folder(kind, folder)?)
}

fn refuse_quantised(weights: &Weights) -> Result<(), QuantizeError> {
    for (name, stored) in weights.tensors() {
        for (encoding, _) in stored.encodings() {
            if !matches!(encoding, Encoding::F32 | Encoding::F16 | Encoding::Bf16) {
                return Err(QuantizeError::AlreadyQuantised {
                    path: stored.path().to_owned(),
                    tensor: name.clone(),
                    encoding: encoding.to_string(),
                });
            }
        }
    }
    Ok(())
}

impl Planned {
    fn layer(&self) -> &str {
        self.name.strip_suffix(".weight").unwrap_or(&self.name)
    }

    fn full_name(&self) -> String {
        format!("{}{}", names::PREFIX, self.name)
    }

    fn scale_name(&self) -> String {
        format!("{}{}.weight_scale", names::PREFIX, self.layer())
    }

    fn tag_name(&self) -> String {
        format!("{}{}.comfy_quant", names::PREFIX, self.layer())
    }

    fn specs(&self) -> Vec<TensorSpec> {
        let spec = |name: String, dtype: Dtype, shape: &[usize]| TensorSpec {
            name,
            dtype,
            shape: shape.to_vec(),
        };
        let shape = self.stored.shape();
        if !self.fp8 {
            let dtype = if self.is_marker() {
                Dtype::F32
            } else {
                Dtype::Bf16
            };
            return vec![spec(self.full_name(), dtype, shape)];
        }
        vec![
            spec(self.full_name(), Dtype::F8E4M3, shape),
            spec(self.scale_name(), Dtype::F32, &[]),
            spec(self.tag_name(), Dtype::U8, &[TAG.len()]),
        ]
    }

    /// Whether it is too small for a weight: some programs mark files with a number or two.
    fn is_marker(&self) -> bool {
        self.stored.elements() <= layout::MARKER_ELEMENTS
    }

    /// Numbers that are read to convert it.
    fn reads(&self) -> u64 {
        (1 + u64::from(self.fp8)) * self.stored.elements() as u64
    }
}

/// The conversion of one model.
struct Work<'a> {
    scratch: Vec<f32>,
    bytes: Vec<u8>,
    writer: SafetensorsWriter,
    done: u64,
    total: u64,
    watch: &'a mut dyn FnMut(QuantizeProgress<'_>) -> ControlFlow<()>,
}

impl Work<'_> {
    fn convert(&mut self, tensor: &Planned) -> Result<(), QuantizeError> {
        let name = tensor.full_name();
        if tensor.is_marker() {
            return self.rewrite(tensor, &name, f32::to_le_bytes);
        }
        if !tensor.fp8 {
            return self.rewrite(tensor, &name, |value| bf16::from_f32(value).to_le_bytes());
        }
        let scale = e4m3::scale(self.largest(tensor)?);
        self.writer
            .write(&tensor.scale_name(), &scale.to_le_bytes())?;
        self.writer.write(&tensor.tag_name(), TAG)?;
        self.rewrite(tensor, &name, |value| [e4m3::encode(value / scale)])
    }

    /// The largest magnitude of a tensor.
    fn largest(&mut self, tensor: &Planned) -> Result<f32, QuantizeError> {
        let mut largest = 0;
        self.by_rows(tensor, |_, values| {
            largest = largest.max(largest_bits(values));
            Ok(())
        })?;
        Ok(f32::from_bits(largest))
    }

    /// Writes a tensor, each number as the bytes that `encode` gives.
    fn rewrite<const N: usize>(
        &mut self,
        tensor: &Planned,
        name: &str,
        encode: impl Fn(f32) -> [u8; N] + Sync,
    ) -> Result<(), QuantizeError> {
        self.by_rows(tensor, |work, values| {
            if largest_bits(values) >= f32::INFINITY.to_bits() {
                return Err(QuantizeError::NotFinite {
                    path: tensor.stored.path().to_owned(),
                    tensor: tensor.stored.name().to_owned(),
                });
            }
            work.bytes.resize(N * values.len(), 0);
            work.bytes
                .par_chunks_mut(N * AT_ONCE_EACH)
                .zip(values.par_chunks(AT_ONCE_EACH))
                .for_each(|(bytes, values)| {
                    for (out, &value) in bytes.as_chunks_mut::<N>().0.iter_mut().zip(values) {
                        *out = encode(value);
                    }
                });
            work.writer.write(name, &work.bytes)?;
            Ok(())
        })
    }

    /// Widens a tensor, some whole rows after others, and hands each lot on.
    fn by_rows(
        &mut self,
        tensor: &Planned,
        mut each: impl FnMut(&mut Self, &[f32]) -> Result<(), QuantizeError>,
    ) -> Result<(), QuantizeError> {
        let stored = &tensor.stored;
        let length = stored.row_length().max(1);
        let rows = (AT_ONCE / length).max(1);
        let rows_each = (AT_ONCE_EACH / length).max(1);
        let mut scratch = std::mem::take(&mut self.scratch);
        scratch.resize(scratch.len().max(length), 0.0);
        for first in (0..stored.rows()).step_by(rows) {
            let progress = QuantizeProgress {
                tensor: &tensor.name,
                done: self.done,
                total: self.total,
            };
            if (self.watch)(progress).is_break() {
                return Err(QuantizeError::Cancelled);
            }
            let values = &mut scratch[..rows.min(stored.rows() - first) * length];
            values
                .par_chunks_mut(rows_each * length)
                .enumerate()
                .for_each(|(number, out)| stored.widen_rows(first + number * rows_each, out));
            each(self, values)?;
            self.done += values.len() as u64;
        }
        self.scratch = scratch;
        Ok(())
    }
}

/// The bits of the largest magnitude. Among magnitudes, bits are in the order of the numbers, and an
/// infinity and NaN come after all of them.
fn largest_bits(values: &[f32]) -> u32 {
    let of_some = |values: &[f32]| {
        let magnitudes = values.iter().map(|value| value.to_bits() & 0x7fff_ffff);
        magnitudes.fold(0, u32::max)
    };
    let parts = values.par_chunks(AT_ONCE_EACH).map(of_some);
    parts.reduce(|| 0, u32::max)
}
