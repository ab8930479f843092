//! Weight files on disk: opened, checked, and read straight from the page cache.
//!
//! A part of a model (transformer, VAE, text encoder) is one safetensors or GGUF file, or several
//! safetensors files with an index. Opening one maps the files and checks every header in full; of the
//! weights themselves nothing is read but the scales of those that are scaled. They stay in the map in
//! their stored precision, and layers widen what they need while they compute. A file is never
//! trusted: what a header claims is compared with what is there before a byte is read, so a damaged
//! download is an error and never a crash.
//!
//! - [`mod@file`]: one mapped file; [`header`]: the header of a safetensors file; [`gguf`]: that of a GGUF
//! - [`dtype`]: element types that headers name; [`encoding`]: how those that hold weights are decoded
//! - [`quantisation`]: which fp8 weight has which [`scale`]
//! - [`shards`]: which files make up a part
//! - [`stored`]: a tensor that stays in its file
//! - [`finite`]: the search for NaN before any work is done
//! - [`scope`]: finding tensors by dotted name, shape checked
//! - [`mod@write`]: writing a file, tensor by tensor
//! - [`random`]: weights that are in no file, to time a network by

mod dtype;
mod encoding;
mod error;
mod file;
mod finite;
mod gguf;
mod header;
mod quantisation;
mod random;
mod scale;
mod scope;
mod shards;
mod stored;
#[cfg(test)]
mod tests;
mod write;

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use dtype::Dtype;
pub(crate) use encoding::Encoding;
pub use error::WeightsError;
use file::{Kind, WeightFile};
pub(crate) use gguf::Pairs;
use quantisation::Notes;
pub(crate) use scope::Scope;
pub(crate) use stored::Stored;
pub use write::{SafetensorsWriter, TensorSpec, WriteError};

/// All tensors of one part of a model, by name. Clones share the files.
#[derive(Clone)]
pub(crate) struct Weights {
    /// The part's folder or file, for messages.
    root: PathBuf,
    files: Vec<Arc<WeightFile>>,
    tensors: BTreeMap<String, Stored>,
    others: BTreeMap<String, Other>,
    metadata: BTreeMap<String, String>,
    pairs: Option<Pairs>,
}

/// A tensor that is no weight, such as a counter, a tag or an embedded file.
#[derive(Clone)]
pub(crate) struct Other {
    dtype: Dtype,
    shape: Vec<usize>,
    file: Arc<WeightFile>,
    range: Range<usize>,
}

impl Weights {
    /// Opens the part in `folder` whose files are called `stem.safetensors`, or `stem-….safetensors`
    /// with `stem.safetensors.index.json`.
    ///
    /// # Errors
    /// Any [`WeightsError`] but [`Shape`](WeightsError::Shape) and
    /// [`NotFinite`](WeightsError::NotFinite): no such files, a missing shard, a damaged header, a
    /// scale that is not there.
    pub(crate) fn open(folder: &Path, stem: &str) -> Result<Self, WeightsError> {
        let shards = shards::find(folder, stem)?;
        let mut weights = Self::empty(folder);
        let mut notes = Notes::default();
        for (number, path) in shards.files.iter().enumerate() {
            let is_wanted = |name: &str| match &shards.assignment {
                Some(assignment) => assignment.get(name) == Some(&number),
                None => true,
            };
            weights.add(path, is_wanted, &mut notes)?;
        }
        for (tensor, &number) in shards.assignment.iter().flatten() {
            if !weights.tensors.contains_key(tensor) && !weights.others.contains_key(tensor) {
                return Err(WeightsError::TensorMissing {
                    path: shards.files[number].clone(),
                    tensor: tensor.clone(),
                });
            }
        }
        notes.settle(&mut weights)?;
        Ok(weights)
    }

