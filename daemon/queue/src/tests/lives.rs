//! Lives of jobs through the public calls, one per ending.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use std::fs;

use super::scene::{Scene, accept, candidate, notes, stage_all, work_one};
use crate::intake::Kind;
use crate::records::from_toml;
use crate::{
    CancelOutcome, ErrorFile, FailOutcome, Filter, JobRow, NewJob, Queue, Reader, ResultFile,
    Stage, StateName,
};

/// A manifest that was dropped, claimed and accepted.
fn accepted(scene: &Scene, queue: &Queue, name: &str) -> JobRow {
    let candidate = scene.drop_manifest(name);
    let claimed = queue.claim(&candidate).unwrap().unwrap();
    accept(queue, &claimed).unwrap()
}

fn names(scene: &Scene) -> Vec<String> {
    scene
        .files()
        .into_keys()
        .filter(|name| name != "inbox/woman.jpg")
        .collect()
}

fn error_file(scene: &Scene, name: &str) -> ErrorFile {
    from_toml(
        &fs::read_to_string(scene.dir.path().join(name)).unwrap(),
        "error file",
    )
    .unwrap()
}

#[test]
fn a_job_that_goes_well() {
    let scene = Scene::new();
    let queue = scene.start();
    let job = accepted(&scene, &queue, "poster.toml");
    assert_eq!(
        (job.state(), job.name.as_str()),
        (StateName::Queued, "poster")
    );
    assert_eq!(job.spec, "the spec");
    let done = work_one(&queue).unwrap().unwrap();
    assert_eq!(done.state(), StateName::Done);
    assert_eq!(done.filed().as_deref(), Some("done/poster"));
    assert_eq!(
        names(&scene),
        [
            "done/poster.result.toml",
            "done/poster.toml",
            "outbox/poster-2.png",
            "outbox/poster.png"
        ]
    );
    let files = scene.files();
    assert_eq!(files["done/poster.toml"], "manifest poster.toml");
    let result: ResultFile = from_toml(&files["done/poster.result.toml"], "result").unwrap();
    assert_eq!((result.job, result.model.as_str()), (job.id, "tiny"));
    assert_eq!(result.outputs[1].name, "poster-2.png");
    assert_eq!(result.outputs[1].seed, Some(41));
    assert_eq!(
        result.outputs[1].sha256,
        crate::durable::sha256_hex(b"second picture")
    );
    assert!(queue.next().unwrap().is_none());
    let reader = Reader::open(&queue.home().ledger).unwrap();
    assert_eq!(
        reader.list(&Filter::default()).unwrap(),
        std::slice::from_ref(&done)
    );
    drop((reader, queue));
    let reader = Reader::open(&scene.home().ledger).unwrap();
    assert_eq!(reader.get(job.id).unwrap(), done, "without a daemon");
}

#[test]
fn a_refused_manifest_lies_beside_its_reason() {
    let scene = Scene::new();
    let queue = scene.start();
    for expected in ["bad", "bad-2"] {
        let candidate = scene.drop_manifest("bad.toml");
        assert_eq!(queue.peek(&candidate, 100).unwrap(), b"manifest bad.toml");
        let error = ErrorFile::new("unknown-key", "validate", "there is no key \"promt\"");
        assert_eq!(
            queue.refuse(&candidate, error).unwrap().as_deref(),
            Some(expected)
        );
    }
    assert_eq!(
        names(&scene),
        [
            "failed/bad-2.error.toml",
            "failed/bad-2.toml",
            "failed/bad.error.toml",
            "failed/bad.toml"
        ]
    );
    let error = error_file(&scene, "failed/bad.error.toml");
    assert_eq!(
        (error.code.as_str(), error.attempts, error.job),
        ("unknown-key", 0, None)
    );
    assert_eq!(error.at, "1970-01-01T00:00:00Z");
    assert!(queue.list(&Filter::default()).unwrap().is_empty());
}

