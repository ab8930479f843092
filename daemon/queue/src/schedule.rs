//! Which job is next? Pure: the waiting jobs and the time go in, an index comes out.
//!
//! Strictly by priority, then by age: a user who raises a job above all others means it. Age is the
//! order of acceptance, not a time, because clocks step back.

use crate::JobId;

/// A queued job, as far as its turn is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// The job.
    pub id: JobId,
    /// Its place in the order of acceptance.
    pub sequence: i64,
    /// −10 … 10, the higher the sooner.
    pub priority: i32,
    /// The user holds it back.
    pub paused: bool,
    /// Not before this time, in milliseconds since 1970.
    pub not_before_ms: Option<i64>,
}

impl Waiting {
    /// Whether it may start. `longest_ms` is the longest pause that the retry policy gives: a time
    /// further ahead than that can only come from a clock that was set back, and does not count.
    #[must_use]
    pub fn is_due(&self, now_ms: i64, longest_ms: i64) -> bool {
        let pause = self.not_before_ms.map_or(0, |at| at.saturating_sub(now_ms));
        !self.paused && (pause <= 0 || pause > longest_ms)
    }
}

/// The job to start at `now_ms`, if any may start.
#[must_use]
pub fn next(waiting: &[Waiting], now_ms: i64, longest_ms: i64) -> Option<JobId> {
    waiting
        .iter()
        .filter(|job| job.is_due(now_ms, longest_ms))
        .min_by_key(|job| (-job.priority, job.sequence))
        .map(|job| job.id)
}

/// When to look again though nothing is due at `now_ms`: the earliest end of a pause.
#[must_use]
pub fn next_due_ms(waiting: &[Waiting], now_ms: i64, longest_ms: i64) -> Option<i64> {
    waiting
        .iter()
        .filter(|job| !job.paused && !job.is_due(now_ms, longest_ms))
        .filter_map(|job| job.not_before_ms)
        .min()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn job(n: u8, priority: i32, paused: bool, not_before_ms: Option<i64>) -> Waiting {
        Waiting {
            id: JobId::from_bits(n.into()),
            sequence: n.into(),
            priority,
            paused,
            not_before_ms,
        }
    }

    #[test]
    fn a_clock_set_back_strands_no_job() {
        let stranded = [job(1, 0, false, Some(1_000_000))];
        assert_eq!(next(&stranded, 0, 1_000_000), None);
        assert_eq!(next_due_ms(&stranded, 0, 1_000_000), Some(1_000_000));
        assert_eq!(next(&stranded, 0, 999_999), Some(JobId::from_bits(1)));
    }

    fn waiting() -> impl Strategy<Value = Vec<Waiting>> {
        let one = (-10i32..=10, any::<bool>(), prop::option::of(0i64..1000));
        prop::collection::vec(one, 0..20).prop_map(|jobs| {
            (0u8..)
                .zip(jobs)
                .map(|(n, (priority, paused, not_before))| job(n, priority, paused, not_before))
                .collect()
        })
    }

    proptest! {
        #[test]
        fn the_choice_is_due_and_none_due_goes_before_it(jobs in waiting(), now in 0i64..1000) {
            let due: Vec<_> = jobs.iter().filter(|j| j.is_due(now, 1000)).collect();
            match next(&jobs, now, 1000) {
                None => prop_assert!(due.is_empty()),
                Some(id) => {
                    let chosen = due.iter().find(|job| job.id == id);
                    let Some(chosen) = chosen else {
                        return Err(TestCaseError::fail("a job started that was not due"));
                    };
                    prop_assert!(due.iter().all(|job| job.priority <= chosen.priority));
                    prop_assert!(due.iter().all(|job| job.priority < chosen.priority
                        || job.sequence >= chosen.sequence));
                }
            }
        }

        #[test]
        fn all_jobs_get_their_turn(mut jobs in waiting()) {
            jobs.iter_mut().for_each(|job| job.paused = false);
            while let Some(id) = next(&jobs, 1000, 1000) {
                jobs.retain(|job| job.id != id);
            }
            prop_assert!(jobs.is_empty());
        }
    }
}
