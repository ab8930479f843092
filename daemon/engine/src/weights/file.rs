//! One mapped weight file, and what its container holds.
//!
//! Which container a file is, its first bytes say; its name is never asked, for people rename files.
//! A map is only ever read, so its pages are the page cache's: they count as no memory of ours, the
//! kernel may drop them at any time, and [`WeightFile::release`] hands them back at once.

use std::collections::BTreeMap;
use std::fs::File;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use memmap2::{Advice, Mmap, UncheckedAdvice};

use super::encoding::Encoding;
use super::gguf::{self, Pairs};
use super::header;
use super::{Dtype, WeightsError};

/// How a zip archive begins, which is what PyTorch writes, and how a bare pickle does.
const PICKLES: [&[u8]; 2] = [b"PK\x03\x04", b"\x80\x02"];

/// One mapped file.
pub(crate) struct WeightFile {
    pub(super) path: PathBuf,
    pub(super) map: Mmap,
}

/// What a file holds. Every range lies inside the file and is as long as its shape and kind need.
#[derive(Default)]
pub(super) struct Contents {
    pub(super) entries: BTreeMap<String, Entry>,
    /// The container's own notes: `__metadata__`, or the key/value pairs of a GGUF as text.
    pub(super) metadata: BTreeMap<String, String>,
    /// The pairs with their types, if this is a GGUF.
    pub(super) pairs: Option<Pairs>,
}

/// One tensor of a file.
pub(super) struct Entry {
    pub(super) kind: Kind,
    /// Outermost axis first.
    pub(super) shape: Vec<usize>,
    /// Where its bytes lie, counted from the start of the file.
    pub(super) range: Range<usize>,
}

/// What a tensor's elements are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Numbers that a network computes with.
    Weight(Encoding),
    /// Anything else, such as counters, tags and embedded files.
    Other(Dtype),
}

/// How many elements a tensor of this shape has. `None` if that, or the length of a row of an empty
/// tensor, is no number that this machine can count to.
pub(super) fn elements_of(shape: &[usize]) -> Option<usize> {
    let product = |least: usize| {
        let mut sides = shape.iter();
        sides.try_fold(1_usize, |product, &side| {
            product.checked_mul(side.max(least))
        })
    };
    product(1)?;
    product(0)
}

impl WeightFile {
    /// Maps the file at `path` and checks its header in full.
    pub(super) fn open(path: &Path) -> Result<(Arc<Self>, Contents), WeightsError> {
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
        let file = Arc::new(Self {
            path: path.to_owned(),
            map: map(&file).map_err(unreadable)?,
        });
        let contents = if file.map.starts_with(&gguf::MAGIC) {
            gguf::parse(&file)?
        } else if PICKLES.iter().any(|start| file.map.starts_with(start)) {
            return Err(WeightsError::Pickle {
                path: path.to_owned(),
            });
        } else {
            header::parse(path, &file.map)?
        };
        Ok((file, contents))
    }

    /// Starts reading these bytes from the disk, without waiting for them.
    pub(super) fn will_need(&self, bytes: &Range<usize>) {
        // Advice that is not taken changes nothing but speed.
        let _ = self
            .map
            .advise_range(Advice::WillNeed, bytes.start, bytes.len());
    }

    /// Takes the file's pages out of this process; they stay in the page cache while there is room,
    /// and come back when they are read again.
    pub(super) fn release(&self) {
        release(&self.map);
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

#[allow(
    unsafe_code,
    reason = "the text encoder's pages must go before denoising"
)]
fn release(map: &Mmap) {
    // SAFETY: the map is shared and read-only, so there is nothing that could be lost: the kernel
    // fills a dropped page from the same file again, also under a thread that reads it now.
    let _ = unsafe { map.unchecked_advise(UncheckedAdvice::DontNeed) };
}
