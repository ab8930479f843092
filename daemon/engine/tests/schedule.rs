//! The noise levels are those of diffusers' scheduler, to the bit.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

#[path = "golden/golden.rs"]
mod golden;

use atelier_flux::schedule::{Schedule, ScheduleError, SchedulerConfig, empirical_mu};
use proptest::prelude::*;
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
struct Row {
    config: Value,
    tokens: usize,
    steps: usize,
    /// As bits: a decimal number is not read back to the last bit.
    mu_bits: u64,
    sigmas: Vec<f32>,
    timesteps: Vec<f32>,
}

const CONFIG: &str =
    r#"{"_class_name": "FlowMatchEulerDiscreteScheduler", "use_dynamic_shifting": true"#;

fn parse(rest: &str) -> Result<SchedulerConfig, ScheduleError> {
    SchedulerConfig::parse(&format!("{CONFIG}{rest}}}"))
}

#[test]
fn sigmas_are_those_of_diffusers() {
    let rows = golden::rows::<Row>("schedules.json");
    for row in &rows {
        let config = SchedulerConfig::parse(&row.config.to_string()).unwrap();
        let schedule = Schedule::new(row.tokens, row.steps, &config).unwrap();
        let name = format!("{} tokens, {} steps, {}", row.tokens, row.steps, row.config);
        assert_eq!(
            empirical_mu(row.tokens, row.steps).to_bits(),
            row.mu_bits,
            "{name}"
        );
        assert_eq!(schedule.sigmas(), row.sigmas, "{name}");
        assert_eq!(schedule.timesteps(), row.timesteps, "{name}");
        assert_eq!(schedule.steps(), row.steps, "{name}");
    }
    assert!(!rows.is_empty());
}

#[test]
fn mu_drops_past_4300_tokens() {
    assert!(empirical_mu(4300, 50) > 2.04);
    assert!(empirical_mu(4301, 50) < 1.19);
    assert_eq!(empirical_mu(4301, 4), empirical_mu(4301, 50));
}

#[test]
fn options_that_change_the_schedule_are_refused_by_name() {
    for option in [
        "use_karras_sigmas",
        "use_exponential_sigmas",
        "use_beta_sigmas",
        "use_flow_sigmas",
        "invert_sigmas",
        "stochastic_sampling",
    ] {
        let error = parse(&format!(r#", "{option}": true"#)).unwrap_err();
        assert_eq!(error.code(), "scheduler-option-unsupported");
        assert!(error.to_string().contains(option), "{error}");
        parse(&format!(r#", "{option}": false"#)).unwrap();
        parse(&format!(r#", "{option}": null"#)).unwrap();
    }
    let error = parse(r#", "time_shift_type": "cosine""#).unwrap_err();
    assert!(
        error.to_string().contains("time_shift_type = \"cosine\""),
        "{error}"
    );
}

#[test]
fn another_scheduler_is_refused() {
    let error = SchedulerConfig::parse(r#"{"_class_name": "DDIMScheduler"}"#).unwrap_err();
    assert_eq!(error.code(), "scheduler-unsupported");
    assert!(error.to_string().contains("DDIMScheduler"), "{error}");
}

#[test]
fn a_damaged_configuration_is_refused() {
    for text in [
        "",
        "[]",
        r#"{"shift": "three"}"#,
        r#"{"num_train_timesteps": -1}"#,
    ] {
        assert_eq!(
            SchedulerConfig::parse(text).unwrap_err().code(),
            "scheduler-config-invalid",
            "{text}"
        );
    }
}

#[test]
fn schedules_that_cannot_be_are_refused() {
    let config = parse(r#", "shift_terminal": 0.02"#).unwrap();
    assert_eq!(
        Schedule::new(1024, 0, &config).unwrap_err().code(),
        "steps-missing"
    );
    assert_eq!(
        Schedule::new(1024, 1, &config).unwrap_err().code(),
        "schedule-degenerate"
    );
    assert!(Schedule::new(1024, 2, &config).is_ok());
}

proptest! {
    /// For every size from 64² to 4 megapixels and every number of steps that may be asked for.
    #[test]
    fn noise_falls_from_one_to_nothing(tokens in 16_usize..=16_384, steps in 1_usize..=200) {
        let config = parse("").unwrap();
        let schedule = Schedule::new(tokens, steps, &config).unwrap();
        let sigmas = schedule.sigmas();
        prop_assert_eq!(sigmas.len(), steps + 1);
        prop_assert_eq!(sigmas[0], 1.0);
        prop_assert_eq!(sigmas[steps], 0.0);
        for pair in sigmas.windows(2) {
            prop_assert!(pair[0] > pair[1], "{sigmas:?}");
        }
        for (time, sigma) in schedule.timesteps().iter().zip(sigmas) {
            prop_assert_eq!(*time, sigma * 1000.0);
        }
    }

    /// More steps only put levels between: a larger picture is noisier at every step, up to the drop.
    #[test]
    fn larger_pictures_stay_noisy_longer(tokens in 16_usize..4300, steps in 2_usize..=100) {
        let config = parse("").unwrap();
        let level = |tokens| Schedule::new(tokens, steps, &config).unwrap().sigmas()[steps / 2];
        prop_assert!(level(4300) >= level(tokens));
    }
}
