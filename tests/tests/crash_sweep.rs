//! Killed at each system call that changes a file, one after the other: no gap in the order of a
//! job's operations is left to chance.
//!
//! The tracer counts by itself for each thread and each kind of call. So every kind is swept alone,
//! and the way of a job in two parts, of which each runs on one thread: taking a manifest in, with
//! the queue paused, and the work on it.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs::File;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use atelier_tests::{Daemon, Home, assert_each_done_once, wait_until};

/// The smallest job there is.
const QUICK: &str =
    "manifest = 1\nprompt = \"a lighthouse\"\nwidth = 64\nheight = 64\nsteps = 1\nseed = 3\n";

/// Nothing here is to be quarantined: it is killed far too often for that.
const PATIENT: &str = "\n[queue]\ncrashes = 10000\n";

const SYNCS: &[&str] = &["fsync", "fdatasync"];
const RENAMES: &[&str] = &["rename", "renameat", "renameat2"];
const REMOVALS: &[&str] = &["unlink", "unlinkat", "rmdir"];

/// A tracer that kills what it traces at the `n`th `call`, from 1.
fn tracer(call: &str, n: usize) -> Command {
    let mut tracer = Command::new("strace");
    tracer.args(["-f", "-e", &format!("trace={call}"), "-e", "signal=none"]);
    tracer.args(["-e", &format!("inject={call}:signal=SIGKILL:when={n}")]);
    tracer
}

/// A daemon may still be on its way to the call that kills it when all that can be seen of its work
/// is there.
fn is_killed_soon(daemon: &mut Daemon<'_>) -> bool {
    for _ in 0..20 {
        if !daemon.runs() {
            return true;
        }
        thread::sleep(Duration::from_millis(20));
    }
    false
}

fn is_listed(daemon: &Daemon<'_>, name: &str) -> bool {
    let jobs = daemon.atelier(&["jobs", "--json"]).exits(0).json();
    jobs.as_array()
        .unwrap()
        .iter()
        .any(|job| job["name"] == name)
}

/// Kills the daemon at each call in turn while it starts and takes a manifest in.
fn sweep_intake(calls: &[&str]) {
    let home = Home::with_settings(PATIENT);
    let daemon = Daemon::start(&home);
    let _ = daemon.atelier(&["pause"]).exits(0);
    assert!(daemon.stop().success());
    let names = sweep(calls, |name, call, n| {
        let mut command = tracer(call, n);
        command.args(["-o", "/dev/null"]);
        let mut daemon = Daemon::start_under(&home, command);
        wait_until("the daemon ready or killed", || {
            !daemon.runs() || daemon.is_ready()
        });
        home.drop_manifest(name, QUICK);
        wait_until("the kill or the job", || {
            !daemon.runs() || is_listed(&daemon, name)
        });
        let killed = is_killed_soon(&mut daemon);
        drop(daemon);

        let daemon = Daemon::start(&home);
        wait_until("the job in the queue", || is_listed(&daemon, name));
        assert_eq!(Home::names(&home.inbox()), [""; 0], "taken is taken");
        killed
    });
    let daemon = Daemon::start(&home);
    let _ = daemon.atelier(&["resume"]).exits(0);
    assert_each_done_once(&home, &daemon, &names);
}

/// Kills the daemon at each call in turn while it works on a job that it has accepted.
fn sweep_work(calls: &[&str]) {
    let home = Home::with_settings(PATIENT);
    let names = sweep(calls, |name, call, n| {
        let mut daemon = Daemon::start(&home);
        let _ = daemon.atelier(&["pause"]).exits(0);
        home.drop_manifest(name, QUICK);
        wait_until("the job", || is_listed(&daemon, name));

        let mut tracer = attach(&home, &daemon, call, n);
        // The kill may come before the answer.
        let _ = daemon.atelier(&["resume"]);
        let result = home.done().join(format!("{name}.result.toml"));
        wait_until("the kill or the result", || {
            !daemon.runs() || result.exists()
        });
        let killed = is_killed_soon(&mut daemon);
        tracer.kill().unwrap();
        tracer.wait().unwrap();
        drop(daemon);

        let daemon = Daemon::start(&home);
        let _ = daemon.atelier(&["resume"]).exits(0);
        let _ = home.wait_for_result(name);
        killed
    });
    assert_each_done_once(&home, &Daemon::start(&home), &names);
}

/// Runs `round` with a new job's name for the first, second, … call of each kind, until one says
/// that it survived; gives the names of all jobs.
fn sweep(calls: &[&str], mut round: impl FnMut(&str, &str, usize) -> bool) -> Vec<String> {
    let mut names = Vec::new();
    let mut kills = 0;
    for call in calls {
        for n in 1.. {
            let name = format!("{call}-{n}");
            let killed = round(&name, call, n);
            names.push(name);
            if !killed {
                println!("killed at {} calls of {call}", n - 1);
                break;
            }
            kills += 1;
        }
    }
    assert!(kills > 0, "none of {calls:?} was met: nothing was tested");
    names
}

/// Starts a tracer of a running daemon and waits until it watches.
fn attach(home: &Home, daemon: &Daemon<'_>, call: &str, n: usize) -> Child {
    let says = home.elsewhere().join("strace.log");
    let tracer = tracer(call, n)
        .args(["-p", &daemon.pid().to_string()])
        .stdin(Stdio::null())
        .stderr(File::create(&says).unwrap())
        .spawn()
        .unwrap();
    wait_until("the tracer", || {
        std::fs::read_to_string(&says).unwrap().contains("attached")
    });
    tracer
}

#[test]
fn taking_in_survives_a_kill_at_each_sync() {
    sweep_intake(SYNCS);
}

#[test]
fn taking_in_survives_a_kill_at_each_rename() {
    sweep_intake(RENAMES);
}

#[test]
fn work_survives_a_kill_at_each_sync() {
    sweep_work(SYNCS);
}

#[test]
fn work_survives_a_kill_at_each_rename() {
    sweep_work(RENAMES);
}

#[test]
fn work_survives_a_kill_at_each_removal() {
    sweep_work(REMOVALS);
}
