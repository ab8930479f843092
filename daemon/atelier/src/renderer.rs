//! Who computes: this process, or one beside it.
//!
//! A command that makes one picture computes itself, and ends with what it did. A daemon must not: a fault of
//! a card poisons the process that drives it, memory that runs out ends the one that asked for it, and neither
//! may take the queue along. So the daemon has a renderer, a process of this same program that knows nothing
//! of jobs: it is told which model to open and what to draw, says how far it is, and gives pixels. When it
//! ends unasked it is started again and the picture begun once more; a picture that ends two of them fails.
//!
//! - [`wire`]: what the two say to each other
//! - [`apart`]: the daemon's side; [`mod@serve`]: the renderer's
//! - [`here`]: the same without a process between

mod apart;
mod here;
mod serve;
mod wire;

use std::sync::Arc;

use atelier_flux::{ModelInfo, ModelSource, Observer, OpenOptions, Request};
use image::RgbImage;

use crate::fault::Fault;
pub(crate) use serve::serve;

/// What tells a renderer where its daemon keeps compiled kernels.
const KERNELS: &str = "ATELIER_KERNELS";

/// Who computes.
pub(crate) enum Renderer {
    /// This process.
    Here(here::Here),
    /// A process beside it.
    Apart(apart::Apart),
}

impl Renderer {
    /// This process is to compute.
    pub(crate) fn here() -> Self {
        Self::Here(here::Here::default())
    }

    /// A process of its own is to compute; it is started when it is first needed.
    pub(crate) fn apart() -> Self {
        Self::Apart(apart::Apart::default())
    }

    /// Makes a model ready, and says what it is; `loading` is called if it was not ready already. The model
    /// that was ready before is dropped first, for two rarely fit.
    ///
    /// # Errors
    ///
    /// When the model cannot be read, or the device not be used.
    pub(crate) fn open(
        &self,
        source: &ModelSource,
        options: &OpenOptions,
        loading: &mut dyn FnMut(),
    ) -> Result<Arc<ModelInfo>, Fault> {
        match self {
            Self::Here(here) => here.open(source, options, loading),
            Self::Apart(apart) => apart.open(source, options, loading),
        }
    }

    /// Draws with the model that was opened last.
    ///
    /// # Errors
    ///
    /// When the request does not suit the model, when the observer calls it off, and when computing fails.
    pub(crate) fn render(
        &self,
        request: &Request,
        observer: &mut dyn Observer,
    ) -> Result<RgbImage, Fault> {
        match self {
            Self::Here(here) => here.render(request, observer),
            Self::Apart(apart) => apart.render(request, observer),
        }
    }

    /// Drops the model from memory.
    pub(crate) fn unload(&self) {
        match self {
            Self::Here(here) => here.unload(),
            Self::Apart(apart) => apart.end(),
        }
    }
}

/// Nothing may be drawn before a model is opened.
fn nothing_opened() -> Fault {
    Fault::fatal(
        crate::fault::Stage::Infer,
        "renderer-order",
        "a picture was asked for before a model was opened",
    )
}
