//! The ledger's file: what is refused, what is kept, what comes back.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use std::fs;

use tempfile::tempdir;

use super::*;
use crate::job::{Event, Life, Stage, State, StateName};
use crate::retry::RetryPolicy;
use crate::{ErrorFile, JobId};

fn id(n: u128) -> JobId {
    JobId::from_bits(n)
}

fn insert(ledger: &Ledger, n: u128) {
    ledger
        .write(|db| {
            let row = NewRow {
                id: id(n),
                name: "a",
                manifest: "a.toml",
                root: Some("/in"),
                spec: "{}",
                priority: 0,
                paused: false,
                accepted_ms: 5,
            };
            Ledger::insert(db, &row)
        })
        .unwrap();
}

#[test]
fn what_was_written_is_there_after_reopening() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("ledger.sqlite");
    let ledger = Ledger::open(&path).unwrap();
    insert(&ledger, 1);
    let fault = Box::new(ErrorFile::new("gone", "infer", "the device is gone"));
    let states = [
        State::Queued {
            not_before_ms: Some(9),
            last_fault: Some(fault.clone()),
        },
        State::Working {
            stage: Stage::Preparing,
        },
        State::Working {
            stage: Stage::Running,
        },
        State::Working {
            stage: Stage::Signing,
        },
        State::Working {
            stage: Stage::Delivering,
        },
        State::Done { at_ms: 3 },
        State::Failed { at_ms: 4, fault },
        State::Cancelled { at_ms: 5 },
        State::fresh(),
    ];
    for state in states {
        let life = Life {
            state,
            attempts: 7,
            crashes: 1,
            failures: 2,
            cancel_requested: true,
        };
        ledger
            .write(|db| Ledger::set_life(db, id(1), &life))
            .unwrap();
        let again = Ledger::open(&path).unwrap();
        let job = again.read(|db| Ledger::get(db, id(1))).unwrap();
        assert_eq!(job.life, life);
        let filter = Filter {
            states: vec![job.state()],
            ..Filter::default()
        };
        let listed = Reader::open(&path).unwrap().list(&filter).unwrap();
        assert_eq!(listed, [job]);
    }
}

#[test]
fn a_file_that_is_not_ours_stops_the_start_and_stays() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("ledger.sqlite");
    let refused = |bytes: Option<&[u8]>| {
        if let Some(bytes) = bytes {
            fs::write(&path, bytes).unwrap();
        }
        let before = fs::read(&path).unwrap();
        let code = Ledger::open(&path).map(|_| ()).unwrap_err().code();
        assert_eq!(
            fs::read(&path).unwrap(),
            before,
            "{code}: the file was changed"
        );
        code
    };
    assert_eq!(refused(Some(&[0xa5; 5000])), "ledger-corrupt");

    fs::remove_file(&path).unwrap();
    Connection::open(&path)
        .unwrap()
        .execute_batch("CREATE TABLE x (y)")
        .unwrap();
    assert_eq!(refused(None), "ledger-foreign");

    fs::remove_file(&path).unwrap();
    drop(Ledger::open(&path).unwrap());
    let db = Connection::open(&path).unwrap();
    db.pragma_update(None, "user_version", schema::CURRENT + 1)
        .unwrap();
    drop(db);
    assert_eq!(refused(None), "ledger-newer");
    assert_eq!(Reader::open(&path).unwrap_err().code(), "ledger-newer");
    assert_eq!(
        Reader::open(&dir.path().join("none")).unwrap_err().code(),
        "ledger-missing"
    );
}

#[test]
fn a_damaged_page_is_noticed() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("ledger.sqlite");
    let ledger = Ledger::open(&path).unwrap();
    for n in 0..200 {
        insert(&ledger, n);
    }
    drop(ledger);
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 4096].fill(0x5a);
    fs::write(&path, &bytes).unwrap();
    let error = Ledger::open(&path).map(|_| ()).unwrap_err();
    assert_eq!(error.code(), "ledger-corrupt");
    assert!(error.hint().unwrap().contains("nothing was changed"));
    assert_eq!(fs::read(&path).unwrap(), bytes);
}

#[test]
fn a_failed_write_changes_nothing() {
    let dir = tempdir().unwrap();
    let ledger = Ledger::open(&dir.path().join("ledger.sqlite")).unwrap();
    insert(&ledger, 1);
    let result: Result<(), _> = ledger.write(|db| {
        Ledger::set_priority(db, id(1), 5)?;
        Ledger::set_priority(db, id(2), 5)
    });
    assert_eq!(result.unwrap_err().code(), "unknown-job");
    assert_eq!(
        ledger.read(|db| Ledger::get(db, id(1))).unwrap().priority,
        0
    );
}

#[test]
fn pages_counts_and_the_waiting() {
    let dir = tempdir().unwrap();
    let ledger = Ledger::open(&dir.path().join("ledger.sqlite")).unwrap();
    (1..=5).for_each(|n| insert(&ledger, n));
    let policy = RetryPolicy::default();
    let begun = Life::default().after(Event::Begin, &policy, 0, 0).unwrap();
    let sealed = begun.after(Event::Seal, &policy, 0, 0).unwrap();
    ledger
        .write(|db| Ledger::set_life(db, id(2), &sealed))
        .unwrap();
    let page = |before| {
        let filter = Filter {
            before,
            limit: 2,
            states: vec![],
        };
        let jobs = ledger.read(|db| Ledger::list(db, &filter)).unwrap();
        jobs.into_iter().map(|job| job.sequence).collect::<Vec<_>>()
    };
    assert_eq!(page(None), [5, 4]);
    assert_eq!(page(Some(4)), [3, 2]);
    let counts = ledger.read(Ledger::counts).unwrap();
    assert_eq!(counts[&StateName::Queued], 4);
    assert_eq!(counts[&StateName::Signing], 1);
    assert_eq!(ledger.read(Ledger::waiting).unwrap().len(), 4);
    assert_eq!(ledger.read(Ledger::unsettled).unwrap().len(), 5);
}
