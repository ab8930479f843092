//! Runs of the same, timed.

use std::time::Instant;

use crate::error::EngineError;

/// Seconds of some runs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Times {
    pub(super) runs: u32,
    pub(super) median: f64,
    pub(super) least: f64,
    pub(super) most: f64,
}

impl Times {
    /// Of at least one run.
    fn of(mut seconds: Vec<f64>) -> Self {
        seconds.sort_by(f64::total_cmp);
        let at = |place: usize| seconds.get(place).copied().unwrap_or(f64::NAN);
        let count = seconds.len();
        Self {
            runs: u32::try_from(count).unwrap_or(u32::MAX),
            median: f64::midpoint(at(count.saturating_sub(1) / 2), at(count / 2)),
            least: at(0),
            most: at(count.saturating_sub(1)),
        }
    }
}

/// Times runs of what does not return before it is done.
pub(super) fn time(
    runs: u32,
    say: &mut dyn FnMut(&str),
    act: &mut dyn FnMut() -> Result<(), EngineError>,
) -> Result<Times, EngineError> {
    let mut seconds = Vec::new();
    for run in 1..=runs {
        say(&format!("run {run} of {runs}"));
        let began = Instant::now();
        act()?;
        seconds.push(began.elapsed().as_secs_f64());
    }
    Ok(Times::of(seconds))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::float_cmp, reason = "values are taken, or halves of their sum")]

    use super::*;

    #[test]
    fn the_median_is_in_the_middle_whatever_the_order() {
        let odd = Times::of(vec![3.0, 1.0, 8.0]);
        assert_eq!(
            (odd.median, odd.least, odd.most, odd.runs),
            (3.0, 1.0, 8.0, 3)
        );
        assert_eq!(Times::of(vec![4.0, 1.0, 2.0, 9.0]).median, 3.0);
        assert_eq!(Times::of(vec![5.0]).median, 5.0);
    }
}
