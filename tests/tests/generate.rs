//! `atelier generate`: the reference pictures through the command, and what it answers to wrong
//! wishes.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;

use atelier_tests::{Fixtures, Home, Run, psnr, sha256};

/// Runs `generate` with the small model.
fn generate(home: &Home, arguments: &[String], output: &Path) -> Run {
    let model = Fixtures::model();
    let mut all = vec![
        "generate",
        "--model",
        model.to_str().unwrap(),
        "--output",
        output.to_str().unwrap(),
        "--json",
    ];
    all.extend(arguments.iter().map(String::as_str));
    home.atelier(&all)
}

/// Renders a case of the reference implementation and compares.
fn matches_the_reference(name: &str) {
    let home = Home::new();
    let case = Fixtures::case(name);
    let output = home.elsewhere().join("picture.png");
    let made = generate(&home, &case.arguments(), &output).exits(0).json();
    // Summing in another order moves a picture to 60 dB and more; anything wrong, below 50.
    let likeness = psnr(&output, &case.expected);
    assert!(likeness >= 55.0, "{name}: {likeness:.1} dB");

    assert_eq!(made["output"].as_str(), output.to_str());
    assert_eq!(made["sha256"].as_str(), Some(sha256(&output).as_str()));
    let size = image::image_dimensions(&output).unwrap();
    assert_eq!(
        (made["width"].as_u64(), made["height"].as_u64()),
        (Some(size.0.into()), Some(size.1.into()))
    );
    assert!(
        made["timings"]["infer"]
            .as_f64()
            .is_some_and(|seconds| seconds > 0.0)
    );
}

#[test]
fn text_alone_gives_the_reference_picture() {
    matches_the_reference("text");
}

#[test]
fn one_reference_gives_the_reference_picture() {
    matches_the_reference("one-reference");
}

#[test]
fn three_references_give_the_reference_picture() {
    matches_the_reference("three-references");
}

/// Arguments of a small picture.
fn small(more: &[&str]) -> Vec<String> {
    [
        "--prompt",
        "a lighthouse",
        "--width",
        "64",
        "--height",
        "64",
        "--steps",
        "1",
    ]
    .iter()
    .chain(more)
    .map(|&argument| argument.to_owned())
    .collect()
}

#[test]
fn a_seed_decides_the_picture_and_a_drawn_one_is_told() {
    let home = Home::new();
    let at = |name: &str| home.elsewhere().join(name);
    let drawn = generate(&home, &small(&[]), &at("drawn.png"))
        .exits(0)
        .json();
    let seed = drawn["seed"].as_u64().unwrap().to_string();
    let _ = generate(&home, &small(&["--seed", &seed]), &at("same.png")).exits(0);
    let _ = generate(&home, &small(&["--seed", "1"]), &at("other.png")).exits(0);
    let open = |name: &str| image::open(at(name)).unwrap();
    assert_eq!(open("drawn.png"), open("same.png"));
    assert_ne!(open("drawn.png"), open("other.png"));
}

#[test]
fn bf16_gives_nearly_the_picture_of_f32() {
    let home = Home::new();
    let at = |precision: &str| home.elsewhere().join(format!("{precision}.png"));
    for precision in ["f32", "auto", "bf16"] {
        let arguments = small(&["--seed", "1", "--precision", precision]);
        let _ = generate(&home, &arguments, &at(precision)).exits(0);
    }
    let open = |precision: &str| image::open(at(precision)).unwrap();
    assert_eq!(open("auto"), open("f32"));
    assert_ne!(open("bf16"), open("f32"));
    let likeness = psnr(&at("bf16"), &at("f32"));
    assert!(likeness >= 30.0, "{likeness:.1} dB");
    // Files in fp8 are read; nothing is multiplied in it here.
    let refused = generate(&home, &small(&["--precision", "fp8"]), &at("fp8"));
    let _ = refused.exits(2);
}

#[test]
fn the_format_follows_the_outputs_name() {
    let home = Home::new();
    for (name, format) in [
        ("a.png", image::ImageFormat::Png),
        ("a.jpg", image::ImageFormat::Jpeg),
        ("a.webp", image::ImageFormat::WebP),
        ("a.tiff", image::ImageFormat::Tiff),
    ] {
        let output = home.elsewhere().join(name);
        let _ = generate(&home, &small(&["--seed", "1"]), &output).exits(0);
        let bytes = std::fs::read(&output).unwrap();
        assert_eq!(image::guess_format(&bytes).unwrap(), format, "{name}");
        let report = home
            .atelier(&["verify", output.to_str().unwrap(), "--json"])
            .exits(0)
            .json();
        assert_ne!(report[0]["state"], "unsigned", "{name} is signed");
    }
}

#[test]
fn the_default_model_serves_where_none_is_named() {
    let home = Home::new();
    let output = home.elsewhere().join("picture.png");
    let mut arguments = vec![
        "generate".to_owned(),
        "--output".to_owned(),
        output.display().to_string(),
    ];
    arguments.extend(small(&["--seed", "1"]));
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let _ = home.atelier(&arguments).exits(0);
    assert!(output.exists());
}

#[test]
fn wrong_wishes_are_refused_before_any_work() {
    let home = Home::new();
    let output = home.elsewhere().join("picture.png");
    for more in [
        &["--width", "65"][..],
        &["--steps", "0"],
        &["--guidance", "many"],
        &["--seed", "-1"],
        &["--no-such-flag"],
        &["--device", "abacus"],
        &["--precision", "f7"],
    ] {
        let arguments: Vec<String> = ["--prompt", "a lighthouse"]
            .iter()
            .chain(more)
            .map(|&a| a.to_owned())
            .collect();
        let run = generate(&home, &arguments, &output).exits(2);
        assert!(!run.stderr.is_empty(), "{run}");
        assert!(!output.exists(), "{run}");
    }
    // No prompt at all.
    let _ = generate(&home, &[], &output).exits(2);
}

#[test]
fn what_is_not_there_is_not_found() {
    let home = Home::new();
    let output = home.elsewhere().join("picture.png");
    let output_name = output.to_str().unwrap();
    let run = home
        .atelier(&[
            "generate",
            "--model",
            "no-such-model",
            "--prompt",
            "x",
            "--output",
            output_name,
        ])
        .exits(3);
    assert!(run.stderr.contains("no-such-model"), "{run}");
    let run = generate(
        &home,
        &small(&["--reference", "no-such-picture.png"]),
        &output,
    )
    .exits(3);
    assert!(run.stderr.contains("no-such-picture.png"), "{run}");
    assert!(!output.exists());
}

#[test]
fn standard_output_is_the_answer_and_nothing_else() {
    let home = Home::new();
    let output = home.elsewhere().join("picture.png");
    // Parsing it all is the test: a progress bar or a log line would be no JSON.
    let run = generate(&home, &small(&["--seed", "1"]), &output).exits(0);
    assert!(run.json().is_object());
    assert!(
        !run.stderr.contains('\r'),
        "no progress bar without a terminal: {run}"
    );
}
