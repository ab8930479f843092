//! Plugins as files: packed, signed, installed, granted, removed; and what a chain of them does in a
//! job.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::PathBuf;

use atelier_tests::forge::{Forge, good};
use atelier_tests::{Daemon, Fixtures, Home, gradient, plugin_folder, sha256, wait_for};
use serde_json::Value;

const JOB: &str = "manifest = 1\nprompt = \"the dancer of image 1\"\nwidth = 64\nheight = 64\nsteps = 1\nseed = 7\n";

/// A packed `pose`, signed by the author of a home.
fn packed(author: &Home, name: &str) -> (PathBuf, Value) {
    let file = author.elsewhere().join(format!("{name}.atelier-plugin"));
    let folder = plugin_folder("pose");
    let facts = author
        .atelier(&[
            "plugin",
            "pack",
            folder.to_str().unwrap(),
            "--sign",
            "--output",
            file.to_str().unwrap(),
            "--json",
        ])
        .exits(0)
        .json();
    (file, facts)
}

/// The error of a command that fails with this exit status, as JSON.
fn refused(home: &Home, arguments: &[&str], status: i32) -> Value {
    let arguments = [arguments, &["--json"]].concat();
    home.atelier(&arguments).exits(status).json()["error"].clone()
}

fn listed(home: &Home, name: &str) -> Option<Value> {
    let all = home.atelier(&["plugin", "list", "--json"]).exits(0).json();
    let mut all = all.as_array().unwrap().clone().into_iter();
    all.find(|plugin| plugin["name"] == name)
}

#[test]
fn a_plugin_is_packed_signed_installed_run_and_removed() {
    let author = Home::new();
    let (file, facts) = packed(&author, "one");
    assert_eq!(facts["sha256"], sha256(&file).as_str());
    let (again, _) = packed(&author, "two");
    assert_eq!(sha256(&file), sha256(&again), "the same bytes each time");

    let home = Home::new();
    let file = file.to_str().unwrap();
    let checked = home
        .atelier(&["plugin", "check", file, "--json"])
        .exits(0)
        .json();
    assert_eq!(checked["author"], facts["author"], "{checked:#}");
    assert!(listed(&home, "pose").is_none(), "checking installs nothing");
    let _ = home.atelier(&["plugin", "install", file]).exits(0);
    let pose = listed(&home, "pose").unwrap();
    assert_eq!(
        pose["folder"],
        home.path().join("plugins/pose").to_str().unwrap()
    );
    let output = home.elsewhere().join("out.png");
    let run = ["plugin", "run", "pose:width=64,height=96"];
    let dancer = Fixtures::dancer();
    let _ = home
        .atelier(
            &[
                &run[..],
                &[
                    dancer.to_str().unwrap(),
                    "--output",
                    output.to_str().unwrap(),
                ],
            ]
            .concat(),
        )
        .exits(0);
    assert_eq!(image::image_dimensions(&output).unwrap(), (64, 96));
    let _ = home.atelier(&["plugin", "remove", "pose"]).exits(0);
    assert!(listed(&home, "pose").is_none());
    let left = Home::names(&home.path().join("plugins"));
    assert_eq!(left, ["trust.toml"], "nothing else is left behind");
}

#[test]
fn what_was_changed_after_signing_is_not_installed() {
    let author = Home::new();
    let (file, _) = packed(&author, "one");
    let home = Home::new();
    // The same files with one more, packed again without a key.
    let folder = home.elsewhere().join("changed");
    fs::create_dir_all(&folder).unwrap();
    let archive = fs::File::open(&file).unwrap();
    zip::ZipArchive::new(archive)
        .unwrap()
        .extract(&folder)
        .unwrap();
    fs::write(folder.join("README.md"), "something else").unwrap();
    let error = refused(&home, &["plugin", "install", folder.to_str().unwrap()], 2);
    assert_eq!(error["code"], "plugin-signature", "{error:#}");
    assert!(listed(&home, "pose").is_none());
}

