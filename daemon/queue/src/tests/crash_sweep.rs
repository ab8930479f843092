//! Every way to die: the life of a job is cut at its first durable step, at its second, and so on
//! until it survives; after each death a new start must bring the job to exactly one end.
//!
//! The dying is real: this test starts itself as a second process that kills itself with SIGKILL. The
//! second sweep lets the same steps fail with a disk's errors instead, in this process.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Command;

use rustix::io::Errno;

use super::scene::{Scene, accept, candidate, drop_manifest, open, work_one};
use crate::failpoint::{Fault, arm, disarm};
use crate::{Clock, ErrorFile, Filter, Home, JobRow, Queue, QueueError, StateName};

/// Tells the second process which life to live, where, and when to die.
const LIFE: &str = "QUEUE_TEST_LIFE";
const HOME: &str = "QUEUE_TEST_HOME";
const STEP: &str = "QUEUE_TEST_STEP";

/// One call after the other; where it stops is up to the failpoint.
type Life = fn(&Home) -> Result<(), QueueError>;

const LIVES: [(&str, Life); 5] = [
    ("done", done),
    ("refused", refused),
    ("failed", failed_and_retried),
    ("cancelled", cancelled),
    ("handed_in", handed_in),
];

fn start(home: &Home) -> Result<Queue, QueueError> {
    let (queue, report) = open(home, Clock::from_fn(|| 0))?;
    match report.problems.into_iter().next() {
        Some((_, error)) => Err(error),
        None => Ok(queue),
    }
}

/// What is still in the inbox, taken and accepted; a crash may have left more than one number.
fn take_in(queue: &Queue) -> Result<(), QueueError> {
    for name in manifests(&queue.home().inbox) {
        if let Some(claimed) = queue.claim(&candidate(queue.home(), &name))?
            && let Err(error) = accept(queue, &claimed)
        {
            queue.release(claimed)?;
            return Err(error);
        }
    }
    Ok(())
}

fn done(home: &Home) -> Result<(), QueueError> {
    let queue = start(home)?;
    take_in(&queue)?;
    while work_one(&queue)?.is_some() {}
    Ok(())
}

fn refused(home: &Home) -> Result<(), QueueError> {
    let queue = start(home)?;
    for name in manifests(&home.inbox) {
        queue.refuse(
            &candidate(home, &name),
            ErrorFile::new("bad", "validate", "bad"),
        )?;
    }
    Ok(())
}

fn failed_and_retried(home: &Home) -> Result<(), QueueError> {
    let queue = start(home)?;
    take_in(&queue)?;
    while let Some(job) = queue.next()? {
        let attempt = queue.begin_attempt(job.id)?;
        queue.fail(&attempt, ErrorFile::new("x", "infer", "x"), false)?;
        queue.retry(job.id)?;
        let attempt = queue.begin_attempt(job.id)?;
        queue.fail(&attempt, ErrorFile::new("y", "infer", "y"), false)?;
    }
    Ok(())
}

fn cancelled(home: &Home) -> Result<(), QueueError> {
    let queue = start(home)?;
    take_in(&queue)?;
    while let Some(job) = queue.next()? {
        let attempt = queue.begin_attempt(job.id)?;
        queue.cancel(job.id)?;
        queue.stopped(&attempt)?;
    }
    Ok(())
}

fn handed_in(home: &Home) -> Result<(), QueueError> {
    let queue = start(home)?;
    let name = manifests(&home.inbox).first().cloned().unwrap_or_default();
    if queue.list(&Filter::default())?.is_empty() {
        let claimed = queue.adopt(&name, format!("manifest {name}").as_bytes())?;
        accept(&queue, &claimed)?;
    }
    while work_one(&queue)?.is_some() {}
    Ok(())
}

fn manifests(dir: &Path) -> Vec<String> {
    let mut names: Vec<_> = std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".toml"))
        .collect();
    names.sort();
    names
}

/// A fresh home with one manifest, made by no daemon.
fn stage() -> Scene {
    let scene = Scene::new();
    scene.home().prepare().unwrap();
    drop_manifest(&scene.home(), "poster.toml");
    scene
}

/// What must be true once a life has been lived to its end, however often it was cut short before.
fn check(life: &str, scene: &Scene, context: &str) {
    let (queue, report) = scene.open();
    assert!(
        report.actions.is_empty() && report.problems.is_empty(),
        "{context}: {report:?}"
    );
    let jobs = queue.list(&Filter::default()).unwrap();
    drop(queue);
    let mut files = scene.files();
    files.remove("inbox/woman.jpg");
    if life == "handed_in" {
        assert!(
            files.remove("inbox/poster.toml").is_some(),
            "{context}: the original is touched"
        );
    }
    let names: Vec<_> = files.keys().map(String::as_str).collect();
    let expected: &[&str] = match life {
        "done" | "handed_in" => &[
            "done/poster.result.toml",
            "done/poster.toml",
            "outbox/poster-2.png",
            "outbox/poster.png",
        ],
        "refused" => &["failed/poster.error.toml", "failed/poster.toml"],
        "failed" => &[
            "failed/poster.error.toml",
            "failed/poster.inputs/1-woman.jpg",
            "failed/poster.toml",
        ],
        _ => &[
            "cancelled/poster.error.toml",
            "cancelled/poster.inputs/1-woman.jpg",
            "cancelled/poster.toml",
        ],
    };
    assert_eq!(names, expected, "{context}");
    check_jobs(life, &jobs, &files, context);
}