#[test]
fn what_is_no_plain_file_is_refused_and_never_opened() {
    let scene = Scene::new();
    let queue = scene.start();
    let home = queue.home();
    let mode = rustix::fs::Mode::from_raw_mode(0o600);
    rustix::fs::mkfifoat(rustix::fs::CWD, home.inbox.join("pipe.toml"), mode).unwrap();
    let mut pipe = candidate(home, "pipe.toml");
    assert_eq!(
        queue.peek(&pipe, 100).unwrap_err().code(),
        "manifest-unusable"
    );
    pipe.kind = Kind::Special("a pipe");
    let error = queue.claim(&pipe).unwrap_err();
    assert_eq!(error.code(), "manifest-unusable");
    let filed = queue
        .refuse(&pipe, ErrorFile::from_queue(&error, "claim"))
        .unwrap();
    assert_eq!(filed.as_deref(), Some("pipe"));
    assert!(fs::symlink_metadata(home.failed.join("pipe.toml")).is_ok());
    assert!(!home.inbox.join("pipe.toml").exists());
}

#[test]
fn a_claim_with_a_missing_input_can_be_refused_or_released() {
    let scene = Scene::new();
    let queue = scene.start();
    for refuse in [true, false] {
        let candidate = scene.drop_manifest("a.toml");
        fs::remove_file(queue.home().inbox.join("woman.jpg")).unwrap();
        let claimed = queue.claim(&candidate).unwrap().unwrap();
        let error = accept(&queue, &claimed).unwrap_err();
        assert_eq!(error.code(), "input-unusable");
        if refuse {
            queue
                .refuse_claimed(claimed, ErrorFile::from_queue(&error, "accept"))
                .unwrap();
            assert_eq!(names(&scene), ["failed/a.error.toml", "failed/a.toml"]);
        } else {
            queue.release(claimed).unwrap();
            assert!(queue.home().inbox.join("a.toml").exists());
        }
    }
}

#[test]
fn a_failure_that_passes_is_tried_again_and_then_given_up() {
    let scene = Scene::new();
    let queue = scene.start();
    let job = accepted(&scene, &queue, "a.toml");
    let fault = || ErrorFile::new("device-lost", "infer", "the device is gone");
    let mut now = 0;
    for failure in 1..5 {
        let attempt = queue
            .begin_attempt(queue.next().unwrap().unwrap().id)
            .unwrap();
        assert_eq!(attempt.number, failure);
        let FailOutcome::Again { not_before_ms } = queue.fail(&attempt, fault(), true).unwrap()
        else {
            panic!("given up after {failure}")
        };
        assert!(not_before_ms >= now + 15_000);
        assert_eq!(
            queue.get(job.id).unwrap().fault().unwrap().code,
            "device-lost"
        );
        scene.hands.set(not_before_ms - 1);
        assert!(queue.next().unwrap().is_none());
        assert_eq!(queue.next_due_ms().unwrap(), Some(not_before_ms));
        now = not_before_ms;
        scene.hands.set(now);
        assert_eq!(
            queue
                .set_stage(&attempt, Stage::Running)
                .unwrap_err()
                .code(),
            "attempt-superseded"
        );
    }
    let attempt = queue.begin_attempt(job.id).unwrap();
    assert_eq!(
        queue.fail(&attempt, fault(), true).unwrap(),
        FailOutcome::Failed
    );
    assert_eq!(
        names(&scene),
        [
            "failed/a.error.toml",
            "failed/a.inputs/1-woman.jpg",
            "failed/a.toml"
        ]
    );
    let error = error_file(&scene, "failed/a.error.toml");
    assert_eq!((error.attempts, error.job), (5, Some(job.id)));
}

#[test]
fn a_failed_job_runs_again_from_what_was_kept() {
    let scene = Scene::new();
    let queue = scene.start();
    let job = accepted(&scene, &queue, "a.toml");
    let attempt = queue.begin_attempt(job.id).unwrap();
    stage_all(&queue, &attempt).unwrap();
    queue
        .fail(&attempt, ErrorFile::new("x", "sign", "x"), false)
        .unwrap();
    fs::remove_file(queue.home().inbox.join("woman.jpg")).unwrap();
    let queued = queue.retry(job.id).unwrap();
    assert_eq!(
        (queued.state(), queued.life.attempts),
        (StateName::Queued, 1)
    );
    assert!(
        names(&scene)
            .iter()
            .all(|name| name.starts_with("working/")),
        "{:?}",
        names(&scene)
    );
    let done = work_one(&queue).unwrap().unwrap();
    assert_eq!((done.id, done.life.attempts), (job.id, 2));
    assert_eq!(
        names(&scene),
        [
            "done/a.result.toml",
            "done/a.toml",
            "outbox/a-2.png",
            "outbox/a.png"
        ]
    );
    assert_eq!(
        queue.retry(job.id).unwrap_err().code(),
        "illegal-transition"
    );
}