#[test]
fn an_update_must_come_from_the_first_author() {
    let home = Home::new();
    let (one, another) = (Home::new(), Home::new());
    let (first, _) = packed(&one, "first");
    let (other, _) = packed(&another, "other");
    let (first, other) = (first.to_str().unwrap(), other.to_str().unwrap());
    let _ = home.atelier(&["plugin", "install", first]).exits(0);
    let error = refused(&home, &["plugin", "install", other], 2);
    assert_eq!(error["code"], "plugin-author-changed", "{error:#}");
    let unsigned = plugin_folder("pose");
    let error = refused(&home, &["plugin", "install", unsigned.to_str().unwrap()], 2);
    assert_eq!(error["code"], "plugin-author-changed", "{error:#}");
    let _ = home.atelier(&["plugin", "install", first]).exits(0);
    let _ = home
        .atelier(&["plugin", "install", other, "--new-author"])
        .exits(0);
}

#[test]
fn what_is_no_plugin_is_not_installed_and_leaves_nothing() {
    let home = Home::new();
    let file = home.elsewhere().join("x.atelier-plugin");
    for bytes in [&b""[..], b"PK\x03\x04 and then nothing", &[0xff; 4096]] {
        fs::write(&file, bytes).unwrap();
        let error = refused(&home, &["plugin", "install", file.to_str().unwrap()], 2);
        assert_eq!(error["code"], "plugin-archive", "{error:#}");
    }
    assert_eq!(
        Home::names(&home.path().join("plugins")),
        Vec::<String>::new()
    );
}

#[test]
fn what_a_plugin_asks_for_is_granted_by_the_user_or_it_is_not_installed() {
    let home = Home::new();
    let made = home.elsewhere();
    let folder = Forge::new("asker", "(unreachable)").install(&made);
    let package = folder.join("plugin.toml");
    let asks = "asks = [{ permission = \"random\", reason = \"Scatters petals.\" }]\n";
    let text = fs::read_to_string(&package).unwrap() + asks;
    fs::write(&package, text).unwrap();
    let folder = folder.to_str().unwrap();
    let error = refused(&home, &["plugin", "install", folder], 2);
    assert_eq!(error["code"], "plugin-not-granted", "{error:#}");
    let message = error["message"].as_str().unwrap();
    assert!(message.contains("random (Scatters petals.)"), "{message}");
    assert!(listed(&home, "asker").is_none());

    let _ = home
        .atelier(&["plugin", "install", folder, "--grant", "random"])
        .exits(0);
    let granted = |expected: bool| {
        let asker = listed(&home, "asker").unwrap();
        assert_eq!(asker["asks"][0]["granted"], expected, "{asker:#}");
    };
    granted(true);
    let _ = home
        .atelier(&["plugin", "revoke", "asker", "random"])
        .exits(0);
    granted(false);
    let error = refused(&home, &["plugin", "grant", "asker", "model:joints"], 2);
    assert_eq!(error["code"], "permission-not-asked", "{error:#}");
    let error = refused(&home, &["plugin", "grant", "asker", "files:/"], 2);
    assert_eq!(error["code"], "permission-unknown", "{error:#}");
    let _ = home.atelier(&["plugin", "grant", "asker"]).exits(0);
    granted(true);
}

#[test]
fn several_files_of_one_reference_are_each_in_the_provenance() {
    let home = Home::new();
    home.install("fit");
    let names = ["wide.png", "tall.png"];
    gradient(&home.inbox().join(names[0]), 300, 100);
    gradient(&home.inbox().join(names[1]), 100, 300);
    let digests = names.map(|name| sha256(&home.inbox().join(name)));
    let _daemon = Daemon::start(&home);
    let reference = "\n[[reference]]\npath = \"wide.png\"\nalso = [\"tall.png\"]\n";
    let fit = "prepare = [{ plugin = \"fit\", width = 64, height = 64 }]\n";
    home.drop_manifest("both", &format!("{JOB}{reference}{fit}"));
    home.drop_manifest("nobody", &format!("{JOB}{reference}"));
    let error = home.wait_for_error("nobody");
    assert_eq!(error["key"].as_str(), Some("reference[1].also"), "{error}");
    let _ = home.wait_for_result("both");
    let report = home.provenance("both.png");
    let ingredients = report["ingredients"].to_string();
    for digest in digests {
        assert!(ingredients.contains(&digest), "{report:#}");
    }
}

