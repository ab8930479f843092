//! The pictures of `tests/golden/`, which OpenCV drew by ControlNet's recipe, to the pixel.

use super::pose;
use atelier_plugin::Size;
use image::RgbaImage;

fn assert_same(name: &str, document: &str, png: &[u8]) {
    let expected = image::load_from_memory(png).unwrap().to_rgba8();
    let (width, height) = expected.dimensions();
    let size = format!(r#"{{ "width": {width}, "height": {height} }}"#);
    let outcome = pose(document, &size, Size::new(1024, 1024)).unwrap();
    let drawn = RgbaImage::from_raw(width, height, outcome.pictures[0].rgba()).unwrap();
    let pairs = drawn.enumerate_pixels().zip(expected.pixels());
    let wrong: Vec<_> = pairs
        .filter(|((_, _, is), should)| is != should)
        .map(|((x, y, is), should)| (x, y, is.0, should.0))
        .collect();
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
