//! What a picture takes in memory, against what its plan says. Alone in its program: the memory that is
//! measured is the whole process's.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../examples/bench/memory.rs"]
mod memory;
#[path = "../examples/bench/stages.rs"]
mod stages;

use std::path::Path;

use atelier_flux::{MemoryPlan, OpenOptions, Pipeline, RenderShape, Request};
use image::RgbImage;

use memory::Sampler;
use stages::{STAGES, Stopwatch};

/// What the plan may be above the measured: the program's own memory, which it sums for the largest
/// tokenizers, and the scratch of many threads.
const SPARE: u64 = 128 << 20;

fn open(memory: Option<u64>) -> Pipeline {
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/klein/model");
    let options = OpenOptions {
        memory,
        ..OpenOptions::default()
    };
    Pipeline::open(&model, &options).unwrap()
}

/// The plan and the peak of each stage of a picture of this size with a reference of the same.
fn measure(pipeline: &Pipeline, (width, height): (u32, u32)) -> (MemoryPlan, Vec<u64>) {
    let shape = RenderShape {
        width,
        height,
        references: vec![(width, height)],
        ..RenderShape::default()
    };
    let request = Request {
        prompt: "a red fox".into(),
        width,
        height,
        steps: 1,
        references: vec![RgbImage::from_fn(width, height, |x, y| {
            image::Rgb([0, 1, 2].map(|shift| ((x + y) >> shift & 0xff) as u8))
        })],
        ..Request::default()
    };
    let plan = pipeline.memory_plan(&shape, 1);
    let sampler = Sampler::start(STAGES.len());
    let mut watch = Stopwatch::new(&sampler);
    pipeline.render(&request, &mut watch).unwrap();
    watch.finish();
    (plan, sampler.peaks())
}

#[test]
fn no_stage_takes_more_than_was_planned_nor_far_less() {
    // 1024×512, where the autoencoder takes most.
    let size = (1024, 512);
    let pipeline = open(None);
    let (whole, peaks) = measure(&pipeline, size);
    for (stage, &peak) in whole.stages.iter().zip(&peaks) {
        assert!(!stage.tiled, "{} in tiles", stage.name);
        let planned = stage.anonymous;
        assert!(peak <= planned, "{}: {peak} of {planned}", stage.name);
        assert!(
            planned <= peak + peak / 4 + SPARE,
            "{}: only {peak} of {planned}",
            stage.name
        );
    }
    drop(pipeline);

    // As much as denoising takes is less than the autoencoder takes whole.
    let denoising = whole
        .stages
        .iter()
        .find(|stage| stage.name == "transformer");
    let limit = denoising.unwrap().anonymous + (8 << 20);
    assert!(limit < whole.anonymous);
    let pipeline = open(Some(limit));
    let (tiled, peaks) = measure(&pipeline, size);
    assert!(tiled.stages.iter().any(|stage| stage.tiled));
    assert!(tiled.anonymous <= limit, "{} of {limit}", tiled.anonymous);
    for (stage, &peak) in tiled.stages.iter().zip(&peaks) {
        assert!(peak <= limit, "{}: {peak} of {limit}", stage.name);
    }
    drop(pipeline);

    // Nothing fits into less than the program takes by itself.
    let pipeline = open(Some(1 << 20));
    let request = Request::default();
    let sampler = Sampler::start(STAGES.len());
    let mut watch = Stopwatch::new(&sampler);
    let error = pipeline.render(&request, &mut watch).unwrap_err();
    assert_eq!(error.code(), "memory-insufficient");
    assert!(watch.finish().iter().all(Vec::is_empty), "it began");
}
