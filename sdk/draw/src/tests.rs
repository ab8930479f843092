//! Whole drawings, measured by their areas.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod areas;
mod places;
mod wild;

use crate::{Colour, Point, Surface, Undrawable};

const WHITE: Colour = Colour {
    r: 255,
    g: 255,
    b: 255,
    a: 255,
};

fn at(x: f32, y: f32) -> Point {
    Point { x, y }
}

/// The pixels of an opaque black surface after drawing on it.
fn drawn(
    width: u32,
    height: u32,
    draw: impl FnOnce(&mut Surface<'_>) -> Result<(), Undrawable>,
) -> Vec<u8> {
    let mut pixels = [0, 0, 0, 255].repeat((width * height) as usize);
    draw(&mut Surface::new(width, height, &mut pixels).unwrap()).unwrap();
    pixels
}

/// How many pixels are white, halves counted as halves.
fn area(pixels: &[u8]) -> f64 {
    let reds = pixels.chunks(4).map(|pixel| f64::from(pixel[0]));
    reds.sum::<f64>() / 255.0
}
