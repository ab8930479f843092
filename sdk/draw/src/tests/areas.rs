//! Areas against their formulas, and what overlaps.

use std::f64::consts::PI;

use super::{WHITE, area, at, drawn};
use crate::{Colour, Point};

fn assert_near(is: f64, should: f64, tolerance: f64, what: &str) {
    assert!(
        (is - should).abs() <= tolerance,
        "{what}: {is}, not {should}"
    );
}

#[test]
fn discs_have_the_area_of_discs() {
    for radius in [0.4_f32, 1.0, 2.5, 7.3, 31.0] {
        for (x, y) in [(40.0, 40.0), (40.5, 40.5), (40.27, 39.81)] {
            let pixels = drawn(80, 80, |surface| surface.disc(at(x, y), radius, WHITE));
            let should = PI * f64::from(radius).powi(2);
            let tolerance = 0.01 * should + 0.03;
            assert_near(
                area(&pixels),
                should,
                tolerance,
                &format!("{radius} at {x}, {y}"),
            );
        }
    }
}

#[test]
fn ellipses_have_the_area_of_ellipses_at_every_turn() {
    for degrees in [0.0, 17.0, 45.0, 90.0, 133.3, -270.0, 1e6] {
        let pixels = drawn(80, 80, |surface| {
            surface.ellipse(at(40.3, 39.6), at(30.0, 6.0), degrees, WHITE)
        });
        assert_near(area(&pixels), PI * 180.0, 1.5, &format!("{degrees}°"));
    }
}

#[test]
fn an_ellipse_turns_clockwise() {
    let pixels = drawn(80, 80, |surface| {
        surface.ellipse(at(40.0, 40.0), at(30.0, 3.0), 45.0, WHITE)
    });
    let red = |x: usize, y: usize| pixels[(y * 80 + x) * 4];
    // Down is further along y: clockwise from the right is to the lower right.
    assert_eq!((red(55, 55), red(55, 24)), (255, 0));
}

#[test]
fn lines_have_the_area_of_capsules() {
    for (to, width) in [
        ((60.0, 20.0), 1.0),
        ((60.0, 47.5), 5.0),
        ((21.0, 71.0), 12.0),
    ] {
        let points = [at(20.0, 20.0), at(to.0, to.1)];
        let pixels = drawn(90, 90, |surface| surface.lines(&points, width, WHITE));
        let length = f64::from((to.0 - 20.0_f32).hypot(to.1 - 20.0));
        let radius = f64::from(width) / 2.0;
        let should = length * 2.0 * radius + PI * radius * radius;
        assert_near(
            area(&pixels),
            should,
            0.01 * should + 0.3,
            &format!("to {to:?}"),
        );
    }
}

#[test]
fn polygons_have_the_area_of_polygons() {
    let shape = [
        at(10.3, 9.1),
        at(70.7, 20.2),
        at(55.5, 66.6),
        at(12.1, 41.0),
    ];
    let doubled: f64 = (0..4)
        .map(|index| {
            let (a, b) = (shape[index], shape[(index + 1) % 4]);
            f64::from(a.x) * f64::from(b.y) - f64::from(b.x) * f64::from(a.y)
        })
        .sum();
    let pixels = drawn(80, 80, |surface| surface.polygon(&shape, WHITE));
    assert_near(area(&pixels), doubled / 2.0, 1.0, "the quadrangle");
    let square = [at(1.0, 1.0), at(3.0, 1.0), at(3.0, 2.5), at(1.0, 2.5)];
    let pixels = drawn(4, 4, |surface| surface.polygon(&square, WHITE));
    let reds: Vec<u8> = pixels.chunks(4).map(|pixel| pixel[0]).collect();
    assert_eq!(
        reds,
        [0, 0, 0, 0, 0, 255, 255, 0, 0, 128, 128, 0, 0, 0, 0, 0]
    );
}

#[test]
fn what_is_surrounded_twice_is_outside() {
    let turn = |corner: u32| {
        let angle = f64::from(corner * 2) * 0.4 * PI;
        at(
            (40.0 + 35.0 * angle.sin()) as f32,
            (40.0 - 35.0 * angle.cos()) as f32,
        )
    };
    let star: Vec<Point> = (0..5).map(turn).collect();
    let pixels = drawn(80, 80, |surface| surface.polygon(&star, WHITE));
    let red = |x: usize, y: usize| pixels[(y * 80 + x) * 4];
    assert_eq!((red(40, 40), red(40, 12)), (0, 255));
}

#[test]
fn an_alpha_shows_no_joints() {
    let half = Colour { a: 128, ..WHITE };
    let zigzag = [
        at(10.0, 10.0),
        at(50.0, 12.0),
        at(12.0, 16.0),
        at(50.0, 50.0),
        at(10.0, 10.0),
    ];
    let pixels = drawn(60, 60, |surface| surface.lines(&zigzag, 9.0, half));
    let brightest = pixels.chunks(4).map(|pixel| pixel[0]).max();
    assert_eq!(brightest, Some(128));
    let opaque = drawn(60, 60, |surface| surface.lines(&zigzag, 9.0, WHITE));
    assert_near(
        area(&pixels) * 255.0 / 128.0,
        area(&opaque),
        4.0,
        "the shape",
    );
}

#[test]
fn one_point_is_a_dot_and_fewer_corners_are_nothing() {
    let dot = drawn(20, 20, |surface| {
        surface.lines(&[at(10.0, 10.0)], 8.0, WHITE)
    });
    assert_near(area(&dot), PI * 16.0, 0.6, "a dot");
    let nothing = drawn(20, 20, |surface| {
        surface.lines(&[], 8.0, WHITE)?;
        surface.polygon(&[], WHITE)?;
        surface.polygon(&[at(1.0, 1.0), at(9.0, 9.0)], WHITE)
    });
    assert_near(area(&nothing), 0.0, 0.0, "nothing");
}

#[test]
fn an_overlay_counts_alpha_and_drops_what_is_outside() {
    let source = [
        [255, 0, 0, 255],
        [0, 255, 0, 128],
        [0, 0, 255, 0],
        [9, 9, 9, 255],
    ]
    .concat();
    let pixels = drawn(2, 2, |surface| surface.overlay(&source, 2, 2, 0, 0));
    assert_eq!(
        pixels,
        [
            [255, 0, 0, 255],
            [0, 128, 0, 255],
            [0, 0, 0, 255],
            [9, 9, 9, 255]
        ]
        .concat()
    );
    let corner = drawn(2, 2, |surface| surface.overlay(&source, 2, 2, -1, -1));
    assert_eq!(corner[..8], [9, 9, 9, 255, 0, 0, 0, 255]);
    let black = [0, 0, 0, 255].repeat(4);
    for (x, y) in [(2, 0), (0, -2), (i64::MIN, i64::MAX), (i64::MAX, 0)] {
        assert_eq!(
            drawn(2, 2, |surface| surface.overlay(&source, 2, 2, x, y)),
            black
        );
    }
}
