//! Plugins in jobs and by themselves.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;

use atelier_tests::{Daemon, Fixtures, Home, gradient, plugin_folder, sha256};

/// A small job, to which a reference is added.
const JOB: &str = "manifest = 1\nprompt = \"the dancer of image 1\"\nwidth = 64\nheight = 64\nsteps = 1\nseed = 7\n";

fn reference(path: &str, prepare: &str) -> String {
    format!("\n[[reference]]\npath = \"{path}\"\nprepare = [{prepare}]\n")
}

#[test]
fn pose_and_fit_prepare_the_references_of_a_job() {
    let home = Home::new();
    home.install("pose");
    home.install("fit");
    home.put(&Fixtures::dancer());
    gradient(&home.inbox().join("wide.png"), 300, 100);
    let _daemon = Daemon::start(&home);
    let pose = reference(
        "dancer.json",
        "{ plugin = \"pose\", width = 64, height = 96 }",
    );
    let fit = reference("wide.png", "{ plugin = \"fit\", width = 64, height = 64 }");
    home.drop_manifest("both", &format!("{JOB}{pose}{fit}"));
    home.drop_manifest("without", JOB);
    let _ = home.wait_for_result("both");
    let _ = home.wait_for_result("without");
    let open = |name: &str| image::open(home.outbox().join(name)).unwrap();
    assert_ne!(
        open("both.png"),
        open("without.png"),
        "the references count"
    );

    // Each step is in the provenance, by the digest of the module that ran.
    let report = home.provenance("both.png");
    let steps = report["steps"].as_array().unwrap();
    assert_eq!(steps.len(), 2, "{report:#}");
    for (step, plugin) in steps.iter().zip(["pose", "fit"]) {
        let module = sha256(&home.path().join("plugins").join(plugin).join("plugin.wasm"));
        assert_eq!(step["plugin"], plugin, "{report:#}");
        assert_eq!(step["module_sha256"], module.as_str(), "{report:#}");
    }
    // And each reference by the digest of the file that the user gave.
    let ingredients = report["ingredients"].to_string();
    assert!(
        ingredients.contains(&sha256(&Fixtures::dancer())),
        "{report:#}"
    );
}

#[test]
fn one_reference_passes_through_several_plugins_in_order() {
    let home = Home::new();
    home.install("pose");
    home.install("fit");
    home.put(&Fixtures::dancer());
    let _daemon = Daemon::start(&home);
    let steps = "{ plugin = \"pose\", width = 64, height = 96 }, { plugin = \"fit\", width = 96, height = 64 }";
    home.drop_manifest(
        "chain",
        &format!("{JOB}{}", reference("dancer.json", steps)),
    );
    let _ = home.wait_for_result("chain");
    let report = home.provenance("chain.png");
    let plugins: Vec<&str> = report["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| step["plugin"].as_str().unwrap())
        .collect();
    assert_eq!(plugins, ["pose", "fit"]);
}

#[test]
fn retarget_and_edges_prepare_the_references_of_a_job() {
    let home = Home::new();
    home.install("retarget");
    home.install("edges");
    home.put(&Fixtures::dancer());
    gradient(&home.inbox().join("wide.png"), 100, 100);
    let _daemon = Daemon::start(&home);
    let retarget = reference(
        "dancer.json",
        "{ plugin = \"retarget\", legs = 80, mirror = true, width = 64, height = 96 }",
    );
    let edges = reference("wide.png", "{ plugin = \"edges\", low = 1, high = 2 }");
    home.drop_manifest("both", &format!("{JOB}{retarget}{edges}"));
    let _ = home.wait_for_result("both");
    let report = home.provenance("both.png");
    let steps = report["steps"].as_array().unwrap();
    let plugins: Vec<&str> = steps
        .iter()
        .map(|step| step["plugin"].as_str().unwrap())
        .collect();
    assert_eq!(plugins, ["retarget", "edges"], "{report:#}");
}

/// What each plugin's own tests run on it natively, on the component in the host.
#[test]
fn the_cases_of_first_party_plugins_hold_in_the_host() {
    let home =
        Home::with_settings("[plugins.grants]\npose-from-photo = [\"model:movenet-lightning\"]\n");
    let plugins = Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugins");
    let models = home.path().join("models");
    let model = "movenet-lightning.onnx";
    let found = plugins.join("pose-from-photo/model").join(model);
    fs::copy(found, models.join(model)).unwrap();
    for name in [
        "collage",
        "edges",
        "fit",
        "palette",
        "pose",
        "pose-from-photo",
        "retarget",
    ] {
        let project = home.elsewhere().join(name);
        copy(&plugin_folder(name), &project.join("build"));
        copy(&plugins.join(name).join("cases"), &project.join("cases"));
        let _ = home
            .atelier(&["plugin", "test", project.to_str().unwrap()])
            .exits(0);
    }
}

/// Copies a folder with all that is in it.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let from = entry.unwrap().path();
        let to = to.join(from.file_name().unwrap());
        if from.is_dir() {
            copy(&from, &to);
        } else {
            fs::copy(from, to).unwrap();
        }
    }
}

