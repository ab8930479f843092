//! The promise that matters most: whatever kills the daemon, and whenever, each accepted job ends
//! exactly once, its pictures whole, with nothing left over.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use atelier_tests::{Daemon, Home, sha256, wait_for, wait_until};

/// The smallest job there is.
const QUICK: &str = "manifest = 1\nprompt = \"a lighthouse\"\nwidth = 64\nheight = 64\nsteps = 1\n";

/// Nothing here is to be quarantined: it is killed far too often for that.
const PATIENT: &str = "\n[queue]\ncrashes = 10000\n";

/// Numbers without order, the same ones in every run (a linear congruence; Knuth's constants).
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

/// Every job of `names` is done exactly once, with its pictures, and nothing else is there.
fn assert_each_ended_once(home: &Home, daemon: &Daemon<'_>, names: &[String]) {
    let jobs = daemon.atelier(&["jobs", "--json"]).exits(0).json();
    let states: Vec<(&str, &str)> = jobs
        .as_array()
        .unwrap()
        .iter()
        .map(|job| {
            (
                job["name"].as_str().unwrap(),
                job["state"].as_str().unwrap(),
            )
        })
        .collect();
    let listed: BTreeSet<&str> = states.iter().map(|(name, _)| *name).collect();
    assert_eq!(states.len(), names.len(), "each job once: {states:?}");
    assert_eq!(
        listed,
        names.iter().map(String::as_str).collect(),
        "{states:?}"
    );
    assert!(
        states.iter().all(|(_, state)| *state == "done"),
        "{states:?}\n{}",
        daemon.log()
    );

    let mut delivered = Vec::new();
    for name in names {
        let result = home.wait_for_result(name);
        assert!(
            home.done().join(format!("{name}.toml")).is_file(),
            "{name}: the manifest"
        );
        for output in result["outputs"].as_array().unwrap() {
            let file = output["name"].as_str().unwrap();
            assert_eq!(
                Some(sha256(&home.outbox().join(file)).as_str()),
                output["sha256"].as_str(),
                "{file}"
            );
            delivered.push(file.to_owned());
        }
    }
    delivered.sort();
    assert_eq!(
        Home::names(&home.outbox()),
        delivered,
        "each picture once, and nothing else"
    );
    assert!(Home::names(&home.failed()).is_empty());
    assert!(
        Home::names(&home.inbox()).is_empty(),
        "every manifest was taken"
    );
    assert!(
        Home::names(&home.path().join("working")).is_empty(),
        "nothing is left at work"
    );
}

#[test]
fn killed_at_random_moments_no_job_is_lost_or_made_twice() {
    let home = Home::with_settings(PATIENT);
    let mut dice = Dice(20_261_123);
    let mut names = Vec::new();
    let end = Instant::now() + Duration::from_secs(25);
    while Instant::now() < end {
        let daemon = Daemon::start(&home);
        // Two pictures each, so that a kill can fall between them; more jobs than one life makes.
        for _ in 0..dice.below(3) {
            let name = format!("job-{}", names.len());
            home.drop_manifest(
                &name,
                &format!("{QUICK}seed = [{}, {}]\n", names.len(), names.len() + 1000),
            );
            names.push(name);
        }
        thread::sleep(Duration::from_millis(dice.below(700)));
        daemon.kill();
    }
    home.drop_manifest("last", &format!("{QUICK}seed = 5\n"));
    names.push("last".to_owned());
    let daemon = Daemon::start(&home);
    for name in &names {
        let _ = home.wait_for_result(name);
    }
    wait_until("rest", || {
        daemon
            .atelier(&["jobs", "--state", "queued", "--json"])
            .json()
            == serde_json::json!([])
    });
    assert_each_ended_once(&home, &daemon, &names);
}

