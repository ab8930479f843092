//! Recovery against a model of the ledger and the spool: whatever a crash left, one recovery brings
//! rest, a second one finds nothing to do, and no job is lost or ends twice.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use proptest::prelude::*;

use super::*;
use crate::ErrorFile;

fn policy() -> RetryPolicy {
    RetryPolicy::default()
}

fn id(n: u128) -> JobId {
    JobId::from_bits(n)
}

/// Where the manifest of one job is, in the model.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Seen {
    inbox: u32,
    filed: u32,
}

/// Does to the model what the executor does to the disk.
fn apply(action: Action, world: &mut BTreeMap<JobId, Facts>, seen: &mut BTreeMap<JobId, Seen>) {
    let (id, side) = match action {
        Action::PutBack(id, side) | Action::FinishRefusal(id, side) | Action::Discard(id, side) => {
            (id, Some(side))
        }
        Action::Unfile(id)
        | Action::CountCrash(id)
        | Action::GiveUpLost(id)
        | Action::Deliver(id)
        | Action::File(id) => (id, None),
    };
    let facts = world.get_mut(&id).unwrap();
    let seen = seen.entry(id).or_default();
    if let Some(side) = side {
        let entry = match side {
            Side::Claiming => facts.claiming.take(),
            Side::Job => facts.job.take(),
        };
        assert!(entry.is_some(), "{action} on nothing");
        match action {
            Action::PutBack(..) => seen.inbox += 1,
            Action::FinishRefusal(..) => seen.filed += 1,
            _ => {}
        }
        return;
    }
    let row = facts.row.as_mut().unwrap();
    let fault = || Box::new(ErrorFile::new("x", "x", "x"));
    let event = match action {
        Action::Unfile(_) => {
            row.unfile = false;
            return;
        }
        Action::File(_) => {
            assert!(
                row.life.state.is_terminal() && !row.filed,
                "{action} twice or too early"
            );
            row.filed = true;
            facts.job = None;
            seen.filed += 1;
            return;
        }
        Action::Deliver(_) => Event::Finish,
        Action::GiveUpLost(_) => Event::Lose { fault: fault() },
        _ => Event::Crash,
    };
    row.life = row.life.after(event, &policy(), 0, 0).unwrap();
}

fn state() -> impl Strategy<Value = State> {
    prop_oneof![
        Just(State::fresh()),
        Just(State::Working {
            stage: Stage::Preparing
        }),
        Just(State::Working {
            stage: Stage::Running
        }),
        Just(State::Working {
            stage: Stage::Signing
        }),
        Just(State::Working {
            stage: Stage::Delivering
        }),
        Just(State::Done { at_ms: 0 }),
        Just(State::Cancelled { at_ms: 0 }),
        Just(State::Failed {
            at_ms: 0,
            fault: Box::default()
        }),
    ]
}

fn entry() -> impl Strategy<Value = Option<EntryFacts>> {
    prop::option::of((any::<bool>(), any::<bool>(), any::<bool>()).prop_map(
        |(manifest, filing, handed_in)| EntryFacts {
            manifest,
            filing,
            handed_in,
        },
    ))
}

fn facts() -> impl Strategy<Value = Facts> {
    let row = (
        state(),
        0u32..4,
        any::<bool>(),
        any::<bool>(),
        any::<bool>(),
    )
        .prop_map(
            |(state, crashes, cancel_requested, filed, unfile)| RowFacts {
                filed: filed && state.is_terminal(),
                unfile,
                life: Life {
                    state,
                    attempts: 3,
                    crashes,
                    failures: 0,
                    cancel_requested,
                },
            },
        );
    (prop::option::of(row), entry(), entry()).prop_map(|(row, claiming, job)| Facts {
        row,
        claiming,
        job,
    })
}

