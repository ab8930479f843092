//! What was encoded is not encoded again, and no picture depends on it.

use atelier_flux::{Init, OpenOptions, Pipeline, Request};
use image::{Rgb, RgbImage};

use crate::fixture::{Recorder, klein, request};

fn open() -> Pipeline {
    Pipeline::open(&klein().join("model"), &OpenOptions::default()).unwrap()
}

fn render(pipeline: &Pipeline, request: &Request) -> RgbImage {
    pipeline.render(request, &mut Recorder::default()).unwrap()
}

#[test]
fn a_batch_of_seeds_encodes_the_prompt_and_each_picture_once() {
    let picture = |shade: u8| RgbImage::from_fn(64, 64, |x, y| Rgb([x as u8, shade, y as u8]));
    let of_seed = |seed| Request {
        seed,
        steps: 2,
        references: vec![picture(10), picture(20)],
        init: Some(Init {
            picture: picture(30),
            strength: 0.7,
            mask: None,
        }),
        ..request()
    };
    let pipeline = open();
    let forgetful = open();
    forgetful.keep_encodings(0);
    for seed in [3, 4, 3] {
        let request = of_seed(seed);
        assert_eq!(render(&pipeline, &request), render(&forgetful, &request));
    }
    let tally = pipeline.encodings();
    assert_eq!((tally.prompts, tally.pictures, tally.reused), (1, 3, 8));
    let tally = forgetful.encodings();
    assert_eq!((tally.prompts, tally.pictures, tally.reused), (3, 9, 0));
    assert_eq!(tally.bytes, 0);

    render(
        &pipeline,
        &Request {
            prompt: "a red dog".into(),
            references: vec![picture(20), picture(40)],
            ..of_seed(3)
        },
    );
    let tally = pipeline.encodings();
    assert_eq!((tally.prompts, tally.pictures, tally.reused), (2, 4, 10));
}
