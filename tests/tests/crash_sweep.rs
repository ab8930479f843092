//! Killed at each system call that changes a file, one after the other: no gap in the order of a
//! job's operations is left to chance.
//!
//! The tracer counts calls for each thread by itself. So the way of a job is swept in two parts, of
//! which each runs on one thread: taking a manifest in, with the queue paused, and the work on it.
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

/// A tracer that kills what it traces at call `n` of `calls`.
fn tracer(calls: &str, n: usize) -> Command {
    let mut tracer = Command::new("strace");
    tracer.args(["-f", "-e", &format!("trace={calls}"), "-e", "signal=none"]);
    tracer.args(["-e", &format!("inject={calls}:signal=SIGKILL:when={n}")]);
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
fn sweep_intake(calls: &str) {
    let home = Home::with_settings(PATIENT);
    let daemon = Daemon::start(&home);
    let _ = daemon.atelier(&["pause"]).exits(0);
    assert!(daemon.stop().success());

    let mut names = Vec::new();
    loop {
        let name = format!("job-{}", names.len());
        let mut command = tracer(calls, names.len() + 1);
        command.args(["-o", "/dev/null"]);
        let mut daemon = Daemon::start_under(&home, command);
        wait_until("the daemon ready or killed", || {
            !daemon.runs() || daemon.is_ready()
        });
        home.drop_manifest(&name, QUICK);
        wait_until("the kill or the job", || {
            !daemon.runs() || is_listed(&daemon, &name)
        });
        let killed = is_killed_soon(&mut daemon);
        drop(daemon);
        names.push(name);

        let daemon = Daemon::start(&home);
        wait_until("each job in the queue", || {
            names.iter().all(|name| is_listed(&daemon, name))
        });
        assert_eq!(Home::names(&home.inbox()), [""; 0], "taken is taken");
        if !killed {
            let _ = daemon.atelier(&["resume"]).exits(0);
            assert_each_done_once(&home, &daemon, &names);
            break;
        }
    }
    met(calls, names.len() - 1);
}

/// Kills the daemon at each call in turn while it works on a job that it has accepted.
fn sweep_work(calls: &str) {
    let home = Home::with_settings(PATIENT);
    let mut names = Vec::new();
    loop {
        let mut daemon = Daemon::start(&home);
        let _ = daemon.atelier(&["pause"]).exits(0);
        let name = format!("job-{}", names.len());
        home.drop_manifest(&name, QUICK);
        wait_until("the job", || is_listed(&daemon, &name));

        let mut tracer = attach(&home, &daemon, calls, names.len() + 1);
        // The kill may come before the answer.
        let _ = daemon.atelier(&["resume"]);
        let result = home.done().join(format!("{name}.result.toml"));
        wait_until("the kill or the result", || {
            !daemon.runs() || result.exists()
        });
        let killed = is_killed_soon(&mut daemon);
        tracer.kill().unwrap();
        tracer.wait().unwrap();
        names.push(name);

        drop(daemon);
        let daemon = Daemon::start(&home);
        let _ = daemon.atelier(&["resume"]).exits(0);
        assert_each_done_once(&home, &daemon, &names);
        if !killed {
            break;
        }
    }
    met(calls, names.len() - 1);
}

/// Starts a tracer of a running daemon and waits until it watches.
fn attach(home: &Home, daemon: &Daemon<'_>, calls: &str, n: usize) -> Child {
    let says = home.elsewhere().join("strace.log");
    let tracer = tracer(calls, n)
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

/// A sweep that meets nothing tests nothing.
fn met(calls: &str, kills: usize) {
    println!("killed at {kills} calls of {calls}");
    assert!(kills > 0, "no call of {calls} was met");
}

#[test]
fn taking_in_survives_a_kill_at_each_sync() {
    sweep_intake("fsync,fdatasync");
}

#[test]
fn taking_in_survives_a_kill_at_each_rename() {
    sweep_intake("rename,renameat,renameat2");
}

#[test]
fn work_survives_a_kill_at_each_sync() {
    sweep_work("fsync,fdatasync");
}

#[test]
fn work_survives_a_kill_at_each_rename() {
    sweep_work("rename,renameat,renameat2");
}

#[test]
fn work_survives_a_kill_at_each_removal() {
    sweep_work("unlink,unlinkat,rmdir");
}