fn check_jobs(life: &str, jobs: &[JobRow], files: &BTreeMap<String, String>, context: &str) {
    if life == "refused" {
        assert!(jobs.is_empty(), "{context}");
        return;
    }
    assert_eq!(jobs.len(), 1, "{context}: {jobs:?}");
    let end = match life {
        "done" | "handed_in" => StateName::Done,
        "failed" => StateName::Failed,
        _ => StateName::Cancelled,
    };
    assert_eq!(jobs[0].state(), end, "{context}");
    if end == StateName::Done {
        assert_eq!(files["outbox/poster.png"], "first picture", "{context}");
        assert_eq!(files["outbox/poster-2.png"], "second picture", "{context}");
        assert!(
            files["done/poster.result.toml"].contains(&jobs[0].id.to_string()),
            "{context}"
        );
    }
    if end != StateName::Done {
        let note = files.iter().find(|(name, _)| name.ends_with(".error.toml"));
        assert!(
            note.unwrap().1.contains(&jobs[0].id.to_string()),
            "{context}"
        );
    }
}

/// Lives `life` in another process that dies at its `step`-th durable step. `true` if it had fewer.
fn survives(life: &str, home: &Path, step: u64) -> bool {
    let status = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "tests::crash_sweep::killed_at_every_step_each_job_ends_once",
        ])
        .env(LIFE, life)
        .env(HOME, home)
        .env(STEP, step.to_string())
        .output()
        .unwrap()
        .status;
    assert!(
        status.success() || status.signal() == Some(9),
        "{life}, {step}: {status}"
    );
    status.success()
}

/// What [`survives`] runs in the other process.
fn live_and_die(life: &str) {
    let home = Home::under(Path::new(&std::env::var(HOME).unwrap()));
    arm(Fault::Kill, std::env::var(STEP).unwrap().parse().unwrap());
    match LIVES.iter().find(|(name, _)| *name == life) {
        Some((_, live)) => live(&home).unwrap(),
        None => drop(start(&home).unwrap()),
    }
}

#[test]
fn killed_at_every_step_each_job_ends_once() {
    if let Ok(life) = std::env::var(LIFE) {
        return live_and_die(&life);
    }
    // Each step waits for the disk, so the lives are swept side by side.
    std::thread::scope(|scope| {
        for (life, live) in LIVES {
            scope.spawn(move || sweep(life, live));
        }
    });
}

fn sweep(life: &str, live: Life) {
    for step in 1.. {
        let scene = stage();
        let context = format!("{life} killed at step {step}");
        let survived = survives(life, scene.dir.path(), step);
        // Whatever is left of the job is done by the next start and the work after it.
        live(&scene.home()).unwrap_or_else(|error| panic!("{context}: {error}"));
        check(life, &scene, &context);
        if survived {
            assert!(
                step > 15,
                "{life} has only {step} steps: the queue was not reached"
            );
            return;
        }
    }
}

#[test]
fn failing_at_every_step_loses_no_job() {
    std::thread::scope(|scope| {
        for (life, live) in LIVES {
            for errno in [Errno::NOSPC, Errno::IO] {
                scope.spawn(move || fail_everywhere(life, live, errno));
            }
        }
    });
}

fn fail_everywhere(life: &str, live: Life, errno: Errno) {
    for step in 1.. {
        let scene = stage();
        let context = format!("{life} failing with {errno} at step {step}");
        arm(Fault::Error(errno), step);
        let result = live(&scene.home());
        let steps = disarm();
        live(&scene.home()).unwrap_or_else(|error| panic!("{context}: {error}"));
        check(life, &scene, &context);
        if (steps.len() as u64) < step {
            result.unwrap();
            assert!(
                step > 15,
                "{life} has only {step} steps: the queue was not reached"
            );
            return;
        }
    }
}

#[test]
fn dying_again_during_the_recovery_changes_nothing() {
    std::thread::scope(|scope| {
        for (life, live) in LIVES {
            scope.spawn(move || die_twice(life, live));
        }
    });
}

/// A life cut at several places, and its recovery then cut at every step as well.
fn die_twice(life: &str, live: Life) {
    let rehearsal = stage();
    arm(Fault::Kill, u64::MAX);
    live(&rehearsal.home()).unwrap();
    let steps = disarm().len() as u64;
    let mut recoveries = 0;
    for first in (1..=steps).rev().step_by(5) {
        for second in 1.. {
            let scene = stage();
            let context = format!("{life} killed at {first}, its recovery at {second}");
            assert!(!survives(life, scene.dir.path(), first), "{context}");
            let survived = survives("recovery alone", scene.dir.path(), second);
            live(&scene.home()).unwrap_or_else(|error| panic!("{context}: {error}"));
            check(life, &scene, &context);
            if survived {
                break;
            }
            recoveries += 1;
        }
    }
    assert!(recoveries > 10, "{life}: no recovery was cut");
}
