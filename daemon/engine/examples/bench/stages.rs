//! When each stage begins and ends.

use std::ops::ControlFlow;
use std::time::Instant;

use atelier_flux::{Observer, Progress};

use crate::memory::Sampler;

/// The stages as the plan of memory names them.
pub(crate) const STAGES: [&str; 4] = ["text_encoder", "references", "transformer", "vae"];

/// Watches one picture.
pub(crate) struct Stopwatch<'a> {
    sampler: &'a Sampler,
    /// The stage that is running, and since when.
    running: Option<(usize, Instant)>,
    seconds: Vec<Vec<f64>>,
}

impl<'a> Stopwatch<'a> {
    pub(crate) fn new(sampler: &'a Sampler) -> Self {
        Self {
            sampler,
            running: None,
            seconds: vec![Vec::new(); STAGES.len()],
        }
    }

    /// Seconds of each run of each stage: one prompt, each reference, each step, one picture.
    pub(crate) fn finish(mut self) -> Vec<Vec<f64>> {
        self.enter(None);
        self.seconds
    }

    fn enter(&mut self, stage: Option<usize>) {
        let now = Instant::now();
        if let Some((stage, since)) = self.running.take() {
            self.seconds[stage].push((now - since).as_secs_f64());
        }
        self.sampler.enter(stage.unwrap_or(usize::MAX));
        self.running = stage.map(|stage| (stage, now));
    }
}

impl Observer for Stopwatch<'_> {
    fn progress(&mut self, progress: Progress) -> ControlFlow<()> {
        self.enter(match progress {
            Progress::Encoding => Some(0),
            Progress::References { .. } => Some(1),
            Progress::Denoising { step, steps } if step == steps => None,
            Progress::Denoising { .. } => Some(2),
            Progress::Decoding => Some(3),
        });
        ControlFlow::Continue(())
    }
}
