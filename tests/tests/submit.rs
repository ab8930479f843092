//! `atelier submit`: handing over a manifest, waiting for its job, and what comes back.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use atelier_tests::{Daemon, Fixtures, Home, wait_for};

/// The smallest job there is.
const QUICK: &str =
    "manifest = 1\nprompt = \"a lighthouse\"\nwidth = 64\nheight = 64\nsteps = 1\nseed = 7\n";

#[test]
fn a_job_id_comes_back_at_once_and_the_manifest_stays() {
    let home = Home::new();
    let daemon = Daemon::start(&home);
    let manifest = home.write_manifest("handed", QUICK);
    let run = daemon
        .atelier(&["submit", manifest.to_str().unwrap()])
        .exits(0);
    let id = run.stdout.trim();
    assert_eq!(run.stdout, format!("{id}\n"), "the id alone, for scripts");
    daemon.wait_for_state(id, &["done"]);
    assert_eq!(
        std::fs::read_to_string(&manifest).unwrap(),
        QUICK,
        "a handed manifest is only read"
    );
    assert_eq!(Home::names(&home.outbox()), ["handed.png"]);
}

#[test]
fn references_lie_beside_the_manifest_wherever_that_is() {
    let home = Home::new();
    let daemon = Daemon::start(&home);
    std::fs::copy(Fixtures::picture(), home.elsewhere().join("view.png")).unwrap();
    let manifest = home.write_manifest(
        "view",
        &format!("{QUICK}\n[[reference]]\npath = \"view.png\"\n"),
    );
    let id = daemon.submit(&manifest);
    // The job has its own copy from the moment it is accepted.
    std::fs::remove_file(home.elsewhere().join("view.png")).unwrap();
    daemon.wait_for_state(&id, &["done"]);
}

#[test]
fn waiting_ends_with_the_jobs_outcome() {
    let home = Home::new();
    let daemon = Daemon::start(&home);
    let manifest = home.write_manifest("awaited", QUICK);
    let run = daemon
        .atelier(&["submit", "--wait", "--json", manifest.to_str().unwrap()])
        .exits(0);
    assert!(run.json()["job"].is_string(), "{run}");
    assert!(
        home.outbox().join("awaited.png").exists(),
        "done means delivered"
    );
}

#[test]
fn waiting_for_a_job_that_fails_ends_with_1() {
    let home = Home::new();
    home.install("pose");
    let daemon = Daemon::start(&home);
    std::fs::write(home.elsewhere().join("pose.json"), "{\"people\": []}").unwrap();
    let reference = "\n[[reference]]\npath = \"pose.json\"\nprepare = [{ plugin = \"pose\" }]\n";
    let manifest = home.write_manifest("nobody", &format!("{QUICK}{reference}"));
    let run = daemon
        .atelier(&["submit", "--wait", "--json", manifest.to_str().unwrap()])
        .exits(1);
    assert!(run.stderr.contains("pose"), "{run}");
    assert!(run.json().is_object(), "one document says all of it");
    let error = home.wait_for_error("nobody");
    assert_eq!(error["stage"].as_str(), Some("prepare"), "{error}");
}

#[test]
fn waiting_for_a_job_that_is_cancelled_ends_with_4() {
    let home = Home::new();
    let daemon = Daemon::start(&home);
    let _ = daemon.atelier(&["pause"]).exits(0);
    let manifest = home.write_manifest("regretted", QUICK);
    std::thread::scope(|scope| {
        let waiting =
            scope.spawn(|| daemon.atelier(&["submit", "--wait", manifest.to_str().unwrap()]));
        let id = wait_for("the job", || {
            let jobs = daemon.atelier(&["jobs", "--json"]).exits(0).json();
            Some(jobs[0]["id"].as_str()?.to_owned())
        });
        let _ = daemon.atelier(&["cancel", &id]).exits(0);
        let _ = waiting.join().unwrap().exits(4);
    });
}

#[test]
fn no_daemon_is_status_6_and_no_manifest_3() {
    let home = Home::new();
    let manifest = home.write_manifest("lonely", QUICK);
    let run = home
        .atelier(&["submit", manifest.to_str().unwrap()])
        .exits(6);
    assert!(
        run.stderr.contains("atelier daemon"),
        "says what to do: {run}"
    );
    let daemon = Daemon::start(&home);
    let _ = daemon
        .atelier(&["submit", "no-such-manifest.toml"])
        .exits(3);
}