proptest! {
    #[test]
    fn recovery_brings_rest_and_loses_nothing(all in prop::collection::vec(facts(), 1..8)) {
        let before: BTreeMap<JobId, Facts> = (1u128..).map(id).zip(all).collect();
        let mut world = before.clone();
        let mut seen = BTreeMap::new();
        for action in plan(&world, &policy()) {
            apply(action, &mut world, &mut seen);
        }
        let again = plan(&world, &policy());
        prop_assert!(again.is_empty(), "a second recovery wanted {again:?}");
        for (id, facts) in &world {
            let old = before.get(id).unwrap();
            let seen = seen.get(id).cloned().unwrap_or_default();
            match (&old.row, &facts.row) {
                (None, None) => {
                    prop_assert!(facts.claiming.is_none() && facts.job.is_none());
                    let manifests = [old.claiming, old.job].into_iter().flatten();
                    let worth = manifests.filter(|e| e.filing || (e.manifest && !e.handed_in));
                    prop_assert_eq!(seen.inbox + seen.filed, u32::try_from(worth.count()).unwrap());
                }
                (Some(old_row), Some(row)) => {
                    prop_assert!(facts.claiming.is_none());
                    prop_assert_eq!(seen.inbox, 0, "an accepted job went back to the inbox");
                    prop_assert!(seen.filed <= 1);
                    let ended = row.life.state.is_terminal();
                    prop_assert_eq!(ended, row.filed, "ended and not to be seen, or the reverse");
                    prop_assert_eq!(ended, facts.job.is_none());
                    prop_assert!(ended || row.life.state == State::fresh());
                    if old_row.life.state.is_terminal() {
                        prop_assert_eq!(&row.life, &old_row.life, "an ended job changed");
                    }
                    if (old_row.life.state == State::Working { stage: Stage::Delivering }) {
                        prop_assert_eq!(&row.life.state, &State::Done { at_ms: 0 });
                    }
                }
                _ => prop_assert!(false, "a row appeared or vanished"),
            }
        }
    }
}

#[test]
fn each_gap_of_the_crash_table() {
    let manifest = EntryFacts {
        manifest: true,
        filing: false,
        handed_in: false,
    };
    let one = |row: Option<State>, claiming, job| {
        let row = row.map(|state| RowFacts {
            life: Life {
                state,
                attempts: 1,
                ..Life::default()
            },
            filed: false,
            unfile: false,
        });
        plan(
            &BTreeMap::from([(id(1), Facts { row, claiming, job })]),
            &policy(),
        )
    };
    let working = |stage| Some(State::Working { stage });
    let there = Some(manifest);
    let empty = Some(EntryFacts {
        manifest: false,
        ..manifest
    });
    let refused = Some(EntryFacts {
        filing: true,
        ..manifest
    });
    let handed_in = Some(EntryFacts {
        handed_in: true,
        ..manifest
    });
    use Side::{Claiming, Job};

    assert_eq!(one(None, empty, None), [Action::Discard(id(1), Claiming)]);
    assert_eq!(one(None, there, None), [Action::PutBack(id(1), Claiming)]);
    assert_eq!(one(None, None, there), [Action::PutBack(id(1), Job)]);
    assert_eq!(
        one(None, handed_in, None),
        [Action::Discard(id(1), Claiming)]
    );
    assert_eq!(
        one(None, refused, None),
        [Action::FinishRefusal(id(1), Claiming)]
    );
    assert_eq!(one(Some(State::fresh()), None, there), []);
    assert_eq!(
        one(Some(State::fresh()), None, None),
        [Action::GiveUpLost(id(1)), Action::File(id(1))]
    );
    assert_eq!(
        one(working(Stage::Running), None, there),
        [Action::CountCrash(id(1))]
    );
    assert_eq!(
        one(working(Stage::Delivering), None, there),
        [Action::Deliver(id(1)), Action::File(id(1))]
    );
    assert_eq!(
        one(Some(State::Done { at_ms: 0 }), None, there),
        [Action::File(id(1))]
    );
}
