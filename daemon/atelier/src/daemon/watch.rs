//! How far a job is, told to the outside as the studio works, and the flag that calls it off.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use image::RgbImage;

use super::live::{Live, Phase};
use crate::studio::{Moment, Watch};

/// The share of a job's progress that its references take.
const PREPARING: f64 = 0.05;

/// Watches one attempt of one job.
pub(super) struct JobWatch {
    id: String,
    live: Arc<Live>,
    cancelled: Arc<AtomicBool>,
    picture: u32,
    pictures: u32,
}

impl JobWatch {
    /// A watch over a job that makes `pictures` pictures.
    pub(super) fn new(
        id: &str,
        live: Arc<Live>,
        cancelled: Arc<AtomicBool>,
        pictures: usize,
    ) -> Self {
        let pictures = u32::try_from(pictures).unwrap_or(u32::MAX).max(1);
        Self {
            id: id.to_owned(),
            live,
            cancelled,
            picture: 0,
            pictures,
        }
    }

    /// Goes on to the picture of this number, from 0.
    pub(super) fn picture(&mut self, index: usize) {
        self.picture = u32::try_from(index).unwrap_or(u32::MAX);
    }

    /// The whole job's progress: references first, then each picture its equal share.
    fn progress(&self, moment: Moment) -> f64 {
        let within = match moment {
            Moment::Preparing { percent } => return PREPARING * f64::from(percent) / 100.0,
            Moment::Loading => 0.0,
            Moment::Encoding => 0.05,
            Moment::Denoising { step, steps } => {
                0.1 + 0.8 * f64::from(step) / f64::from(steps.max(1))
            }
            Moment::Decoding => 0.9,
            Moment::Signing => 0.95,
        };
        PREPARING
            + (1.0 - PREPARING) * (f64::from(self.picture) + within) / f64::from(self.pictures)
    }
}

impl Watch for JobWatch {
    fn at(&mut self, moment: Moment) {
        let progress = self.progress(moment);
        self.live.update(&self.id, |view| {
            view.state = match moment {
                Moment::Preparing { .. } => Phase::Preparing,
                Moment::Signing => Phase::Signing,
                _ => Phase::Running,
            };
            view.stage = moment.words();
            view.progress = progress;
            if let Moment::Denoising { step, steps } = moment {
                view.step = step;
                view.steps = steps;
            }
        });
    }

    fn cancelled(&self) -> &Arc<AtomicBool> {
        &self.cancelled
    }

    fn preview(&mut self, picture: &RgbImage) {
        self.live.show_preview(&self.id, picture.clone());
    }

    fn wants_previews(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_never_falls() {
        let mut watch = JobWatch::new("j", Arc::new(Live::new()), Arc::default(), 2);
        let mut seen: Vec<f64> = [0, 50, 100]
            .map(|percent| watch.progress(Moment::Preparing { percent }))
            .into();
        for picture in 0..2 {
            watch.picture(picture);
            for moment in [
                Moment::Loading,
                Moment::Encoding,
                Moment::Denoising { step: 0, steps: 2 },
                Moment::Denoising { step: 2, steps: 2 },
                Moment::Decoding,
                Moment::Signing,
            ] {
                seen.push(watch.progress(moment));
            }
        }
        assert!(seen.is_sorted(), "{seen:?}");
        assert!(
            seen.iter().all(|progress| (0.0..=1.0).contains(progress)),
            "{seen:?}"
        );
    }
}
