//! The starter model, which comes inside the program: what works in a home that has no model.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use atelier_tests::{Case, Daemon, Fixtures, Home, psnr};
use serde_json::Value;

/// `atelier generate` of a case, with more arguments.
fn generate(home: &Home, case: &Case, more: &[&str], output: &Path) {
    let arguments = case.arguments();
    let mut all = vec!["generate", "--output", output.to_str().unwrap()];
    all.extend(arguments.iter().map(String::as_str));
    all.extend(more);
    let _ = home.atelier(&all).exits(0);
}

/// Renders a case without naming a model, and compares with the reference implementation.
fn matches_the_reference(name: &str) {
    let home = Home::empty();
    let case = Fixtures::starter_case(name);
    let output = home.elsewhere().join("picture.png");
    generate(&home, &case, &["--precision", "f32"], &output);
    let likeness = psnr(&output, &case.expected);
    assert!(likeness >= 55.0, "{name}: {likeness:.1} dB");
}

#[test]
fn names_are_drawn_as_diffusers_draws_them() {
    for name in ["apple", "sunglasses", "racing-car", "penguin"] {
        matches_the_reference(name);
    }
}

#[test]
fn objects_of_references_are_drawn_as_diffusers_draws_them() {
    for name in ["object", "second-object", "pair", "row"] {
        matches_the_reference(name);
    }
}

#[test]
fn poses_are_followed_as_diffusers_follows_them() {
    for name in ["pose", "red-shirt"] {
        matches_the_reference(name);
    }
}

#[test]
fn in_fp8_it_draws_nearly_the_same() {
    let home = Home::empty();
    let file = home.path().join("fp8.safetensors");
    let path = file.to_str().unwrap();
    let _ = home
        .atelier(&["model", "quantize", "starter", path])
        .exits(0);
    // Its rotations are no published model's, so the file needs the configs beside it.
    let listed = home.atelier(&["model", "list", "--json"]).exits(0).json();
    let starter = Path::new(listed[0]["path"].as_str().unwrap());
    let model = home.path().join("models/fp8");
    fs::create_dir_all(model.join("transformer")).unwrap();
    for part in [
        "model_index.json",
        "scheduler",
        "text_encoder",
        "tokenizer",
        "transformer/config.json",
        "vae",
    ] {
        symlink(starter.join(part), model.join(part)).unwrap();
    }
    let weights = model.join("transformer/diffusion_pytorch_model.safetensors");
    fs::rename(file, weights).unwrap();
    let output = home.elsewhere().join("picture.png");
    for name in ["apple", "pose"] {
        let case = Fixtures::starter_case(name);
        generate(&home, &case, &["--model", "fp8"], &output);
        let likeness = psnr(&output, &case.expected);
        assert!((30.0..80.0).contains(&likeness), "{name}: {likeness:.1} dB");
    }
}

#[test]
fn a_picture_that_names_no_model_and_no_size_is_the_starters() {
    let home = Home::empty();
    let output = home.elsewhere().join("apple.png");
    let path = output.to_str().unwrap();
    let arguments = ["generate", "--prompt", "a red apple", "--output", path];
    let _ = home.atelier(&arguments).exits(0);
    assert_eq!(image::image_dimensions(&output).unwrap(), (256, 256));
    let report = home.atelier(&["verify", path, "--json"]).exits(0);
    // The architecture is FLUX.2 klein's; the weights are not, and nothing signed may say so.
    assert!(report.stdout.contains("Atelier starter"), "{report}");
    assert!(!report.stdout.contains("FLUX.2"), "{report}");
}

#[test]
fn a_size_that_it_cannot_draw_at_is_warned_of() {
    let home = Home::empty();
    let output = home.elsewhere().join("apple.png");
    let mut arguments = vec!["generate", "--prompt", "a red apple", "--json", "--output"];
    arguments.push(output.to_str().unwrap());
    let made = home.atelier(&arguments).exits(0).json();
    assert_eq!(made["warnings"].as_array().unwrap().len(), 0, "{made:#}");
    arguments.extend(["--width", "64", "--height", "64"]);
    let made = home.atelier(&arguments).exits(0).json();
    assert!(
        made["warnings"][0].as_str().unwrap().contains("256×256"),
        "{made:#}"
    );
}

#[test]
fn a_dropped_manifest_needs_no_model() {
    let home = Home::empty();
    let daemon = Daemon::start(&home);
    home.drop_manifest(
        "apple",
        "manifest = 1\nprompt = \"a red apple\"\nseed = 1\n",
    );
    let _ = home.wait_for_result("apple");
    let picture = home.outbox().join("apple.png");
    let likeness = psnr(&picture, &Fixtures::starter_case("apple").expected);
    assert!(likeness >= 30.0, "{likeness:.1} dB");
    assert!(daemon.stop().success());
}

#[test]
fn it_is_the_default_until_there_is_another() {
    let home = Home::empty();
    let list = || home.atelier(&["model", "list", "--json"]).exits(0).json();
    let row = |name: &str, default: bool| -> Value {
        let rows = list();
        let row = rows
            .as_array()
            .unwrap()
            .iter()
            .find(|row| row["name"] == name);
        assert_eq!(row.unwrap()["default"], default, "{rows:#}");
        rows
    };
    let _ = row("starter", true);
    let inspected = home.atelier(&["model", "inspect", "starter", "--json"]);
    assert_eq!(inspected.exits(0).json()["default_side"], 256);
    let manifest = home.write_manifest("x", "manifest = 1\nprompt = \"a red apple\"\n");
    let checked = home.atelier(&["check", manifest.to_str().unwrap(), "--json"]);
    assert_eq!(checked.exits(0).json()["job"]["model"]["name"], "starter");

    fs::create_dir_all(home.path().join("models")).unwrap();
    symlink(Fixtures::model(), home.path().join("models/klein")).unwrap();
    let _ = row("klein", true);
    let _ = row("starter", false);
}

#[test]
fn doctor_says_that_it_is_the_starter_and_how_to_have_flux() {
    let home = Home::empty();
    let report = home.atelier(&["doctor"]).exits(0);
    for said in [
        "comes with Atelier",
        "klein-4b = \"~/models/FLUX.2-klein-4B\"",
        ".safetensors",
        "fp8",
        "Apache-2.0",
        "non-commercial",
    ] {
        assert!(report.stdout.contains(said), "{said}: {report}");
    }
    let own = Home::new().atelier(&["doctor"]);
    assert!(!own.stdout.contains("comes with Atelier"), "{own}");
}
