#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use atelier_keypoints::{Person, Point};
use atelier_plugin::Size;

use super::Window;
use crate::parameters::Anchor;

const PICTURE: Size = Size::new(1000, 800);

/// Somebody from the nose to an ankle.
fn person(nose: (f64, f64), ankle: (f64, f64)) -> Person {
    let mut person = Person::default();
    person.body[0] = Point::new(nose.0, nose.1, 1.0);
    person.body[10] = Point::new(ankle.0, ankle.1, 1.0);
    person
}

fn around(people: &[Person], frame: (u32, u32), margin: f64, anchor: Anchor) -> [f64; 4] {
    let frame = Size::new(frame.0, frame.1);
    let window = Window::around(people, PICTURE, frame, margin, anchor).unwrap();
    [window.x, window.y, window.width, window.height].map(|number| (number * 1e6).round() / 1e6)
}

#[test]
fn people_lie_in_the_middle_with_their_margin() {
    let small = [person((500.0, 300.0), (540.0, 400.0))];
    assert_eq!(
        around(&small, (64, 64), 0.0, Anchor::Center),
        [470.0, 300.0, 100.0, 100.0]
    );
    assert_eq!(
        around(&small, (64, 64), 0.5, Anchor::Center),
        [420.0, 250.0, 200.0, 200.0]
    );
    assert_eq!(
        around(&small, (64, 128), 0.0, Anchor::Center),
        [495.0, 300.0, 50.0, 100.0]
    );
    let two = [
        person((100.0, 300.0), (100.0, 400.0)),
        person((300.0, 350.0), (300.0, 400.0)),
    ];
    assert_eq!(
        around(&two, (64, 64), 0.0, Anchor::Center),
        [100.0, 250.0, 200.0, 200.0]
    );
}

#[test]
fn the_anchor_says_where_they_lie() {
    let wide = [person((400.0, 300.0), (600.0, 400.0))];
    assert_eq!(
        around(&wide, (64, 64), 0.0, Anchor::Top),
        [400.0, 300.0, 200.0, 200.0]
    );
    assert_eq!(
        around(&wide, (64, 64), 0.0, Anchor::Bottom),
        [400.0, 200.0, 200.0, 200.0]
    );
}

#[test]
fn a_window_stays_in_the_picture() {
    let corner = [person((10.0, 20.0), (40.0, 120.0))];
    assert_eq!(
        around(&corner, (64, 64), 0.5, Anchor::Center),
        [0.0, 0.0, 200.0, 200.0]
    );
    // With its margin it would be too high; the margin gives way.
    let tall = [person((500.0, 50.0), (500.0, 750.0))];
    assert_eq!(
        around(&tall, (64, 64), 0.5, Anchor::Center),
        [100.0, 0.0, 800.0, 800.0]
    );
}

#[test]
fn it_leaves_the_picture_only_to_show_everybody() {
    let long = [person((100.0, 400.0), (900.0, 420.0))];
    assert_eq!(
        around(&long, (64, 64), 0.5, Anchor::Center),
        [100.0, 0.0, 800.0, 800.0]
    );
    let longer = [person((50.0, 400.0), (950.0, 420.0))];
    assert_eq!(
        around(&longer, (64, 64), 0.5, Anchor::Center),
        [50.0, -50.0, 900.0, 900.0]
    );
}

#[test]
fn faces_lie_on_third_lines() {
    for (x, third) in [(450.0, 1.0), (550.0, 2.0)] {
        let standing = [person((x, 300.0), (x, 500.0))];
        let [left, top, width, height] = around(&standing, (90, 90), 0.1, Anchor::Thirds);
        assert!(
            (left + width * third / 3.0 - x).abs() < 1e-3,
            "{left} {width}"
        );
        assert!((top + height / 3.0 - 300.0).abs() < 1e-3, "{top} {height}");
        // From the face to below the feet are two thirds.
        assert!((height - 330.0).abs() < 1e-3, "{height}");
    }
    // Near an edge that is not possible without leaving the picture.
    let edge = [person((500.0, 10.0), (500.0, 300.0))];
    let [_, top, _, height] = around(&edge, (90, 90), 0.1, Anchor::Thirds);
    assert!(top == 0.0 && height > 300.0);
    // Without a face the top counts.
    let mut faceless = person((0.0, 0.0), (400.0, 600.0));
    faceless.body[0] = None;
    faceless.body[9] = Point::new(400.0, 500.0, 1.0);
    let [_, top, _, height] = around(&[faceless], (90, 90), 0.0, Anchor::Thirds);
    assert!((top + height / 3.0 - 500.0).abs() < 1e-3, "{top} {height}");
}

#[test]
fn points_outside_do_not_count() {
    let half = [
        person((500.0, 300.0), (540.0, 4000.0)),
        person((480.0, 380.0), (-50.0, 3.0)),
    ];
    assert_eq!(
        around(&half, (64, 64), 0.0, Anchor::Center),
        [450.0, 300.0, 80.0, 80.0]
    );
    let nobody = [person((-500.0, 300.0), (540.0, 4000.0))];
    let window = Window::around(&nobody, PICTURE, PICTURE, 0.1, Anchor::Center);
    assert_eq!(window, None);
}

#[test]
fn one_point_is_enough() {
    let mut dot = Person::default();
    dot.body[4] = Point::new(1000.0, 800.0, 1.0);
    for anchor in [Anchor::Center, Anchor::Thirds, Anchor::TopLeft] {
        assert_eq!(
            around(std::slice::from_ref(&dot), (64, 64), 0.5, anchor),
            [999.0, 799.0, 1.0, 1.0]
        );
    }
    let flat = around(&[dot], (400, 100), 0.0, Anchor::Center);
    assert_eq!(flat, [996.0, 799.0, 4.0, 1.0]);
}
