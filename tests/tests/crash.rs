//! The promise that matters most: whatever kills the daemon, and whenever, each accepted job ends
//! exactly once, its pictures whole, with nothing left over.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use atelier_tests::{Daemon, Home, assert_each_done_once, wait_until};

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

#[test]
fn killed_at_random_moments_no_job_is_lost_or_made_twice() {
    let home = Home::with_settings(PATIENT);
    let mut dice = Dice(20_261_123);
    let mut names = Vec::new();
    let end = Instant::now() + Duration::from_secs(15);
    while Instant::now() < end {
        let daemon = Daemon::start(&home);
        if names.len() < 8 {
            // Two pictures each, so that a kill can fall between them.
            let name = format!("job-{}", names.len());
            home.drop_manifest(&name, &format!("{QUICK}seed = [{0}, 10{0}]\n", names.len()));
            names.push(name);
        }
        // Some lives are too short for one picture, some long enough for a job.
        thread::sleep(Duration::from_millis(dice.below(3000)));
        daemon.kill();
    }
    home.drop_manifest("last", &format!("{QUICK}seed = 5\n"));
    names.push("last".to_owned());
    let daemon = Daemon::start(&home);
    assert_each_done_once(&home, &daemon, &names);
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