    /// Opens the one file at `path`, safetensors or GGUF, whatever it is called.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub(crate) fn open_file(path: &Path) -> Result<Self, WeightsError> {
        let mut weights = Self::empty(path);
        let mut notes = Notes::default();
        weights.add(path, |_| true, &mut notes)?;
        notes.settle(&mut weights)?;
        Ok(weights)
    }

    fn empty(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
            files: Vec::new(),
            tensors: BTreeMap::new(),
            others: BTreeMap::new(),
            metadata: BTreeMap::new(),
            pairs: None,
        }
    }

    fn add(
        &mut self,
        path: &Path,
        is_wanted: impl Fn(&str) -> bool,
        notes: &mut Notes,
    ) -> Result<(), WeightsError> {
        let (file, contents) = WeightFile::open(path)?;
        notes.read_header(path, &contents.metadata)?;
        for (name, entry) in contents.entries {
            if !is_wanted(&name) {
                continue;
            }
            let (file, range) = (file.clone(), entry.range);
            match entry.kind {
                Kind::Weight(encoding) => {
                    let label = name.as_str().into();
                    let stored = Stored::new(label, entry.shape, file, range, encoding);
                    self.tensors.insert(name, stored);
                }
                Kind::Other(dtype) => {
                    let other = Other {
                        dtype,
                        shape: entry.shape,
                        file,
                        range,
                    };
                    self.others.insert(name, other);
                }
            }
        }
        self.metadata.extend(contents.metadata);
        self.pairs = contents.pairs.or(self.pairs.take());
        self.files.push(file);
        Ok(())
    }

    /// The same files with other tensors, made out of those that were here: renamed, cut or stacked.
    pub(crate) fn relabelled(self, tensors: BTreeMap<String, Stored>) -> Self {
        Self { tensors, ..self }
    }

    /// Whether there is a tensor of this name.
    pub(crate) fn contains(&self, tensor: &str) -> bool {
        self.tensors.contains_key(tensor)
    }

    /// All weights, in the order of their names. Scales and other notes are not among them.
    pub(crate) fn tensors(&self) -> &BTreeMap<String, Stored> {
        &self.tensors
    }

    /// The names of all weights, in order.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.tensors.keys().map(String::as_str)
    }

    /// All tensors that are no weights, in the order of their names.
    pub(crate) fn others(&self) -> &BTreeMap<String, Other> {
        &self.others
    }

    /// The tensor of this name.
    pub(crate) fn get(&self, tensor: &str) -> Result<&Stored, WeightsError> {
        self.tensors
            .get(tensor)
            .ok_or_else(|| match self.others.get(tensor) {
                Some(other) => WeightsError::DtypeUnsupported {
                    path: other.file.path.clone(),
                    tensor: tensor.to_owned(),
                    dtype: other.dtype,
                },
                None => WeightsError::TensorMissing {
                    path: self.root.clone(),
                    tensor: tensor.to_owned(),
                },
            })
    }

    /// The bytes of a tensor that is no weight, such as an embedded tokenizer.
    pub(crate) fn raw(&self, tensor: &str) -> Option<&[u8]> {
        self.others.get(tensor).map(Other::bytes)
    }

    /// What the files say about themselves: the `__metadata__` of safetensors files, the single values
    /// of a GGUF as text.
    pub(crate) fn metadata(&self) -> &BTreeMap<String, String> {
        &self.metadata
    }

    /// The key/value pairs with their types, if the file is a GGUF.
    pub(crate) fn gguf(&self) -> Option<&Pairs> {
        self.pairs.as_ref()
    }

    /// The files, in the order of their names.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &Path> {
        self.files.iter().map(|file| file.path.as_path())
    }

    /// Bytes by encoding.
    pub(crate) fn bytes_by_dtype(&self) -> BTreeMap<String, u64> {
        let mut bytes = BTreeMap::new();
        for (encoding, size) in self.tensors.values().flat_map(Stored::encodings) {
            *bytes.entry(encoding.to_string()).or_default() += size;
        }
        bytes
    }

    /// How many numbers the part's tensors hold.
    pub(crate) fn parameters(&self) -> u64 {
        let elements = self.tensors.values().map(Stored::elements);
        elements.map(|count| count as u64).sum()
    }

    /// Looks at every weight, with all cores, before anybody computes with them. This reads the files
    /// from their first byte to their last.
    ///
    /// # Errors
    /// [`WeightsError::NotFinite`] with the first NaN or infinity in a file.
    pub(crate) fn check_finite(&self) -> Result<(), WeightsError> {
        finite::check(self.tensors.values())
    }

    /// Takes the part's pages out of this process, once it has done its work: they stay in the page
    /// cache while there is room, and come back when they are read again.
    pub(crate) fn release(&self) {
        self.files.iter().for_each(|file| file.release());
    }
}

impl Other {
    pub(crate) fn dtype(&self) -> Dtype {
        self.dtype
    }

    pub(crate) fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// As they are in the file.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.file.map[self.range.clone()]
    }
}
