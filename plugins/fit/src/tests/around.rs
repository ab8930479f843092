//! Crops around people, and flattening.

use atelier_plugin::{Failure, Outcome, Picture, Plugin, Request, Size, Source};
use serde_json::{Value, json};

use super::pixel;
use crate::Fit;

const SIZE: Size = Size::new(100, 80);

/// Each pixel's red and green say where it is.
fn map() -> Picture {
    let pixels = (0..80).flat_map(|y| (0..100).flat_map(move |x| [x, y, 0, 255]));
    Picture::from_rgba(SIZE, pixels.collect()).unwrap()
}

/// Somebody who is seen from the nose to an ankle, in pixels.
fn person(nose: [f64; 2], ankle: [f64; 2]) -> Value {
    let mut joints = vec![[0.0; 3]; 18];
    joints[0] = [nose[0], nose[1], 0.9];
    joints[10] = [ankle[0], ankle[1], 0.9];
    // Not sure, and far away.
    joints[4] = [1.0, 1.0, 0.1];
    json!({ "people": [{ "pose_keypoints_2d": joints.concat() }] })
}

fn small() -> Value {
    person([40.0, 30.0], [50.0, 40.0])
}

fn fit(sources: Vec<Source>, parameters: &Value) -> Result<Outcome, Failure> {
    let output = Size::new(20, 20);
    Fit::prepare(Request::new(sources, parameters.to_string(), output))
}

fn around(document: &Value, parameters: &Value) -> Result<Outcome, Failure> {
    let mut parameters = parameters.clone();
    parameters["around"] = json!("keypoints");
    let sources = vec![
        Source::Picture(map()),
        Source::Document(document.to_string()),
    ];
    fit(sources, &parameters)
}

#[test]
fn a_crop_is_put_around_people() {
    let mut known = small();
    (known["canvas_width"], known["canvas_height"]) = (json!(100), json!(80));
    let mut twice = person([80.0, 60.0], [100.0, 80.0]);
    (twice["canvas_width"], twice["canvas_height"]) = (json!(200), json!(160));
    let share = person([0.4, 0.375], [0.5, 0.5]);
    for document in [small(), known, twice, share] {
        let outcome = around(&document, &json!({ "margin": 50 })).unwrap();
        assert_eq!(outcome.pictures[0].size(), Size::new(20, 20));
        // 20 pixels around the middle of 40 to 50 and 30 to 40: nothing is resampled.
        assert_eq!(pixel(&outcome, 0, 0), [35, 25, 0, 255], "{document}");
        assert_eq!(pixel(&outcome, 19, 19), [54, 44, 0, 255], "{document}");
    }
}

#[test]
fn thirds_put_the_face_on_a_third() {
    // 13 to the left and below, 7 to the right and above: the face is at a third.
    let standing = person([40.0, 30.0], [40.0, 42.0]);
    let parameters = json!({ "margin": 0, "anchor": "thirds", "width": 18, "height": 18 });
    let outcome = around(&standing, &parameters).unwrap();
    assert_eq!(pixel(&outcome, 0, 0), [34, 24, 0, 255]);
    assert_eq!(pixel(&outcome, 6, 6), [40, 30, 0, 255]);
}

#[test]
fn what_the_picture_does_not_have_is_background() {
    let wide = person([0.0, 40.0], [100.0, 42.0]);
    let parameters = json!({ "background": "#0102ff" });
    let outcome = around(&wide, &parameters).unwrap();
    // 100 × 100 around 100 × 80: two of 20 rows above, two below.
    for (y, background) in [
        (0, true),
        (1, true),
        (2, false),
        (17, false),
        (18, true),
        (19, true),
    ] {
        assert_eq!(
            pixel(&outcome, 10, y) == [1, 2, 255, 255],
            background,
            "{y}"
        );
    }
}

