//! Manifests that are refused: which code, key and place, for every kind of mistake, through the
//! inbox and through `check` alike.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::os::unix::fs::symlink;

use atelier_tests::{Daemon, Fixtures, Home, gradient};
use toml::Value;

/// The head of an otherwise valid manifest.
const HEAD: &str = "manifest = 1\nprompt = \"a harbour\"\nsteps = 1\n";

/// A manifest with one mistake, and what must be said of it: code, key and line.
struct Mistake {
    name: &'static str,
    text: String,
    code: &'static str,
    key: Option<&'static str>,
    line: i64,
}

fn mistake(
    name: &'static str,
    rest: &str,
    code: &'static str,
    key: &'static str,
    line: i64,
) -> Mistake {
    Mistake {
        name,
        text: format!("{HEAD}{rest}"),
        code,
        key: Some(key),
        line,
    }
}

fn mistakes() -> Vec<Mistake> {
    vec![
        mistake("unknown-key", "widht = 64\n", "unknown-key", "widht", 4),
        mistake(
            "nested-key",
            "\n[output]\nqualty = 3\n",
            "unknown-key",
            "output.qualty",
            6,
        ),
        mistake("type", "width = \"64\"\n", "wrong-type", "width", 4),
        mistake("range", "\nwidth = 65\n", "out-of-range", "width", 5),
        mistake("seed", "seed = -1\n", "out-of-range", "seed", 4),
        mistake("priority", "priority = 11\n", "out-of-range", "priority", 4),
        mistake(
            "format",
            "[output]\nformat = \"bmp\"\n",
            "format-unknown",
            "output.format",
            5,
        ),
        mistake(
            "missing",
            "[[reference]]\npath = \"gone.png\"\n",
            "file-missing",
            "reference[1].path",
            5,
        ),
        mistake(
            "escape",
            "[[reference]]\npath = \"../gone.png\"\n",
            "path-escapes",
            "reference[1].path",
            5,
        ),
        mistake(
            "absolute",
            "[[reference]]\npath = \"/etc/passwd\"\n",
            "path-escapes",
            "reference[1].path",
            5,
        ),
        mistake(
            "link",
            "[[reference]]\npath = \"link.png\"\n",
            "path-escapes",
            "reference[1].path",
            5,
        ),
        mistake(
            "lora-missing",
            "lora = [{ path = \"gone.safetensors\" }]\n",
            "file-missing",
            "lora[1].path",
            4,
        ),
        mistake(
            "lora-escape",
            "lora = [{ path = \"../style.safetensors\", scale = 0.5 }]\n",
            "path-escapes",
            "lora[1].path",
            4,
        ),
        mistake(
            "lora-picture",
            "lora = [{ path = \"here.png\" }]\n",
            "lora-unusable",
            "lora[1].path",
            4,
        ),
        mistake(
            "lora-no-lora",
            "lora = [{ path = \"here.png\", scale = 1 }]\n",
            "lora-unusable",
            "lora[1].path",
            4,
        ),
        mistake(
            "model",
            "model = \"no-such-model\"\n",
            "model-unknown",
            "model",
            4,
        ),
        mistake(
            "plugin",
            "[[reference]]\npath = \"here.png\"\nprepare = [{ plugin = \"nobody\" }]\n",
            "plugin-unknown",
            "reference[1].prepare[1].plugin",
            6,
        ),
        Mistake {
            name: "truncated",
            text: "manifest = 1\nprompt = \"a harb".to_owned(),
            code: "manifest-syntax",
            key: Some("prompt"),
            line: 2,
        },
        Mistake {
            name: "version",
            text: HEAD.replace("manifest = 1", "manifest = 2"),
            code: "manifest-version",
            key: Some("manifest"),
            line: 1,
        },
    ]
}

/// A home whose inbox holds what the mistakes name.
fn home() -> Home {
    let home = Home::new();
    gradient(&home.inbox().join("here.png"), 32, 32);
    gradient(&home.elsewhere().join("secret.png"), 32, 32);
    symlink(
        home.elsewhere().join("secret.png"),
        home.inbox().join("link.png"),
    )
    .unwrap();
    home
}

