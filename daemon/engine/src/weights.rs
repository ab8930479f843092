//! Weight files on disk: opened, checked, and read straight from the page cache.
//!
//! A part of a model (transformer, VAE, text encoder) is one safetensors file, or several with an
//! index. Opening one maps the files and checks every header in full; of the weights themselves
//! nothing is read. They stay in the map in their stored precision, and layers widen what they need
//! while they compute. A file is never trusted: what a header claims is compared with what is there
//! before a byte is read, so a damaged download is an error and never a crash.
//!
//! - [`header`]: one safetensors file's header, parsed and validated
//! - [`dtype`]: element types that headers name; [`encoding`]: how those that hold weights are decoded
//! - [`shards`]: which files make up a part
//! - [`stored`]: a tensor that stays in its file
//! - [`scope`]: finding tensors by dotted name, shape checked
//! - [`write`]: writing a file, tensor by tensor

mod dtype;
mod encoding;
mod error;
mod header;
mod scope;
mod shards;
mod stored;
mod write;

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use memmap2::Mmap;

pub use dtype::Dtype;
pub(crate) use encoding::Encoding;
pub use error::WeightsError;
use header::Header;
pub(crate) use scope::Scope;
pub(crate) use stored::Stored;
pub use write::{SafetensorsWriter, TensorSpec, WriteError};

/// All tensors of one part of a model, by name.
pub(crate) struct Weights {
    /// The part's folder or file, for messages.
    root: PathBuf,
    files: Vec<Arc<WeightFile>>,
    tensors: BTreeMap<String, Stored>,
    /// Element types of tensors that are no weights, such as counters and markers.
    others: BTreeMap<String, Dtype>,
}

/// One mapped file.
pub(crate) struct WeightFile {
    path: PathBuf,
    map: Mmap,
}

impl Weights {
    /// Opens the part in `folder` whose files are called `stem.safetensors`, or `stem-….safetensors`
    /// with `stem.safetensors.index.json`.
    ///
    /// # Errors
    /// Any [`WeightsError`]: no such files, a missing shard, a damaged header.
    pub(crate) fn open(folder: &Path, stem: &str) -> Result<Self, WeightsError> {
        let shards = shards::find(folder, stem)?;
        let mut weights = Self {
            root: folder.to_owned(),
            files: Vec::new(),
            tensors: BTreeMap::new(),
            others: BTreeMap::new(),
        };
        for (number, path) in shards.files.iter().enumerate() {
            let is_wanted = |name: &str| match &shards.assignment {
                Some(assignment) => assignment.get(name) == Some(&number),
                None => true,
            };
            weights.add(path, is_wanted)?;
        }
        for (tensor, &number) in shards.assignment.iter().flatten() {
            if !weights.tensors.contains_key(tensor) && !weights.others.contains_key(tensor) {
                return Err(WeightsError::TensorMissing {
                    path: shards.files[number].clone(),
                    tensor: tensor.clone(),
                });
            }
        }
        Ok(weights)
    }

    /// Opens one safetensors file by itself.
    ///
    /// # Errors
    /// Any [`WeightsError`] but those of shards.
    pub(crate) fn open_file(path: &Path) -> Result<Self, WeightsError> {
        let mut weights = Self {
            root: path.to_owned(),
            files: Vec::new(),
            tensors: BTreeMap::new(),
            others: BTreeMap::new(),
        };
        weights.add(path, |_| true)?;
        Ok(weights)
    }

    /// All weights by name.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Stored)> {
        self.tensors
            .iter()
            .map(|(name, stored)| (name.as_str(), stored))
    }

    /// All tensors that are no weights, by name.
    pub(crate) fn others(&self) -> impl Iterator<Item = (&str, Dtype)> {
        self.others
            .iter()
            .map(|(name, dtype)| (name.as_str(), *dtype))
    }

    fn add(&mut self, path: &Path, is_wanted: impl Fn(&str) -> bool) -> Result<(), WeightsError> {
        let (file, header) = WeightFile::open(path)?;
        for (name, entry) in header.entries {
            if !is_wanted(&name) {
                continue;
            }
            let Some(encoding) = Encoding::of(entry.dtype) else {
                self.others.insert(name, entry.dtype);
                continue;
            };
            let stored = Stored::new(
                name.as_str().into(),
                entry.shape,
                file.clone(),
                entry.range,
                encoding,
                1.0,
            );
            self.tensors.insert(name, stored);
        }
        self.files.push(file);
        Ok(())
    }

    /// Whether there is a tensor of this name.
    pub(crate) fn contains(&self, tensor: &str) -> bool {
        self.tensors.contains_key(tensor)
    }

    /// The names of all tensors, those of element types that are not read included.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.tensors
            .keys()
            .chain(self.others.keys())
            .map(String::as_str)
    }

    /// The tensor of this name.
    pub(crate) fn get(&self, tensor: &str) -> Result<&Stored, WeightsError> {
        self.tensors
            .get(tensor)
            .ok_or_else(|| match self.others.get(tensor) {
                Some(&dtype) => WeightsError::DtypeUnsupported {
                    path: self.root.clone(),
                    tensor: tensor.to_owned(),
                    dtype,
                },
                None => WeightsError::TensorMissing {
                    path: self.root.clone(),
                    tensor: tensor.to_owned(),
                },
            })
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
}

impl WeightFile {
    fn open(path: &Path) -> Result<(Arc<Self>, Header), WeightsError> {
        let unreadable = |source| WeightsError::Unreadable {
            path: path.to_owned(),
            source,
        };
        let file = File::open(path).map_err(unreadable)?;
        let length = file.metadata().map_err(unreadable)?.len();
        if length < header::LENGTH_BYTES as u64 {
            return Err(WeightsError::Malformed {
                path: path.to_owned(),
                problem: format!("it holds {length} bytes, too few for a header"),
            });
        }
        let map = map(&file).map_err(unreadable)?;
        let header = Header::parse(path, &map)?;
        let file = Self {
            path: path.to_owned(),
            map,
        };
        Ok((Arc::new(file), header))
    }
}

#[allow(
    unsafe_code,
    reason = "a weight file is mapped, not copied: it may be larger than memory"
)]
fn map(file: &File) -> std::io::Result<Mmap> {
    // SAFETY: the map is only read, as plain bytes of which every pattern is valid. Whoever shrinks
    // a model's file while it is in use ends the process with SIGBUS, as with any mapped file; the
    // daemon's recovery then treats the job as one that a crash interrupted.
    unsafe { Mmap::map(file) }
}
