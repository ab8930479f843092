//! Where loaded models are kept. The first who wants a model loads it and the others wait for
//! that; a file that changed is loaded again; a file that could not be loaded is not tried again
//! before it changes.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::file::{self, Stamp};
use crate::loaded::{self, Loaded};
use crate::run::Until;
use crate::{Limits, Trouble};

/// How often one who waits for another's loading looks whether it shall stop.
const LOOK: Duration = Duration::from_millis(10);

type Known = Result<Arc<Loaded>, String>;

enum Place {
    /// Somebody is at it.
    Loading,
    /// What came of a file that looked like this.
    Known(Stamp, Known),
}

#[derive(Default)]
pub(crate) struct Shelf {
    places: Mutex<HashMap<PathBuf, Place>>,
    changed: Condvar,
    loads: AtomicU64,
}

impl Shelf {
    pub(crate) fn loads(&self) -> u64 {
        self.loads.load(Ordering::Relaxed)
    }

    /// The model of a file, loaded now if it was not or is another.
    pub(crate) fn get(
        &self,
        name: &str,
        path: &Path,
        limits: &Limits,
        until: &Until<'_>,
    ) -> Result<Arc<Loaded>, Trouble> {
        let unusable = |message| Trouble::Unusable {
            model: name.to_owned(),
            message,
        };
        let stamp = file::stamp(path)
            .map_err(unusable)?
            .ok_or_else(|| Trouble::Missing {
                model: name.to_owned(),
            })?;

        let mut places = self.locked();
        loop {
            match places.get(path) {
                Some(Place::Known(known, model)) if *known == stamp => {
                    return model.clone().map_err(unusable);
                }
                Some(Place::Loading) => {
                    until.check(name)?;
                    let waited = self.changed.wait_timeout(places, LOOK);
                    places = waited.unwrap_or_else(PoisonError::into_inner).0;
                }
                _ => break,
            }
        }
        places.insert(path.to_owned(), Place::Loading);
        drop(places);

        let model = self.load(name, path, limits);
        let place = Place::Known(stamp, model.clone());
        self.locked().insert(path.to_owned(), place);
        self.changed.notify_all();
        model.map_err(unusable)
    }

    fn load(&self, name: &str, path: &Path, limits: &Limits) -> Known {
        self.loads.fetch_add(1, Ordering::Relaxed);
        let start = std::time::Instant::now();
        let model = loaded::load(name, path, limits).map(Arc::new);
        let seconds = start.elapsed().as_secs_f64();
        match &model {
            Ok(_) => tracing::debug!(model = name, seconds, "loaded a model"),
            Err(reason) => tracing::warn!(model = name, reason, "a model cannot be loaded"),
        }
        model
    }

    /// Nothing that is done under the lock leaves it half done.
    fn locked(&self) -> MutexGuard<'_, HashMap<PathBuf, Place>> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
