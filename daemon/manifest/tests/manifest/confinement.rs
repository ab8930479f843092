//! Which files can be named: the ways out of a folder, and the things that are no files.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use atelier_manifest::paths::{confine, open_regular, resolve};

use crate::world::{Machine, PNG};

fn found(machine: &Machine, path: &str) -> Result<PathBuf, &'static str> {
    confine(Path::new(path), &machine.path("inbox"), &machine.allowed)
        .map(|(path, _)| path)
        .map_err(|problem| problem.code())
}

#[test]
fn inside_is_inside_however_it_is_written() {
    let machine = Machine::new();
    let file = machine.file("inbox/sub/a.png", PNG);
    let other = machine.file("inbox/b.png", PNG);
    for path in [
        "sub/a.png",
        "./sub//a.png",
        "sub/../sub/a.png",
        "../inbox/sub/a.png",
    ] {
        assert_eq!(found(&machine, path), Ok(file.clone()), "{path}");
    }
    let absolute = other.to_str().unwrap();
    assert_eq!(found(&machine, absolute), Ok(other.clone()));
    symlink("../b.png", machine.path("inbox/sub/link")).unwrap();
    assert_eq!(found(&machine, "sub/link"), Ok(other.clone()));
    symlink(&other, machine.path("inbox/absolute")).unwrap();
    assert_eq!(found(&machine, "absolute"), Ok(other));
}

#[test]
fn every_way_out_is_refused() {
    let machine = Machine::new();
    let secret = machine.file("secret/key.png", PNG);
    machine.file("inbox-2/a.png", PNG);
    machine.file("inbox/sub/b.png", PNG);
    symlink(&secret, machine.path("inbox/link")).unwrap();
    symlink("../secret/key.png", machine.path("inbox/relative")).unwrap();
    symlink("../secret", machine.path("inbox/folder")).unwrap();
    symlink("link", machine.path("inbox/twice")).unwrap();
    symlink("/", machine.path("inbox/top")).unwrap();
    for path in [
        "../secret/key.png",
        "../inbox-2/a.png",
        "sub/../../secret/key.png",
        secret.to_str().unwrap(),
        "/etc/passwd",
        "/",
        "..",
        "../../../../../../../../../../../../etc/passwd",
        "link",
        "relative",
        "folder/key.png",
        "twice",
        "top/etc/passwd",
    ] {
        assert_eq!(found(&machine, path), Err("path-escapes"), "{path}");
    }
}

/// Else "missing" and "escapes" would tell which files exist that the asker cannot see.
#[test]
fn what_is_outside_is_not_looked_for() {
    let machine = Machine::new();
    symlink("../secret", machine.path("inbox/folder")).unwrap();
    symlink("../nothing/x.png", machine.path("inbox/link")).unwrap();
    symlink("link", machine.path("inbox/twice")).unwrap();
    for path in [
        "../nothing.png",
        "/nothing/at/all",
        "folder/key.png",
        "folder",
        "link",
        "twice",
    ] {
        assert_eq!(found(&machine, path), Err("path-escapes"), "{path}");
    }
}

#[test]
fn allowed_folders_are_allowed() {
    let mut machine = Machine::new();
    let file = machine.file("library/a.png", PNG);
    let absolute = file.to_str().unwrap().to_owned();
    symlink(&file, machine.path("inbox/link")).unwrap();
    assert_eq!(found(&machine, &absolute), Err("path-escapes"));
    machine.allowed = vec![machine.path("library"), machine.path("never-made")];
    for path in [absolute.as_str(), "../library/a.png", "link"] {
        assert_eq!(found(&machine, path), Ok(file.clone()), "{path}");
    }
    assert_eq!(found(&machine, "../library/b.png"), Err("file-missing"));
    assert_eq!(found(&machine, "../libra"), Err("path-escapes"));
    // A folder that is itself a link allows what it points to, under either name.
    symlink(machine.path("library"), machine.path("shelf")).unwrap();
    machine.allowed = vec![machine.path("shelf")];
    let by_link = machine.path("shelf/a.png");
    for path in [by_link.to_str().unwrap(), absolute.as_str()] {
        assert_eq!(found(&machine, path), Ok(file.clone()), "{path}");
    }
    machine.allowed = vec!["/".into()];
    assert_eq!(found(&machine, &absolute), Ok(file));
}

#[test]
fn a_linked_inbox_is_still_the_inbox() {
    let machine = Machine::new();
    let file = machine.file("inbox/a.png", PNG);
    symlink(machine.path("inbox"), machine.path("drop")).unwrap();
    let result = confine(Path::new("a.png"), &machine.path("drop"), &[]);
    assert_eq!(result.unwrap().0, file);
    let given = machine.path("drop/a.png");
    assert_eq!(confine(&given, &machine.path("drop"), &[]).unwrap().0, file);
}

#[test]
fn only_regular_files_are_opened() {
    let machine = Machine::new();
    fs::create_dir(machine.path("inbox/folder")).unwrap();
    let pipe = machine.path("inbox/pipe");
    assert!(
        Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    let _socket = std::os::unix::net::UnixListener::bind(machine.path("inbox/socket")).unwrap();
    symlink("pipe", machine.path("inbox/to-pipe")).unwrap();
    // A pipe that nobody writes to would block whoever opens it; that this test ends is the test.
    for path in ["folder", "pipe", "to-pipe", "socket", "", "."] {
        assert_eq!(found(&machine, path), Err("not-a-file"), "{path}");
    }
    assert_eq!(
        open_regular(&pipe).unwrap_err().to_string(),
        "is a pipe, not a file"
    );
    let device = open_regular(Path::new("/dev/null")).unwrap_err();
    assert_eq!(device.to_string(), "is a device, not a file");
    let file = machine.file("inbox/a.png", PNG);
    symlink(&file, machine.path("inbox/link")).unwrap();
    let link = open_regular(&machine.path("inbox/link")).unwrap_err();
    assert_eq!(link.to_string(), "is a link, not a file");
}

#[test]
fn links_that_lead_nowhere() {
    let machine = Machine::new();
    symlink("gone.png", machine.path("inbox/dangling")).unwrap();
    symlink("b", machine.path("inbox/a")).unwrap();
    symlink("a", machine.path("inbox/b")).unwrap();
    assert_eq!(found(&machine, "dangling"), Err("file-missing"));
    assert_eq!(found(&machine, "a"), Err("file-unreadable"));
    assert_eq!(found(&machine, "gone.png"), Err("file-missing"));
    assert_eq!(found(&machine, &"n".repeat(300)), Err("file-unreadable"));
}

#[test]
fn folders_are_confined_alike() {
    let machine = Machine::new();
    fs::create_dir(machine.path("inbox/model")).unwrap();
    let inbox = machine.path("inbox");
    let found = resolve(Path::new("model/"), &inbox, &[]).unwrap();
    assert_eq!(found, machine.path("inbox/model"));
    let out = resolve(Path::new(".."), &inbox, &[]).unwrap_err();
    assert_eq!(out.code(), "path-escapes");
}

#[test]
fn names_need_not_be_utf8() {
    let machine = Machine::new();
    let name = std::ffi::OsStr::from_bytes(b"fa\xdfade.png");
    let file = machine.path("inbox").join(name);
    fs::write(&file, PNG).unwrap();
    let result = confine(Path::new(name), &machine.path("inbox"), &[]);
    assert_eq!(result.unwrap().0, file);
    let missing = std::ffi::OsStr::from_bytes(b"\xff");
    let problem = confine(Path::new(missing), &machine.path("inbox"), &[]).unwrap_err();
    assert_eq!(problem.code(), "file-missing");
}
