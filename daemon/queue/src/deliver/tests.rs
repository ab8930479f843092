//! Placement: collisions, repeats, and what a crash leaves.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use std::fs;

use tempfile::{TempDir, tempdir};

use super::*;
use crate::ledger::NewRow;

const PICTURE: &[u8] = b"a picture";

struct World {
    _dir: TempDir,
    ledger: Ledger,
    entry: Entry,
    outbox: PathBuf,
}

fn id() -> JobId {
    JobId::from_bits(1)
}

impl World {
    fn new(outputs: u32) -> Self {
        let dir = tempdir().unwrap();
        let ledger = Ledger::open(&dir.path().join("ledger.sqlite")).unwrap();
        let entry = Entry::new(dir.path().join("entry"));
        let outbox = dir.path().join("outbox");
        fs::create_dir_all(entry.out()).unwrap();
        fs::create_dir(&outbox).unwrap();
        let row = NewRow {
            id: id(),
            name: "a",
            manifest: "a.toml",
            root: None,
            spec: "",
            priority: 0,
            paused: false,
            accepted_ms: 0,
        };
        ledger.write(|db| Ledger::insert(db, &row)).unwrap();
        for index in 0..outputs {
            let staged = format!("{index}.png");
            fs::write(entry.out().join(&staged), PICTURE).unwrap();
            let output = OutputRow {
                index,
                staged,
                wanted: "a.png".into(),
                sha256: durable::sha256_hex(PICTURE),
                bytes: 9,
                seed: None,
                width: None,
                height: None,
                final_name: None,
                delivered: false,
            };
            ledger
                .write(|db| Ledger::put_output(db, id(), &output))
                .unwrap();
        }
        Self {
            _dir: dir,
            ledger,
            entry,
            outbox,
        }
    }

    fn deliver(&self) -> Result<Vec<String>, QueueError> {
        let files = place_all(&self.ledger, &self.entry, &self.outbox, id())?;
        Ok(files.into_iter().map(|file| file.name).collect())
    }

    fn record(&self, name: &str) {
        self.ledger
            .write(|db| Ledger::set_final(db, id(), 0, name))
            .unwrap();
    }

    fn outbox(&self) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(&self.outbox)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

#[test]
fn a_taken_name_is_numbered_and_left_alone() {
    let world = World::new(2);
    fs::write(world.outbox.join("a.png"), "the user's").unwrap();
    assert_eq!(world.deliver().unwrap(), ["a-2.png", "a-3.png"]);
    assert_eq!(
        world.deliver().unwrap(),
        ["a-2.png", "a-3.png"],
        "delivered again"
    );
    assert_eq!(world.outbox(), ["a-2.png", "a-3.png", "a.png"]);
    assert_eq!(fs::read(world.outbox.join("a.png")).unwrap(), b"the user's");
    assert_eq!(fs::read(world.outbox.join("a-3.png")).unwrap(), PICTURE);
}

#[test]
fn a_rename_before_the_crash_counts_even_if_the_user_was_quick() {
    let world = World::new(1);
    world.record("a.png");
    fs::rename(world.entry.out().join("0.png"), world.outbox.join("a.png")).unwrap();
    assert_eq!(world.deliver().unwrap(), ["a.png"]);
    assert_eq!(world.outbox(), ["a.png"]);

    let world = World::new(1);
    world.record("a.png");
    fs::remove_file(world.entry.out().join("0.png")).unwrap();
    assert_eq!(world.deliver().unwrap(), ["a.png"]);
    assert!(
        world.outbox().is_empty(),
        "it was delivered and taken away; it is not made again"
    );
}

#[test]
fn an_equal_picture_of_another_is_not_mistaken_for_ours() {
    let world = World::new(1);
    world.record("a.png");
    fs::write(world.outbox.join("a.png"), PICTURE).unwrap();
    assert_eq!(world.deliver().unwrap(), ["a-2.png"]);
}

#[test]
fn a_crash_between_link_and_unlink_is_finished() {
    let world = World::new(1);
    world.record("a.png");
    fs::hard_link(world.entry.out().join("0.png"), world.outbox.join("a.png")).unwrap();
    assert_eq!(world.deliver().unwrap(), ["a.png"]);
    assert!(!world.entry.out().join("0.png").exists());
}

#[test]
fn what_is_damaged_or_lost_is_not_delivered() {
    let world = World::new(1);
    fs::write(world.entry.out().join("0.png"), "a pict").unwrap();
    assert_eq!(world.deliver().unwrap_err().code(), "staged-output-lost");
    fs::remove_file(world.entry.out().join("0.png")).unwrap();
    assert_eq!(world.deliver().unwrap_err().code(), "staged-output-lost");
    assert!(world.outbox().is_empty());
}

#[test]
fn every_case_of_the_table_has_one_answer() {
    let placed = [Placed::Nothing, Placed::Same, Placed::Itself, Placed::Other];
    for found in placed {
        assert_eq!(judge(Staged::Whole, false, found), Step::Name);
        assert_eq!(judge(Staged::Gone, true, found), Step::Done);
        assert_eq!(judge(Staged::Gone, false, found), Step::Lost);
        for named in [false, true] {
            assert_eq!(judge(Staged::Damaged, named, found), Step::Lost);
        }
    }
    assert_eq!(judge(Staged::NoFolder, true, Placed::Same), Step::Done);
    assert_eq!(judge(Staged::NoFolder, true, Placed::Nothing), Step::Lost);
    assert_eq!(judge(Staged::NoFolder, false, Placed::Same), Step::Lost);
}
