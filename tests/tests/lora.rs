//! LoRA files from outside: on the command line and in manifests, in what is signed and in what is
//! recorded.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;

use atelier_tests::{Daemon, Fixtures, Home, Run, psnr, sha256};

/// The request that the files' pictures were made for.
const REQUEST: [&str; 10] = [
    "--prompt",
    "a red fox reading a newspaper in the rain",
    "--width",
    "96",
    "--height",
    "64",
    "--steps",
    "3",
    "--seed",
    "42",
];

fn generate(home: &Home, loras: &[String], output: &Path) -> Run {
    let model = Fixtures::model();
    let mut all = vec!["generate", "--model", model.to_str().unwrap()];
    all.extend(REQUEST);
    all.extend(loras.iter().flat_map(|lora| ["--lora", lora.as_str()]));
    all.extend(["--output", output.to_str().unwrap(), "--json"]);
    home.atelier(&all)
}

/// A LoRA as the flag takes it.
fn flag(name: &str, scale: &str) -> String {
    format!("{}:{scale}", Fixtures::lora(name).display())
}

/// A file with some of its tensors for another model, and one for a text encoder. Names keep their length,
/// so that the rest of the file stays where it is.
fn partial() -> Vec<u8> {
    let bytes = fs::read(Fixtures::lora("peft")).unwrap();
    let header = usize::try_from(u64::from_le_bytes(bytes[..8].try_into().unwrap())).unwrap();
    let text = std::str::from_utf8(&bytes[8..8 + header]).unwrap();
    let text = text
        .replace(
            "base_model.model.double_blocks.0.img_mlp.0",
            "base_model.model.double_blocks.7.img_mlp.0",
        )
        .replace(
            "base_model.model.double_blocks.0.img_mlp.2",
            "text_encoder.layers.000000000000000.mlp.up",
        );
    [&bytes[..8], text.as_bytes(), &bytes[8 + header..]].concat()
}

#[test]
fn several_with_their_scales_give_the_reference_picture() {
    let home = Home::new();
    let output = home.elsewhere().join("picture.png");
    let loras = [flag("ai-toolkit", "0.7"), flag("diffusers", "-0.4")];
    let made = generate(&home, &loras, &output).exits(0).json();
    let likeness = psnr(&output, &Fixtures::lora("two").with_extension("png"));
    assert!(likeness >= 55.0, "{likeness:.1} dB");
    assert_eq!(made["warnings"].as_array().unwrap().len(), 0, "{made}");
    let digests = ["ai-toolkit", "diffusers"].map(|name| sha256(&Fixtures::lora(name)));
    for (number, scale) in [(0, 0.7), (1, -0.4)] {
        let lora = &made["lora"][number];
        assert_eq!(lora["scale"].as_f64(), Some(scale), "{made}");
        assert_eq!(lora["sha256"], digests[number], "{made}");
    }

    let report = home
        .atelier(&["verify", output.to_str().unwrap(), "--json"])
        .exits(0)
        .json();
    let ingredients = report[0]["ingredients"].as_array().unwrap();
    for (ingredient, (digest, (title, scale))) in ingredients
        .iter()
        .zip(digests.iter().zip([("LoRA 1", "0.7"), ("LoRA 2", "-0.4")]))
    {
        assert_eq!(ingredient["title"], title, "{report}");
        assert_eq!(ingredient["relationship"], "inputTo", "{report}");
        assert_eq!(ingredient["sha256"], *digest, "{report}");
        assert_eq!(ingredient["scale"], scale, "{report}");
    }
    assert_eq!(ingredients.len(), 2, "{report}");
    // A LoRA is often called after a person.
    let bytes = fs::read(&output).unwrap();
    assert!(!bytes.windows(10).any(|window| window == b"ai-toolkit"));
    let run = home.atelier(&["verify", output.to_str().unwrap()]).exits(0);
    assert!(run.stdout.contains("LoRA 2 × -0.4"), "{run}");
}