#[test]
fn cancelling_at_each_point() {
    let scene = Scene::new();
    let queue = scene.start();
    let waiting = accepted(&scene, &queue, "waiting.toml");
    assert_eq!(queue.cancel(waiting.id).unwrap(), CancelOutcome::Cancelled);
    assert_eq!(
        queue.cancel(waiting.id).unwrap(),
        CancelOutcome::Ended(StateName::Cancelled)
    );
    assert_eq!(
        error_file(&scene, "cancelled/waiting.error.toml").code,
        "cancelled"
    );

    let working = accepted(&scene, &queue, "working.toml");
    let attempt = queue.begin_attempt(working.id).unwrap();
    assert_eq!(queue.cancel(working.id).unwrap(), CancelOutcome::Requested);
    assert!(queue.is_cancel_requested(&attempt).unwrap());
    stage_all(&queue, &attempt).unwrap();
    assert_eq!(
        queue.deliver(&attempt, &notes()).unwrap_err().code(),
        "cancelled"
    );
    queue.stopped(&attempt).unwrap();
    assert_eq!(queue.get(working.id).unwrap().state(), StateName::Cancelled);
    assert!(!names(&scene).iter().any(|name| name.starts_with("outbox")));

    let late = accepted(&scene, &queue, "late.toml");
    let attempt = queue.begin_attempt(late.id).unwrap();
    stage_all(&queue, &attempt).unwrap();
    let delivery = queue.deliver(&attempt, &notes()).unwrap();
    assert_eq!(queue.cancel(late.id).unwrap(), CancelOutcome::TooLate);
    assert_eq!(queue.complete(delivery).unwrap().state(), StateName::Done);
    let unknown = crate::JobId::from_bits(9);
    assert_eq!(queue.cancel(unknown).unwrap_err().code(), "unknown-job");
}

#[test]
fn pauses_and_priorities_outlive_the_daemon() {
    let scene = Scene::new();
    let queue = scene.start();
    let ids: Vec<_> = ["a.toml", "b.toml", "c.toml"]
        .map(|name| accepted(&scene, &queue, name).id)
        .into();
    queue.set_priority(ids[2], 5).unwrap();
    assert_eq!(
        queue.set_priority(ids[2], 11).unwrap_err().code(),
        "priority-out-of-range"
    );
    queue.pause(Some(ids[0])).unwrap();
    queue.pause(None).unwrap();
    drop(queue);
    let queue = scene.start();
    assert!(queue.is_paused().unwrap() && queue.next().unwrap().is_none());
    queue.resume(None).unwrap();
    let order: Vec<_> =
        std::iter::from_fn(|| work_one(&queue).unwrap().map(|job| job.id)).collect();
    assert_eq!(order, [ids[2], ids[1]]);
    queue.resume(Some(ids[0])).unwrap();
    assert_eq!(queue.next().unwrap().unwrap().id, ids[0]);
}

#[test]
fn the_third_death_quarantines_and_a_good_stop_does_not_count() {
    let scene = Scene::new();
    let queue = scene.start();
    let job = accepted(&scene, &queue, "a.toml");
    let attempt = queue.begin_attempt(job.id).unwrap();
    queue.interrupt(&attempt).unwrap();
    drop(queue);
    for death in 1..=3 {
        let (queue, _) = scene.open();
        let now = queue.get(job.id).unwrap();
        assert_eq!(
            (now.state(), now.life.crashes),
            (StateName::Queued, death - 1)
        );
        let _lost = queue.begin_attempt(job.id).unwrap();
    }
    let (queue, report) = scene.open();
    assert_eq!(report.actions.len(), 2, "{report:?}");
    let failed = queue.get(job.id).unwrap();
    assert_eq!(failed.fault().unwrap().code, "crashed-repeatedly");
    assert_eq!(error_file(&scene, "failed/a.error.toml").attempts, 4);
    drop(queue);
    let (_, report) = scene.open();
    assert!(report.actions.is_empty(), "{report:?}");
}

