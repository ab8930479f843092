//! Again, or given up? Pure.
//!
//! A failure that may pass is tried again with growing pauses; the death of the daemon is counted
//! apart, because what kills a daemon is rarely cured by waiting and must not be tried for ever.

/// When to try again and when to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// After this many passing failures the job has failed. At least 1.
    pub failure_limit: u32,
    /// After this many deaths of the daemon the job has failed. At least 1.
    pub crash_limit: u32,
    /// The first pause in milliseconds; each next one is twice as long.
    pub base_ms: i64,
    /// The longest pause in milliseconds, before jitter.
    pub cap_ms: i64,
}

impl Default for RetryPolicy {
    /// 5 failures, 3 crashes, pauses of 15 s, 30 s, … up to 1 h.
    fn default() -> Self {
        Self {
            failure_limit: 5,
            crash_limit: 3,
            base_ms: 15_000,
            cap_ms: 3_600_000,
        }
    }
}

/// What to do with a job whose attempt ended badly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Try again after this pause in milliseconds.
    Again {
        /// Zero: at once.
        delay_ms: i64,
    },
    /// It has failed.
    GiveUp,
}

impl RetryPolicy {
    /// After the `failures`-th passing failure, counted from 1. `jitter` is any number; it lengthens
    /// the pause by less than a quarter, so that jobs that failed together do not come back together.
    #[must_use]
    pub fn after_failure(&self, failures: u32, jitter: u64) -> Verdict {
        if failures >= self.failure_limit {
            return Verdict::GiveUp;
        }
        let doublings = failures.saturating_sub(1).min(40);
        let pause = self
            .base_ms
            .saturating_mul(1 << doublings)
            .clamp(0, self.cap_ms);
        let spread = u64::try_from(pause / 4).unwrap_or(0);
        let extra = if spread == 0 { 0 } else { jitter % spread };
        Verdict::Again {
            delay_ms: pause.saturating_add(i64::try_from(extra).unwrap_or(0)),
        }
    }

    /// After the `crashes`-th death of the daemon, counted from 1.
    #[must_use]
    pub fn after_crash(&self, crashes: u32) -> Verdict {
        if crashes >= self.crash_limit {
            Verdict::GiveUp
        } else {
            Verdict::Again { delay_ms: 0 }
        }
    }

    /// The longest pause that can come out, in milliseconds.
    #[must_use]
    pub fn longest_ms(&self) -> i64 {
        self.cap_ms.saturating_add(self.cap_ms / 4)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn pauses_double_up_to_the_cap() {
        let policy = RetryPolicy {
            failure_limit: 100,
            ..RetryPolicy::default()
        };
        let pause = |n| policy.after_failure(n, 0);
        assert_eq!(pause(1), Verdict::Again { delay_ms: 15_000 });
        assert_eq!(pause(2), Verdict::Again { delay_ms: 30_000 });
        assert_eq!(
            pause(9),
            Verdict::Again {
                delay_ms: 3_600_000
            }
        );
        assert_eq!(
            pause(99),
            Verdict::Again {
                delay_ms: 3_600_000
            }
        );
        assert_eq!(pause(100), Verdict::GiveUp);
    }

    proptest! {
        #[test]
        fn every_job_is_given_up_in_bounded_time(
            failure_limit in 1u32..50,
            crash_limit in 1u32..50,
            base_ms in 0i64..i64::MAX,
            cap_ms in 0i64..10_000_000,
            jitter in any::<u64>(),
        ) {
            let policy = RetryPolicy { failure_limit, crash_limit, base_ms, cap_ms };
            for n in 1..failure_limit {
                let Verdict::Again { delay_ms } = policy.after_failure(n, jitter) else {
                    return Err(TestCaseError::fail("given up too early"));
                };
                prop_assert!((0..=policy.longest_ms()).contains(&delay_ms));
            }
            prop_assert_eq!(policy.after_failure(failure_limit, jitter), Verdict::GiveUp);
            prop_assert_eq!(policy.after_crash(crash_limit), Verdict::GiveUp);
            prop_assert!(crash_limit == 1 || policy.after_crash(1) != Verdict::GiveUp);
        }
    }
}
