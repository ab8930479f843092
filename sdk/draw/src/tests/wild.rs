//! What is refused, and numbers that nobody should send.

use proptest::prelude::*;

use super::{WHITE, at, drawn};
use crate::{Colour, MOST_POINTS, Point, Surface, Undrawable};

fn refused(draw: impl FnOnce(&mut Surface<'_>) -> Result<(), Undrawable>) -> String {
    let mut pixels = vec![7; 4 * 4 * 4];
    let result = draw(&mut Surface::new(4, 4, &mut pixels).unwrap());
    assert_eq!(pixels, [7; 64], "nothing is drawn");
    result.unwrap_err().to_string()
}

#[test]
fn each_refusal_says_what_is_wrong() {
    let here = at(1.0, 1.0);
    let nowhere = at(f32::NAN, 1.0);
    let endless = at(1.0, f32::INFINITY);
    for (sentence, expected) in [
        (
            refused(|s| s.lines(&[here, nowhere], 1.0, WHITE)),
            "a coordinate is NaN",
        ),
        (
            refused(|s| s.polygon(&[here, here, endless], WHITE)),
            "a coordinate is inf",
        ),
        (
            refused(|s| s.lines(&[here], 0.0, WHITE)),
            "the width is 0, and it must be above 0",
        ),
        (
            refused(|s| s.lines(&[here], f32::INFINITY, WHITE)),
            "the width is inf",
        ),
        (refused(|s| s.disc(here, -1.5, WHITE)), "the radius is -1.5"),
        (
            refused(|s| s.disc(nowhere, 1.0, WHITE)),
            "a coordinate is NaN",
        ),
        (
            refused(|s| s.ellipse(here, at(1.0, 0.0), 0.0, WHITE)),
            "a radius is 0",
        ),
        (
            refused(|s| s.ellipse(here, here, f32::NAN, WHITE)),
            "the turn is NaN",
        ),
        (
            refused(|s| s.lines(&vec![here; MOST_POINTS + 1], 1.0, WHITE)),
            "10001 points",
        ),
        (
            refused(|s| s.overlay(&[0; 15], 2, 2, 0, 0)),
            "needs 16 bytes, not 15",
        ),
    ] {
        assert!(sentence.contains(expected), "{sentence}");
    }
}

#[test]
fn a_surface_has_as_many_bytes_as_it_needs() {
    assert!(Surface::new(2, 2, &mut [0; 16]).is_some());
    assert!(Surface::new(2, 2, &mut [0; 15]).is_none());
    assert!(Surface::new(0, 2, &mut []).is_none());
    assert!(Surface::new(u32::MAX, u32::MAX, &mut []).is_none());
}

#[test]
fn ten_thousand_points_are_drawn() {
    let spiral: Vec<Point> = (0..MOST_POINTS)
        .map(|n| at((n % 97) as f32 * 1e4 - 3e5, (n % 89) as f32 * 1e4 - 3e5))
        .collect();
    let pixels = drawn(64, 64, |surface| {
        surface.polygon(&spiral, WHITE)?;
        surface.lines(&spiral, 3.0, WHITE)
    });
    assert!(pixels.chunks(4).any(|pixel| pixel[0] > 0));
}

fn wild() -> impl Strategy<Value = f32> {
    prop_oneof![
        4 => -40.0..80.0f32,
        2 => any::<f32>(),
        1 => Just(f32::MAX),
        1 => Just(f32::MIN_POSITIVE),
        1 => Just(-1e30f32),
    ]
}

fn place() -> impl Strategy<Value = Point> {
    (wild(), wild()).prop_map(|(x, y)| Point { x, y })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_numbers_are_drawn_or_refused(
        points in proptest::collection::vec(place(), 0..8),
        (radii, size, degrees) in (place(), wild(), wild()),
        (width, height) in (1u32..48, 1u32..48),
        (a, x, y) in (any::<u8>(), any::<i64>(), -50i64..50),
    ) {
        let colour = Colour { r: 10, g: 200, b: 30, a };
        let mut pixels = vec![100; (width * height * 4) as usize];
        let mut surface = Surface::new(width, height, &mut pixels).unwrap();
        let _ = surface.lines(&points, size, colour);
        let _ = surface.polygon(&points, colour);
        for &centre in &points {
            let _ = surface.disc(centre, size, colour);
            let _ = surface.ellipse(centre, radii, degrees, colour);
        }
        prop_assert_eq!(surface.overlay(&[9; 24], 2, 3, x, y), Ok(()));
        prop_assert_eq!(surface.overlay(&[9; 24], 2, 3, y, x), Ok(()));
        // Nothing that is laid over makes a picture more transparent.
        prop_assert!(pixels.chunks(4).all(|pixel| pixel[3] >= 100 || pixel == [9; 4]));
    }
}
