#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;

use atelier_plugin::{Canvas, Description, Failure, Outcome, Plugin, Region, Request, Source};
use serde::Deserialize;

use super::{problems, problems_of};

/// Gives a picture in one grey, and what it was given as keypoints.
struct Grey;

#[derive(Deserialize)]
struct Parameters {
    grey: u8,
}

impl Plugin for Grey {
    fn describe() -> Description {
        Description::new("grey", "1.0.0", "Gives one grey.")
    }

    fn prepare(request: Request) -> Result<Outcome, Failure> {
        let Parameters { grey } = request.parameters()?;
        let canvas = Canvas::new(request.output)?;
        canvas.fill(Region::whole(canvas.size()), [grey, grey, grey, 255])?;
        let outcome = Outcome::picture(canvas).prompt("in grey");
        Ok(match &request.sources[0] {
            Source::Document(text) => outcome.keypoints(text.clone()),
            Source::Picture(_) => outcome,
        })
    }
}

const CASE: &str = r#"
inputs = ["people.json"]
parameters = { grey = 100 }
output = [3, 2]
pictures = ["expected.png"]
keypoints = "expected.json"
prompt = "in grey"
"#;

/// What is wrong with one case, after what it makes with `before` was kept where it is given.
fn problem(before: Option<&str>, case: &str) -> Option<String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cases/one");
    fs::create_dir_all(&path).unwrap();
    fs::write(path.join("people.json"), r#"{ "people": [1.0, 2] }"#).unwrap();
    if let Some(before) = before {
        fs::write(path.join("case.toml"), before).unwrap();
        let problems = problems_of::<Grey>(folder.path(), true);
        assert_eq!(problems, Vec::<String>::new());
    }
    fs::write(path.join("case.toml"), case).unwrap();
    problems_of::<Grey>(folder.path(), false).pop()
}

#[test]
fn what_was_kept_comes_out_again() {
    assert_eq!(problem(Some(CASE), CASE), None);
}

#[test]
fn each_difference_is_told() {
    for (from, to, said) in [
        (
            "grey = 100",
            "grey = 101",
            "6 pixels differ, the first at (0, 0)",
        ),
        ("[3, 2]", "[2, 2]", "it is (2, 2) pixels, not (3, 2)"),
        ("\"in grey\"", "\"in red\"", "its words are"),
        (
            "[\"expected.png\"]",
            "[]",
            "it made 1 pictures, and case.toml names 0",
        ),
        ("grey = 100", "grey = 300", "parameter \"grey\""),
        (
            "output",
            "fails = \"no\"\noutput",
            "it did not fail with \"no\"",
        ),
        ("output", "size", "unknown field `size`"),
    ] {
        let problem = problem(Some(CASE), &CASE.replace(from, to)).unwrap_or_default();
        assert!(problem.contains(said), "{to}: {problem}");
    }
    let near = CASE.replace("grey = 100", "grey = 101");
    let tolerant = format!("tolerance = 1\n{near}");
    assert_eq!(problem(Some(CASE), &tolerant), None);
}

#[test]
fn a_failure_that_is_expected_is_none() {
    let fails = "inputs = [\"people.json\"]\nparameters = { grey = -1 }\nfails = \"grey\"\n";
    assert_eq!(problem(None, fails), None);
}

#[test]
fn no_case_is_a_problem() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(problems::<Grey>(folder.path()).len(), 1);
    assert_eq!(problems::<Grey>(Path::new("/nowhere")).len(), 1);
}
