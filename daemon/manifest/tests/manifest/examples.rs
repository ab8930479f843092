//! The example manifests in `config/examples/` are jobs.

use std::fs;
use std::path::Path;

use atelier_manifest::{Job, load};

use crate::world::{Machine, PNG};

/// Checks an example on a machine that has the files which it needs.
fn job(name: &str) -> Job {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../config/examples")
        .join(name);
    let text = fs::read_to_string(&path).unwrap();
    let machine = Machine::furnished();
    for file in ["woman.png", "room.png", "chair.png"] {
        machine.file(&format!("inbox/{file}"), PNG);
    }
    match load(&text, &machine) {
        Ok(job) => job,
        Err(problems) => panic!("{}", problems.in_file(&path)),
    }
}

#[test]
fn every_example_is_a_job() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config/examples");
    let mut examples = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name();
        if Path::new(&name).extension().is_some_and(|it| it == "toml") {
            job(name.to_str().unwrap());
            examples += 1;
        }
    }
    assert!(examples >= 4, "{examples}");
}

#[test]
fn the_examples_mean_what_they_say() {
    let text = job("text.toml");
    assert_eq!((text.renders(), text.references.len()), (1, 0));

    let pose = job("pose.toml");
    assert_eq!(pose.references.len(), 2);
    assert!(pose.references[0].prepare.is_empty());
    assert_eq!(pose.references[1].prepare[0].plugin, "pose");

    let batch = job("batch.toml");
    assert_eq!(batch.outputs("x").len(), 8);
    assert_eq!(batch.outputs("x")[0], "x-1.jpeg");

    let furnish = job("furnish.toml");
    assert_eq!(furnish.references[1].prepare[0].plugin, "fit");

    let repaint = job("repaint.toml");
    assert_eq!((repaint.width, repaint.height), (992, 736));
    assert!(repaint.init.unwrap().mask.is_some());
}
