//! The limit of memory that the settings give: what fits is made, in tiles where it must, and what does
//! not fit is refused before any work.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};

use atelier_tests::{Daemon, Home, Run, psnr};

/// A home whose pictures may take so much: the settings' last table is the device's.
fn home(memory: &str) -> Home {
    Home::with_settings(&format!("memory = \"{memory}\"\n"))
}

fn generate(home: &Home, output: &Path) -> Run {
    let output = output.to_str().unwrap();
    home.atelier(&[
        "generate",
        "--prompt",
        "a red fox",
        "--width",
        "1024",
        "--height",
        "512",
        "--steps",
        "1",
        "--seed",
        "3",
        "--output",
        output,
        "--json",
    ])
}

/// What the plan says of decoding.
fn decoding(home: &Home) -> serde_json::Value {
    let info = home.atelier(&[
        "model", "inspect", "klein", "--width", "1024", "--height", "512", "--json",
    ]);
    let info = info.exits(0).json();
    let stages = info["memory"]["stages"].as_array().unwrap();
    let stage = stages.iter().find(|stage| stage["name"] == "vae");
    stage.unwrap().clone()
}

#[test]
fn a_picture_that_does_not_fit_is_refused_with_the_numbers() {
    let home = home("16MiB");
    let output: PathBuf = home.elsewhere().join("fox.png");
    let run = generate(&home, &output).exits(2);
    let error = &run.json()["error"];
    assert_eq!(error["code"], "memory-insufficient", "{run}");
    assert!(
        error["message"].as_str().unwrap().contains("16 MiB"),
        "{run}"
    );
    assert!(error["hint"].as_str().unwrap().contains("memory"), "{run}");
    assert!(!output.exists());

    let daemon = Daemon::start(&home);
    home.drop_manifest(
        "fox",
        "manifest = 1\nprompt = \"a red fox\"\nwidth = 64\nheight = 64\nsteps = 1\n",
    );
    let result = home.wait_for_error("fox");
    assert_eq!(
        result["code"].as_str(),
        Some("memory-insufficient"),
        "{result}"
    );
    drop(daemon);
}

#[test]
fn a_picture_in_tiles_looks_like_the_one_made_whole() {
    let [roomy, tight] = ["4GiB", "160MiB"].map(home);
    assert_eq!(decoding(&roomy)["tiled"], false);
    assert_eq!(decoding(&tight)["tiled"], true);
    let pictures = [&roomy, &tight].map(|home| {
        let output = home.elsewhere().join("fox.png");
        let _ = generate(home, &output).exits(0);
        output
    });
    let likeness = psnr(&pictures[0], &pictures[1]);
    assert!(likeness >= 40.0, "{likeness:.1} dB");
}
