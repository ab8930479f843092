//! Beginning from a picture: through the command, a manifest and the signature, and what is refused.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;

use atelier_tests::{Daemon, Fixtures, Home, Run, psnr, sha256};
use image::{GenericImageView, Rgba, RgbaImage};
use serde_json::Value;

/// Runs `generate` with the small model on the fixture's picture.
fn generate(home: &Home, output: &Path, more: &[&str]) -> Run {
    let picture = Fixtures::init("picture.png");
    begin(
        home,
        output,
        &[&["--init", picture.to_str().unwrap()], more].concat(),
    )
}

/// Runs `generate` with the small model.
fn begin(home: &Home, output: &Path, more: &[&str]) -> Run {
    let model = Fixtures::model();
    let mut all = vec![
        "generate",
        "--model",
        model.to_str().unwrap(),
        "--prompt",
        "a red fox reading a newspaper",
        "--steps",
        "4",
        "--seed",
        "5",
        "--output",
        output.to_str().unwrap(),
        "--json",
    ];
    all.extend(more);
    home.atelier(&all)
}

fn verify(home: &Home, picture: &Path) -> Value {
    home.atelier(&["verify", picture.to_str().unwrap(), "--json"])
        .exits(0)
        .json()[0]
        .clone()
}

/// Asserts that `made` shows `original` at `left`, `top`, bit for bit where `stays` says so.
fn keeps(made: &Path, original: &Path, left: u32, top: u32, stays: impl Fn(u32, u32) -> bool) {
    let made = image::open(made).unwrap().into_rgb8();
    let original = image::open(original).unwrap().into_rgb8();
    let mut kept = 0;
    for (x, y, pixel) in original
        .enumerate_pixels()
        .filter(|(x, y, _)| stays(*x, *y))
    {
        assert_eq!(made.get_pixel(left + x, top + y), pixel, "{x}, {y}");
        kept += 1;
    }
    assert!(kept > 1000, "{kept}");
}

#[test]
fn a_picture_with_a_reference_gives_the_reference_picture() {
    let home = Home::new();
    let output = home.elsewhere().join("picture.png");
    let reference = Fixtures::init("reference.png");
    let more = [
        "--strength",
        "0.3",
        "--reference",
        reference.to_str().unwrap(),
    ];
    let made = generate(&home, &output, &more).exits(0).json();
    assert_eq!(
        (made["width"].as_u64(), made["height"].as_u64()),
        (Some(128), Some(96))
    );
    let likeness = psnr(&output, &Fixtures::init("plain-0.3-1-1.png"));
    assert!(likeness >= 55.0, "{likeness:.1} dB");
    // Nothing of the picture is kept as it was: it is an input like the reference.
    let report = verify(&home, &output);
    assert_eq!(report["state"], "trusted", "{report:#}");
    assert_eq!(
        report["ai"]["digital_source_type"], "trainedAlgorithmicMedia",
        "{report:#}"
    );
    let ingredients = report["ingredients"].as_array().unwrap();
    assert_eq!(ingredients.len(), 2, "{report:#}");
    assert!(
        ingredients.iter().all(|it| it["relationship"] == "inputTo"),
        "{report:#}"
    );
}

#[test]
fn what_a_mask_keeps_is_kept_and_the_picture_says_that_it_was_edited() {
    let home = Home::new();
    let output = home.elsewhere().join("picture.png");
    let mask = Fixtures::init("mask.png");
    let _ = generate(&home, &output, &["--mask", mask.to_str().unwrap()]).exits(0);
    let white = image::open(&mask).unwrap().into_luma8();
    let picture = Fixtures::init("picture.png");
    keeps(&output, &picture, 0, 0, |x, y| {
        white.get_pixel(x, y)[0] < 128
    });
    assert!(psnr(&output, &picture) < 30.0, "something was painted");

    let report = verify(&home, &output);
    assert_eq!(report["state"], "trusted", "{report:#}");
    assert_eq!(
        report["ai"]["digital_source_type"], "compositeWithTrainedAlgorithmicMedia",
        "{report:#}"
    );
    let ingredient = |relationship: &str| {
        let all = report["ingredients"].as_array().unwrap();
        let mut found = all.iter().filter(|it| it["relationship"] == relationship);
        let one = found.next().unwrap_or_else(|| panic!("{report:#}")).clone();
        assert!(found.next().is_none(), "{report:#}");
        one
    };
    assert_eq!(ingredient("parentOf")["sha256"], sha256(&picture).as_str());
    assert_eq!(ingredient("inputTo")["sha256"], sha256(&mask).as_str());
}

