//! `docs/plugins.md` promises a first plugin in ten minutes in each language. Its lines are typed here, as they stand
//! there, into a shell.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use atelier_tests::{Home, program, run};

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

/// Where `make guests` wrote how the languages' compilers are found.
fn guests() -> PathBuf {
    let release = program().parent().unwrap().to_path_buf();
    let file = release.with_file_name("tools/guests/environment");
    assert!(
        file.is_file(),
        "{} is missing: run `make guests`",
        file.display()
    );
    file
}

/// A shell in a folder, in which `atelier` is the program under test, with a home of its own.
fn shell(home: &Home, folder: &Path, lines: &str) -> Command {
    let folders = [program().parent().unwrap().to_path_buf()];
    let path = env::var_os("PATH").unwrap();
    let path = env::join_paths(folders.into_iter().chain(env::split_paths(&path)));
    let target = program().parent().unwrap().with_file_name("");
    let mut command = Command::new("bash");
    command
        .arg("-euxc")
        .arg(format!("source {}\n{lines}", guests().display()))
        .current_dir(folder)
        .env("PATH", path.unwrap())
        .env("ATELIER_HOME", home.path())
        // The standard library for WebAssembly is there already, from the first-party plugins.
        .env("CARGO_TARGET_DIR", target);
    command
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
    let _ = run(shell(&home, &folder, &typed)).exits(0);

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
    let photo = folder.join("sepia/cases/grey/photo.png");
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
