//! The queue as its commands show and change it.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;

use atelier_tests::{Daemon, Home, wait_for, wait_until};

/// The smallest job there is.
const QUICK: &str =
    "manifest = 1\nprompt = \"a lighthouse\"\nwidth = 64\nheight = 64\nsteps = 1\nseed = 7\n";

/// A job that is still at work when a test gets to it, and stops between two steps.
const SLOW: &str =
    "manifest = 1\nprompt = \"a cathedral\"\nwidth = 512\nheight = 512\nsteps = 200\nseed = 7\n";

#[test]
fn jobs_and_job_show_what_ran_and_how_it_ended() {
    let home = Home::new();
    let daemon = Daemon::start(&home);
    let fine = daemon.submit(&home.write_manifest("fine", QUICK));
    daemon.wait_for_state(&fine, &["done"]);

    let jobs = daemon.atelier(&["jobs", "--json"]).exits(0).json();
    let [job] = jobs.as_array().unwrap().as_slice() else {
        panic!("one job, not {jobs}")
    };
    assert_eq!(job["id"], fine.as_str());
    assert_eq!(job["name"], "fine");
    assert_eq!(job["state"], "done");
    assert_eq!(job["progress"], 1.0);
    assert_eq!(job["priority"], 0);
    assert_eq!(job["attempt"], 1);
    assert!(job["error"].is_null());

    assert_eq!(daemon.job(&fine)["state"], "done");
    let listed = |state: &str| {
        let jobs = daemon
            .atelier(&["jobs", "--state", state, "--json"])
            .exits(0)
            .json();
        jobs.as_array().unwrap().len()
    };
    assert_eq!(
        (listed("done"), listed("failed"), listed("queued")),
        (1, 0, 0)
    );
    assert!(
        daemon.atelier(&["jobs"]).exits(0).stdout.contains(&fine),
        "people see the id too"
    );
    assert!(
        daemon
            .atelier(&["job", &fine])
            .exits(0)
            .stdout
            .contains("done")
    );
}

#[test]
fn an_unknown_job_is_its_own_answer() {
    let home = Home::new();
    let daemon = Daemon::start(&home);
    // Well formed, and never given out: the first id of all time.
    let id = "00000000000000000000000001";
    for verb in ["job", "cancel", "retry"] {
        let run = daemon.atelier(&[verb, id]).exits(3);
        assert!(run.stderr.contains(id), "{run}");
    }
    let _ = daemon.atelier(&["jobs", "--state", "sideways"]).exits(2);
}

#[test]
fn a_running_job_is_cancelled_between_steps_and_the_next_one_runs() {
    let home = Home::new();
    let daemon = Daemon::start(&home);
    let slow = daemon.submit(&home.write_manifest("slow", SLOW));
    let quick = daemon.submit(&home.write_manifest("quick", QUICK));
    daemon.wait_for_state(&slow, &["running"]);
    let _ = daemon.atelier(&["cancel", &slow]).exits(0);
    daemon.wait_for_state(&slow, &["cancelled"]);
    daemon.wait_for_state(&quick, &["done"]);
    wait_until("the cancelled manifest", || {
        home.cancelled().join("slow.toml").exists()
    });
    assert_eq!(
        Home::names(&home.outbox()),
        ["quick.png"],
        "nothing of the cancelled job"
    );
    let _ = daemon.atelier(&["cancel", &slow]).exits(2);
}

#[test]
fn a_queued_job_is_cancelled_and_never_runs() {
    let home = Home::new();
    let daemon = Daemon::start(&home);
    let _ = daemon.atelier(&["pause"]).exits(0);
    let id = daemon.submit(&home.write_manifest("waits", QUICK));
    let _ = daemon.atelier(&["cancel", &id]).exits(0);
    let job = daemon.wait_for_state(&id, &["cancelled"]);
    assert_eq!(job["attempt"], 0, "it never ran");
    let _ = daemon.atelier(&["resume"]).exits(0);
    let next = daemon.submit(&home.write_manifest("next", QUICK));
    daemon.wait_for_state(&next, &["done"]);
    assert_eq!(Home::names(&home.outbox()), ["next.png"]);
}

