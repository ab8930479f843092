//! Computing in this process.

use std::sync::{Arc, Mutex, PoisonError};

use atelier_flux::{ModelInfo, ModelSource, Observer, OpenOptions, Pipeline, Request};
use image::RgbImage;

use super::nothing_opened;
use crate::fault::{Fault, Stage};

/// The model that is in memory: a queue of jobs on one model loads it once.
#[derive(Default)]
pub(crate) struct Here(Mutex<Option<Loaded>>);

struct Loaded {
    source: ModelSource,
    options: OpenOptions,
    info: Arc<ModelInfo>,
    pipeline: Arc<Pipeline>,
}

impl Here {
    pub(super) fn open(
        &self,
        source: &ModelSource,
        options: &OpenOptions,
        loading: &mut dyn FnMut(),
    ) -> Result<Arc<ModelInfo>, Fault> {
        let mut loaded = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(loaded) = &*loaded
            && (&loaded.source, &loaded.options) == (source, options)
        {
            return Ok(Arc::clone(&loaded.info));
        }
        loading();
        *loaded = None;
        let pipeline =
            Pipeline::open_source(source, options).map_err(|e| Fault::engine(Stage::Infer, &e))?;
        let info = Arc::new(pipeline.info().clone());
        *loaded = Some(Loaded {
            source: source.clone(),
            options: *options,
            info: Arc::clone(&info),
            pipeline: Arc::new(pipeline),
        });
        Ok(info)
    }

    pub(super) fn render(
        &self,
        request: &Request,
        observer: &mut dyn Observer,
    ) -> Result<RgbImage, Fault> {
        self.pipeline()
            .ok_or_else(nothing_opened)?
            .render(request, observer)
            .map_err(|e| Fault::engine(Stage::Infer, &e))
    }

    /// The pipeline that was opened last.
    pub(crate) fn pipeline(&self) -> Option<Arc<Pipeline>> {
        let loaded = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        loaded.as_ref().map(|loaded| Arc::clone(&loaded.pipeline))
    }

    pub(super) fn unload(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}