#[test]
fn what_is_transparent_is_painted() {
    let home = Home::new();
    let cut = home.elsewhere().join("cut.png");
    let picture = image::open(Fixtures::init("picture.png")).unwrap();
    RgbaImage::from_fn(128, 96, |x, y| {
        let Rgba([red, green, blue, _]) = picture.get_pixel(x, y);
        Rgba([red, green, blue, if x < 64 { 255 } else { 0 }])
    })
    .save(&cut)
    .unwrap();
    let output = home.elsewhere().join("picture.png");
    let _ = begin(&home, &output, &["--init", cut.to_str().unwrap()]).exits(0);
    keeps(&output, &Fixtures::init("picture.png"), 0, 0, |x, _| x < 64);
}

#[test]
fn a_manifest_extends_a_picture_for_each_seed() {
    let home = Home::new();
    fs::copy(
        Fixtures::init("picture.png"),
        home.inbox().join("photo.png"),
    )
    .unwrap();
    let daemon = Daemon::start(&home);
    home.drop_manifest(
        "wider",
        "manifest = 1\nprompt = \"a red fox\"\nsteps = 2\nseed = [1, 2]\n\
         [init]\npath = \"photo.png\"\nextend = { left = 20, bottom = 16 }\n",
    );
    let _ = home.wait_for_result("wider");
    drop(daemon);
    for name in ["wider-1.png", "wider-2.png"] {
        let made = home.outbox().join(name);
        assert_eq!(image::image_dimensions(&made).unwrap(), (160, 112));
        keeps(&made, &Fixtures::init("picture.png"), 32, 0, |_, _| true);
    }
    let bytes = |name: &str| fs::read(home.outbox().join(name)).unwrap();
    assert_ne!(bytes("wider-1.png"), bytes("wider-2.png"));
}

#[test]
fn what_makes_no_sense_is_refused_with_its_place() {
    let home = Home::new();
    let inbox = home.inbox();
    fs::copy(Fixtures::init("picture.png"), inbox.join("photo.png")).unwrap();
    fs::copy(Fixtures::init("reference.png"), inbox.join("other.png")).unwrap();
    image::GrayImage::new(128, 96)
        .save(inbox.join("black.png"))
        .unwrap();
    let daemon = Daemon::start(&home);
    for (name, init, code, key) in [
        ("size", "mask = \"other.png\"", "mask-size", "init.mask"),
        ("strength", "strength = 0", "out-of-range", "init.strength"),
        (
            "missing",
            "mask = \"none.png\"",
            "file-missing",
            "init.mask",
        ),
        (
            "escape",
            "mask = \"../none.png\"",
            "path-escapes",
            "init.mask",
        ),
    ] {
        home.drop_manifest(
            name,
            &format!("manifest = 1\nprompt = \"x\"\n[init]\npath = \"photo.png\"\n{init}\n"),
        );
        let error = home.wait_for_error(name);
        assert_eq!(error["code"].as_str(), Some(code), "{error}");
        assert_eq!(error["key"].as_str(), Some(key), "{error}");
        assert_eq!(error["line"].as_integer(), Some(5), "{error}");
    }
    // Whether a mask has any white is known when it is read.
    home.drop_manifest(
        "black",
        "manifest = 1\nprompt = \"x\"\n[init]\npath = \"photo.png\"\nmask = \"black.png\"\n",
    );
    let error = home.wait_for_error("black");
    assert_eq!(error["code"].as_str(), Some("mask-empty"), "{error}");
    assert_eq!(error["retryable"].as_bool(), Some(false), "{error}");
    drop(daemon);

    let output = home.elsewhere().join("picture.png");
    let mask = Fixtures::init("mask.png");
    let run = begin(&home, &output, &["--mask", mask.to_str().unwrap()]).exits(2);
    assert!(run.stderr.contains("--mask is given without"), "{run}");
    assert!(!output.exists());
}

#[test]
fn the_cap_on_references_is_the_configs_and_an_unknown_one_is_refused() {
    let home = Home::with_settings("[references]\ncap = \"bfl\"\n");
    let manifest = home.write_manifest("x", "manifest = 1\nprompt = \"x\"\n");
    let checked = home
        .atelier(&["check", manifest.to_str().unwrap(), "--json"])
        .exits(0)
        .json();
    assert_eq!(checked["job"]["reference_cap"], "bfl", "{checked:#}");
    let home = Home::with_settings("[references]\ncap = \"9MP\"\n");
    let run = home.atelier(&["doctor"]);
    assert!(
        run.stderr.contains("9MP") || run.stdout.contains("9MP"),
        "{run}"
    );
}
