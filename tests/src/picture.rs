//! Measuring and making pictures.

use std::path::Path;

use image::{Rgb, RgbImage};
use sha2::{Digest, Sha256};

/// How alike two pictures are: the peak signal-to-noise ratio over all channels of 8 bits, in
/// decibels; infinite for equal ones.
///
/// # Panics
///
/// When one cannot be read, or they differ in size.
#[must_use]
pub fn psnr(one: &Path, other: &Path) -> f64 {
    let open = |path: &Path| {
        image::open(path)
            .unwrap_or_else(|cause| panic!("{}: {cause}", path.display()))
            .into_rgb8()
    };
    let (one, other) = (open(one), open(other));
    assert_eq!(
        one.dimensions(),
        other.dimensions(),
        "pictures of different sizes"
    );
    let squares: f64 = one
        .as_raw()
        .iter()
        .zip(other.as_raw())
        .map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2))
        .sum();
    let mean = squares / f64::from(u32::try_from(one.as_raw().len()).expect("a small picture"));
    10.0 * (255.0_f64.powi(2) / mean).log10()
}

/// The digest of a file's bytes, in lower-case hexadecimal.
///
/// # Panics
///
/// When it cannot be read.
#[must_use]
pub fn sha256(path: &Path) -> String {
    let bytes = std::fs::read(path).unwrap_or_else(|cause| panic!("{}: {cause}", path.display()));
    Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Writes a picture whose colours run from corner to corner.
///
/// # Panics
///
/// When it cannot be written.
pub fn gradient(path: &Path, width: u32, height: u32) {
    let shade = |at: u32, of: u32| u8::try_from(at * 255 / of).expect("at is less than of");
    RgbImage::from_fn(width, height, |x, y| {
        Rgb([shade(x, width), shade(y, height), 96])
    })
    .save(path)
    .unwrap_or_else(|cause| panic!("{}: {cause}", path.display()));
}