#[test]
fn the_same_preparation_runs_once() {
    let home = Home::new();
    home.install("pose");
    home.put(&Fixtures::dancer());
    let _daemon = Daemon::start(&home);
    let pose = |width: u32| {
        format!(
            "{JOB}\n[[reference]]\npath = \"dancer.json\"\nprepare = [{{ plugin = \"pose\", width = {width}, height = 96 }}]\n"
        )
    };
    home.drop_manifest("first", &pose(64));
    let _ = home.wait_for_result("first");
    let kept = home.path().join("cache/prepared");
    let entries = Home::names(&kept);
    assert_eq!(entries.len(), 1, "{entries:?}");
    let used = |name: &str| fs::metadata(kept.join(name)).unwrap().modified().unwrap();
    let before = used(&entries[0]);
    home.drop_manifest("second", &pose(64));
    let _ = home.wait_for_result("second");
    assert_eq!(Home::names(&kept), entries);
    assert!(
        used(&entries[0]) > before,
        "the second job took it from there"
    );
    let bytes = |name: &str| image::open(home.outbox().join(name)).unwrap();
    assert_eq!(bytes("first.png"), bytes("second.png"));
    // Another parameter is another result.
    home.drop_manifest("third", &pose(96));
    let _ = home.wait_for_result("third");
    assert_eq!(Home::names(&kept).len(), 2);
}

#[test]
fn a_step_that_gets_nothing_it_takes_says_so() {
    let home = Home::new();
    home.install("pose");
    home.install("edges");
    home.put(&Fixtures::dancer());
    let _daemon = Daemon::start(&home);
    let reference = "\n[[reference]]\npath = \"dancer.json\"\nprepare = [{ plugin = \"edges\" }]\n";
    home.drop_manifest("lost", &format!("{JOB}{reference}"));
    let error = home.wait_for_error("lost");
    assert_eq!(error["code"].as_str(), Some("plugin-source"), "{error}");
    let message = error["message"].as_str().unwrap();
    assert!(message.contains("takes pictures"), "{message}");
}

#[test]
fn check_says_what_each_step_would_do_and_refuses_a_wrong_parameter() {
    let home = Home::new();
    home.install("pose");
    fs::copy(Fixtures::dancer(), home.elsewhere().join("dancer.json")).unwrap();
    let manifest = |width: &str| {
        let reference = format!(
            "\n[[reference]]\npath = \"dancer.json\"\nprepare = [{{ plugin = \"pose\", width = {width} }}]\n"
        );
        home.write_manifest("job", &format!("{JOB}{reference}"))
    };
    let path = manifest("64");
    let report = home
        .atelier(&["check", path.to_str().unwrap(), "--json"])
        .exits(0)
        .json();
    let step = &report["prepare"][0];
    assert_eq!(step["plugin"], "pose", "{report:#}");
    assert_eq!(step["parameters"]["width"], 64, "{report:#}");
    assert_eq!(
        step["module_sha256"],
        sha256(&plugin_folder("pose").join("plugin.wasm")).as_str()
    );
    let path = manifest("12");
    let error = refused(&home, &["check", path.to_str().unwrap()], 2);
    assert_eq!(error["code"], "plugin-parameter", "{error:#}");
    let message = error["message"].as_str().unwrap();
    assert!(
        message.starts_with("reference[1].prepare[1].width"),
        "{message}"
    );
}

#[test]
fn a_job_keeps_the_plugin_that_it_runs_and_the_next_takes_the_new_one() {
    let home = Home::with_settings("\n[plugins]\nseconds = 4\n");
    let plugins = home.path().join("plugins");
    let _ = Forge::new("turns", "(loop $again (br $again)) (unreachable)").install(&plugins);
    home.put(&Fixtures::picture());
    let daemon = Daemon::start(&home);
    let job = format!(
        "{JOB}\n[[reference]]\npath = \"reference-1.png\"\nprepare = [{{ plugin = \"turns\" }}]\n"
    );
    let beside = home.elsewhere().join("reference-1.png");
    fs::copy(Fixtures::picture(), beside).unwrap();
    let first = daemon.submit(&home.write_manifest("first", &job));
    let _ = daemon.wait_for_state(&first, &["preparing"]);
    let _ = Forge::new("turns", good().prepare).install(&plugins);
    home.drop_manifest("second", &job);
    let failed = wait_for("the first job's end", || {
        let job = daemon.job(&first);
        (job["state"] == "failed").then_some(job)
    });
    assert!(failed.to_string().contains("plugin-time"), "{failed:#}");
    let _ = home.wait_for_result("second");
    let module = sha256(&plugins.join("turns/plugin.wasm"));
    let report = home.provenance("second.png");
    assert_eq!(report["steps"][0]["module_sha256"], module.as_str());
}
