//! The drawings of `tests/golden/`, which OpenCV made.

use atelier_plugin::{Picture, Size};
use serde_json::{Value, json};

use super::edges;

fn scene() -> Picture {
    let png = include_bytes!("../../tests/golden/scene.png");
    let pixels = image::load_from_memory(png).unwrap().into_rgba8();
    let size = Size::new(pixels.width(), pixels.height());
    Picture::from_rgba(size, pixels.into_raw()).unwrap()
}

/// How many pixels differ from OpenCV's drawing.
fn differences(parameters: &Value, png: &[u8]) -> usize {
    let theirs = image::load_from_memory(png).unwrap().into_luma8();
    let ours = edges(scene(), parameters).unwrap().pictures[0].rgba();
    assert_eq!(ours.len(), theirs.len() * 4);
    let pairs = ours.chunks(4).zip(theirs.as_raw());
    pairs.filter(|(ours, theirs)| ours[0] != **theirs).count()
}

#[test]
fn lines_are_those_of_opencv_to_the_pixel() {
    let plain = include_bytes!("../../tests/golden/plain.png");
    assert_eq!(differences(&json!({ "low": 100, "high": 200 }), plain), 0);
    let sensitive = include_bytes!("../../tests/golden/sensitive.png");
    assert_eq!(differences(&json!({ "low": 20, "high": 60 }), sensitive), 0);
}

#[test]
fn blurred_lines_are_those_of_opencv_to_the_pixel() {
    let blurred = include_bytes!("../../tests/golden/blurred.png");
    let parameters = json!({ "low": 40, "high": 90, "blur": 1.4 });
    assert_eq!(differences(&parameters, blurred), 0);
    let very = include_bytes!("../../tests/golden/very-blurred.png");
    let parameters = json!({ "low": 10, "high": 25, "blur": 3.2 });
    assert_eq!(differences(&parameters, very), 0);
}
