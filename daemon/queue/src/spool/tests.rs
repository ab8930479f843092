//! Claims, put-backs and filings on a real file system.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use std::fs;

use tempfile::{TempDir, tempdir};

use super::*;
use crate::intake::{Candidate, Kind, Signature};

fn id(n: u128) -> JobId {
    JobId::from_bits(n)
}

fn spool() -> (TempDir, Spool) {
    let dir = tempdir().unwrap();
    let home = Home::under(dir.path());
    home.prepare().unwrap();
    (dir, Spool::new(home))
}

fn drop_manifest(spool: &Spool, name: &str, text: &str) -> Candidate {
    let path = spool.home.inbox.join(name);
    fs::write(&path, text).unwrap();
    Candidate {
        root: spool.home.inbox.clone(),
        signature: Signature::from(&fs::symlink_metadata(&path).unwrap()),
        path,
        name: name.into(),
        kind: Kind::Plain,
    }
}

fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_claim_moves_the_manifest_and_remembers_where_from() {
    let (_dir, spool) = spool();
    let candidate = drop_manifest(&spool, "a b.toml", "x = 1");
    let claimed = spool.claim(&candidate, id(1)).unwrap().unwrap();
    assert_eq!(claimed.name(), "a b");
    assert_eq!(claimed.read(100).unwrap(), b"x = 1");
    assert_eq!(claimed.read(4).unwrap_err().code(), "manifest-unusable");
    assert!(names(&spool.home.inbox).is_empty());
    drop_manifest(&spool, "a b.toml", "x = 2");
    spool.put_back(&spool.claiming(id(1))).unwrap();
    assert_eq!(names(&spool.home.inbox), ["a b-2.toml", "a b.toml"]);
    assert_eq!(
        fs::read(spool.home.inbox.join("a b-2.toml")).unwrap(),
        b"x = 1"
    );
    assert!(names(&spool.home.working).is_empty());
}

#[test]
fn losing_the_race_is_not_an_error() {
    let (_dir, spool) = spool();
    let candidate = drop_manifest(&spool, "a.toml", "x = 1");
    fs::remove_file(&candidate.path).unwrap();
    assert!(spool.claim(&candidate, id(1)).unwrap().is_none());
    assert!(names(&spool.home.working).is_empty());
}

#[test]
fn a_file_that_changed_since_it_settled_goes_back() {
    let (_dir, spool) = spool();
    let candidate = drop_manifest(&spool, "a.toml", "x = 1");
    fs::write(&candidate.path, "x = 1 # more").unwrap();
    assert!(spool.claim(&candidate, id(1)).unwrap().is_none());
    assert_eq!(names(&spool.home.inbox), ["a.toml"]);
    assert!(names(&spool.home.working).is_empty());
}

#[test]
fn inputs_are_copied_and_digested() {
    let (dir, spool) = spool();
    let claimed = spool.adopt("x.toml", b"x", id(1)).unwrap();
    let picture = dir.path().join("woman.jpg");
    fs::write(&picture, "pixels").unwrap();
    let sources = [
        InputSource::open(&picture).unwrap(),
        InputSource::open(&picture).unwrap(),
    ];
    let rows = snapshot(&spool.claiming(id(1)), &sources).unwrap();
    fs::write(&picture, "other pixels").unwrap();
    let entry = spool.settle(claimed.id()).unwrap();
    assert_eq!(names(&entry.inputs()), ["1-woman.jpg", "2-woman.jpg"]);
    assert_eq!(
        fs::read(entry.inputs().join("2-woman.jpg")).unwrap(),
        b"pixels"
    );
    assert_eq!(rows[1].sha256, durable::sha256_hex(b"pixels"));
    assert_eq!((rows[1].number, rows[1].bytes), (2, 6));
}

#[test]
fn links_pipes_and_folders_are_no_inputs() {
    let (dir, _spool) = spool();
    let code = |path: &Path| InputSource::open(path).unwrap_err().code();
    let link = dir.path().join("link");
    std::os::unix::fs::symlink("/etc/hostname", &link).unwrap();
    let pipe = dir.path().join("pipe");
    rustix::fs::mkfifoat(
        rustix::fs::CWD,
        &pipe,
        rustix::fs::Mode::from_raw_mode(0o600),
    )
    .unwrap();
    for path in [link, pipe, dir.path().to_owned(), dir.path().join("none")] {
        assert_eq!(code(&path), "input-unusable", "{}", path.display());
    }
}

