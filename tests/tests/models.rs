//! Models that are files of other programs: named in the settings, by path, alone.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::os::unix::fs::symlink;

use atelier_tests::{Fixtures, Home, psnr};

/// A renderer with the right weights is above this.
const LEAST_PSNR: f64 = 55.0;

/// A home without a model of its own, and the small model's parts under `elsewhere/`.
fn home(settings: &str) -> Home {
    let home = Home::with_settings(settings);
    fs::remove_file(home.path().join("models/klein")).unwrap();
    let elsewhere = home.elsewhere();
    let model = Fixtures::model();
    for part in ["text_encoder", "tokenizer", "vae"] {
        symlink(model.join(part), elsewhere.join(part)).unwrap();
    }
    let transformer = model.join("transformer/diffusion_pytorch_model.safetensors");
    symlink(transformer, elsewhere.join("klein.safetensors")).unwrap();
    home
}

/// Renders a case with this model and compares it with the reference implementation's picture.
fn renders_the_case(home: &Home, model: &str) {
    let case = Fixtures::case("text");
    let output = home.elsewhere().join("picture.png");
    let mut arguments = vec!["generate", "--json", "--model", model, "--output"];
    arguments.push(output.to_str().unwrap());
    let of_case = case.arguments();
    arguments.extend(of_case.iter().map(String::as_str));
    let _ = home.atelier(&arguments).exits(0);
    let psnr = psnr(&output, &case.expected);
    assert!(psnr >= LEAST_PSNR, "{model}: {psnr} dB");
}

const NAMED: &str = r#"
[models]
tiny = { transformer = "../elsewhere/klein.safetensors", text_encoder = "../elsewhere/text_encoder", tokenizer = "../elsewhere/tokenizer", vae = "../elsewhere/vae", variant = "klein" }
"#;

#[test]
fn a_model_is_named_by_its_parts() {
    let home = home(NAMED);
    let info = home
        .atelier(&["model", "inspect", "tiny", "--json"])
        .exits(0)
        .json();
    assert_eq!(info["variant_basis"], "asked");
    assert_eq!(info["variant"]["klein"]["distilled"], true);
    let listed = home.atelier(&["model", "list", "--json"]).exits(0).json();
    assert_eq!(listed[0]["name"], "tiny");
    assert_eq!(listed[0]["default"], true);
    renders_the_case(&home, "tiny");
}

const SHARED: &str = r#"
[parts]
text_encoder = ["../elsewhere/vae", "../elsewhere/text_encoder"]
tokenizer = "../elsewhere/tokenizer"
vae = "../elsewhere/vae"
"#;

#[test]
fn a_transformers_file_uses_the_parts_that_the_settings_name() {
    let home = home(SHARED);
    let file = home.elsewhere().join("klein.safetensors");
    renders_the_case(&home, file.to_str().unwrap());

    // A file that was made here, too; and one in models/ has a name.
    let quantised = home.path().join("models/klein-fp8.safetensors");
    let quantised = quantised.to_str().unwrap();
    let _ = home
        .atelier(&["model", "quantize", file.to_str().unwrap(), quantised])
        .exits(0);
    let info = home
        .atelier(&["model", "inspect", "klein-fp8", "--json"])
        .exits(0)
        .json();
    let parts = info["parts"].as_array().unwrap();
    let transformer = parts.iter().find(|part| part["name"] == "transformer");
    let precision = &transformer.unwrap()["precision"];
    assert!(precision["F8_E4M3"].as_u64() > Some(0), "{info:#}");
    let output = home.elsewhere().join("fp8.png");
    let output = output.to_str().unwrap();
    let request = [
        "--prompt", "a fox", "--width", "64", "--height", "64", "--seed", "1",
    ];
    let generate = ["generate", "--output", output];
    let _ = home
        .atelier(&[&generate[..], &request[..]].concat())
        .exits(0);
    let report = home.atelier(&["verify", output, "--json"]).exits(0).json();
    assert!(!report.is_null());
}

#[test]
fn a_lone_file_is_inspected_and_refused_with_the_settings_to_write() {
    let home = Home::new();
    let alone = home.path().join("klein-base.safetensors");
    let transformer = Fixtures::model().join("transformer/diffusion_pytorch_model.safetensors");
    fs::copy(transformer, &alone).unwrap();
    let alone = alone.to_str().unwrap();

    let info = home
        .atelier(&["model", "inspect", alone, "--json"])
        .exits(0)
        .json();
    assert_eq!(info["variant"]["klein"]["distilled"], false);
    assert_eq!(info["variant_basis"], "file-name");
    assert_eq!(info["parts"][0]["name"], "transformer");

    let output = home.path().join("out.png");
    let generate = [
        "generate", "--model", alone, "--prompt", "a fox", "--output",
    ];
    let run = home.atelier(&[&generate[..], &[output.to_str().unwrap(), "--json"]].concat());
    let error = run.exits(2).json()["error"].clone();
    let said = error.to_string();
    for key in ["text_encoder = ", "vae = ", "[parts]"] {
        assert!(
            said.contains(&key.replace('"', "")),
            "{said} does not say {key}"
        );
    }
    assert!(!output.exists());

    let vae = Fixtures::model().join("vae/diffusion_pytorch_model.safetensors");
    let vae = vae.to_str().unwrap();
    let info = home
        .atelier(&["model", "inspect", vae, "--json"])
        .exits(0)
        .json();
    assert!(info["variant"].is_null());
    assert_eq!(info["parts"][0]["name"], "vae");
    let picture = Fixtures::picture();
    let run = home.atelier(&["model", "inspect", picture.to_str().unwrap(), "--json"]);
    assert_eq!(run.exits(2).json()["error"]["code"], "weights-malformed");
}

#[test]
fn a_mistake_in_the_settings_is_told_with_its_place() {
    let home = Home::with_settings("\n[models]\nx = { path = \"p\", vea = \"v\" }\n");
    let error = home.atelier(&["model", "list", "--json"]).exits(2).json()["error"].clone();
    assert_eq!(error["code"], "config-invalid");
    assert!(
        error["message"].as_str().unwrap().contains("vea"),
        "{error}"
    );
}
