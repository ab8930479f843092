//! Pictures of sizes and contents that nobody expects.

use atelier_plugin::{Picture, Plugin, Request, Size};
use proptest::prelude::*;
use serde_json::json;

use super::{edges, lines, picture};
use crate::Edges;

#[test]
fn tiny_pictures_are_drawn() {
    for (width, height) in [(1, 1), (1, 9), (9, 1), (2, 2), (3, 2)] {
        for blur in [0.0, 1.0, 10.0] {
            let tiny = picture(Size::new(width, height), |x, y| {
                [(x * 90 + y * 60) as u8; 4]
            });
            let outcome = edges(tiny, &json!({ "low": 0, "high": 0, "blur": blur })).unwrap();
            assert_eq!(outcome.pictures[0].size(), Size::new(width, height));
        }
    }
}

#[test]
fn rows_of_8192_pixels_are_drawn() {
    let wide = picture(Size::new(8192, 40), |x, _| {
        if x < 5000 { [0, 0, 0, 255] } else { [255; 4] }
    });
    let outcome = edges(wide, &json!({ "blur": 3, "low": 20, "high": 60 })).unwrap();
    let lines = lines(&outcome);
    assert_eq!(lines.len(), 40);
    assert!(lines.iter().all(|&(x, _)| (4998..=5001).contains(&x)));
}

#[test]
fn a_picture_that_is_read_in_several_strips_has_no_seams() {
    // Two strips of a slanting edge: 262144 pixels are read at once.
    let size = Size::new(512, 900);
    let slanting = picture(
        size,
        |x, y| if 2 * x < y { [0, 0, 0, 255] } else { [255; 4] },
    );
    let found = lines(&edges(slanting, &json!({})).unwrap());
    let per_row = |y| found.iter().filter(|&&(_, row)| row == y).count();
    assert!(
        (4..896).all(|y| (1..=2).contains(&per_row(y))),
        "a line in each row"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_picture_is_drawn_in_two_colours(
        (width, height) in (1u32..40, 1u32..40),
        seed in any::<[u8; 16]>(),
        (low, high) in (0u32..=2000, 0u32..=2000),
        blur in 0.0..=10.0f64,
        side in 16u32..64,
    ) {
        let mut dice = atelier_plugin::random::Dice::of(seed);
        let pixels = (0..width * height * 4).map(|_| dice.u32() as u8).collect();
        let noise = Picture::from_rgba(Size::new(width, height), pixels).unwrap();
        let parameters = json!({ "low": low.min(high), "high": high, "blur": blur, "width": side });
        let request = Request::of_picture(noise, parameters.to_string(), Size::new(64, 64));
        let outcome = Edges::prepare(request).unwrap();
        let drawing = outcome.pictures[0].rgba();
        let plain = |pixel: &[u8]| [[0, 0, 0, 255], [255; 4]].iter().any(|colour| pixel == colour);
        prop_assert!(drawing.chunks(4).all(plain));
    }
}
