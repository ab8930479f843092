//! `scheduler_config.json`: what of it is understood, and the shift it asks for.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::ScheduleError;

/// The only scheduler FLUX.2 is published with.
const CLASS: &str = "FlowMatchEulerDiscreteScheduler";

/// Options that replace the schedule or the step by another one.
const UNSUPPORTED: [&str; 6] = [
    "use_karras_sigmas",
    "use_exponential_sigmas",
    "use_beta_sigmas",
    "use_flow_sigmas",
    "invert_sigmas",
    "stochastic_sampling",
];

/// How sigmas are shifted towards noise when the shift depends on the size of the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum TimeShift {
    #[default]
    Exponential,
    Linear,
}

/// The supported part of a `FlowMatchEulerDiscreteScheduler`'s configuration. Left-out keys have
/// the defaults of diffusers.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default)]
pub struct SchedulerConfig {
    num_train_timesteps: u32,
    shift: f64,
    use_dynamic_shifting: bool,
    shift_terminal: Option<f64>,
    time_shift_type: TimeShift,
}

impl Default for SchedulerConfig {
    fn default() -> Self {
        Self {
            num_train_timesteps: 1000,
            shift: 1.0,
            use_dynamic_shifting: false,
            shift_terminal: None,
            time_shift_type: TimeShift::Exponential,
        }
    }
}

impl SchedulerConfig {
    /// The configuration that every FLUX.2 is published with, for models without a scheduler's file.
    pub(crate) fn flux2() -> Self {
        Self {
            shift: 3.0,
            use_dynamic_shifting: true,
            ..Self::default()
        }
    }

    /// Reads the text of a `scheduler_config.json`. Keys that only describe another scheduler are
    /// passed over, as diffusers does.
    ///
    /// # Errors
    /// [`ScheduleError::Config`] when it is not such a JSON object, [`ScheduleError::Class`] for
    /// another scheduler, [`ScheduleError::Option`] for an option that is set and not supported.
    pub fn parse(text: &str) -> Result<Self, ScheduleError> {
        let mut object: Map<String, Value> = serde_json::from_str(text)?;
        // diffusers takes null for "not set" wherever it is written.
        object.retain(|_, value| !value.is_null());
        match object.get("_class_name") {
            None => {}
            Some(Value::String(class)) if class == CLASS => {}
            Some(class) => {
                let class = class
                    .as_str()
                    .map_or_else(|| class.to_string(), str::to_owned);
                return Err(ScheduleError::Class { class });
            }
        }
        let refuse = |option, value: &Value| {
            Err(ScheduleError::Option {
                option,
                value: value.to_string(),
            })
        };
        for option in UNSUPPORTED {
            match object.get(option) {
                None | Some(Value::Bool(false)) => {}
                Some(value) => return refuse(option, value),
            }
        }
        if let Some(value) = object.get("time_shift_type")
            && TimeShift::deserialize(value).is_err()
        {
            return refuse("time_shift_type", value);
        }
        Ok(serde_json::from_value(Value::Object(object))?)
    }

    /// Linear sigmas (each in (0, 1], descending), shifted towards noise: by μ where the shift is
    /// dynamic, else by the constant `shift`; then stretched to end at `shift_terminal`. In f32
    /// throughout, each constant rounded once, as numpy computes it.
    pub(super) fn shifted(&self, linear: &[f32], mu: f64) -> Vec<f32> {
        let shift = |t: f32| match (self.use_dynamic_shifting, self.time_shift_type) {
            (true, TimeShift::Exponential) => towards_noise(mu.exp() as f32, t),
            (true, TimeShift::Linear) => towards_noise(mu as f32, t),
            (false, _) => self.shift as f32 * t / (1.0 + (self.shift - 1.0) as f32 * t),
        };
        let mut sigmas: Vec<f32> = linear.iter().copied().map(shift).collect();
        if let (Some(terminal), Some(last)) =
            (self.shift_terminal.filter(|t| *t != 0.0), sigmas.last())
        {
            let scale = (1.0 - last) / (1.0 - terminal) as f32;
            for sigma in &mut sigmas {
                *sigma = 1.0 - (1.0 - *sigma) / scale;
            }
        }
        sigmas
    }

    /// The time that sigma 1 stands for: 1000.
    pub(super) fn train_timesteps(&self) -> f32 {
        self.num_train_timesteps as f32
    }
}

/// `a / (a + (1/t − 1))`, with a = e^μ or μ.
fn towards_noise(a: f32, t: f32) -> f32 {
    a / (a + (1.0 / t - 1.0))
}