#[test]
fn a_cancelled_job_can_be_queued_again() {
    let home = Home::new();
    let daemon = Daemon::start(&home);
    let _ = daemon.atelier(&["pause"]).exits(0);
    let id = daemon.submit(&home.write_manifest("twice", QUICK));
    let _ = daemon.atelier(&["cancel", &id]).exits(0);
    daemon.wait_for_state(&id, &["cancelled"]);
    let _ = daemon.atelier(&["resume"]).exits(0);
    let _ = daemon.atelier(&["retry", &id]).exits(0);
    wait_until("the job done after all", || {
        daemon.job(&id)["state"] == "done"
    });
    assert_eq!(Home::names(&home.outbox()), ["twice.png"]);
}

#[test]
fn a_paused_daemon_starts_nothing_and_then_takes_the_most_urgent_first() {
    let home = Home::new();
    let daemon = Daemon::start(&home);
    let _ = daemon.atelier(&["pause"]).exits(0);
    let submit = |name: &str, priority: i32| {
        let text = format!("{QUICK}priority = {priority}\n");
        daemon.submit(&home.write_manifest(name, &text))
    };
    let ids = [
        submit("low", -5),
        submit("first", 0),
        submit("second", 0),
        submit("urgent", 10),
    ];
    for id in &ids {
        assert_eq!(daemon.job(id)["state"], "queued");
    }
    let _ = daemon.atelier(&["resume"]).exits(0);
    for id in &ids {
        daemon.wait_for_state(id, &["done"]);
    }
    let finished = |name: &str| {
        let result = home.done().join(format!("{name}.result.toml"));
        wait_for("a result", || fs::metadata(&result).ok())
            .modified()
            .unwrap()
    };
    let mut order = ["low", "first", "second", "urgent"];
    order.sort_by_key(|name| finished(name));
    assert_eq!(order, ["urgent", "first", "second", "low"]);
}

#[test]
fn the_queue_outlives_the_daemon() {
    let home = Home::new();
    let daemon = Daemon::start(&home);
    let _ = daemon.atelier(&["pause"]).exits(0);
    let id = daemon.submit(&home.write_manifest("patient", QUICK));
    assert!(daemon.stop().success());
    let daemon = Daemon::start(&home);
    let _ = daemon.atelier(&["resume"]).exits(0);
    daemon.wait_for_state(&id, &["done"]);
    assert_eq!(Home::names(&home.outbox()), ["patient.png"]);
}

#[test]
fn two_daemons_never_share_a_home() {
    let home = Home::new();
    let daemon = Daemon::start(&home);
    // On another bus, where the name is free: the home itself must say no.
    let run = home.atelier(&["daemon", "--no-dbus"]).exits(1);
    assert!(run.stderr.contains("error["), "{run}");
    let id = daemon.submit(&home.write_manifest("still", QUICK));
    daemon.wait_for_state(&id, &["done"]);
}

#[test]
fn a_delivery_that_could_not_be_finished_is_finished_later_and_told() {
    let home = Home::new();
    let daemon = Daemon::start(&home);
    let aside = home.path().join("aside");
    fs::rename(home.outbox(), &aside).unwrap();
    let id = daemon.submit(&home.write_manifest("held-up", QUICK));
    wait_until("the delivery to be put off", || {
        daemon.log().contains("delivery is tried again")
    });
    assert_eq!(daemon.job(&id)["state"], "signing");

    fs::rename(&aside, home.outbox()).unwrap();
    // Another job wakes the worker; alone it would look again by itself within half a minute.
    let next = daemon.submit(&home.write_manifest("next", QUICK));
    daemon.wait_for_state(&next, &["done"]);
    daemon.wait_for_state(&id, &["done"]);
    assert_eq!(
        Home::names(&home.outbox()),
        ["held-up.png", "next.png"],
        "each once"
    );
    // Who watches the job on the bus must hear of it too.
    wait_until("the bus to say so", || {
        let path = format!("/org/atelier/Atelier1/jobs/{id}");
        let asked = [
            "--user",
            "get-property",
            "org.atelier.Atelier1",
            &path,
            "org.atelier.Atelier1.Job",
            "State",
        ];
        daemon.client("busctl", &asked).stdout.contains("done")
    });
}