#[test]
fn each_picture_has_its_people_or_all_have_the_same() {
    let other = person([60.0, 50.0], [70.0, 60.0]);
    let pictures = || vec![Source::Picture(map()), Source::Picture(map())];
    let corners = |documents: &[&Value]| {
        let mut sources = pictures();
        sources.extend(
            documents
                .iter()
                .map(|text| Source::Document(text.to_string())),
        );
        let parameters = json!({ "around": "keypoints", "margin": 50 });
        let made = fit(sources, &parameters)?.pictures;
        Ok(made
            .iter()
            .map(|canvas| canvas.rgba()[0])
            .collect::<Vec<_>>())
    };
    assert_eq!(corners(&[&small()]), Ok(vec![35, 35]));
    assert_eq!(corners(&[&small(), &other]), Ok(vec![35, 55]));
    let refused: Result<_, Failure> = corners(&[&small(), &other, &other]);
    assert!(refused.unwrap_err().to_string().contains("3 documents"));
}

#[test]
fn keypoints_that_nobody_asked_for_change_nothing() {
    let alone = fit(vec![Source::Picture(map())], &json!({})).unwrap();
    let sources = vec![
        Source::Picture(map()),
        Source::Document("nonsense".to_owned()),
    ];
    let beside = fit(sources, &json!({})).unwrap();
    assert_eq!(alone.pictures[0].rgba(), beside.pictures[0].rgba());
}

#[test]
fn what_cannot_be_cropped_around_is_told() {
    let alone = fit(
        vec![Source::Picture(map())],
        &json!({ "around": "keypoints" }),
    );
    assert!(alone.unwrap_err().to_string().contains("\"also\""));
    let outside = person([-40.0, 30.0], [150.0, 40.0]);
    let refused = around(&outside, &json!({})).unwrap_err().to_string();
    assert!(refused.contains("nobody"), "{refused}");
    let unsure = person([f64::MAX, 0.0], [0.0, f64::MIN]);
    let refused = around(&unsure, &json!({})).unwrap_err().to_string();
    assert!(refused.contains("confidence"), "{refused}");
    let refused = around(&small(), &json!({ "mode": "pad" })).unwrap_err();
    assert!(matches!(refused, Failure::Parameter { name, .. } if name == "around"));
}

#[test]
fn any_frame_is_filled() {
    for (width, height) in [(16, 16), (16, 200), (300, 17), (64, 48)] {
        for document in [
            small(),
            person([0.0, 0.0], [100.0, 80.0]),
            person([99.0, 79.0], [99.0, 79.0]),
        ] {
            for anchor in ["center", "thirds", "bottom-right"] {
                let parameters = json!({ "width": width, "height": height, "anchor": anchor });
                let outcome = around(&document, &parameters).unwrap();
                assert_eq!(outcome.pictures[0].size(), Size::new(width, height));
                let pixels = outcome.pictures[0].rgba();
                assert!(
                    pixels.chunks(4).all(|pixel| pixel[3] == 255),
                    "{width} × {height}, {anchor}"
                );
            }
        }
    }
}

#[test]
fn flattening_leaves_nothing_transparent() {
    let alphas = [255, 128, 0, 0];
    let pixels = (0..20 * 20)
        .flat_map(|index| [200, 100, 0, alphas[index % 4]])
        .collect();
    let veiled = Picture::from_rgba(Size::new(20, 20), pixels).unwrap();
    let parameters = json!({ "flatten": true, "background": "#0000ff" });
    let outcome = fit(vec![Source::Picture(veiled)], &parameters).unwrap();
    assert_eq!(pixel(&outcome, 0, 0), [200, 100, 0, 255]);
    assert_eq!(pixel(&outcome, 1, 0), [100, 50, 127, 255]);
    assert_eq!(pixel(&outcome, 2, 0), [0, 0, 255, 255]);

    let parameters = json!({ "flatten": true, "background": "#0000ff80" });
    let refused = fit(vec![Source::Picture(map())], &parameters).unwrap_err();
    assert!(matches!(refused, Failure::Parameter { name, .. } if name == "background"));
}

#[test]
fn without_flattening_what_is_transparent_stays_it() {
    let veiled = Picture::from_rgba(Size::new(20, 20), [9, 9, 9, 7].repeat(400)).unwrap();
    let outcome = fit(vec![Source::Picture(veiled)], &json!({})).unwrap();
    assert_eq!(pixel(&outcome, 5, 5), [9, 9, 9, 7]);
}
