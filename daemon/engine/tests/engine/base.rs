//! Klein base, guided by a second pass, against the reference implementation.

use std::fs;

use atelier_flux::Request;
use serde::Deserialize;

use crate::fixture::{Recorder, base, klein, psnr};

/// What summation order may cost; `cases.json` says how far other guidance is.
const LEAST_PSNR: f64 = 55.0;

#[derive(Deserialize)]
struct Case {
    name: String,
    prompt: String,
    negative: Option<String>,
    width: u32,
    height: u32,
    steps: u32,
    guidance: f32,
    seed: u64,
    references: Vec<u32>,
    psnr_db_unguided: f64,
    psnr_db_empty_negative: Option<f64>,
}

#[test]
fn guided_pictures_are_those_of_the_reference() {
    let open = |name: &str| image::open(klein().join(name)).unwrap().into_rgb8();
    let text = fs::read_to_string(klein().join("base/cases.json")).unwrap();
    let cases: Vec<Case> = serde_json::from_str(&text).unwrap();
    assert!(cases.iter().any(|case| case.negative.is_some()));
    assert!(cases.iter().any(|case| !case.references.is_empty()));
    let base = base();
    for case in cases {
        let references = case.references.iter();
        let request = Request {
            prompt: case.prompt,
            negative: case.negative,
            width: case.width,
            height: case.height,
            steps: case.steps,
            guidance: case.guidance,
            seed: case.seed,
            references: references
                .map(|number| open(&format!("cases/three-references/reference-{number}.png")))
                .collect(),
            ..Request::default()
        };
        let made = base.render(&request, &mut Recorder::default()).unwrap();
        let near = psnr(&made, &open(&format!("base/{}.png", case.name)));
        println!("{}: {near:.2} dB", case.name);
        assert!(near >= LEAST_PSNR, "{}: {near:.2} dB", case.name);
        // The picture says what it is meant to say.
        let others = [Some(case.psnr_db_unguided), case.psnr_db_empty_negative];
        assert!(
            others
                .into_iter()
                .flatten()
                .all(|far| far < LEAST_PSNR - 10.0)
        );
    }
}
