//! `atelier model quantize`: the file, what is said of it, and what is refused.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;

use atelier_tests::Home;

#[test]
fn a_model_is_quantised_into_one_file() {
    let home = Home::new();
    let output = home.path().join("klein-fp8.safetensors");
    let path = output.to_str().unwrap();
    let run = home.atelier(&["model", "quantize", "klein", path, "--json"]);
    let report = run.exits(0).json();
    assert_eq!(report["path"], path);
    assert_eq!(report["recipe"], "blocks");
    let size = fs::metadata(&output).unwrap().len();
    assert_eq!(report["bytes_after"], size);
    assert!(size < report["bytes_before"].as_u64().unwrap());

    // What is there is kept.
    let before = fs::read(&output).unwrap();
    let again = home.atelier(&[
        "model", "quantize", "klein", path, "--recipe", "mixed", "--json",
    ]);
    assert_eq!(again.exits(2).json()["error"]["code"], "output-exists");
    assert_eq!(fs::read(&output).unwrap(), before);
    let again = [
        "model",
        "quantize",
        "klein",
        path,
        "--recipe",
        "mixed",
        "--overwrite",
    ];
    let _ = home.atelier(&again).exits(0);
    assert_ne!(fs::read(&output).unwrap(), before);
}

#[test]
fn what_is_quantised_already_or_absent_is_refused() {
    let home = Home::new();
    let once = home.path().join("once.safetensors");
    let twice = home.path().join("twice.safetensors");
    let (once, twice) = (once.to_str().unwrap(), twice.to_str().unwrap());
    let _ = home.atelier(&["model", "quantize", "klein", once]).exits(0);
    let run = home.atelier(&["model", "quantize", once, twice, "--json"]);
    let error = &run.exits(2).json()["error"];
    assert_eq!(error["code"], "already-quantised");
    assert!(
        error["message"]
            .as_str()
            .unwrap()
            .contains("once.safetensors")
    );
    let _ = home
        .atelier(&["model", "quantize", "absent", twice])
        .exits(3);
    let _ = home
        .atelier(&["model", "quantize", "klein", twice, "--recipe", "all"])
        .exits(2);
    assert!(!fs::exists(twice).unwrap());
}
