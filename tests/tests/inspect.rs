//! Commands that only look: `doctor`, `model`, `keys`, and how usage mistakes are answered.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use atelier_tests::{Daemon, Fixtures, Home};
use serde_json::Value;

/// What `doctor` says of one thing.
fn doctor(report: &Value, what: &str) -> Value {
    let found = report
        .as_array()
        .unwrap()
        .iter()
        .find(|line| line["what"] == what);
    found
        .unwrap_or_else(|| panic!("nothing about {what} in {report:#}"))
        .clone()
}

#[test]
fn doctor_says_what_works_and_what_to_do_about_the_rest() {
    let home = Home::new();
    home.install("pose");
    let daemon = Daemon::start(&home);
    let report = daemon.atelier(&["doctor", "--json"]).exits(0).json();
    for what in [
        "folders", "settings", "model", "plugins", "keys", "memory", "daemon",
    ] {
        assert_eq!(doctor(&report, what)["health"], "good", "{report:#}");
    }
    assert!(daemon.stop().success());

    let report = home.atelier(&["doctor", "--json"]).json();
    let daemon = doctor(&report, "daemon");
    assert_ne!(daemon["health"], "good");
    assert!(
        daemon["advice"]
            .as_str()
            .unwrap()
            .contains("atelier daemon"),
        "{daemon:#}"
    );
}

#[test]
fn doctor_finds_a_model_that_is_none() {
    let home = Home::empty();
    std::fs::write(home.path().join("config.toml"), "model = \"gone\"\n").unwrap();
    let report = home.atelier(&["doctor", "--json"]).exits(1).json();
    let model = doctor(&report, "model");
    assert_eq!(model["health"], "bad", "{model:#}");
}

#[test]
fn a_model_is_inspected_by_name_and_by_path() {
    let home = Home::new();
    let listed = home.atelier(&["model", "list", "--json"]).exits(0).json();
    assert_eq!(listed[0]["name"], "klein");
    assert_eq!(listed[0]["default"], true, "the only model is the default");

    let path = Fixtures::model();
    let by_name = home
        .atelier(&["model", "inspect", "klein", "--json"])
        .exits(0)
        .json();
    let by_path = home
        .atelier(&["model", "inspect", path.to_str().unwrap(), "--json"])
        .exits(0)
        .json();
    assert_eq!(by_name["parts"], by_path["parts"]);
    assert_eq!(
        by_name["variant"]["klein"]["distilled"], true,
        "{by_name:#}"
    );
    // As the header of the reference model's generator says.
    assert_eq!(by_name["architecture"]["heads"], 2);
    assert_eq!(by_name["architecture"]["double_blocks"], 1);
    assert_eq!(by_name["architecture"]["single_blocks"], 1);
    assert_eq!(by_name["architecture"]["text_layers"], 28);
    let _ = home
        .atelier(&["model", "inspect", "no-such-model"])
        .exits(3);
}

#[test]
fn keys_are_made_once_and_missed_when_they_are_not_there() {
    let home = Home::new();
    let _ = home.atelier(&["keys", "show"]).exits(3);
    let _ = home.atelier(&["keys", "init"]).exits(0);
    let shown = home.atelier(&["keys", "show", "--json"]).exits(0).json();
    assert!(
        shown["subject"].is_string() && shown["not_after"].is_string(),
        "{shown:#}"
    );
    let again = home.atelier(&["keys", "init"]).exits(2);
    assert!(again.stderr.contains("identity-exists"), "{again}");
    assert_eq!(
        home.atelier(&["keys", "show", "--json"]).exits(0).json(),
        shown,
        "nothing is replaced"
    );
}

#[test]
fn wrong_usage_is_status_2_and_help_is_0() {
    let home = Home::new();
    for wrong in [
        &[][..],
        &["frobnicate"],
        &["jobs", "--no-such-flag"],
        &["submit"],
        &["verify"],
    ] {
        let run = home.atelier(wrong).exits(2);
        assert!(run.stdout.is_empty() && !run.stderr.is_empty(), "{run}");
    }
    let help = home.atelier(&["--help"]).exits(0);
    for verb in [
        "daemon", "generate", "check", "submit", "jobs", "cancel", "verify", "keys", "doctor",
    ] {
        assert!(help.stdout.contains(verb), "{verb} is in the help");
    }
    assert!(
        home.atelier(&["--version"])
            .exits(0)
            .stdout
            .starts_with("atelier ")
    );
    assert_eq!(Home::names(&home.inbox()), [""; 0], "looking makes nothing");
}

#[test]
fn settings_with_a_mistake_are_refused_with_its_place() {
    let home = Home::with_settings("\n[queue]\ncrashs = 3\n");
    let run = home.atelier(&["daemon", "--no-dbus"]).exits(2);
    assert!(
        run.stderr.contains("crashs") && run.stderr.contains("line 6"),
        "{run}"
    );
}
