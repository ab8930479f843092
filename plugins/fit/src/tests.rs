//! The whole plugin, as the host would call it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod around;

use atelier_plugin::{Failure, Outcome, Picture, Plugin, Request, Size, Source};

use crate::Fit;
use crate::parameters::Parameters;

const OUTPUT: Size = Size::new(32, 32);

/// Left half red, right half blue.
fn flag(width: u32, height: u32) -> Picture {
    let (red, blue) = ([255, 0, 0, 255], [0, 0, 255, 255]);
    let row = [
        red.repeat(width as usize / 2),
        blue.repeat(width as usize / 2),
    ]
    .concat();
    let pixels = row.repeat(height as usize);
    Picture::from_rgba(Size::new(width, height), pixels).unwrap()
}

fn fit(picture: Picture, parameters: &str) -> Result<Outcome, Failure> {
    Fit::prepare(Request::of_picture(picture, parameters, OUTPUT))
}

fn pixel(outcome: &Outcome, x: usize, y: usize) -> [u8; 4] {
    let canvas = &outcome.pictures[0];
    let at = (y * canvas.size().width as usize + x) * 4;
    canvas.rgba()[at..at + 4].try_into().unwrap()
}

#[test]
fn the_cases_hold() {
    let problems = atelier_cases::problems::<Fit>(env!("CARGO_MANIFEST_DIR"));
    assert_eq!(problems, Vec::<String>::new());
}

#[test]
fn a_crop_to_the_right_loses_the_left() {
    let outcome = fit(flag(64, 32), r#"{ "anchor": "right" }"#).unwrap();
    assert_eq!(outcome.pictures[0].size(), OUTPUT);
    assert_eq!(pixel(&outcome, 0, 0), [0, 0, 255, 255]);
    assert_eq!(pixel(&outcome, 31, 31), [0, 0, 255, 255]);
}

#[test]
fn a_pad_shows_all_on_its_background() {
    let parameters = r##"{ "mode": "pad", "background": "#0a14Ff", "anchor": "centre" }"##;
    let outcome = fit(flag(64, 32), parameters).unwrap();
    assert_eq!(pixel(&outcome, 16, 7), [10, 20, 255, 255]);
    assert_eq!(pixel(&outcome, 0, 16), [255, 0, 0, 255]);
    assert_eq!(pixel(&outcome, 31, 16), [0, 0, 255, 255]);
    assert_eq!(pixel(&outcome, 16, 24), [10, 20, 255, 255]);
}

#[test]
fn contain_adds_nothing() {
    let outcome = fit(flag(64, 32), r#"{ "mode": "contain" }"#).unwrap();
    assert_eq!(outcome.pictures[0].size(), Size::new(32, 16));
}

#[test]
fn stretch_takes_the_size_that_is_asked_for() {
    let parameters = r#"{ "mode": "stretch", "width": 20, "height": 50 }"#;
    let outcome = fit(flag(64, 32), parameters).unwrap();
    assert_eq!(outcome.pictures[0].size(), Size::new(20, 50));
    assert_eq!(outcome.notes[0].value, "stretch");
    assert_eq!(outcome.notes[1].value, "20x50");
}

#[test]
fn a_picture_of_the_right_size_is_not_resampled() {
    let outcome = fit(flag(32, 32), "{}").unwrap();
    assert_eq!(pixel(&outcome, 15, 0), [255, 0, 0, 255]);
    assert_eq!(pixel(&outcome, 16, 0), [0, 0, 255, 255]);
}

#[test]
fn every_picture_of_a_reference_is_fitted() {
    let sources = vec![Source::Picture(flag(64, 32)), Source::Picture(flag(10, 90))];
    let outcome = Fit::prepare(Request::new(sources, "{}", OUTPUT)).unwrap();
    let sizes: Vec<Size> = outcome
        .pictures
        .iter()
        .map(|canvas| canvas.size())
        .collect();
    assert_eq!(sizes, [OUTPUT; 2]);
}

#[test]
fn wrong_parameters_are_refused_by_name() {
    for (parameters, name, message) in [
        (
            r#"{ "breadth": 64 }"#,
            "breadth",
            "there is no such parameter",
        ),
        (r#"{ "width": 8 }"#, "width", "must be 16 to 8192, not 8"),
        (
            r#"{ "height": -1 }"#,
            "height",
            "must be 16 to 8192, not -1",
        ),
        (
            r#"{ "mode": "squash" }"#,
            "mode",
            "unknown variant `squash`",
        ),
        (
            r#"{ "background": "red" }"#,
            "background",
            "\"red\" is not a colour",
        ),
        (
            r#"{ "margin": 201 }"#,
            "margin",
            "must be 0 to 200, not 201",
        ),
        (
            r#"{ "around": "faces" }"#,
            "around",
            "unknown variant `faces`",
        ),
        (
            r##"{ "background": "#12345é" }"##,
            "background",
            "is not a colour",
        ),
        (
            r##"{ "background": "#+12345" }"##,
            "background",
            "is not a colour",
        ),
    ] {
        let wrong = atelier_cases::not_refused(&fit(flag(32, 32), parameters), name, message);
        assert_eq!(wrong, None, "{parameters}");
    }
}

#[test]
fn a_document_is_refused() {
    let refused = Fit::prepare(Request::of_document("{}", "{}", OUTPUT)).unwrap_err();
    assert!(matches!(refused, Failure::Source(_)), "{refused}");
}

#[test]
fn what_it_says_of_itself_is_what_it_does() {
    let package = include_str!("../plugin.toml");
    let found = atelier_cases::contradictions::<Fit, Parameters>(package);
    assert_eq!(found, Vec::<String>::new());
}
