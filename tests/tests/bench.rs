//! `atelier bench`: what it prints for people and for programs, and what it refuses. Nothing here asserts how
//! long anything took.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use atelier_tests::Home;

/// The smallest that there is to time.
const SMALL: [&str; 9] = [
    "bench", "--size", "tiny", "--width", "64", "--height", "64", "--runs", "1",
];

fn with<'a>(arguments: &[&'a str]) -> Vec<&'a str> {
    [&SMALL[..], arguments].concat()
}

#[test]
fn every_part_is_timed_and_told_to_programs() {
    let home = Home::empty();
    let run = home.atelier(&with(&["--device", "cpu", "--json"])).exits(0);
    let report = run.json();
    assert_eq!(report["bench"], 1);
    assert_eq!(report["size"], "tiny");
    assert_eq!(report["tokens"], 512 + 16);
    assert_eq!(report["device"]["kind"], "cpu");
    assert_eq!(report["products"][0]["precision"], "f32");
    let results = report["results"].as_array().unwrap();
    let parts: Vec<_> = results
        .iter()
        .map(|row| row["part"].as_str().unwrap())
        .collect();
    assert_eq!(parts, ["text", "step", "vae"]);
    for row in results {
        for number in ["ms", "tflop", "tflops", "share_of_product"] {
            assert!(row[number].as_f64().unwrap() > 0.0, "{row:#}");
        }
        assert!(
            row["peak_mib"].is_null(),
            "a processor has no card's memory: {row:#}"
        );
    }
    // What is done is told meanwhile, and not on stdout.
    assert!(run.stderr.contains("step, f32: run 1 of 1"), "{run}");
}

#[test]
fn one_part_is_timed_in_several_precisions_and_told_to_people() {
    let home = Home::empty();
    let arguments = [
        "--device",
        "twin",
        "--precision",
        "bf16,fp8",
        "--part",
        "step",
        "--references",
        "1",
    ];
    let run = home.atelier(&with(&arguments)).exits(0);
    assert!(
        run.stdout
            .contains("tiny, 64×64, 1 references, 544 tokens, on twin"),
        "{run}"
    );
    let table: Vec<_> = run
        .stdout
        .lines()
        .skip_while(|line| !line.starts_with("part"))
        .collect();
    let first_two = |line: &&str| {
        line.split_whitespace()
            .take(2)
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let found: Vec<_> = table.iter().map(first_two).collect();
    assert_eq!(
        found,
        [["part", "in"], ["step", "bf16"], ["step", "fp8"]],
        "{run}"
    );
}

#[test]
fn what_makes_no_sense_is_refused_with_one_error() {
    let home = Home::empty();
    for (arguments, code, word) in [
        (["--size", "klein"], "request-invalid", "klein-9b"),
        (["--device", "gpu"], "request-invalid", "device"),
        (["--device", "cuda:99"], "device-unavailable", "cuda:99"),
        (["--precision", "bf16,int8"], "request-invalid", "int8"),
        (["--precision", "fp8"], "precision-unavailable", "fp8"),
        (["--width", "100"], "request-invalid", "width"),
        (["--references", "11"], "request-invalid", "references"),
        (["--runs", "0"], "request-invalid", "runs"),
        (["--part", "unet"], "request-invalid", "unet"),
        (["--vram", "8GB"], "request-invalid", "GB"),
    ] {
        // An option that is given twice is another error.
        let others = SMALL[1..].chunks(2).filter(|pair| pair[0] != arguments[0]);
        let mut all = vec!["bench", "--json"];
        all.extend(others.flatten().chain(&arguments));
        let run = home.atelier(&all).exits(2);
        let error = &run.json()["error"];
        assert_eq!(error["code"], code, "{run}");
        assert!(error["message"].as_str().unwrap().contains(word), "{run}");
    }
}
