//! Rendering: progress, cancelling, and what the request changes.

use std::fs;

use atelier_flux::{OpenOptions, Pipeline, Progress, Request};
use image::RgbImage;

use crate::fixture::{Recorder, copy_of_model, pipeline, psnr, request};

fn render(pipeline: &Pipeline, request: &Request) -> RgbImage {
    pipeline.render(request, &mut Recorder::default()).unwrap()
}

#[test]
fn progress_comes_in_order_and_tensors_only_when_wanted() {
    let reference = RgbImage::from_pixel(64, 80, image::Rgb([200, 40, 90]));
    let request = Request {
        references: vec![reference.clone(), reference],
        ..request()
    };
    let mut recorder = Recorder::default();
    let picture = pipeline().render(&request, &mut recorder).unwrap();
    assert_eq!(picture.dimensions(), (64, 64));
    let steps = 3;
    assert_eq!(
        recorder.progress,
        [
            Progress::Encoding,
            Progress::References { done: 0, total: 2 },
            Progress::References { done: 1, total: 2 },
            Progress::Denoising { step: 0, steps },
            Progress::Denoising { step: 1, steps },
            Progress::Denoising { step: 2, steps },
            Progress::Denoising { step: 3, steps },
            Progress::Decoding,
        ]
    );
    assert!(recorder.tensors.is_empty());
}

#[test]
fn cancelling_stops_at_once() {
    for stop_at in [
        Progress::Encoding,
        Progress::Denoising { step: 0, steps: 3 },
        Progress::Denoising { step: 2, steps: 3 },
        Progress::Decoding,
    ] {
        let mut recorder = Recorder {
            stop_at: Some(stop_at),
            ..Recorder::default()
        };
        let error = pipeline().render(&request(), &mut recorder).unwrap_err();
        assert_eq!(error.code(), "cancelled");
        assert_eq!(
            recorder.progress.last(),
            Some(&stop_at),
            "work went on after the cancel"
        );
    }
}

#[test]
fn the_same_request_gives_the_same_picture_and_another_seed_another() {
    let first = render(pipeline(), &request());
    assert_eq!(first, render(pipeline(), &request()));
    assert!(
        psnr(
            &first,
            &render(
                pipeline(),
                &Request {
                    seed: 8,
                    ..request()
                }
            )
        ) < 40.0
    );
}

#[test]
fn requests_are_checked_before_any_work() {
    let mut recorder = Recorder::default();
    let request = Request {
        width: 100,
        ..request()
    };
    assert_eq!(
        pipeline()
            .render(&request, &mut recorder)
            .unwrap_err()
            .code(),
        "request-invalid"
    );
    assert!(recorder.progress.is_empty());
}

#[test]
fn a_bad_reference_is_named_by_number_before_any_work() {
    let mut recorder = Recorder::default();
    let references = vec![RgbImage::new(64, 64), RgbImage::new(63, 64)];
    let error = pipeline()
        .render(
            &Request {
                references,
                ..request()
            },
            &mut recorder,
        )
        .unwrap_err();
    assert_eq!(error.code(), "reference-too-small");
    assert!(error.to_string().starts_with("reference 2"), "{error}");
    assert!(recorder.progress.is_empty());
}

#[test]
fn a_distilled_model_ignores_guidance_and_a_base_model_does_not() {
    let guided = Request {
        guidance: 4.0,
        ..request()
    };
    let avoiding = Request {
        negative: Some("blue".into()),
        ..guided.clone()
    };
    let plain = render(pipeline(), &request());
    assert_eq!(plain, render(pipeline(), &avoiding));

    let model = copy_of_model();
    let path = model.path().join("model_index.json");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(
        &path,
        text.replace(r#""is_distilled": true"#, r#""is_distilled": false"#),
    )
    .unwrap();
    let base = Pipeline::open(model.path(), &OpenOptions::default()).unwrap();
    assert_eq!(
        plain,
        render(&base, &request()),
        "a guidance of 1 is one pass"
    );
    let guided = render(&base, &guided);
    assert_ne!(plain, guided);
    assert_ne!(guided, render(&base, &avoiding));
}