#[test]
fn both_files_of_an_ending_share_a_number() {
    let (_dir, spool) = spool();
    fs::write(spool.home.done.join("a.toml"), "old").unwrap();
    fs::write(spool.home.done.join("a-2.result.toml"), "foreign").unwrap();
    let candidate = drop_manifest(&spool, "a.toml", "x = 1");
    let _claimed = spool.claim(&candidate, id(1)).unwrap().unwrap();
    let entry = spool.settle(id(1)).unwrap();
    let filed = spool
        .file_away(&entry, Ending::Done, "a", "result")
        .unwrap();
    assert_eq!(filed.to_string(), "done/a-3");
    assert_eq!(filed.to_string().parse::<Filed>().unwrap(), filed);
    // Again, as after a crash: nothing changes, and the later note is not written.
    assert_eq!(
        spool
            .file_away(&entry, Ending::Done, "a", "another")
            .unwrap(),
        filed
    );
    assert_eq!(
        names(&spool.home.done),
        ["a-2.result.toml", "a-3.result.toml", "a-3.toml", "a.toml"]
    );
    assert_eq!(
        fs::read(spool.home.done.join("a-3.result.toml")).unwrap(),
        b"result"
    );
}

#[test]
fn a_name_taken_after_it_was_chosen_is_given_up_whole() {
    let (_dir, spool) = spool();
    let candidate = drop_manifest(&spool, "a.toml", "x = 1");
    let _claimed = spool.claim(&candidate, id(1)).unwrap().unwrap();
    let entry = spool.settle(id(1)).unwrap();
    durable::write_new(&entry.note(), b"note").unwrap();
    spool.choose(&entry, Ending::Failed, "a", 1).unwrap();
    fs::write(spool.home.failed.join("a.toml"), "foreign").unwrap();
    let filed = spool
        .file_away(&entry, Ending::Failed, "a", "unused")
        .unwrap();
    assert_eq!(filed.to_string(), "failed/a-2");
    assert_eq!(
        names(&spool.home.failed),
        ["a-2.error.toml", "a-2.toml", "a.toml"]
    );
    assert_eq!(
        fs::read(spool.home.failed.join("a.toml")).unwrap(),
        b"foreign"
    );
}

#[test]
fn a_failed_job_keeps_its_inputs_and_can_be_revived() {
    let (dir, spool) = spool();
    let picture = dir.path().join("p.png");
    fs::write(&picture, "pixels").unwrap();
    let claimed = spool.adopt("a.toml", b"manifest", id(1)).unwrap();
    let rows = snapshot(
        &spool.claiming(id(1)),
        &[InputSource::open(&picture).unwrap()],
    )
    .unwrap();
    let entry = spool.settle(id(1)).unwrap();
    let note = crate::ErrorFile {
        job: Some(id(1)),
        ..Default::default()
    }
    .to_toml()
    .unwrap();
    let filed = spool.file_away(&entry, Ending::Failed, "a", &note).unwrap();
    spool.remove(&entry).unwrap();
    assert_eq!(
        names(&spool.home.failed),
        ["a.error.toml", "a.inputs", "a.toml"]
    );

    let entry = spool.revive(id(1), &claimed.origin, &filed, &rows).unwrap();
    assert_eq!(fs::read(entry.manifest()).unwrap(), b"manifest");
    assert_eq!(names(&entry.inputs()), ["1-p.png"]);
    spool.unfile(id(2), &filed).unwrap();
    assert_eq!(
        names(&spool.home.failed).len(),
        3,
        "another job's files are left alone"
    );
    spool.unfile(id(1), &filed).unwrap();
    assert!(names(&spool.home.failed).is_empty());

    let filed = spool.file_away(&entry, Ending::Failed, "a", &note).unwrap();
    spool.remove(&entry).unwrap();
    fs::write(spool.home.failed.join("a.inputs/1-p.png"), "other").unwrap();
    let error = spool
        .revive(id(1), &claimed.origin, &filed, &rows)
        .unwrap_err();
    assert_eq!(error.code(), "not-retryable");
    assert!(names(&spool.home.working).is_empty());
}

#[test]
fn the_longest_name_can_be_filed() {
    let (_dir, spool) = spool();
    let name = format!("{}.toml", "ü".repeat(125));
    let candidate = drop_manifest(&spool, &name, "x");
    let claimed = spool.claim(&candidate, id(1)).unwrap().unwrap();
    let filed = spool
        .file_away(&spool.claiming(id(1)), Ending::Failed, claimed.name(), "e")
        .unwrap();
    assert_eq!(names(&spool.home.failed).len(), 2);
    assert!(filed.stem.starts_with("üü"));
}