/// Runs one job under a tracer that kills the daemon at call `n` of `calls`; whether it was killed.
fn killed_at(home: &Home, calls: &str, n: u32) -> bool {
    let mut tracer = Command::new("strace");
    tracer.args([
        "-f",
        "-qq",
        "-o",
        "/dev/null",
        "-e",
        &format!("trace={calls}"),
    ]);
    tracer.args(["-e", &format!("inject={calls}:signal=SIGKILL:when={n}")]);
    let mut daemon = Daemon::start_under(home, tracer);
    let result = home.done().join("job.result.toml");
    wait_until("the kill or the job's end", || {
        !daemon.runs() || result.exists()
    });
    // The last writes come after the result file; a kill among them still counts.
    if daemon.runs() {
        thread::sleep(Duration::from_millis(300));
    }
    !daemon.runs()
}

/// Kills the daemon at each call of one kind in turn, until a run survives.
fn sweep(calls: &str) {
    let mut kills = 0;
    for n in 1.. {
        let home = Home::with_settings(PATIENT);
        // Keys and ledger are made before: their own crash tests are with their crates.
        assert!(Daemon::start(&home).stop().success());
        home.drop_manifest("job", &format!("{QUICK}seed = 3\n"));
        let killed = killed_at(&home, calls, n);
        let daemon = Daemon::start(&home);
        let _ = home.wait_for_result("job");
        wait_for("rest", || {
            Home::names(&home.path().join("working"))
                .is_empty()
                .then_some(())
        });
        assert_each_ended_once(&home, &daemon, &["job".to_owned()]);
        if !killed {
            break;
        }
        kills += 1;
    }
    assert!(
        kills >= 2,
        "the sweep over {calls} met {kills} calls: it tests nothing"
    );
}

#[test]
fn killed_at_each_rename_the_job_still_ends_once() {
    sweep("rename,renameat,renameat2");
}

#[test]
fn killed_at_each_sync_the_job_still_ends_once() {
    sweep("fsync,fdatasync");
}

#[test]
fn a_job_that_kills_the_daemon_is_set_aside_and_others_go_on() {
    let home = Home::with_settings("\n[queue]\ncrashes = 3\n");
    home.drop_manifest(
        "poison",
        "manifest = 1\nprompt = \"a cathedral\"\nwidth = 512\nheight = 512\nsteps = 200\nseed = 7\npriority = 5\n",
    );
    for attempt in 1..=3 {
        let daemon = Daemon::start(&home);
        wait_until("the job at work", || {
            let jobs = daemon.atelier(&["jobs", "--json"]).exits(0).json();
            jobs[0]["state"] == "running" && jobs[0]["attempt"] == attempt
        });
        daemon.kill();
    }
    let daemon = Daemon::start(&home);
    let error = home.wait_for_error("poison");
    assert_eq!(
        error["code"].as_str(),
        Some("crashed-repeatedly"),
        "{error}"
    );
    assert_eq!(error["attempts"].as_integer(), Some(3), "{error}");
    assert_eq!(error["retryable"].as_bool(), Some(false), "{error}");
    assert!(home.failed().join("poison.toml").is_file());
    home.drop_manifest("innocent", &format!("{QUICK}seed = 3\n"));
    let _ = home.wait_for_result("innocent");
    assert_eq!(Home::names(&home.outbox()), ["innocent.png"]);
    drop(daemon);
}

#[test]
fn a_damaged_ledger_stops_the_start_and_is_not_touched() {
    let home = Home::new();
    assert!(Daemon::start(&home).stop().success());
    let ledger = home.path().join("ledger.sqlite");
    let nonsense = b"this was a ledger once, before the disk failed".repeat(100);
    fs::write(&ledger, &nonsense).unwrap();
    for suffix in ["-wal", "-shm"] {
        let _ = fs::remove_file(home.path().join(format!("ledger.sqlite{suffix}")));
    }
    let run = home.atelier(&["daemon", "--no-dbus"]).exits(1);
    assert!(run.stderr.contains("ledger"), "{run}");
    assert_eq!(fs::read(&ledger).unwrap(), nonsense, "evidence is kept");
}