#[test]
fn each_mistake_is_refused_with_its_code_key_and_place() {
    let home = home();
    let daemon = Daemon::start(&home);
    for mistake in mistakes() {
        home.drop_manifest(mistake.name, &mistake.text);
    }
    for Mistake {
        name,
        text,
        code,
        key,
        line,
    } in mistakes()
    {
        let error = home.wait_for_error(name);
        assert_eq!(error["code"].as_str(), Some(code), "{name}: {error}");
        assert_eq!(
            error.get("key").and_then(Value::as_str),
            key,
            "{name}: {error}"
        );
        assert_eq!(error["line"].as_integer(), Some(line), "{name}: {error}");
        assert!(
            error["column"]
                .as_integer()
                .is_some_and(|column| column >= 1),
            "{name}: {error}"
        );
        assert!(
            error["message"]
                .as_str()
                .is_some_and(|message| !message.is_empty()),
            "{name}"
        );
        let kept = fs::read_to_string(home.failed().join(format!("{name}.toml"))).unwrap();
        assert_eq!(kept, text, "{name}: the manifest lies beside its error");
        assert!(
            !home.inbox().join(format!("{name}.toml")).exists(),
            "{name}: and no longer in the inbox"
        );
    }
    assert!(Home::names(&home.outbox()).is_empty());
    // The daemon goes on.
    home.drop_manifest("fine", &format!("{HEAD}width = 64\nheight = 64\n"));
    let _ = home.wait_for_result("fine");
    drop(daemon);
}

#[test]
fn check_and_submit_refuse_alike_and_change_nothing() {
    let home = home();
    let daemon = Daemon::start(&home);
    let before = Home::names(home.path());
    for Mistake {
        name,
        text,
        code,
        key,
        line,
    } in mistakes()
    {
        // Beside the inbox's files, under a name that the daemon does not take.
        let path = home.inbox().join(format!(".{name}.toml"));
        fs::write(&path, &text).unwrap();
        let path = path.to_str().unwrap();
        // What is not there has a status of its own.
        let status = if ["missing", "lora-missing", "model"].contains(&name) {
            3
        } else {
            2
        };

        let run = daemon.atelier(&["check", path, "--json"]).exits(status);
        let problem = &run.json()["error"]["problems"][0];
        assert_eq!(problem["code"], code, "{name}: {run}");
        assert_eq!(problem["key"].as_str(), key, "{name}: {run}");
        assert_eq!(problem["line"], line, "{name}: {run}");
        assert!(run.stderr.contains(code), "{name}: {run}");

        let run = daemon.atelier(&["submit", path]).exits(status);
        assert!(run.stderr.contains(code), "{name}: {run}");
        fs::remove_file(path).unwrap();
    }
    assert_eq!(Home::names(home.path()), before, "nothing was made");
    assert!(
        Home::names(&home.failed()).is_empty(),
        "a refused submit leaves no trace"
    );
    assert_eq!(
        daemon
            .atelier(&["jobs", "--json"])
            .exits(0)
            .json()
            .as_array()
            .unwrap()
            .len(),
        0
    );
}

#[test]
fn all_mistakes_of_one_manifest_are_told_at_once() {
    let home = home();
    let _daemon = Daemon::start(&home);
    home.drop_manifest(
        "many",
        "manifest = 1\nprompt = \"\"\nwidth = 100\nsteps = 0\ncolour = \"red\"\n\n[[reference]]\npath = \"gone.png\"\n",
    );
    let error = home.wait_for_error("many");
    let problems: Vec<(&str, i64)> = error["problems"]
        .as_array()
        .unwrap()
        .iter()
        .map(|problem| {
            (
                problem["code"].as_str().unwrap(),
                problem["line"].as_integer().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        problems,
        [
            ("invalid-value", 2),
            ("out-of-range", 3),
            ("out-of-range", 4),
            ("unknown-key", 5),
            ("file-missing", 8),
        ]
    );
    assert_eq!(
        error["code"].as_str(),
        Some("invalid-value"),
        "the first one speaks for all"
    );
}

#[test]
fn check_says_what_a_manifest_would_make_and_writes_nothing() {
    let home = Home::new();
    home.put(&Fixtures::picture());
    let manifest = home.inbox().join("poster.toml");
    fs::write(
        &manifest,
        format!("{HEAD}seed = [1, 2]\n\n[[reference]]\npath = \"reference-1.png\"\n"),
    )
    .unwrap();
    let before = Home::names(home.path());
    let checked = home
        .atelier(&["check", manifest.to_str().unwrap(), "--json"])
        .exits(0)
        .json();
    assert_eq!(checked["valid"], true);
    assert_eq!(
        checked["outputs"],
        serde_json::json!(["poster-1.png", "poster-2.png"])
    );
    assert_eq!(Home::names(home.path()), before);
    assert!(
        home.atelier(&["check", "nowhere.toml"])
            .exits(3)
            .stderr
            .contains("nowhere.toml")
    );
}
