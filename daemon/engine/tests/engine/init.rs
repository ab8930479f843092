//! Beginning from a picture, against the reference implementation, and what must stay of it.

use std::fs;

use atelier_flux::{Draft, Extend, Init, Progress, Request};
use image::{DynamicImage, GrayImage, Luma, RgbImage};
use serde::Deserialize;

use crate::fixture::{Recorder, base, klein, painted, pipeline, psnr, request};

/// The cases are under 42 dB from one another, so that above this everything is as asked.
const LEAST_PSNR: f64 = 55.0;

#[derive(Deserialize)]
struct Cases {
    prompt: String,
    steps: u32,
    seed: u64,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    masked: bool,
    strength: f64,
    references: usize,
    guidance: f32,
}

fn open(name: &str) -> DynamicImage {
    image::open(klein().join("init").join(name)).unwrap()
}

#[test]
fn pictures_are_those_of_the_reference_and_black_is_never_touched() {
    let text = fs::read_to_string(klein().join("init/cases.json")).unwrap();
    let cases: Cases = serde_json::from_str(&text).unwrap();
    let (picture, mask) = (
        open("picture.png").into_rgb8(),
        open("mask.png").into_luma8(),
    );
    let (width, height) = picture.dimensions();
    let base = base();
    assert!(!cases.cases.is_empty());
    for case in &cases.cases {
        let request = Request {
            prompt: cases.prompt.clone(),
            width,
            height,
            steps: cases.steps,
            seed: cases.seed,
            guidance: case.guidance,
            references: vec![open("reference.png").into_rgb8(); case.references],
            init: Some(Init {
                picture: picture.clone(),
                strength: case.strength,
                mask: case.masked.then(|| mask.clone()),
            }),
            ..Request::default()
        };
        let mut recorder = Recorder {
            wants_tensors: true,
            ..Recorder::default()
        };
        let pipeline = if case.guidance > 1.0 {
            &base
        } else {
            pipeline()
        };
        let made = pipeline.render(&request, &mut recorder).unwrap();
        let painted = painted(&recorder, width, height);
        let psnr = psnr(&painted, &open(&format!("{}.png", case.name)).into_rgb8());
        println!("{}: {psnr:.2} dB", case.name);
        assert!(psnr >= LEAST_PSNR, "{}: {psnr:.2} dB", case.name);
        if case.masked {
            for (x, y, pixel) in made
                .enumerate_pixels()
                .filter(|(x, y, _)| mask[(*x, *y)][0] < 128)
            {
                assert_eq!(pixel, picture.get_pixel(x, y), "{}: {x}, {y}", case.name);
            }
            let middle = (69, 50);
            assert_eq!(made[middle], painted[middle], "{}", case.name);
        } else {
            assert_eq!(made, painted, "{}", case.name);
        }
    }
}

#[test]
fn a_strength_leaves_steps_out_and_the_picture_is_encoded_before_the_references() {
    let mut recorder = Recorder::default();
    let request = Request {
        references: vec![RgbImage::new(64, 64)],
        init: Some(Init {
            picture: RgbImage::new(64, 64),
            strength: 0.5,
            mask: None,
        }),
        ..request()
    };
    pipeline().render(&request, &mut recorder).unwrap();
    let steps = 2;
    assert_eq!(
        recorder.progress,
        [
            Progress::Encoding,
            Progress::References { done: 0, total: 2 },
            Progress::References { done: 1, total: 2 },
            Progress::Denoising { step: 0, steps },
            Progress::Denoising { step: 1, steps },
            Progress::Denoising { step: 2, steps },
            Progress::Decoding,
        ]
    );
}

#[test]
fn the_whole_strength_without_a_mask_is_noise_alone() {
    let plain = pipeline()
        .render(&request(), &mut Recorder::default())
        .unwrap();
    let begun = Request {
        init: Some(Init {
            picture: RgbImage::from_pixel(64, 64, image::Rgb([9, 80, 200])),
            strength: 1.0,
            mask: None,
        }),
        ..request()
    };
    let begun = pipeline().render(&begun, &mut Recorder::default()).unwrap();
    assert_eq!(plain, begun);
}

#[test]
fn a_picture_grows_and_stays_what_it_was() {
    let picture = open("picture.png");
    let draft = Draft {
        picture: picture.to_rgba8(),
        mask: None,
        extend: Extend {
            left: 30,
            bottom: 17,
            ..Extend::default()
        },
    };
    let (width, height) = draft.extend.canvas(128, 96);
    assert_eq!((width, height), (160, 128));
    let request = Request {
        width,
        height,
        steps: 2,
        init: Some(draft.fit(width, height, None).unwrap()),
        ..request()
    };
    let made = pipeline()
        .render(&request, &mut Recorder::default())
        .unwrap();
    let inside = image::imageops::crop_imm(&made, 32, 0, 128, 96).to_image();
    assert_eq!(inside, picture.into_rgb8());
}

#[test]
fn previews_are_small_few_only_when_wanted_and_show_what_stays() {
    let mask = GrayImage::from_fn(64, 64, |x, _| Luma([if x < 32 { 0 } else { 255 }]));
    let kept = |colour: [u8; 3]| Request {
        init: Some(Init {
            picture: RgbImage::from_pixel(64, 64, image::Rgb(colour)),
            strength: 1.0,
            mask: Some(mask.clone()),
        }),
        ..request()
    };
    let previews = |request: &Request| {
        let mut recorder = Recorder {
            wants_previews: true,
            ..Recorder::default()
        };
        let made = pipeline().render(request, &mut recorder).unwrap();
        (made, recorder.previews)
    };
    let (with, seen) = previews(&kept([20, 120, 40]));
    // The tiny model takes its steps faster than previews may follow one another.
    assert!((1..3).contains(&seen.len()), "{}", seen.len());
    assert_eq!(seen[0].dimensions(), (8, 8));
    let mut silent = Recorder::default();
    let without = pipeline()
        .render(&kept([20, 120, 40]), &mut silent)
        .unwrap();
    assert!(silent.previews.is_empty());
    assert_eq!(with, without, "a preview changes nothing");
    let other = &previews(&kept([240, 30, 200])).1[0];
    assert_ne!(seen[0].get_pixel(1, 4), other.get_pixel(1, 4));
}
