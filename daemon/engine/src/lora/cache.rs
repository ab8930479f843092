//! LoRA files that were used lately, and the last network that was built with some.
//!
//! A queue of jobs mostly asks for the same LoRAs again and again. A file counts as the same while its
//! path, length, time of change and inode are; whoever replaces it gets the new one.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::file::LoraFile;
use super::{Adapters, Lora, LoraError, MAX_LORAS};
use crate::error::EngineError;
use crate::observer::Notice;
use crate::weights::{Weights, WeightsError};

/// Files that are kept open: enough for two requests with as many as there can be.
const KEPT: usize = 2 * MAX_LORAS;

/// Keeps LoRA files open, and the last `T` that was built with some.
pub(crate) struct Cache<T> {
    /// The one used last comes last.
    files: Mutex<Vec<(Stamp, Arc<LoraFile>)>>,
    last: Mutex<Option<Built<T>>>,
}

/// What tells whether a file is still the same.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Stamp {
    path: PathBuf,
    bytes: u64,
    modified: (i64, i64),
    inode: u64,
}

struct Built<T> {
    /// The files and their scales, to the bit.
    of: Vec<(Stamp, u32)>,
    built: Arc<T>,
    notices: Vec<Notice>,
}

impl<T> Default for Cache<T> {
    fn default() -> Self {
        Self {
            files: Mutex::default(),
            last: Mutex::default(),
        }
    }
}

impl<T> Cache<T> {
    /// What `build` makes of these files' changes to `model`, or made of them the last time, and what of
    /// the files is left out.
    ///
    /// # Errors
    /// Those of the first file that cannot be applied, or of `build`.
    pub(crate) fn get(
        &self,
        loras: &[Lora],
        model: &Weights,
        build: impl FnOnce(&Adapters) -> Result<T, WeightsError>,
    ) -> Result<(Arc<T>, Vec<Notice>), EngineError> {
        let mut of = Vec::with_capacity(loras.len());
        for lora in loras {
            of.push((Stamp::of(&lora.path)?, lora.scale.to_bits()));
        }
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(last) = &*last
            && last.of == of
        {
            return Ok((Arc::clone(&last.built), last.notices.clone()));
        }
        // The old one goes before the new one comes.
        *last = None;
        let mut adapters = Adapters::default();
        let mut notices = Vec::new();
        for (lora, (stamp, _)) in loras.iter().zip(&of) {
            let file = self.open(stamp)?;
            notices.extend(adapters.add(&file, lora.scale, model)?);
        }
        let built = Arc::new(build(&adapters)?);
        *last = Some(Built {
            of,
            built: Arc::clone(&built),
            notices: notices.clone(),
        });
        Ok((built, notices))
    }

    fn open(&self, stamp: &Stamp) -> Result<Arc<LoraFile>, LoraError> {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = match files.iter().position(|(kept, _)| kept == stamp) {
            Some(place) => files.remove(place),
            None => (stamp.clone(), Arc::new(LoraFile::open_whole(&stamp.path)?)),
        };
        let file = Arc::clone(&entry.1);
        // An older state of the file is of no use any more.
        files.retain(|(kept, _)| kept.path != stamp.path);
        files.push(entry);
        let surplus = files.len().saturating_sub(KEPT);
        files.drain(..surplus);
        Ok(file)
    }
}

impl Stamp {
    fn of(path: &Path) -> Result<Self, LoraError> {
        let missing = |_| LoraError::Missing {
            path: path.to_owned(),
        };
        let facts = fs::metadata(path).map_err(missing)?;
        Ok(Self {
            path: path.to_owned(),
            bytes: facts.len(),
            modified: (facts.mtime(), facts.mtime_nsec()),
            inode: facts.ino(),
        })
    }
}
