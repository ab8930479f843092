//! On a card, as far as that can be known without one: the engine's whole side of it, with a driver and a run-time
//! compiler that the processor plays. Every call to the driver, every queue, copy, mark and launch is the engine's own,
//! and the kernels are its text. What a real card adds are its arithmetic units and its time.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;

use atelier_tests::{Card, Daemon, Home, psnr, wait_until};

/// A small picture in a precision.
fn draw(card: &Card, home: &Home, device: &str, precision: &str, name: &str) -> serde_json::Value {
    let output = home.path().join(name);
    let run = generate(card, home, device, precision, &output).exits(0);
    assert!(output.is_file(), "{run}");
    run.json()
}

fn generate(
    card: &Card,
    home: &Home,
    device: &str,
    precision: &str,
    output: &Path,
) -> atelier_tests::Run {
    let arguments =
        "generate --json --model starter --seed 5 --steps 1 --width 64 --height 64 --prompt";
    let mut arguments: Vec<_> = arguments.split(' ').collect();
    arguments.extend(["an apple", "--device", device, "--precision", precision]);
    arguments.extend(["--output", output.to_str().unwrap()]);
    card.atelier(home, &arguments)
}

fn device(card: &Card, home: &Home) -> String {
    let findings = card.atelier(home, &["--json", "doctor"]).json();
    let findings = findings.as_array().unwrap();
    let of_device = findings
        .iter()
        .find(|finding| finding["what"] == "device")
        .unwrap();
    of_device.to_string()
}

#[test]
fn a_card_is_taken_after_its_trial_and_draws_what_the_twin_does() {
    let (card, home) = (Card::new(), Card::untried_home(""));
    assert!(device(&card, &home).contains("at the first picture"));
    let told = draw(&card, &home, "auto", "auto", "card.png");
    assert!(!told["warnings"].to_string().contains("trial"), "{told:#}");
    let found = device(&card, &home);
    assert!(found.contains("cuda:0, which passed its trial"), "{found}");
    draw(&card, &home, "twin", "bf16", "twin.png");
    let decibels = psnr(&home.path().join("card.png"), &home.path().join("twin.png"));
    assert!(decibels > 40.0, "{decibels}");
}

#[test]
fn a_card_that_computes_something_else_is_set_aside_and_pictures_say_so() {
    let home = Card::untried_home("");
    let card = Card::new().asked("WRONG", "gated_bf16");
    let told = draw(&card, &home, "auto", "auto", "first.png");
    let warnings = told["warnings"].to_string();
    for part in ["made on the processor", "cuda:0", "kernel gated_bf16"] {
        assert!(warnings.contains(part), "{told:#}");
    }
    draw(&card, &home, "cpu", "auto", "processor.png");
    let decibels = psnr(
        &home.path().join("first.png"),
        &home.path().join("processor.png"),
    );
    assert!(decibels > 90.0, "{decibels}");
    let found = device(&card, &home);
    for part in ["did not pass its trial", "gated_bf16", "rm "] {
        assert!(found.contains(part), "{found}");
    }
}

/// Some of the transformer's blocks stay, the others come through the ring for each step.
#[test]
fn weights_that_stream_draw_the_same_picture_in_either_order_of_the_queues() {
    for (precision, vram) in [("bf16", "15MiB"), ("fp8", "12MiB")] {
        let whole = Card::home("");
        draw(&Card::new(), &whole, "cuda", precision, "whole.png");
        for order in ["late", "early"] {
            let home = Card::home(&format!("vram = \"{vram}\"\n"));
            let card = Card::new().asked("ORDER", order);
            draw(&card, &home, "cuda", precision, "streamed.png");
            let [one, other] = [
                whole.path().join("whole.png"),
                home.path().join("streamed.png"),
            ];
            let [one, other] = [one, other].map(|file| image::open(file).unwrap().into_rgb8());
            assert!(one == other, "{precision}, {order}");
        }
    }
}

#[test]
fn a_fault_of_the_card_is_one_error() {
    let home = Card::home("");
    let card = Card::new().asked("FAULT", "200");
    let output = home.path().join("none.png");
    let run = generate(&card, &home, "cuda", "bf16", &output);
    assert_ne!(run.status, 0, "{run}");
    assert!(run.stderr.contains("error[compute-failed]"), "{run}");
    assert!(run.stderr.contains("CUDA_ERROR_ILLEGAL_ADDRESS"), "{run}");
    assert!(!output.exists());
}

#[test]
fn a_card_without_room_is_one_error() {
    let home = Card::home("");
    let card = Card::new().asked("MEMORY", "264");
    let output = home.path().join("none.png");
    let run = generate(&card, &home, "cuda", "bf16", &output);
    assert!(run.stderr.contains("error[device-memory]"), "{run}");
    assert!(run.stderr.contains("MiB are free"), "{run}");
}

const JOB: &str =
    "manifest = 1\nprompt = \"an apple\"\nwidth = 64\nheight = 64\nsteps = 1\nseed = 5\n";

/// The context of a process is lost with a fault; the picture is begun again in another.
#[test]
fn a_fault_that_passes_costs_a_picture_nothing_but_time() {
    let home = Card::home("device = \"cuda\"\nprecision = \"bf16\"\n");
    let once = home.elsewhere().join("once");
    let card = Card::new()
        .asked("FAULT", "300")
        .asked("ONCE", once.display().to_string());
    let daemon = Daemon::start_under(&home, card.tracer());
    wait_until("the daemon is ready", || daemon.is_ready());
    home.drop_manifest("apple", JOB);
    let result = home.wait_for_result("apple");
    assert_eq!(result["attempts"].as_integer(), Some(1), "{result}");
    assert!(once.exists());
    let log = daemon.log();
    assert!(log.contains("CUDA_ERROR_ILLEGAL_ADDRESS"), "{log}");
}

/// What ends the process leaves nothing but its count.
#[test]
fn a_driver_that_ends_the_process_twice_is_not_tried_again() {
    let home = Card::untried_home("");
    let daemon = Daemon::start_under(&home, Card::new().asked("DEATH", "3").tracer());
    wait_until("the daemon is ready", || daemon.is_ready());
    home.drop_manifest("first", JOB);
    let error = home.wait_for_error("first");
    assert_eq!(error["code"].as_str(), Some("renderer-died"), "{error}");
    home.drop_manifest("second", JOB);
    let result = home.wait_for_result("second");
    let warnings = result["warnings"].to_string();
    for part in ["made on the processor", "the process ended"] {
        assert!(warnings.contains(part), "{result}");
    }
}
