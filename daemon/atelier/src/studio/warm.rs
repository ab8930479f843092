//! Making ready: what the first picture of a size costs once, such as reading the model, compiling kernels and
//! choosing among them, is paid while nobody waits.

use std::ops::ControlFlow;

use atelier_flux::{Observer, Progress, Request};

use super::Studio;
use crate::config::PictureSize;
use crate::fault::{Fault, Stage};

/// Watches for somebody who waits after all.
struct Until<'a>(&'a dyn Fn() -> bool);

impl Observer for Until<'_> {
    fn progress(&mut self, _: Progress) -> ControlFlow<()> {
        if (self.0)() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }
}

impl Studio {
    /// Draws one step of a picture of this size with the default model, and drops it: it is not signed and goes
    /// nowhere. Ends early, with `cancelled`, where `wanted` says that there is work.
    ///
    /// # Errors
    ///
    /// What would keep a job of that size from being made.
    pub(crate) fn warm(&self, size: PictureSize, wanted: &dyn Fn() -> bool) -> Result<(), Fault> {
        let source = self.models.find(None)?.source;
        self.renderer.open(&source, &self.options, &mut || ())?;
        let request = Request {
            prompt: String::new(),
            width: size.width,
            height: size.height,
            steps: 1,
            guidance: 1.0,
            ..Request::default()
        };
        request
            .check()
            .map_err(|e| Fault::engine(Stage::Infer, &e))?;
        self.renderer.render(&request, &mut Until(wanted)).map(drop)
    }
}