#[test]
fn a_plugin_runs_by_itself_on_a_file() {
    let home = Home::new();
    home.install("pose");
    home.install("fit");
    let output = home.elsewhere().join("out.png");
    let output_name = output.to_str().unwrap();

    let source = home.elsewhere().join("wide.png");
    gradient(&source, 300, 100);
    let source = source.to_str().unwrap();
    let _ = home
        .atelier(&[
            "plugin",
            "run",
            "fit:width=80,height=48",
            source,
            "--output",
            output_name,
        ])
        .exits(0);
    assert_eq!(image::image_dimensions(&output).unwrap(), (80, 48));

    let dancer = Fixtures::dancer();
    let dancer = dancer.to_str().unwrap();
    let _ = home
        .atelier(&[
            "plugin",
            "run",
            "pose:width=128,height=192",
            dancer,
            "--output",
            output_name,
        ])
        .exits(0);
    let skeleton = image::open(&output).unwrap().into_rgb8();
    assert_eq!(skeleton.dimensions(), (128, 192));
    let colours: std::collections::BTreeSet<[u8; 3]> =
        skeleton.pixels().map(|pixel| pixel.0).collect();
    assert!(
        colours.contains(&[0, 0, 0]) && colours.len() > 18,
        "limbs of many colours on black"
    );

    // What the plugin says of a wrong parameter reaches the user.
    let run = home.atelier(&[
        "plugin",
        "run",
        "fit:mode=sideways",
        source,
        "--output",
        output_name,
    ]);
    assert!(run.status != 0 && run.stderr.contains("mode"), "{run}");
}

#[test]
fn list_shows_what_is_installed_and_what_is_broken() {
    let home = Home::new();
    home.install("pose");
    home.install("fit");
    let broken = home.path().join("plugins/broken");
    fs::create_dir(&broken).unwrap();
    fs::write(broken.join("plugin.toml"), "name = \"broken\"\n").unwrap();
    let listed = home.atelier(&["plugin", "list", "--json"]).exits(0).json();
    let listed = listed.as_array().unwrap();
    assert_eq!(listed.len(), 3, "{listed:#?}");
    let named = |name: &str| listed.iter().find(|plugin| plugin["name"] == name);
    for name in ["pose", "fit"] {
        let plugin = named(name).unwrap_or_else(|| panic!("no {name} in {listed:#?}"));
        assert_eq!(plugin["world"], "atelier:plugin@1.0.0");
    }
    assert!(
        listed
            .iter()
            .any(|plugin| plugin["error"]["code"].is_string()),
        "{listed:#?}"
    );
    assert!(
        home.atelier(&["plugin", "list"])
            .exits(0)
            .stdout
            .contains("pose")
    );
}

#[test]
fn joints_are_found_in_a_photograph_for_a_job() {
    let home = Home::new();
    let here = |path: &str| {
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../plugins")
            .join(path)
    };
    let model = "movenet-lightning.onnx";
    let from = here("pose-from-photo/model").join(model);
    fs::copy(from, home.path().join("models").join(model)).unwrap();
    let plugin = plugin_folder("pose-from-photo");
    home.install("pose");
    // The second model that it asks for is optional.
    let _ = home
        .atelier(&[
            "plugin",
            "install",
            plugin.to_str().unwrap(),
            "--grant",
            "model:movenet-lightning",
        ])
        .exits(0);
    home.put(&here("pose-from-photo/tests/figure.png"));
    let _daemon = Daemon::start(&home);
    let prepare =
        "{ plugin = \"pose-from-photo\" }, { plugin = \"pose\", width = 64, height = 96 }";
    let job = format!("{JOB}{}", reference("figure.png", prepare));
    home.drop_manifest("dancer", &job);
    let thunder = prepare.replacen(" }", ", model = \"thunder\" }", 1);
    home.drop_manifest(
        "thunder",
        &format!("{JOB}{}", reference("figure.png", &thunder)),
    );
    let _ = home.wait_for_result("dancer");
    let report = home.provenance("dancer.png");
    let step = &report["steps"][0];
    assert_eq!(step["plugin"], "pose-from-photo", "{report:#}");
    // What it noted is in the provenance.
    assert!(step["notes"].to_string().contains("lightning"), "{step:#}");

    let error = home.wait_for_error("thunder");
    assert_eq!(error["code"].as_str(), Some("plugin-refused"), "{error}");
    let message = error["message"].as_str().unwrap();
    let command = "atelier plugin grant pose-from-photo model:movenet-thunder";
    assert!(message.contains(command), "{message}");
}
