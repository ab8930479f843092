//! Denoising: Euler's method from pure noise at σ near 1 to a latent at σ = 0.

use burn::tensor::Tensor;

use crate::error::EngineError;
use crate::observer::{Progress, Watch};
use crate::schedule::Schedule;
use crate::transformer::{Conditioning, Transformer};

/// All that the steps of one picture have in common.
pub(crate) struct Denoiser<'a> {
    pub(crate) transformer: &'a Transformer,
    pub(crate) schedule: &'a Schedule,
    pub(crate) prompt: Conditioning,
    /// What to move away from, and how strongly, where the model is guided by a second pass.
    pub(crate) guidance: Option<(Conditioning, f32)>,
    /// The references' tokens, which follow the output's unchanged in every step.
    pub(crate) references: Vec<Tensor<2>>,
}

impl Denoiser<'_> {
    /// Removes the noise from `latent`, `[tokens, channels]`.
    ///
    /// # Errors
    /// `cancelled` between steps.
    pub(crate) fn run(
        &self,
        mut latent: Tensor<2>,
        watch: &mut Watch<'_>,
    ) -> Result<Tensor<2>, EngineError> {
        let steps = u32::try_from(self.schedule.steps()).unwrap_or(u32::MAX);
        watch.report(Progress::Denoising { step: 0, steps })?;
        let intervals = self.schedule.sigmas().windows(2);
        for ((step, interval), &time) in (1..).zip(intervals).zip(self.schedule.timesteps()) {
            let velocity = self.velocity(&latent, time);
            latent = latent + velocity * (interval[1] - interval[0]);
            watch.show(&format!("latents_{}", step - 1), || {
                latent.clone().unsqueeze::<3>()
            })?;
            watch.report(Progress::Denoising { step, steps })?;
        }
        Ok(latent)
    }

    /// Where the latent is to move; with guidance, g times as far from the negative prompt's answer as
    /// the prompt's is.
    fn velocity(&self, latent: &Tensor<2>, time: f32) -> Tensor<2> {
        let output = latent.dims()[0];
        let image = std::iter::once(latent).chain(&self.references).cloned();
        let image = Tensor::cat(image.collect(), 0);
        let predict = |conditioning: &Conditioning| {
            self.transformer
                .predict(image.clone(), output, time, conditioning)
        };
        let velocity = predict(&self.prompt);
        match &self.guidance {
            Some((negative, guidance)) => {
                let away = predict(negative);
                away.clone() + (velocity - away) * *guidance
            }
            None => velocity,
        }
    }
}
