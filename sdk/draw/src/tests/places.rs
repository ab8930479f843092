//! Where shapes lie makes no difference: mirrored, moved, cut off, far outside.

use super::{WHITE, area, at, drawn};
use crate::{Point, Surface, Undrawable};

type Drawing = fn(&mut Surface<'_>, fn(f32, f32) -> Point) -> Result<(), Undrawable>;

/// One of each, by the name that a failure shows.
const DRAWINGS: [(&str, Drawing); 4] = [
    ("lines", |surface, at| {
        surface.lines(
            &[at(-5.0, 7.25), at(40.5, 30.0), at(70.0, -9.0)],
            6.5,
            WHITE,
        )
    }),
    ("disc", |surface, at| {
        surface.disc(at(20.25, 33.5), 17.75, WHITE)
    }),
    ("ellipse", |surface, at| {
        surface.ellipse(at(20.25, 33.5), Point { x: 40.0, y: 9.5 }, 90.0, WHITE)
    }),
    ("polygon", |surface, at| {
        surface.polygon(
            &[
                at(-9.0, 3.0),
                at(61.25, 20.5),
                at(30.0, 99.0),
                at(31.5, 40.0),
            ],
            WHITE,
        )
    }),
];

fn crop(pixels: &[u8], from: u32, left: u32, top: u32, width: u32, height: u32) -> Vec<u8> {
    let rows = (top..top + height).map(|y| ((y * from + left) * 4) as usize);
    let row = |start: usize| pixels[start..start + width as usize * 4].to_vec();
    rows.flat_map(row).collect()
}

#[test]
fn a_smaller_surface_shows_a_part_of_a_larger_one() {
    for (name, draw) in DRAWINGS {
        let large = drawn(64, 64, |surface| draw(surface, at));
        for (width, height) in [(64, 10), (13, 64), (21, 34), (1, 1)] {
            let small = drawn(width, height, |surface| draw(surface, at));
            assert_eq!(
                small,
                crop(&large, 64, 0, 0, width, height),
                "{name}, {width}×{height}"
            );
        }
        // These coordinates are exact in binary, so moving them by whole pixels loses nothing.
        let moved = drawn(30, 24, |surface| {
            draw(surface, |x, y| at(x - 16.0, y - 20.0))
        });
        assert_eq!(moved, crop(&large, 64, 16, 20, 30, 24), "{name}, moved");
    }
}

#[test]
fn a_mirrored_shape_is_the_mirrored_picture() {
    for (name, draw) in DRAWINGS {
        let plain = drawn(64, 64, |surface| draw(surface, at));
        let turned = drawn(64, 64, |surface| {
            draw(surface, |x, y| at(64.0 - x, 64.0 - y))
        });
        let reversed: Vec<u8> = plain.chunks(4).rev().flatten().copied().collect();
        let furthest = turned
            .iter()
            .zip(&reversed)
            .map(|(a, b)| a.abs_diff(*b))
            .max();
        // A sample exactly on an edge belongs to one side only.
        assert!(furthest <= Some(16), "{name}: {furthest:?}");
        assert!((area(&turned) - area(&plain)).abs() < 1.0, "{name}");
        assert!(area(&plain) > 50.0, "{name} is seen");
    }
}

#[test]
fn what_is_far_outside_still_points_there() {
    let far = 1e30;
    let stripe = drawn(32, 32, |surface| {
        surface.lines(&[at(-far, 16.0), at(far, 16.0)], 4.0, WHITE)
    });
    assert!((area(&stripe) - 128.0).abs() < 0.01, "{}", area(&stripe));
    let diagonal = drawn(32, 32, |surface| {
        surface.lines(&[at(-far, -far), at(far, far)], 2.0, WHITE)
    });
    assert!((area(&diagonal) - 88.5).abs() < 3.0, "{}", area(&diagonal));
    let half = drawn(32, 32, |surface| {
        surface.polygon(
            &[at(8.0, -far), at(8.0, far), at(far, far), at(far, -far)],
            WHITE,
        )
    });
    assert!((area(&half) - 24.0 * 32.0).abs() < 0.01, "{}", area(&half));
    let all = drawn(32, 32, |surface| surface.disc(at(16.0, 16.0), far, WHITE));
    assert!((area(&all) - 1024.0).abs() < 0.01, "{}", area(&all));
    let none = drawn(32, 32, |surface| {
        surface.disc(at(far, far), 5.0, WHITE)?;
        surface.lines(&[at(far, 3.0)], 5.0, WHITE)?;
        surface.ellipse(at(16.0, -far), at(5.0, 5.0), 3.0, WHITE)
    });
    assert!(area(&none) == 0.0);
}
