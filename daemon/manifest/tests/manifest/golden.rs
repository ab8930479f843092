//! What users are told, word for word: `golden/NAME.toml` gives `golden/NAME.txt`.
//!
//! After a wanted change of words, `UPDATE_GOLDEN=1` writes the texts anew; read the difference.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use atelier_manifest::{Code, load};

use crate::world::Machine;

fn manifests() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let mut manifests: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|it| it == "toml"))
        .collect();
    manifests.sort();
    manifests
}

fn machine() -> Machine {
    let machine = Machine::furnished();
    std::os::unix::fs::symlink("loop.png", machine.path("inbox/loop.png")).unwrap();
    machine
}

#[test]
fn every_report_reads_as_it_should() {
    let update = std::env::var_os("UPDATE_GOLDEN").is_some();
    let machine = machine();
    let mut wrong = Vec::new();
    for path in manifests() {
        let name = path.file_name().unwrap();
        let text = fs::read_to_string(&path).unwrap();
        let problems = load(&text, &machine).expect_err("a golden manifest is wrong somehow");
        let report = format!("{}\n", problems.in_file(Path::new(name)));
        let expected = path.with_extension("txt");
        if update {
            fs::write(&expected, &report).unwrap();
        } else if fs::read_to_string(&expected).ok().as_deref() != Some(&report) {
            wrong.push(format!("{}:\n{report}", name.display()));
        }
    }
    assert!(wrong.is_empty(), "not as written:\n{}", wrong.join("\n"));
}

#[test]
fn every_kind_of_problem_has_a_report() {
    let machine = machine();
    let mut seen = BTreeSet::new();
    for path in manifests() {
        let text = fs::read_to_string(&path).unwrap();
        let problems = load(&text, &machine).unwrap_err();
        seen.extend(problems.iter().map(|problem| problem.code()));
    }
    let missing: Vec<_> = Code::ALL
        .iter()
        .filter(|code| !seen.contains(code))
        .map(|code| code.as_str())
        .collect();
    // No text file shows these: too many bytes, bytes that are no text, no default model.
    assert_eq!(
        missing,
        ["manifest-too-large", "manifest-encoding", "model-unset"]
    );
}
