//! The pictures of `tests/golden/`, which OpenCV drew by ControlNet's recipe, to the pixel; and
//! those that the package controlnet_aux drew.

use super::pose;
use atelier_plugin::Size;
use image::RgbaImage;

/// The pixels that differ: where, what they are, and what they should be.
fn differences(document: &str, png: &[u8]) -> Vec<(u32, u32, [u8; 4], [u8; 4])> {
    let expected = image::load_from_memory(png).unwrap().to_rgba8();
    let (width, height) = expected.dimensions();
    let size = format!(r#"{{ "width": {width}, "height": {height} }}"#);
    let outcome = pose(document, &size, Size::new(1024, 1024)).unwrap();
    let drawn = RgbaImage::from_raw(width, height, outcome.pictures[0].rgba()).unwrap();
    let pairs = drawn.enumerate_pixels().zip(expected.pixels());
    pairs
        .filter(|((_, _, is), should)| is != should)
        .map(|((x, y, is), should)| (x, y, is.0, should.0))
        .collect()
}

fn assert_same(name: &str, document: &str, png: &[u8]) {
    let wrong = differences(document, png);
    let first = &wrong[..wrong.len().min(5)];
    assert!(
        wrong.is_empty(),
        "{name}: {} pixels differ, such as {first:?}",
        wrong.len()
    );
}

#[test]
fn a_body_is_drawn_to_the_pixel() {
    assert_same(
        "dancer",
        include_str!("../../tests/golden/dancer.json"),
        include_bytes!("../../tests/golden/dancer.png"),
    );
}

#[test]
fn people_in_front_of_each_other_are_drawn_to_the_pixel() {
    assert_same(
        "crowd",
        include_str!("../../tests/golden/crowd.json"),
        include_bytes!("../../tests/golden/crowd.png"),
    );
}

#[test]
fn hands_and_faces_are_drawn_to_the_pixel() {
    assert_same(
        "hands-and-face",
        include_str!("../../tests/golden/hands-and-face.json"),
        include_bytes!("../../tests/golden/hands-and-face.png"),
    );
}

#[test]
fn one_person_is_drawn_as_controlnet_aux_draws_it() {
    assert_same(
        "dancer",
        include_str!("../../tests/golden/dancer.json"),
        include_bytes!("../../tests/golden/controlnet_aux/dancer.png"),
    );
    assert_same(
        "hands-and-face",
        include_str!("../../tests/golden/hands-and-face.json"),
        include_bytes!("../../tests/golden/controlnet_aux/hands-and-face.png"),
    );
}

/// The package draws one person after the other, ControlNet all limbs and then all joints; so
/// they differ where people cover each other, in the 405 pixels that `compare.py` counted.
#[test]
fn people_in_front_of_each_other_differ_from_controlnet_aux_where_they_overlap() {
    let wrong = differences(
        include_str!("../../tests/golden/crowd.json"),
        include_bytes!("../../tests/golden/controlnet_aux/crowd.png"),
    );
    assert_eq!(wrong.len(), 405);
    let black = [0, 0, 0, 255];
    assert!(
        wrong
            .iter()
            .all(|(_, _, is, should)| *is != black && *should != black)
    );
}
