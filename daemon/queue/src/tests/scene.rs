//! A home in a temporary folder, and the calls that a program would make on it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use tempfile::TempDir;

use crate::intake::{Candidate, Kind, Signature};
use crate::{
    Attempt, Claimed, Clock, Delivery, Home, InputSource, NewJob, Options, Output, Queue,
    QueueError, RecoveryReport, ResultNotes,
};

/// The two pictures that every job here makes.
pub(super) const PICTURES: [&[u8]; 2] = [b"first picture", b"second picture"];

/// A clock that stands still until a test moves it.
#[derive(Clone, Default)]
pub(super) struct Hands(Arc<AtomicI64>);

impl Hands {
    pub(super) fn set(&self, ms: i64) {
        self.0.store(ms, Ordering::SeqCst);
    }

    fn clock(&self) -> Clock {
        let hands = self.clone();
        Clock::from_fn(move || hands.0.load(Ordering::SeqCst))
    }
}

pub(super) struct Scene {
    pub(super) dir: TempDir,
    pub(super) hands: Hands,
}

impl Scene {
    pub(super) fn new() -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
            hands: Hands::default(),
        }
    }

    pub(super) fn home(&self) -> Home {
        Home::under(self.dir.path())
    }

    pub(super) fn open(&self) -> (Queue, RecoveryReport) {
        open(&self.home(), self.hands.clock()).unwrap()
    }

    pub(super) fn start(&self) -> Queue {
        let (queue, report) = self.open();
        assert!(report.problems.is_empty(), "{:?}", report.problems);
        queue
    }

    /// Drops a manifest and its picture, as a user would: the picture first.
    pub(super) fn drop_manifest(&self, name: &str) -> Candidate {
        drop_manifest(&self.home(), name)
    }

    /// All files below the home except the ledger's, with their content.
    pub(super) fn files(&self) -> BTreeMap<String, String> {
        let mut files = BTreeMap::new();
        collect(self.dir.path(), self.dir.path(), &mut files);
        files
    }
}

pub(super) fn open(home: &Home, clock: Clock) -> Result<(Queue, RecoveryReport), QueueError> {
    Queue::open(
        home.clone(),
        Options {
            keep_free: 0,
            clock,
            ..Options::default()
        },
    )
}

pub(super) fn drop_manifest(home: &Home, name: &str) -> Candidate {
    fs::write(home.inbox.join("woman.jpg"), "pixels").unwrap();
    let path = home.inbox.join(name);
    fs::write(&path, format!("manifest {name}")).unwrap();
    candidate(home, name)
}

pub(super) fn candidate(home: &Home, name: &str) -> Candidate {
    let path = home.inbox.join(name);
    Candidate {
        root: home.inbox.clone(),
        signature: Signature::from(&fs::symlink_metadata(&path).unwrap()),
        path,
        name: name.into(),
        kind: Kind::Plain,
    }
}

pub(super) fn accept(queue: &Queue, claimed: &Claimed) -> Result<crate::JobRow, QueueError> {
    let input = InputSource::open(&queue.home().inbox.join("woman.jpg"))?;
    queue.accept(
        claimed,
        &NewJob {
            spec: "the spec".into(),
            ..NewJob::default()
        },
        &[input],
    )
}

pub(super) fn stage_all(queue: &Queue, attempt: &Attempt) -> Result<(), QueueError> {
    for (index, bytes) in (0..).zip(PICTURES) {
        let output = Output {
            index,
            bytes,
            stem: &attempt.job.name,
            extension: "png",
            seed: Some(i64::from(index) + 40),
            width: Some(64),
            height: Some(32),
        };
        queue.stage_output(attempt, &output)?;
    }
    Ok(())
}

pub(super) fn notes() -> ResultNotes {
    ResultNotes {
        model: "tiny".into(),
        seeds: vec![40, 41],
        timings: BTreeMap::from([("infer".into(), 0.5)]),
        notes: BTreeMap::from([("device".into(), "cpu".into())]),
        ..ResultNotes::default()
    }
}

/// One attempt from its turn to done.
pub(super) fn work_one(queue: &Queue) -> Result<Option<crate::JobRow>, QueueError> {
    let Some(job) = queue.next()? else {
        return Ok(None);
    };
    let attempt = queue.begin_attempt(job.id)?;
    queue.set_stage(&attempt, crate::Stage::Running)?;
    let input = queue.inputs_dir(job.id).join(&attempt.job.inputs[0].file);
    assert_eq!(fs::read(input).unwrap(), b"pixels");
    stage_all(queue, &attempt)?;
    queue.set_stage(&attempt, crate::Stage::Signing)?;
    let delivery: Delivery = queue.deliver(&attempt, &notes())?;
    queue.complete(delivery).map(Some)
}

fn collect(root: &Path, dir: &Path, files: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let name = path
            .strip_prefix(root)
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned();
        if path.is_dir() {
            if fs::read_dir(&path).unwrap().next().is_none() && name.contains('/') {
                files.insert(format!("{name}/"), String::new());
            }
            collect(root, &path, files);
        } else if !name.starts_with("ledger.") {
            files.insert(name, fs::read_to_string(&path).unwrap());
        }
    }
}
