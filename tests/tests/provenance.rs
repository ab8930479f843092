//! What a picture says of itself, who believes it, and what it must never say.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use atelier_tests::{Daemon, Fixtures, Home, sha256};
use serde_json::Value;

/// Words that appear nowhere but in this prompt.
const CANARY: &str = "heliotrope zeppelin quartet";

/// A job with a reference whose name is a canary too.
fn manifest(more: &str) -> String {
    format!(
        "manifest = 1\nprompt = \"{CANARY}\"\nwidth = 64\nheight = 64\nsteps = 1\nseed = 7\n{more}\n\
         [[reference]]\npath = \"wistful-otter.png\"\n"
    )
}

/// A home with one job done; the picture's path.
fn made(home: &Home, more: &str) -> PathBuf {
    fs::copy(Fixtures::picture(), home.inbox().join("wistful-otter.png")).unwrap();
    let _daemon = Daemon::start(home);
    home.drop_manifest("signed", &manifest(more));
    let _ = home.wait_for_result("signed");
    home.outbox().join("signed.png")
}

fn verify(home: &Home, picture: &Path, status: i32) -> Value {
    let reports = home
        .atelier(&["verify", picture.to_str().unwrap(), "--json"])
        .exits(status)
        .json();
    reports[0].clone()
}

#[test]
fn a_delivered_picture_is_trusted_and_says_what_it_is() {
    let home = Home::new();
    let picture = made(&home, "");
    let report = verify(&home, &picture, 0);
    assert_eq!(report["file"].as_str(), picture.to_str());
    assert_eq!(report["state"], "trusted", "{report:#}");
    assert_eq!(report["ai"]["generated"], true, "{report:#}");
    assert_eq!(
        report["ai"]["digital_source_type"], "trainedAlgorithmicMedia",
        "{report:#}"
    );
    assert!(
        report["signer"]
            .as_str()
            .is_some_and(|signer| !signer.is_empty()),
        "{report:#}"
    );
    assert_eq!(
        report["problems"].as_array().map(Vec::len),
        Some(0),
        "{report:#}"
    );
    // The model by the digest of its weights, and the reference by that of its bytes.
    let model = report["ai"]["model"]["sha256"].as_str();
    assert!(model.is_some_and(|digest| digest.len() == 64), "{report:#}");
    let ingredients = report["ingredients"].as_array().unwrap();
    assert_eq!(ingredients.len(), 1, "{report:#}");
    assert_eq!(ingredients[0]["relationship"], "inputTo");
    assert_eq!(
        ingredients[0]["sha256"],
        sha256(&Fixtures::picture()).as_str(),
        "{report:#}"
    );
}

#[test]
fn nothing_private_is_in_the_bytes() {
    let home = Home::new();
    let picture = made(&home, "");
    let bytes = fs::read(&picture).unwrap();
    let holds = |text: &str| {
        bytes
            .windows(text.len())
            .any(|window| window == text.as_bytes())
    };
    assert!(holds("trainedAlgorithmicMedia"), "the search itself works");
    let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    let user = std::env::var("USER").unwrap_or_default();
    for secret in [
        CANARY,
        "wistful-otter",
        "signed.toml",
        home.path().to_str().unwrap(),
        host.trim(),
        &user,
    ] {
        // A host called "a" or a user called "root" is in any file.
        assert!(
            secret.len() < 6 || !holds(secret),
            "the picture holds {secret:?}"
        );
    }
}

#[test]
fn the_prompt_and_a_title_are_signed_when_asked_for() {
    let home = Home::new();
    let picture = made(
        &home,
        "\n[provenance]\ninclude_prompt = true\ntitle = \"Spring poster\"\n",
    );
    let bytes = fs::read(&picture).unwrap();
    let holds = |text: &str| {
        bytes
            .windows(text.len())
            .any(|window| window == text.as_bytes())
    };
    assert!(holds(CANARY));
    assert!(holds("Spring poster"));
    assert_eq!(verify(&home, &picture, 0)["state"], "trusted");
}

#[test]
fn a_changed_picture_is_invalid_and_says_why() {
    let home = Home::new();
    let picture = made(&home, "");
    let mut bytes = fs::read(&picture).unwrap();
    // In the compressed pixels, which end just before the last chunk.
    let at = bytes.len() - 40;
    bytes[at] ^= 1;
    let tampered = home.elsewhere().join("tampered.png");
    fs::write(&tampered, bytes).unwrap();
    let report = verify(&home, &tampered, 5);
    assert_eq!(report["state"], "invalid", "{report:#}");
    assert!(
        !report["problems"].as_array().unwrap().is_empty(),
        "{report:#}"
    );

    // Among several files the worst decides, and each has its report.
    let (good, bad) = (picture.to_str().unwrap(), tampered.to_str().unwrap());
    let reports = home
        .atelier(&["verify", good, bad, "--json"])
        .exits(5)
        .json();
    assert_eq!(
        (&reports[0]["state"], &reports[1]["state"]),
        (&"trusted".into(), &"invalid".into())
    );
}

#[test]
fn another_home_finds_the_signature_valid_and_its_signer_unknown() {
    let home = Home::new();
    let picture = made(&home, "");
    let stranger = Home::new();
    let _ = stranger.atelier(&["keys", "init"]).exits(0);
    assert_eq!(verify(&stranger, &picture, 0)["state"], "valid");
    let shown = home.atelier(&["keys", "show", "--json"]).exits(0).json();
    let root = format!("{}/ca.pem", shown["folder"].as_str().unwrap());
    let root = root.as_str();
    let trusting = stranger
        .atelier(&[
            "verify",
            picture.to_str().unwrap(),
            "--trust",
            root,
            "--json",
        ])
        .exits(0)
        .json();
    assert_eq!(trusting[0]["state"], "trusted");
}

#[test]
fn a_picture_from_elsewhere_is_unsigned() {
    let home = Home::new();
    let report = home.atelier(&["verify", Fixtures::picture().to_str().unwrap(), "--json"]);
    assert_eq!(report.json()[0]["state"], "unsigned", "{report}");
    let _ = home.atelier(&["verify", "no-such-picture.png"]).exits(3);
}

#[test]
fn keys_are_for_their_user_alone_and_in_no_output() {
    let home = Home::new();
    let daemon = Daemon::start(&home);
    let shown = daemon.atelier(&["keys", "show"]).exits(0);
    let mut private = 0;
    for name in Home::names(&home.path().join("keys")) {
        let path = home.path().join("keys").join(name);
        let text = fs::read_to_string(&path).unwrap();
        if !text.contains("PRIVATE KEY") {
            continue;
        }
        private += 1;
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600,
            "{}",
            path.display()
        );
        let secret = text.lines().nth(1).unwrap();
        assert!(!shown.stdout.contains(secret) && !daemon.log().contains(secret));
    }
    assert!(private >= 1, "there is a signing key");
    // Making them again must not replace them: pictures already signed depend on them.
    let _ = daemon.atelier(&["keys", "init"]);
    assert_eq!(
        daemon.atelier(&["keys", "show"]).exits(0).stdout,
        shown.stdout
    );
}
