//! Denoising: Euler's method from noise at σ near 1 to a latent at σ = 0.
//!
//! A picture that is begun from enters the schedule later, mixed with the noise of its first σ; where
//! part of it is kept, that part is led along the schedule beside what is painted, so that at every
//! step both have the same noise.

use burn::tensor::Tensor;

use crate::error::EngineError;
use crate::host::download;
use crate::latent::Grid;
use crate::observer::{Progress, Watch};
use crate::preview;
use crate::schedule::Schedule;
use crate::transformer::{Conditioning, ReferenceTokens, References, Transformer};
use crate::variant::Reading;

/// All that the steps of one picture have in common.
pub(crate) struct Denoiser<'a> {
    pub(crate) transformer: &'a Transformer,
    pub(crate) schedule: &'a Schedule,
    pub(crate) prompt: Conditioning,
    /// What to move away from, and how strongly, where the model is guided by a second pass.
    pub(crate) guidance: Option<(Conditioning, f32)>,
    pub(crate) references: ReferenceTokens,
    /// When the references are read.
    pub(crate) reading: Reading,
    /// The output's.
    pub(crate) grid: Grid,
    /// The picture to begin from, if there is one.
    pub(crate) origin: Option<Origin>,
}

/// A picture to begin from.
pub(crate) struct Origin {
    /// Its latent, `[tokens, channels]`.
    pub(crate) latent: Tensor<2>,
    /// How many steps of the schedule are left out; fewer than there are.
    pub(crate) skipped: usize,
    /// How much of each token is painted anew, `[tokens, 1]`, each 0 to 1, if part of it is kept.
    pub(crate) repaint: Option<Tensor<2>>,
}

impl Origin {
    /// The latent with as much noise as there is at `sigma`.
    fn at(&self, sigma: f32, noise: &Tensor<2>) -> Tensor<2> {
        noise.clone() * sigma + self.latent.clone() * (1.0 - sigma)
    }

    /// `painted` where it is painted anew; elsewhere the picture with the noise of `sigma`.
    fn keep(&self, painted: Tensor<2>, sigma: f32, noise: &Tensor<2>) -> Tensor<2> {
        match &self.repaint {
            // At the end the picture itself, not 0 times the noise more.
            Some(repaint) if sigma == 0.0 => mix(repaint, self.latent.clone(), painted),
            Some(repaint) => mix(repaint, self.at(sigma, noise), painted),
            None => painted,
        }
    }
}

fn mix(repaint: &Tensor<2>, kept: Tensor<2>, painted: Tensor<2>) -> Tensor<2> {
    let kept = kept * (repaint.clone().neg() + 1.0);
    kept + painted * repaint.clone()
}

impl Denoiser<'_> {
    /// Makes a latent, `[tokens, channels]`, from noise of that shape.
    ///
    /// # Errors
    /// `cancelled` between steps; `device-memory` or `compute-failed`, on a card.
    pub(crate) fn run(
        &self,
        noise: Tensor<2>,
        watch: &mut Watch<'_>,
    ) -> Result<Tensor<2>, EngineError> {
        let skipped = self.origin.as_ref().map_or(0, |origin| origin.skipped);
        let sigmas = self.schedule.sigmas().get(skipped..).unwrap_or_default();
        let times = self.schedule.timesteps().get(skipped..).unwrap_or_default();
        let steps = u32::try_from(times.len()).unwrap_or(u32::MAX);
        watch.report(Progress::Denoising { step: 0, steps })?;
        let references = self.transformer.read(
            &self.references,
            self.reading,
            &self.prompt,
            noise.dims()[0],
        )?;
        if references.are_read() {
            // To read them took about as long as a step: whoever wants to stop need not wait for one more.
            watch.report(Progress::Denoising { step: 0, steps })?;
        }
        let mut latent = match (&self.origin, sigmas.first()) {
            (Some(origin), Some(&sigma)) => origin.at(sigma, &noise),
            _ => noise.clone(),
        };
        for ((step, interval), &time) in (1..).zip(sigmas.windows(2)).zip(times) {
            let [sigma, next] = [interval[0], interval[1]];
            let velocity = self.velocity(&latent, &references, time)?;
            if step < steps {
                watch.preview(|| self.preview(&latent, &velocity, sigma, &noise));
            }
            latent = latent + velocity * (next - sigma);
            if let Some(origin) = &self.origin {
                latent = origin.keep(latent, next, &noise);
            }
            watch.show(&format!("latents_{}", step - 1), || {
                latent.clone().unsqueeze::<3>()
            })?;
            watch.report(Progress::Denoising { step, steps })?;
        }
        Ok(latent)
    }

    /// The clean latent that the model predicts at a step, as a small picture.
    fn preview(
        &self,
        latent: &Tensor<2>,
        velocity: &Tensor<2>,
        sigma: f32,
        noise: &Tensor<2>,
    ) -> Option<image::RgbImage> {
        let mut clean = latent.clone() - velocity.clone() * sigma;
        if let Some(origin) = &self.origin {
            clean = origin.keep(clean, 0.0, noise);
        }
        preview::from_tokens(self.grid, &download(clean).ok()?)
    }

    /// Where the latent is to move; with guidance, g times as far from the negative prompt's answer as
    /// the prompt's is.
    fn velocity(
        &self,
        latent: &Tensor<2>,
        references: &References,
        time: f32,
    ) -> Result<Tensor<2>, EngineError> {
        let predict = |conditioning: &Conditioning| {
            self.transformer
                .predict(latent.clone(), references, time, conditioning)
        };
        let velocity = predict(&self.prompt)?;
        Ok(match &self.guidance {
            Some((negative, guidance)) => {
                let away = predict(negative)?;
                away.clone() + (velocity - away) * *guidance
            }
            None => velocity,
        })
    }
}
