//! The settle rule, by example and by property.

use proptest::prelude::*;

use super::*;

const TIMING: Timing = Timing {
    settle: Duration::from_millis(250),
    stability: Duration::from_secs(2),
    abandoned: Duration::from_secs(60),
};

fn at(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn sample(version: i64, age_ms: u64) -> Sample {
    Sample {
        signature: Signature {
            bytes: 10,
            mtime_ns: version,
            inode: 1,
        },
        age: Some(at(age_ms)),
    }
}

#[test]
fn a_closed_file_is_ready_after_the_settle_time() {
    let mut file = Settling::new(sample(1, 0), &TIMING, at(0));
    file.hear(Sign::Closed, at(10));
    assert_eq!(
        file.verdict(Mode::Native, &TIMING, at(10)),
        Verdict::Wait(at(260))
    );
    file.observe(sample(1, 260), at(260));
    assert_eq!(file.verdict(Mode::Native, &TIMING, at(260)), Verdict::Ready);
}

#[test]
fn polling_ignores_events_and_age() {
    let mut file = Settling::new(sample(1, 1_000_000), &TIMING, at(0));
    file.hear(Sign::Closed, at(0));
    file.observe(sample(1, 1_000_000), at(1999));
    assert_eq!(
        file.verdict(Mode::Poll, &TIMING, at(1999)),
        Verdict::Wait(at(2000))
    );
    file.observe(sample(1, 1_000_000), at(2000));
    assert_eq!(file.verdict(Mode::Poll, &TIMING, at(2000)), Verdict::Ready);
}

#[test]
fn an_old_file_found_at_start_needs_only_a_second_look() {
    let mut old = Settling::new(sample(1, 2000), &TIMING, at(0));
    let mut young = Settling::new(sample(1, 1999), &TIMING, at(0));
    let mut from_the_future = Settling::new(
        Sample {
            age: None,
            ..sample(1, 0)
        },
        &TIMING,
        at(0),
    );
    for file in [&mut old, &mut young, &mut from_the_future] {
        file.observe(sample(1, 0), at(250));
    }
    assert_eq!(old.verdict(Mode::Native, &TIMING, at(250)), Verdict::Ready);
    assert_eq!(
        young.verdict(Mode::Native, &TIMING, at(250)),
        Verdict::Wait(at(2000))
    );
    assert_eq!(
        from_the_future.verdict(Mode::Native, &TIMING, at(250)),
        Verdict::Wait(at(2000))
    );
}

#[test]
fn a_pausing_writer_is_waited_for() {
    let mut file = Settling::new(sample(1, 0), &TIMING, at(0));
    file.hear(Sign::Writing, at(0));
    file.observe(sample(1, 0), at(30_000));
    assert_eq!(
        file.verdict(Mode::Native, &TIMING, at(30_000)),
        Verdict::Wait(at(60_000))
    );
    file.forget_writer();
    assert_eq!(
        file.verdict(Mode::Native, &TIMING, at(30_000)),
        Verdict::Ready
    );
}

#[test]
fn an_empty_closed_file_gets_more_patience() {
    let empty = Sample {
        signature: Signature {
            bytes: 0,
            mtime_ns: 1,
            inode: 1,
        },
        age: Some(at(0)),
    };
    let mut file = Settling::new(empty, &TIMING, at(0));
    file.hear(Sign::Closed, at(0));
    file.observe(empty, at(300));
    assert_eq!(
        file.verdict(Mode::Native, &TIMING, at(300)),
        Verdict::Wait(at(2000))
    );
}

#[derive(Clone, Debug)]
enum Step {
    Look { changed: bool },
    Hear(Sign),
    Lost,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => any::<bool>().prop_map(|changed| Step::Look { changed }),
        1 => Just(Step::Hear(Sign::Closed)),
        1 => Just(Step::Hear(Sign::Writing)),
        1 => Just(Step::Lost),
    ]
}

fn mode() -> impl Strategy<Value = Mode> {
    prop_oneof![Just(Mode::Native), Just(Mode::Poll)]
}

proptest! {
    #[test]
    fn ready_means_still_for_the_settle_time_at_least(
        mode in mode(),
        steps in prop::collection::vec((0u64..5_000, step()), 0..40),
        age in 0u64..10_000,
    ) {
        let mut now = 0;
        let mut version = 0;
        let mut last_activity = 0;
        let mut file = Settling::new(sample(version, age), &TIMING, at(0));
        for (wait, step) in steps {
            now += wait;
            match step {
                Step::Look { changed } => {
                    if changed {
                        version += 1;
                        last_activity = now;
                    }
                    file.observe(sample(version, 0), at(now));
                }
                Step::Hear(sign) => {
                    last_activity = now;
                    file.hear(sign, at(now));
                }
                Step::Lost => file.forget_writer(),
            }
            let least = if mode == Mode::Poll { 2000 } else { 250 };
            match file.verdict(mode, &TIMING, at(now)) {
                Verdict::Ready => prop_assert!(now - last_activity >= least),
                Verdict::Wait(until) => prop_assert!(until > at(now)),
            }
        }
        // Left alone, every file is ready in the end, and the times it names lead there.
        for _ in 0..3 {
            let Verdict::Wait(until) = file.verdict(mode, &TIMING, at(now)) else { break };
            now = u64::try_from(until.as_millis()).unwrap_or(u64::MAX);
            file.observe(sample(version, 0), at(now));
        }
        prop_assert_eq!(file.verdict(mode, &TIMING, at(now)), Verdict::Ready);
    }
}