#[test]
fn low_space_claims_nothing_and_begins_nothing() {
    let scene = Scene::new();
    let mut queue = scene.start();
    let job = accepted(&scene, &queue, "a.toml");
    let candidate = scene.drop_manifest("b.toml");
    queue.options.keep_free = u64::MAX;
    assert_eq!(
        queue.claim(&candidate).unwrap_err().code(),
        "low-disk-space"
    );
    assert_eq!(
        queue.adopt("c.toml", b"c").unwrap_err().code(),
        "low-disk-space"
    );
    assert_eq!(
        queue.begin_attempt(job.id).unwrap_err().code(),
        "low-disk-space"
    );
    assert!(candidate.path.exists());
    assert_eq!(queue.get(job.id).unwrap().life.attempts, 0);
}

#[test]
fn a_job_whose_folder_vanished_fails_with_a_reason() {
    let scene = Scene::new();
    let queue = scene.start();
    let job = accepted(&scene, &queue, "a.toml");
    fs::remove_dir_all(queue.home().working.join(job.id.to_string())).unwrap();
    drop(queue);
    let queue = scene.start();
    assert_eq!(queue.get(job.id).unwrap().state(), StateName::Failed);
    assert_eq!(
        error_file(&scene, "failed/a.error.toml").code,
        "spool-entry-missing"
    );
    assert_eq!(queue.retry(job.id).unwrap_err().code(), "not-retryable");
}

#[test]
fn an_outbox_that_vanished_delays_a_delivery_until_it_is_back() {
    let scene = Scene::new();
    let queue = scene.start();
    let job = accepted(&scene, &queue, "a.toml");
    let attempt = queue.begin_attempt(job.id).unwrap();
    stage_all(&queue, &attempt).unwrap();
    fs::remove_dir(&queue.home().outbox).unwrap();
    assert_eq!(
        queue.deliver(&attempt, &notes()).unwrap_err().code(),
        "io-error"
    );
    let fault = ErrorFile::new("x", "deliver", "x");
    assert_eq!(
        queue.fail(&attempt, fault, false).unwrap_err().code(),
        "illegal-transition"
    );
    assert_eq!(queue.tidy().unwrap().len(), 1);
    fs::create_dir(&queue.home().outbox).unwrap();
    assert!(queue.tidy().unwrap().is_empty());
    assert_eq!(queue.get(job.id).unwrap().state(), StateName::Done);
    assert_eq!(
        names(&scene),
        [
            "done/a.result.toml",
            "done/a.toml",
            "outbox/a-2.png",
            "outbox/a.png"
        ]
    );
}

#[test]
fn only_one_daemon_per_home() {
    let scene = Scene::new();
    let _queue = scene.start();
    let error = super::scene::open(&scene.home(), crate::Clock::system()).unwrap_err();
    assert_eq!(error.code(), "already-running");
}

#[test]
fn a_manifest_that_is_handed_in_leaves_no_trace_unless_accepted() {
    let scene = Scene::new();
    let queue = scene.start();
    let claimed = queue.adopt("../x.toml", b"text").unwrap();
    assert_eq!(claimed.name(), "_._x");
    queue.release(claimed).unwrap();
    let _lost = queue.adopt("y.toml", b"text").unwrap();
    drop(queue);
    let queue = scene.start();
    assert!(names(&scene).is_empty(), "{:?}", names(&scene));
    let claimed = queue.adopt("z.toml", b"text").unwrap();
    let job = queue.accept(&claimed, &NewJob::default(), &[]).unwrap();
    assert_eq!((job.root, job.manifest.as_str()), (None, "z.toml"));
}
