//! The noise levels a picture is denoised through: the flow-match Euler schedule of
//! `scheduler_config.json`, shifted by FLUX.2's empirical μ.
//!
//! The arithmetic follows diffusers' `FlowMatchEulerDiscreteScheduler.set_timesteps`, in f32 where
//! that one is in f32, because a sigma that is off in the last bits moves every later latent. A
//! configuration that asks for something this engine does not do is refused by name, never ignored.

mod config;

pub use config::SchedulerConfig;

/// Why a schedule cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum ScheduleError {
    /// `scheduler_config.json` is not the JSON object it should be.
    #[error("the scheduler's configuration cannot be read: {0}")]
    Config(#[from] serde_json::Error),
    /// The pipeline was made for another scheduler.
    #[error("the scheduler {class} is not supported")]
    Class {
        /// The `_class_name` of the configuration.
        class: String,
    },
    /// An option is set that changes the schedule in a way that is not supported.
    #[error("the scheduler's option {option} = {value} is not supported")]
    Option {
        /// The option's key.
        option: &'static str,
        /// Its value, as JSON.
        value: String,
    },
    /// No steps were asked for.
    #[error("a schedule needs at least one step")]
    NoSteps,
    /// The options and the number of steps together give no finite schedule: for example
    /// `shift_terminal` with one step.
    #[error("the scheduler's configuration gives no finite schedule of {steps} steps")]
    Degenerate {
        /// The number of steps asked for.
        steps: usize,
    },
}

impl ScheduleError {
    /// A stable name for scripts and reports.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Config(_) => "scheduler-config-invalid",
            Self::Class { .. } => "scheduler-unsupported",
            Self::Option { .. } => "scheduler-option-unsupported",
            Self::NoSteps => "steps-missing",
            Self::Degenerate { .. } => "schedule-degenerate",
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Config(_) | Self::Class { .. } | Self::Option { .. } => Some(
                "use the scheduler folder that FLUX.2 ships with (FlowMatchEulerDiscreteScheduler)"
                    .to_owned(),
            ),
            Self::NoSteps => Some("ask for one step or more; klein is made for 4".to_owned()),
            Self::Degenerate { .. } => Some("ask for more steps".to_owned()),
        }
    }
}

/// FLUX.2's empirical μ for a picture of `image_tokens` (H/16 · W/16) denoised in `steps`.
///
/// From Black Forest Labs' `compute_empirical_mu`. It drops between 4300 and 4301 tokens; the
/// reference does so too.
#[must_use]
pub fn empirical_mu(image_tokens: usize, steps: usize) -> f64 {
    let tokens = image_tokens as f64;
    let at_200_steps = 0.000_169_27 * tokens + 0.456_666_66;
    if image_tokens > 4300 {
        return at_200_steps;
    }
    let at_10_steps = 8.738_095_24e-05 * tokens + 1.898_333_33;
    let slope = (at_200_steps - at_10_steps) / 190.0;
    slope * steps as f64 + (at_200_steps - 200.0 * slope)
}

/// The first of `steps` steps that is done when a picture may change by `strength`, 0 to 1; `steps`
/// itself where none is.
///
/// From diffusers' `get_timesteps`, in f64 as there: the schedule is made for all steps, and the first
/// ones are left out.
#[must_use]
pub fn first_step(steps: usize, strength: f64) -> usize {
    let steps = steps as f64;
    (steps - (steps * strength).min(steps)).max(0.0) as usize
}

/// The noise levels of one picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Schedule {
    sigmas: Vec<f32>,
    timesteps: Vec<f32>,
}

impl Schedule {
    /// The schedule for a picture of `image_tokens` (H/16 · W/16, references not counted) in
    /// `steps` steps.
    ///
    /// # Errors
    /// [`ScheduleError::NoSteps`] on zero steps, [`ScheduleError::Degenerate`] where the
    /// configuration gives a sigma that is not finite.
    pub fn new(
        image_tokens: usize,
        steps: usize,
        config: &SchedulerConfig,
    ) -> Result<Self, ScheduleError> {
        if steps == 0 {
            return Err(ScheduleError::NoSteps);
        }
        let mut sigmas = config.shifted(&linear(steps), empirical_mu(image_tokens, steps));
        if sigmas.iter().any(|sigma| !sigma.is_finite()) {
            return Err(ScheduleError::Degenerate { steps });
        }
        let timesteps = sigmas
            .iter()
            .map(|sigma| sigma * config.train_timesteps())
            .collect();
        sigmas.push(0.0);
        Ok(Self { sigmas, timesteps })
    }

    /// The noise levels, `steps + 1` of them, from (nearly) 1 down to 0, which is the last. Step i
    /// moves the latents by `(sigmas[i + 1] − sigmas[i]) · v`.
    #[must_use]
    pub fn sigmas(&self) -> &[f32] {
        &self.sigmas
    }

    /// The time of each step on the scale the model was trained on (0 … 1000): what the pipeline
    /// divides by 1000 and hands to the transformer. Computed from sigma in f32.
    #[must_use]
    pub fn timesteps(&self) -> &[f32] {
        &self.timesteps
    }

    /// The number of steps.
    #[must_use]
    pub fn steps(&self) -> usize {
        self.timesteps.len()
    }
}

/// `numpy.linspace(1, 1/steps, steps)`, rounded to f32.
fn linear(steps: usize) -> Vec<f32> {
    let end = 1.0 / steps as f64;
    let stride = if steps > 1 {
        (end - 1.0) / (steps - 1) as f64
    } else {
        0.0
    };
    let last = steps - 1;
    (0..steps)
        .map(|i| {
            if i == last {
                end as f32
            } else {
                (i as f64 * stride + 1.0) as f32
            }
        })
        .collect()
}
