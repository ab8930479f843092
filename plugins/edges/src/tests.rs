//! The whole plugin, as the host would call it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod contract;
mod golden;
mod hostile;

use atelier_plugin::{Failure, Outcome, Picture, Plugin, Request, Size};
use serde_json::{Value, json};

use crate::Edges;

const SIZE: Size = Size::new(48, 32);

/// Left dark, right bright.
fn step() -> Picture {
    let grey = |x: u32| if x < 24 { 40 } else { 200 };
    picture(SIZE, |x, _| [grey(x), grey(x), grey(x), 255])
}

fn picture(size: Size, colour: impl Fn(u32, u32) -> [u8; 4]) -> Picture {
    let row = |y| (0..size.width).flat_map(move |x| [(x, y)]);
    let pixels = (0..size.height)
        .flat_map(row)
        .flat_map(|(x, y)| colour(x, y));
    Picture::from_rgba(size, pixels.collect()).unwrap()
}

/// The drawing of a picture of [`SIZE`].
fn edges(picture: Picture, parameters: &Value) -> Result<Outcome, Failure> {
    let size = picture.size();
    Edges::prepare(Request::of_picture(picture, parameters.to_string(), size))
}

/// Where a drawing has lines.
fn lines(outcome: &Outcome) -> Vec<(u32, u32)> {
    let canvas = &outcome.pictures[0];
    let width = canvas.size().width;
    let pixels = canvas.rgba();
    let drawn = (0..)
        .zip(pixels.chunks(4))
        .filter(|(_, pixel)| pixel[0] == 255);
    drawn
        .map(|(index, _): (u32, _)| (index % width, index / width))
        .collect()
}

#[test]
fn the_cases_hold() {
    let problems = atelier_cases::problems::<Edges>(env!("CARGO_MANIFEST_DIR"));
    assert_eq!(problems, Vec::<String>::new());
}

#[test]
fn a_step_is_one_line_from_top_to_bottom() {
    for blur in [0.0, 0.7, 2.0] {
        let parameters = json!({ "low": 20, "high": 60, "blur": blur });
        let lines = lines(&edges(step(), &parameters).unwrap());
        assert_eq!(lines.len(), 32, "{blur}: {lines:?}");
        assert!(
            lines
                .iter()
                .all(|&(x, _)| x == lines[0].0 && (23..=24).contains(&x))
        );
    }
}

#[test]
fn a_faint_edge_is_drawn_where_it_hangs_on_a_clear_one() {
    // A step that gets smaller downwards: over high only above, over low nearly to the end.
    let fading = || {
        picture(SIZE, |x, y| {
            let grey = if x < 24 { 40 } else { 40 + (96 - 3 * y) as u8 };
            [grey, grey, grey, 255]
        })
    };
    let count = |low: u32, high: u32| {
        let outcome = edges(fading(), &json!({ "low": low, "high": high })).unwrap();
        lines(&outcome).len()
    };
    let (both, strict, none) = (count(40, 300), count(300, 300), count(40, 1500));
    assert!((26..=31).contains(&both), "{both}");
    assert!((4..=10).contains(&strict), "{strict}");
    assert_eq!(none, 0);
}

#[test]
fn one_colour_has_no_edge() {
    let grey = picture(SIZE, |_, _| [90, 80, 70, 255]);
    let outcome = edges(grey, &json!({ "low": 0, "high": 0, "blur": 1.5 })).unwrap();
    assert_eq!(outcome.pictures[0].rgba(), [0, 0, 0, 255].repeat(48 * 32));
}

#[test]
fn a_cut_out_has_an_edge_where_it_ends() {
    let alpha = |x| if x < 24 { 255 } else { 0 };
    let cut_out = picture(SIZE, |x, _| [30, 30, 30, alpha(x)]);
    assert_eq!(lines(&edges(cut_out, &json!({})).unwrap()).len(), 32);
}

#[test]
fn black_on_white_is_the_same_drawing() {
    let white = edges(step(), &json!({})).unwrap().pictures[0].rgba();
    let black = edges(step(), &json!({ "invert": true })).unwrap().pictures[0].rgba();
    for (white, black) in white.chunks(4).zip(black.chunks(4)) {
        assert_eq!((white[0], white[3]), (255 - black[0], black[3]));
    }
}
