//! What computes is a process beside the daemon, and its end is not the daemon's: the picture is begun again
//! once, and what ends two of them fails alone.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;
use std::process::Command;

use atelier_tests::{Daemon, Home, wait_for, wait_until};
use rustix::process::{Pid, Signal, kill_process};

/// Long enough to be met at work, short enough to be waited for.
const JOB: &str =
    "manifest = 1\nprompt = \"a lighthouse\"\nwidth = 256\nheight = 256\nsteps = 60\nseed = 3\n";

/// The renderer that a daemon has, once it has one other than `before` and its job is on its way.
fn at_work(daemon: &Daemon<'_>, before: Option<u32>) -> u32 {
    wait_for("a renderer at work", || {
        let renderer = daemon.renderer().filter(|pid| Some(*pid) != before)?;
        let jobs = daemon.atelier(&["jobs", "--json"]).exits(0).json();
        let mut jobs = jobs.as_array()?.iter();
        // Where denoising begins, see the daemon's own measure of a job.
        let is_at_work = |job: &serde_json::Value| job["progress"].as_f64() > Some(0.15);
        jobs.any(|job| job["state"] == "running" && is_at_work(job))
            .then_some(renderer)
    })
}

fn kill(pid: u32) {
    let pid = Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    kill_process(pid, Signal::KILL).unwrap();
}

fn pixels(home: &Home, name: &str) -> Vec<u8> {
    let picture = image::open(home.outbox().join(name)).unwrap();
    picture.into_rgb8().into_raw()
}

#[test]
fn a_picture_whose_renderer_is_killed_is_begun_again_and_comes_out_the_same() {
    let home = Home::new();
    let daemon = Daemon::start(&home);
    home.drop_manifest("undisturbed", JOB);
    let _ = home.wait_for_result("undisturbed");

    home.drop_manifest("disturbed", JOB);
    let first = at_work(&daemon, None);
    kill(first);
    let second = at_work(&daemon, Some(first));
    let result = home.wait_for_result("disturbed");
    assert_eq!(result["attempts"].as_integer(), Some(1), "{result}");
    assert_eq!(
        pixels(&home, "disturbed.png"),
        pixels(&home, "undisturbed.png")
    );
    assert_eq!(
        daemon.renderer(),
        Some(second),
        "one renderer serves all jobs"
    );
    assert!(
        daemon.log().contains("killed (signal 9)"),
        "{}",
        daemon.log()
    );
}

#[test]
fn a_picture_that_ends_two_renderers_fails_and_the_next_is_made() {
    let home = Home::new();
    let mut daemon = Daemon::start(&home);
    home.drop_manifest("poison", JOB);
    let first = at_work(&daemon, None);
    kill(first);
    kill(at_work(&daemon, Some(first)));
    let error = home.wait_for_error("poison");
    assert_eq!(error["code"].as_str(), Some("renderer-died"), "{error}");
    assert!(
        error["hint"].as_str().unwrap().contains("memory"),
        "{error}"
    );
    assert!(daemon.runs());

    home.drop_manifest("innocent", &JOB.replace("steps = 60", "steps = 1"));
    let _ = home.wait_for_result("innocent");
}

#[test]
fn a_renderer_ends_with_its_daemon() {
    let home = Home::new();
    let daemon = Daemon::start(&home);
    home.drop_manifest("begun", &JOB.replace("steps = 60", "steps = 200"));
    let renderer = at_work(&daemon, None);
    let process = format!("/proc/{renderer}");
    daemon.kill();
    // What is dead and not yet waited for still has a folder there, without a program.
    wait_until("the renderer's end", || {
        !Path::new(&process).exists() || std::fs::read_link(format!("{process}/exe")).is_err()
    });
}

#[test]
fn a_renderer_is_no_verb_for_people() {
    let home = Home::new();
    let run = home.atelier(&["renderer"]).exits(0);
    assert!(run.stdout.is_empty(), "it is told nothing, and ends");
    let help = home.atelier(&["--help"]).exits(0);
    assert!(!help.stdout.contains("renderer"), "{help}");
}

/// How often these words are in the log of the daemon, which its renderer writes to as well.
fn logged(daemon: &Daemon<'_>, words: &str) -> usize {
    daemon.log().matches(words).count()
}

/// What the first picture of a size costs is paid before there is a job, and the job finds it paid: the model is
/// opened once, by the renderer that then draws.
#[test]
fn a_size_that_is_to_be_warm_is_drawn_before_there_is_a_job_and_the_job_finds_the_model_open() {
    for (device, precision) in [("cpu", "f32"), ("twin", "bf16")] {
        let home = Home::new();
        let settings = format!(
            "[device]\ndevice = \"{device}\"\nprecision = \"{precision}\"\nwarm = [\"64x64\", \"80x64\"]\n"
        );
        fs::write(home.path().join("config.toml"), settings).unwrap();
        let mut says_more = Command::new("env");
        says_more.arg("ATELIER_LOG=warn,atelier=info,atelier_flux::pipeline=debug");
        let daemon = Daemon::start_under(&home, says_more);
        let is_warm = |size: &str| daemon.log().contains(&format!("size={size}"));
        wait_until("both sizes are warm", || {
            is_warm("64x64") && is_warm("80x64")
        });
        let renderer = daemon.renderer();
        assert!(renderer.is_some(), "{device}: {}", daemon.log());
        let drawn = |daemon: &Daemon<'_>| {
            (
                logged(daemon, "DEBUG opened "),
                logged(daemon, "DEBUG decoded "),
            )
        };
        assert_eq!(drawn(&daemon), (1, 2), "{device}: {}", daemon.log());
        let outbox = Home::names(&home.outbox());
        assert!(
            outbox.is_empty(),
            "{device}: nothing is delivered: {outbox:?}"
        );

        home.drop_manifest(
            "first",
            "manifest = 1\nprompt = \"a kite\"\nwidth = 64\nheight = 64\nsteps = 1\n",
        );
        let _ = home.wait_for_result("first");
        assert_eq!(daemon.renderer(), renderer, "{device}");
        assert_eq!(drawn(&daemon), (1, 3), "{device}: {}", daemon.log());
    }
}