#[test]
fn a_manifest_names_files_beside_it_and_its_result_lists_them() {
    let home = Home::new();
    let daemon = Daemon::start(&home);
    let style = home.inbox().join("style.safetensors");
    fs::copy(Fixtures::lora("kohya"), &style).unwrap();
    home.drop_manifest(
        "fox",
        "manifest = 1\nprompt = \"a red fox reading a newspaper in the rain\"\nwidth = 96\n\
         height = 64\nsteps = 3\nseed = 42\nlora = [{ path = \"style.safetensors\" }]\n",
    );
    let result = home.wait_for_result("fox");
    let lora = &result["lora"][0];
    assert_eq!(
        lora["path"].as_str(),
        style.canonicalize().unwrap().to_str()
    );
    assert_eq!(lora["sha256"].as_str(), Some(sha256(&style).as_str()));
    assert_eq!(lora["scale"].as_float(), Some(1.0));
    assert!(result.get("warnings").is_none(), "{result}");
    let picture = home.outbox().join("fox.png");
    let likeness = psnr(&picture, &Fixtures::lora("kohya").with_extension("png"));
    assert!(likeness >= 55.0, "{likeness:.1} dB");
    drop(daemon);
}

#[test]
fn what_does_not_fit_is_a_warning_in_the_result() {
    let home = Home::new();
    let daemon = Daemon::start(&home);
    let path = home.inbox().join("partial.safetensors");
    fs::write(&path, partial()).unwrap();
    home.drop_manifest(
        "partly",
        "manifest = 1\nprompt = \"a fox\"\nwidth = 64\nheight = 64\nsteps = 1\nseed = [1, 2]\n\
         lora = [{ path = \"partial.safetensors\", scale = 0.5 }]\n",
    );
    let result = home.wait_for_result("partly");
    let warnings: Vec<_> = result["warnings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|warning| warning.as_str().unwrap())
        .collect();
    assert_eq!(
        warnings.len(),
        2,
        "each once for both pictures: {warnings:?}"
    );
    assert!(warnings[0].contains("8 of 9 layers"), "{warnings:?}");
    assert!(warnings[1].contains("2 tensors"), "{warnings:?}");

    let output = home.elsewhere().join("picture.png");
    let made = generate(&home, &[path.display().to_string()], &output)
        .exits(0)
        .json();
    assert_eq!(made["warnings"].as_array().unwrap().len(), 2, "{made}");
    drop(daemon);
}

#[test]
fn a_file_that_fits_nothing_or_is_damaged_makes_no_picture() {
    let home = Home::new();
    let at = |name: &str| home.elsewhere().join(name);
    let good = fs::read(Fixtures::lora("peft")).unwrap();
    fs::write(at("short.safetensors"), &good[..good.len() - 1]).unwrap();
    let mut nan = good.clone();
    let end = nan.len();
    nan[end - 2..].copy_from_slice(&[0xc0, 0x7f]);
    fs::write(at("nan.safetensors"), nan).unwrap();
    let text = String::from_utf8_lossy(&good).replace("_blocks.0.", "_stages.0.");
    let length = usize::try_from(u64::from_le_bytes(good[..8].try_into().unwrap())).unwrap();
    let header = text.as_bytes()[8..8 + length].to_vec();
    fs::write(
        at("other.safetensors"),
        [&good[..8], &header, &good[8 + length..]].concat(),
    )
    .unwrap();
    let output = at("picture.png");
    for (name, code, status) in [
        ("short", "lora-unusable", 2),
        ("other", "lora-unusable", 2),
        ("nan", "weights-not-finite", 2),
        ("none", "file-missing", 3),
    ] {
        let lora = at(name).with_extension("safetensors").display().to_string();
        let run = generate(&home, &[lora], &output).exits(status);
        assert_eq!(run.json()["error"]["code"], code, "{run}");
        assert!(run.stderr.contains(name), "{run}");
        assert!(!output.exists(), "{run}");
    }
    let run = generate(&home, &[flag("peft", "10.5")], &output).exits(2);
    assert!(run.stderr.contains("--lora"), "{run}");
}

#[test]
fn check_tells_of_them() {
    let home = Home::new();
    fs::copy(
        Fixtures::lora("lokr"),
        home.elsewhere().join("style.safetensors"),
    )
    .unwrap();
    let manifest = home.write_manifest(
        "fox",
        "manifest = 1\nprompt = \"a fox\"\nlora = [{ path = \"style.safetensors\", scale = 0.5 }]\n",
    );
    let run = home
        .atelier(&["check", manifest.to_str().unwrap()])
        .exits(0);
    assert!(run.stdout.contains("1 LoRA"), "{run}");
}
