//! The intake on a real folder with real events: each way a manifest can arrive, and what must never
//! be offered.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Write;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use atelier_queue::intake::{Kind, Mode, WatchOptions};
use atelier_queue::{Intake, Offer};
use tempfile::TempDir;

/// Far above every settle time, for a machine that is busy with other things.
const LONG: Duration = Duration::from_secs(30);
/// Above the settle times, to see that nothing comes.
const QUIET: Duration = Duration::from_millis(2800);

struct Watched {
    dir: TempDir,
    intake: Intake,
    offers: Receiver<Offer>,
}

impl Watched {
    fn new() -> Self {
        Self::with(|_| {})
    }

    /// With files that lie there before the start.
    fn with(before: impl FnOnce(&TempDir)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("in")).unwrap();
        before(&dir);
        let (intake, offers) =
            Intake::start(WatchOptions::new(vec![dir.path().join("in")])).unwrap();
        let watched = Self {
            dir,
            intake,
            offers,
        };
        while watched.intake.folders().is_empty() {
            std::thread::sleep(Duration::from_millis(5));
        }
        watched
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join("in").join(name)
    }

    /// Moves a finished file in, as users are asked to.
    fn move_in(&self, name: &str) {
        let outside = self.dir.path().join(name);
        fs::write(&outside, "x = 1").unwrap();
        fs::rename(outside, self.path(name)).unwrap();
    }

    fn next(&self) -> Offer {
        self.offers.recv_timeout(LONG).unwrap()
    }

    fn assert_quiet(&self) {
        let got = self.offers.recv_timeout(QUIET);
        assert!(matches!(got, Err(RecvTimeoutError::Timeout)), "{got:?}");
    }
}

#[test]
fn a_file_that_is_renamed_in_is_offered_soon_and_once() {
    let watched = Watched::new();
    let moved = Instant::now();
    watched.move_in("a.toml");
    let offer = watched.next();
    if watched.intake.folders()[0].mode == Mode::Native {
        assert!(
            moved.elapsed() < Duration::from_secs(2),
            "{:?}",
            moved.elapsed()
        );
    }
    assert!(moved.elapsed() >= Duration::from_millis(250));
    assert_eq!(offer.name, "a.toml");
    assert_eq!(offer.path, watched.path("a.toml"));
    assert_eq!((offer.kind, offer.signature.bytes), (Kind::Plain, 5));
    // Reading it, touching it, writing into it: it is on loan, nothing is offered again.
    fs::read(&offer.path).unwrap();
    fs::write(&offer.path, "x = 2").unwrap();
    watched.assert_quiet();
    drop(offer);
    assert_eq!(watched.next().name, "a.toml", "it changed meanwhile");
}

#[test]
fn a_slow_writer_is_waited_for() {
    let watched = Watched::new();
    let mut file = File::create(watched.path("slow.toml")).unwrap();
    for _ in 0..4 {
        file.write_all(b"x = 1\n").unwrap();
        let early = watched.offers.recv_timeout(Duration::from_millis(900));
        assert!(
            early.is_err(),
            "offered while it was being written: {early:?}"
        );
    }
    drop(file);
    assert_eq!(watched.next().signature.bytes, 24);
}

#[test]
fn a_hard_link_in_is_seen_though_nobody_closes_it() {
    let watched = Watched::new();
    let outside = watched.dir.path().join("original");
    fs::write(&outside, "x = 1").unwrap();
    fs::hard_link(&outside, watched.path("linked.toml")).unwrap();
    assert_eq!(watched.next().name, "linked.toml");
}

#[test]
fn what_lies_there_at_the_start_is_offered() {
    let watched = Watched::with(|dir| {
        fs::write(dir.path().join("in/old.toml"), "x = 1").unwrap();
        std::os::unix::fs::symlink("old.toml", dir.path().join("in/link.toml")).unwrap();
    });
    let mut offers = [watched.next(), watched.next()];
    offers.sort_by(|a, b| a.name.cmp(&b.name));
    assert_eq!(offers[0].kind, Kind::Special("a symbolic link"));
    assert_eq!(
        (offers[1].name.as_str(), offers[1].kind),
        ("old.toml", Kind::Plain)
    );
}

#[test]
fn unfinished_and_foreign_names_are_never_offered() {
    let watched = Watched::new();
    for name in [
        ".hidden.toml",
        "a.toml.part",
        "a.toml~",
        "a.toml.tmp",
        "picture.png",
        "a.error.toml",
        "~$a.toml",
    ] {
        fs::write(watched.path(name), "x = 1").unwrap();
    }
    fs::create_dir_all(watched.path("folder.toml")).unwrap();
    fs::write(watched.path("folder.toml").join("below.toml"), "x = 1").unwrap();
    watched.intake.scan_now();
    watched.assert_quiet();
    fs::rename(watched.path("a.toml.part"), watched.path("a.toml")).unwrap();
    assert_eq!(watched.next().name, "a.toml");
}

#[test]
fn a_root_that_is_removed_and_made_again_is_watched_again() {
    let watched = Watched::new();
    for round in 0..2 {
        let root = watched.path("");
        if round == 0 {
            fs::remove_dir(&root).unwrap();
        } else {
            fs::remove_file(watched.path("again.toml")).unwrap();
            fs::rename(&root, watched.dir.path().join("away")).unwrap();
        }
        let gone = Instant::now();
        while watched.intake.folders()[0].problem.is_none() {
            assert!(gone.elapsed() < LONG, "round {round}: nobody noticed");
            std::thread::sleep(Duration::from_millis(20));
        }
        fs::create_dir(&root).unwrap();
        watched.move_in("again.toml");
        assert_eq!(watched.next().name, "again.toml", "round {round}");
        assert_eq!(watched.intake.folders()[0].problem, None);
    }
}

#[test]
fn two_thousand_files_at_once_are_each_offered_once() {
    let watched = Watched::new();
    for n in 0..2000 {
        watched.move_in(&format!("{n:04}.toml"));
    }
    let mut loans = Vec::new();
    let mut names = BTreeSet::new();
    while names.len() < 2000 {
        let offer = watched.next();
        assert!(names.insert(offer.name.clone()), "{} twice", offer.name);
        loans.push(offer);
    }
    watched.intake.scan_now();
    watched.assert_quiet();
}

#[test]
fn a_file_that_could_not_be_taken_rests_and_comes_back() {
    let watched = Watched::new();
    watched.move_in("a.toml");
    let held = Instant::now();
    watched.next().hold(Duration::from_millis(1500));
    watched.intake.scan_now();
    let offer = watched.next();
    assert!(
        held.elapsed() >= Duration::from_millis(1500),
        "{:?}",
        held.elapsed()
    );
    // Let go without a word, it is left to the next listing.
    drop(offer);
    watched.assert_quiet();
    watched.intake.scan_now();
    assert_eq!(watched.next().name, "a.toml");
}
