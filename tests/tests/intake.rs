//! Dropping manifests: what becomes a job, when, and what is left alone.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs::{self, File};
use std::io::Write;
use std::thread;
use std::time::Duration;

use atelier_tests::{Daemon, Fixtures, Home, psnr, sha256, wait_until};

/// The smallest job there is.
const QUICK: &str =
    "manifest = 1\nprompt = \"a lighthouse\"\nwidth = 64\nheight = 64\nsteps = 1\nseed = 7\n";

#[test]
fn a_manifest_dropped_by_rename_becomes_a_picture() {
    let home = Home::new();
    let case = Fixtures::case("three-references");
    let _daemon = Daemon::start(&home);
    for reference in &case.references {
        home.put(reference);
    }
    home.drop_manifest("poster", &case.manifest());

    let result = home.wait_for_result("poster");
    let picture = home.outbox().join("poster.png");
    assert!(
        psnr(&picture, &case.expected) >= 55.0,
        "the daemon makes what `generate` makes"
    );
    let output = &result["outputs"][0];
    assert_eq!(output["name"].as_str(), Some("poster.png"));
    assert_eq!(output["path"].as_str(), picture.to_str());
    assert_eq!(output["sha256"].as_str(), Some(sha256(&picture).as_str()));
    assert_eq!(output["seed"].as_integer(), Some(123_456_789));
    assert_eq!(
        (output["width"].as_integer(), output["height"].as_integer()),
        (Some(128), Some(128))
    );
    assert!(result["job"].as_str().is_some_and(|id| !id.is_empty()));
    assert!(
        result["timings"]["infer"]
            .as_float()
            .is_some_and(|seconds| seconds > 0.0)
    );
    assert!(result["timings"]["total"].as_float() > result["timings"]["infer"].as_float());

    assert_eq!(
        fs::read_to_string(home.done().join("poster.toml")).unwrap(),
        case.manifest()
    );
    assert!(
        !Home::names(&home.inbox()).contains(&"poster.toml".to_owned()),
        "claimed by a move"
    );
    assert_eq!(
        Home::names(&home.outbox()),
        ["poster.png"],
        "one picture and no leftovers"
    );
}

#[test]
fn an_empty_home_gets_its_folders_and_settings() {
    let home = Home::empty();
    let daemon = Daemon::start(&home);
    for folder in [
        "inbox",
        "outbox",
        "done",
        "failed",
        "cancelled",
        "keys",
        "models",
        "plugins",
    ] {
        assert!(home.path().join(folder).is_dir(), "{folder} is made");
    }
    assert!(home.path().join("ledger.sqlite").is_file());
    assert!(home.path().join("config.toml").is_file());
    assert!(daemon.stop().success(), "SIGTERM is how it is asked to end");
    // What it wrote, it accepts.
    assert!(Daemon::start(&home).stop().success());
}

