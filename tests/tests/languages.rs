//! Everything that a plugin can ask for, from languages that are interpreted: a model, random numbers, a setting and
//! the host's drawing, each granted, and then one of them not.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;

use atelier_tests::{COMPILING, Home, run_within, shell};
use image::{Rgba, RgbaImage};

/// What lies in the picture that goes in.
const RED: Rgba<u8> = Rgba([200, 30, 20, 255]);

fn asks_for_everything(name: &str) {
    let home = Home::with_settings(&format!(
        "\n[plugins.settings]\n{name} = {{ studio = \"North\" }}\n"
    ));
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/plugins");
    let model = "doubles.onnx";
    fs::copy(fixtures.join(model), home.path().join("models").join(model)).unwrap();
    let folder = home.elsewhere();
    for entry in fs::read_dir(fixtures.join(name)).unwrap() {
        let entry = entry.unwrap();
        if entry.path().is_file() {
            fs::copy(entry.path(), folder.join(entry.file_name())).unwrap();
        }
    }
    RgbaImage::from_pixel(20, 10, RED)
        .save(folder.join("red.png"))
        .unwrap();

    let lines = "atelier plugin build >&2\natelier plugin install build --grant-all >&2\n";
    let _ = run_within(shell(&home, &folder, lines), COMPILING).exits(0);
    let file = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let (red, out) = (file("red.png"), file("out.png"));
    let call = ["plugin", "run", name, &red, "--output", &out, "--json"];
    let made = home.atelier(&call).exits(0).json();
    let notes = made["notes"].to_string();
    for said in ["2 5 -6 0", "2 2", "North"] {
        assert!(notes.contains(said), "{said}: {made:#}");
    }
    let picture = image::open(&out).unwrap().into_rgba8();
    assert_eq!(picture.dimensions(), (32, 16));
    let [red, green, blue, _] = picture.get_pixel(0, 0).0;
    let colour = format!("#{red:02x}{green:02x}{blue:02x}");
    assert!(notes.contains(&colour), "{colour}: {made:#}");
    assert_eq!(*picture.get_pixel(16, 8), RED, "what was blitted");
    assert_ne!(*picture.get_pixel(7, 8), RED, "and nothing beside it");

    let _ = home.atelier(&["plugin", "revoke", name, "random"]).exits(0);
    let refused = home.atelier(&call);
    let error = refused.json()["error"].clone();
    assert_eq!(error["code"], "plugin-refused", "{error:#}");
    let message = error["message"].as_str().unwrap();
    let command = format!("atelier plugin grant {name} random");
    assert!(message.contains(&command), "{message}");
}

#[test]
fn a_plugin_in_python_uses_all_that_it_was_granted() {
    asks_for_everything("asks-python");
}

#[test]
fn a_plugin_in_javascript_uses_all_that_it_was_granted() {
    asks_for_everything("asks-js");
}
