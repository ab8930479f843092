//! `tests/golden/drawings.txt`: drawings and their bytes, which the SDKs of other languages are held
//! to in their own tests (`sdk/check.sh`).
//!
//! After a change of the drawing, `REGENERATE=1 cargo test -p atelier-draw --test golden` writes the
//! bytes anew; the other SDKs must then follow.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use atelier_draw::{Colour, Point, Surface};

/// One line's words after the first, as numbers.
fn numbers<T: std::str::FromStr>(words: &[&str]) -> Vec<T> {
    let number = |word: &&str| {
        let parsed = word.parse().ok();
        parsed.unwrap_or_else(|| panic!("{word} is no number"))
    };
    words.iter().map(number).collect()
}

fn points(words: &[&str]) -> Vec<Point> {
    let places = numbers::<f32>(words);
    let place = |pair: &[f32]| Point {
        x: pair[0],
        y: pair[1],
    };
    places.chunks_exact(2).map(place).collect()
}

fn colour(word: &str) -> Colour {
    let [r, g, b, a] = u32::from_str_radix(word, 16).unwrap().to_be_bytes();
    Colour { r, g, b, a }
}

/// A picture to lay over: its bytes count up by 37.
fn source(width: u32, height: u32) -> Vec<u8> {
    (0..width * height * 4).map(|n| (n * 37) as u8).collect()
}

fn draw(surface: &mut Surface<'_>, call: &[&str]) {
    let drawn = match call {
        ["lines", width, paint, places @ ..] => {
            surface.lines(&points(places), width.parse().unwrap(), colour(paint))
        }
        ["disc", radius, paint, place @ ..] => {
            surface.disc(points(place)[0], radius.parse().unwrap(), colour(paint))
        }
        ["ellipse", across, down, degrees, paint, place @ ..] => surface.ellipse(
            points(place)[0],
            points(&[across, down])[0],
            degrees.parse().unwrap(),
            colour(paint),
        ),
        ["polygon", paint, corners @ ..] => surface.polygon(&points(corners), colour(paint)),
        ["overlay", width, height, place @ ..] => {
            let size = numbers::<u32>(&[width, height]);
            let place = numbers::<i64>(place);
            let pixels = source(size[0], size[1]);
            surface.overlay(&pixels, size[0], size[1], place[0], place[1])
        }
        other => panic!("{other:?} is no call"),
    };
    drawn.unwrap();
}

/// The file with each drawing's pixels as they come out now.
fn drawn(text: &str) -> String {
    let mut out = String::new();
    let mut blocks = text.split("\n\n");
    let _ = write!(out, "{}", blocks.next().unwrap());
    for block in blocks {
        let calls = block.split("\npixels\n").next().unwrap().trim_end();
        let mut lines = calls.lines().map(|line| line.split(' ').collect());
        let header: Vec<&str> = lines.next().unwrap();
        let ["drawing", _, width, height, background] = header[..] else {
            panic!("{header:?} is no drawing");
        };
        let size = numbers::<u32>(&[width, height]);
        let Colour { r, g, b, a } = colour(background);
        let mut pixels = [r, g, b, a].repeat((size[0] * size[1]) as usize);
        let mut surface = Surface::new(size[0], size[1], &mut pixels).unwrap();
        lines.for_each(|call: Vec<&str>| draw(&mut surface, &call));
        let _ = write!(out, "\n\n{calls}\npixels");
        for row in pixels.chunks_exact(size[0] as usize * 4) {
            out.push('\n');
            for byte in row {
                let _ = write!(out, "{byte:02x}");
            }
        }
    }
    out + "\n"
}

#[test]
fn the_drawings_that_other_languages_are_held_to_are_what_is_drawn() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/drawings.txt");
    let text = fs::read_to_string(&path).unwrap();
    let now = drawn(&text);
    if std::env::var_os("REGENERATE").is_some() {
        fs::write(&path, &now).unwrap();
    }
    assert!(
        fs::read_to_string(&path).unwrap() == now,
        "tests/golden/drawings.txt is not what is drawn: \
         REGENERATE=1 cargo test -p atelier-draw --test golden"
    );
}
