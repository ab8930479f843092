//! Legal transitions, by example and against the invariants.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use proptest::prelude::*;

use super::*;

fn policy() -> RetryPolicy {
    RetryPolicy::default()
}

fn fault() -> Box<ErrorFile> {
    Box::new(ErrorFile::new("x", "run", "x"))
}

fn run(events: &[Event]) -> Result<Life, Illegal> {
    events.iter().try_fold(Life::default(), |life, event| {
        life.after(event.clone(), &policy(), 7, 0)
    })
}

#[test]
fn a_good_job_goes_straight_through() {
    use Event::{Begin, Enter, Finish, Seal};
    let life = run(&[
        Begin,
        Enter(Stage::Running),
        Enter(Stage::Signing),
        Enter(Stage::Running),
        Enter(Stage::Signing),
        Seal,
        Finish,
    ])
    .unwrap();
    assert_eq!(life.state, State::Done { at_ms: 7 });
    assert_eq!(life.attempts, 1);
}

#[test]
fn a_cancel_wins_until_everything_is_sealed() {
    use Event::{Begin, Cancel, Crash, Retry, Seal, Stopped};
    assert_eq!(run(&[Cancel]).unwrap().state.name(), StateName::Cancelled);
    assert_eq!(
        run(&[Begin, Cancel, Stopped]).unwrap().state.name(),
        StateName::Cancelled
    );
    assert_eq!(
        run(&[Begin, Cancel, Crash]).unwrap().state.name(),
        StateName::Cancelled
    );
    assert_eq!(run(&[Begin, Cancel, Seal]), Err(Illegal));
    assert_eq!(run(&[Begin, Seal, Cancel]), Err(Illegal));
    assert_eq!(run(&[Begin, Stopped]), Err(Illegal));
    assert!(
        !run(&[Begin, Cancel, Stopped, Retry])
            .unwrap()
            .cancel_requested
    );
}

#[test]
fn the_third_crash_is_the_last() {
    use Event::{Begin, Crash};
    let twice = run(&[Begin, Crash, Begin, Crash]).unwrap();
    assert_eq!(
        (twice.state.name(), twice.attempts, twice.crashes),
        (StateName::Queued, 2, 2)
    );
    let State::Failed { fault, .. } = run(&[Begin, Crash, Begin, Crash, Begin, Crash])
        .unwrap()
        .state
    else {
        panic!("not quarantined")
    };
    assert_eq!(fault.code, "crashed-repeatedly");
}

#[test]
fn a_crash_while_delivering_is_not_the_jobs_fault() {
    use Event::{Begin, Crash, Seal};
    let life = run(&[Begin, Seal, Crash, Crash, Crash, Crash]).unwrap();
    assert_eq!((life.state.name(), life.crashes), (StateName::Signing, 0));
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        3 => Just(Event::Begin),
        2 => prop_oneof![
            Just(Stage::Preparing), Just(Stage::Running), Just(Stage::Signing), Just(Stage::Delivering)
        ].prop_map(Event::Enter),
        2 => Just(Event::Seal),
        2 => Just(Event::Finish),
        2 => any::<bool>().prop_map(|again| Event::Fail { fault: fault(), again }),
        2 => Just(Event::Crash),
        1 => Just(Event::Interrupt),
        1 => Just(Event::Lose { fault: fault() }),
        1 => Just(Event::Cancel),
        1 => Just(Event::Stopped),
        1 => Just(Event::Retry),
    ]
}

proptest! {
    #[test]
    fn no_sequence_breaks_the_invariants(events in prop::collection::vec(event(), 0..60)) {
        let policy = policy();
        let mut life = Life::default();
        for (now, event) in (0i64..).zip(events) {
            let Ok(next) = life.after(event.clone(), &policy, now, 3) else {
                // Whatever the state, the daemon may die or ask to stop, except where there is
                // nothing to stop.
                let idle = !matches!(life.state, State::Working { .. });
                prop_assert!(idle || !matches!(event, Event::Crash | Event::Interrupt));
                continue;
            };
            prop_assert!(next.attempts >= life.attempts, "attempts fell");
            prop_assert_eq!(
                next.attempts - life.attempts,
                u32::from(event == Event::Begin),
                "an attempt is begun by Begin alone"
            );
            if matches!(life.state, State::Done { .. }) {
                prop_assert!(false, "something followed done");
            }
            if life.state.is_terminal() {
                prop_assert_eq!(&event, &Event::Retry);
            }
            if matches!(next.state, State::Done { .. }) {
                prop_assert_eq!(&life.state, &State::Working { stage: Stage::Delivering });
                prop_assert!(!next.cancel_requested, "a cancelled job was delivered");
            }
            prop_assert!(next.crashes <= policy.crash_limit && next.failures <= policy.failure_limit);
            life = next;
        }
        // Every job can be brought to an end.
        let end = match &life.state {
            State::Queued { .. } => vec![Event::Cancel],
            State::Working { stage: Stage::Delivering } => vec![Event::Finish],
            State::Working { .. } => vec![Event::Cancel, Event::Stopped],
            _ => vec![],
        };
        for event in end {
            life = life.after(event, &policy, 0, 0).unwrap();
        }
        prop_assert!(life.state.is_terminal());
    }
}
