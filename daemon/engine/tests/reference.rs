//! References are scaled and cropped as Pillow and diffusers do it, to the bit.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

#[path = "golden/fnv.rs"]
mod fnv;
#[path = "golden/golden.rs"]
mod golden;

use atelier_flux::reference::{PixelCap, ReferenceError, fit, resize, to_chw};
use image::{Rgb, RgbImage};
use serde::Deserialize;

#[derive(Deserialize)]
struct Row {
    source: [u32; 2],
    scaled: Option<[u32; 2]>,
    fitted: Option<[u32; 2]>,
    fnv: String,
    chw_fnv: Option<String>,
}

/// The picture of the golden data's `pattern`.
fn pattern(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        Rgb([0, 1, 2]
            .map(|c| ((x * x * 7 + y * y * 13 + x * y * (c + 1) + c * 101) / 3 % 256) as u8))
    })
}

#[test]
fn scales_like_pillow() {
    for row in golden::rows::<Row>("pictures.json") {
        let Some([width, height]) = row.scaled else {
            continue;
        };
        let picture = resize(&pattern(row.source[0], row.source[1]), width, height);
        assert_eq!(picture.dimensions(), (width, height));
        assert_eq!(
            fnv::fnv(picture.into_raw()),
            row.fnv,
            "{:?} to {:?}",
            row.source,
            row.scaled
        );
    }
}

#[test]
fn scaled_picture_is_pillows() {
    let open = |name| image::open(golden::path(name)).unwrap().into_rgb8();
    let unscaled = open("unscaled.png");
    let expected = open("scaled.png");
    assert_eq!(unscaled, pattern(40, 30));
    assert_eq!(
        resize(&unscaled, expected.width(), expected.height()),
        expected
    );
}

#[test]
fn fits_like_diffusers() {
    for row in golden::rows::<Row>("pictures.json") {
        let Some([width, height]) = row.fitted else {
            continue;
        };
        let picture = fit(&pattern(row.source[0], row.source[1]), PixelCap::default()).unwrap();
        assert_eq!(picture.dimensions(), (width, height), "{:?}", row.source);
        let values = to_chw(&picture);
        assert_eq!(fnv::fnv(picture.into_raw()), row.fnv, "{:?}", row.source);
        if let Some(expected) = row.chw_fnv {
            let bytes = values.iter().flat_map(|value| value.to_le_bytes());
            assert_eq!(fnv::fnv(bytes), expected, "{:?}", row.source);
        }
    }
}

#[test]
fn values_are_planes_from_minus_one_to_one() {
    let picture = RgbImage::from_raw(2, 1, vec![0, 255, 51, 255, 0, 204]).unwrap();
    assert_eq!(to_chw(&picture), [-1.0, 1.0, 1.0, -1.0, -0.6, 0.6]);
}

#[test]
fn pictures_that_diffusers_refuses_are_refused() {
    let refused =
        |width, height| fit(&RgbImage::new(width, height), PixelCap::default()).unwrap_err();
    assert_eq!(
        refused(63, 64),
        ReferenceError::TooSmall {
            width: 63,
            height: 64
        }
    );
    assert_eq!(
        refused(0, 0),
        ReferenceError::TooSmall {
            width: 0,
            height: 0
        }
    );
    assert_eq!(
        refused(64, 513),
        ReferenceError::TooElongated {
            width: 64,
            height: 513
        }
    );
    assert_eq!(refused(64, 513).code(), "reference-too-elongated");
    assert!(fit(&RgbImage::new(512, 64), PixelCap::default()).is_ok());
}

#[test]
fn caps_are_areas() {
    let picture = RgbImage::new(1200, 1200);
    let fitted = |cap| fit(&picture, cap).map(|picture| picture.dimensions());
    assert_eq!(fitted(PixelCap::Megapixel), Ok((1024, 1024)));
    assert_eq!(fitted(PixelCap::FourMegapixels), Ok((1200, 1200)));
    assert_eq!(fitted(PixelCap::Area(100 * 100)), Ok((96, 96)));
    assert_eq!(
        fitted(PixelCap::Area(15 * 15)).unwrap_err().code(),
        "reference-cap-too-small"
    );
    assert_eq!(
        fitted(PixelCap::Area(0)).unwrap_err().code(),
        "reference-cap-too-small"
    );
}
