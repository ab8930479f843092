//! `docs/plugins.md` promises a first plugin in ten minutes in each language. Its lines are typed here, as they stand
//! there, into a shell.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;

use atelier_tests::{COMPILING, Home, gradient, run_within, shell};

const HEADING: &str = "## Your first plugin in ten minutes";

/// The lines of the first indented block below the heading, as one reads them: with their comments.
fn lines() -> String {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/plugins.md");
    let page = fs::read_to_string(page).unwrap();
    let (_, section) = page.split_once(HEADING).unwrap();
    let block = section.lines().skip_while(|line| !line.starts_with("    "));
    let block: Vec<&str> = block.map_while(|line| line.strip_prefix("    ")).collect();
    assert!(block.len() > 4, "{block:?}");
    block.join("\n")
}

fn followed_in(language: &str) {
    let home = Home::new();
    let folder = home.elsewhere();
    let lines = lines();
    let offered = lines.lines().next().unwrap();
    assert!(offered.contains("--lang rust"), "{offered}");
    let mut words = offered.split(|letter: char| !letter.is_alphanumeric());
    assert!(words.any(|word| word == language), "{language}: {offered}");
    let typed = lines.replace("--lang rust", &format!("--lang {language}"));
    let _ = run_within(shell(&home, &folder, &typed), COMPILING).exits(0);

    // The template takes the colour out of a picture.
    let drawn = image::open(folder.join("sepia/out.png"))
        .unwrap()
        .into_rgb8();
    assert!(
        drawn
            .pixels()
            .all(|pixel| pixel[0] == pixel[1] && pixel[1] == pixel[2])
    );
    let listed = home.atelier(&["plugin", "list", "--json"]).exits(0).json();
    assert_eq!(listed[0]["name"], "sepia", "{listed:#}");
    let photo = folder.join("wide.png");
    gradient(&photo, 96, 64);
    let picture = folder.join("job.png");
    let _ = home
        .atelier(&[
            "generate",
            "--prompt",
            "the woman of image 1",
            "--width",
            "64",
            "--height",
            "64",
            "--steps",
            "1",
            "--reference",
            photo.to_str().unwrap(),
            "--prepare",
            "sepia:strength=80",
            "--output",
            picture.to_str().unwrap(),
        ])
        .exits(0);
    let report = home
        .atelier(&["verify", picture.to_str().unwrap(), "--json"])
        .exits(0)
        .json();
    assert_eq!(report[0]["steps"][0]["plugin"], "sepia", "{report:#}");
}

#[test]
fn the_first_plugin_in_rust() {
    followed_in("rust");
}

#[test]
fn the_first_plugin_in_c() {
    followed_in("c");
}

#[test]
fn the_first_plugin_in_python() {
    followed_in("python");
}

#[test]
fn the_first_plugin_in_javascript() {
    followed_in("js");
}