#[test]
fn a_manifest_is_not_taken_while_its_writer_has_it_open() {
    let home = Home::new();
    let _daemon = Daemon::start(&home);
    // The first part is a whole manifest by itself, and asks for another picture.
    let mut file = File::create(home.inbox().join("slow.toml")).unwrap();
    file.write_all(b"manifest = 1\nprompt = \"half\"\nwidth = 64\nheight = 64\nsteps = 1\n")
        .unwrap();
    file.sync_all().unwrap();
    // Longer than any settling, and long enough for a scan that something else wakes.
    thread::sleep(Duration::from_millis(700));
    fs::write(home.inbox().join("unrelated.txt"), "wakes the scanner").unwrap();
    thread::sleep(Duration::from_millis(700));
    file.write_all(b"seed = [21, 22]\nname = \"whole\"\n")
        .unwrap();
    drop(file);

    let result = home.wait_for_result("slow");
    let seeds: Vec<_> = result["outputs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|o| o["seed"].as_integer())
        .collect();
    assert_eq!(
        seeds,
        [Some(21), Some(22)],
        "the job is the whole manifest's"
    );
}

#[test]
fn manifests_that_wait_before_the_start_and_two_at_once_are_all_taken() {
    let home = Home::new();
    home.drop_manifest("early", QUICK);
    let _daemon = Daemon::start(&home);
    home.drop_manifest("one", QUICK);
    home.drop_manifest("two", QUICK);
    for name in ["early", "one", "two"] {
        let _ = home.wait_for_result(name);
    }
    assert_eq!(
        Home::names(&home.outbox()),
        ["early.png", "one.png", "two.png"]
    );
    // One seed, one picture: nothing but the signature may differ.
    let pictures: Vec<_> = ["early.png", "one.png"]
        .iter()
        .map(|name| image::open(home.outbox().join(name)).unwrap())
        .collect();
    assert_eq!(pictures[0], pictures[1]);
}

#[test]
fn what_is_no_manifest_stays_where_it_is() {
    let home = Home::new();
    let others = [
        ".hidden.toml",
        "backup.toml~",
        "loading.toml.part",
        "notes.txt",
        "picture.png",
    ];
    for name in others {
        fs::write(home.inbox().join(name), QUICK).unwrap();
    }
    fs::create_dir(home.inbox().join("folder.toml")).unwrap();
    let daemon = Daemon::start(&home);
    home.drop_manifest("job", QUICK);
    let _ = home.wait_for_result("job");
    for name in others.iter().chain(&["folder.toml"]) {
        assert!(home.inbox().join(name).exists(), "{name} is left alone");
    }
    assert_eq!(
        daemon
            .atelier(&["jobs", "--json"])
            .exits(0)
            .json()
            .as_array()
            .unwrap()
            .len(),
        1
    );
    assert_eq!(Home::names(&home.outbox()), ["job.png"]);
}

#[test]
fn a_name_used_before_replaces_nothing() {
    let home = Home::new();
    let _daemon = Daemon::start(&home);
    home.drop_manifest("again", QUICK);
    let _ = home.wait_for_result("again");
    let first = sha256(&home.outbox().join("again.png"));
    home.drop_manifest("again", &QUICK.replace("seed = 7", "seed = 8"));
    wait_until("a second picture", || {
        Home::names(&home.outbox()).len() == 2
    });
    assert_eq!(
        sha256(&home.outbox().join("again.png")),
        first,
        "the first is as it was"
    );
    let manifests = |names: Vec<String>| {
        names
            .into_iter()
            .filter(|n| !n.ends_with(".result.toml"))
            .count()
    };
    wait_until("both manifests", || {
        manifests(Home::names(&home.done())) == 2
    });
}

#[test]
fn a_list_of_seeds_is_a_list_of_pictures() {
    let home = Home::new();
    let _daemon = Daemon::start(&home);
    home.drop_manifest(
        "series",
        &QUICK.replace("seed = 7", "seed = { start = 30, count = 3 }"),
    );
    let result = home.wait_for_result("series");
    let outputs = result["outputs"].as_array().unwrap();
    let seeds: Vec<_> = outputs
        .iter()
        .map(|output| output["seed"].as_integer().unwrap())
        .collect();
    assert_eq!(seeds, [30, 31, 32]);
    assert_eq!(
        Home::names(&home.outbox()),
        ["series-1.png", "series-2.png", "series-3.png"]
    );
}

#[test]
fn a_seed_left_out_is_drawn_and_recorded() {
    let home = Home::new();
    let _daemon = Daemon::start(&home);
    let unseeded = QUICK.replace("seed = 7\n", "");
    home.drop_manifest("one", &unseeded);
    home.drop_manifest("two", &unseeded);
    let seed = |name: &str| {
        home.wait_for_result(name)["outputs"][0]["seed"]
            .as_integer()
            .unwrap()
    };
    let (one, two) = (seed("one"), seed("two"));
    assert!(one >= 0 && two >= 0);
    assert_ne!(one, two, "two draws from 2^63");
    // The recorded seed is the one that was used.
    home.drop_manifest(
        "repeat",
        &QUICK.replace("seed = 7", &format!("seed = {one}")),
    );
    let _ = home.wait_for_result("repeat");
    let picture = |name: &str| image::open(home.outbox().join(name)).unwrap();
    assert_eq!(picture("one.png"), picture("repeat.png"));
}
