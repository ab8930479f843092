//! Weight files on disk: opened, checked, and read straight from the page cache.
//!
//! A part of a model (transformer, VAE, text encoder) is one safetensors file, or several with an
//! index. Opening one maps the files and checks every header in full; nothing of the weights
//! themselves is touched until a tensor is read, and each tensor is converted once, from the map
//! into the buffer that burn keeps. A file is never trusted: what a header claims is compared with
//! what is there before a byte is read, so a damaged download is an error and never a crash.
//!
//! - [`header`]: one file's header, parsed and validated
//! - [`dtype`]: element types and their conversion to f32
//! - [`shards`]: which files make up a part
//! - [`scope`]: reading tensors by dotted name, shape checked, into burn

mod dtype;
mod error;
mod header;
mod scope;
mod shards;

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::path::{Path, PathBuf};

use memmap2::Mmap;

pub use dtype::Dtype;
pub use error::WeightsError;
use header::{Entry, Header};
pub(crate) use scope::Scope;

/// All tensors of one part of a model.
pub(crate) struct Weights {
    folder: PathBuf,
    files: Vec<WeightFile>,
    /// Which file holds a tensor.
    holder: HashMap<String, usize>,
}

/// One mapped file and its checked header.
struct WeightFile {
    path: PathBuf,
    map: Mmap,
    header: Header,
}

/// One tensor as it lies in its file.
pub(crate) struct View<'a> {
    pub(crate) path: &'a Path,
    pub(crate) entry: &'a Entry,
    pub(crate) bytes: &'a [u8],
}

impl Weights {
    /// Opens the part in `folder` whose files are called `stem.safetensors`, or `stem-….safetensors`
    /// with `stem.safetensors.index.json`.
    ///
    /// # Errors
    /// Any [`WeightsError`]: no such files, a missing shard, a damaged header.
    pub(crate) fn open(folder: &Path, stem: &str) -> Result<Self, WeightsError> {
        let shards = shards::find(folder, stem)?;
        let files: Vec<_> = shards
            .files
            .iter()
            .map(|path| WeightFile::open(path))
            .collect::<Result<_, _>>()?;
        let holder = match shards.assignment {
            Some(assignment) => {
                for (tensor, &file) in &assignment {
                    if !files[file].header.entries.contains_key(tensor) {
                        return Err(WeightsError::TensorMissing {
                            path: files[file].path.clone(),
                            tensor: tensor.clone(),
                        });
                    }
                }
                assignment
            }
            None => {
                let names = files.iter().enumerate().flat_map(|(number, file)| {
                    file.header
                        .entries
                        .keys()
                        .map(move |name| (name.clone(), number))
                });
                names.collect()
            }
        };
        Ok(Self {
            folder: folder.to_owned(),
            files,
            holder,
        })
    }

    /// Whether there is a tensor of this name.
    pub(crate) fn contains(&self, tensor: &str) -> bool {
        self.holder.contains_key(tensor)
    }

    /// The tensor of this name as it lies in its file.
    pub(crate) fn view(&self, tensor: &str) -> Result<View<'_>, WeightsError> {
        self.holder
            .get(tensor)
            .and_then(|&number| {
                let file = &self.files[number];
                let entry = file.header.entries.get(tensor)?;
                Some(View {
                    path: &file.path,
                    entry,
                    bytes: file.map.get(entry.range.clone())?,
                })
            })
            .ok_or_else(|| WeightsError::TensorMissing {
                path: self.folder.clone(),
                tensor: tensor.to_owned(),
            })
    }

    /// The files, in the order of their names.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &Path> {
        self.files.iter().map(|file| file.path.as_path())
    }

    /// Bytes by element type, of the tensors that belong to the part.
    pub(crate) fn bytes_by_dtype(&self) -> BTreeMap<String, u64> {
        let mut bytes = BTreeMap::new();
        for entry in self.entries() {
            *bytes.entry(entry.dtype.to_string()).or_default() += entry.range.len() as u64;
        }
        bytes
    }

    /// How many numbers the part's floating-point tensors hold.
    pub(crate) fn parameters(&self) -> u64 {
        let floats = self.entries().filter(|entry| entry.dtype.is_float());
        floats
            .map(|entry| entry.shape.iter().product::<usize>() as u64)
            .sum()
    }

    fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.holder
            .iter()
            .filter_map(|(name, &file)| self.files[file].header.entries.get(name))
    }
}

impl WeightFile {
    fn open(path: &Path) -> Result<Self, WeightsError> {
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
        Ok(Self {
            path: path.to_owned(),
            map,
            header,
        })
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
