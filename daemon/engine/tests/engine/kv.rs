//! Klein KV: references that are read once, against the reference implementation.

use std::fs;
use std::path::Path;

use atelier_flux::{
    Init, Lora, ModelParts, ModelSource, OpenOptions, Pipeline, Progress, Request, SharedParts,
    Variant,
};
use image::{DynamicImage, RgbImage};
use serde::Deserialize;
use serde_json::json;
use tempfile::TempDir;

use crate::fixture::{Recorder, copy_of_model, klein, painted, pipeline, psnr, request};
use crate::surgery::{TRANSFORMER, edit, edit_json};

/// What summation order may cost; plain klein's picture of the same request is far below.
const LEAST_PSNR: f64 = 55.0;

#[derive(Deserialize)]
struct Case {
    name: String,
    prompt: String,
    width: u32,
    height: u32,
    steps: u32,
    seed: u64,
    references: Vec<u32>,
    /// What makes more blocks of the model's two: so many copies of either.
    double: Option<usize>,
    single: Option<usize>,
    lora: Option<String>,
    strength: Option<f64>,
    psnr_db_plain: f64,
}

fn open(name: &str) -> DynamicImage {
    image::open(klein().join(name)).unwrap()
}

impl Case {
    fn request(&self) -> Request {
        let reference = |number: &u32| {
            open(&format!("cases/three-references/reference-{number}.png")).into_rgb8()
        };
        Request {
            prompt: self.prompt.clone(),
            width: self.width,
            height: self.height,
            steps: self.steps,
            seed: self.seed,
            references: self.references.iter().map(reference).collect(),
            init: self.strength.map(|strength| Init {
                picture: open("init/picture.png").into_rgb8(),
                strength,
                mask: Some(open("init/mask.png").into_luma8()),
            }),
            loras: self.lora.iter().map(lora).collect(),
            ..Request::default()
        }
    }
}

fn lora(file: &String) -> Lora {
    Lora {
        path: klein().join("../lora").join(file),
        scale: 1.0,
    }
}

/// Appends copies of the first block of a kind, until there are `count`.
fn deepen(model: &Path, kind: &str, key: &str, count: usize) {
    edit(model, TRANSFORMER, |parts| {
        let first = format!("{kind}.0.");
        let names: Vec<_> = parts.header.keys().cloned().collect();
        for name in names.iter().filter(|name| name.starts_with(&first)) {
            let (entry, bytes) = (parts.header[name].clone(), parts.bytes(name).to_vec());
            for number in 1..count {
                let copy = name.replacen(&first, &format!("{kind}.{number}."), 1);
                let dtype = entry["dtype"].as_str().unwrap();
                parts.put(&copy, dtype, &entry["shape"], &bytes);
            }
        }
    });
    let config = model.join("transformer/config.json");
    edit_json(&config, |config| config[key] = json!(count));
}

/// The tiny model with KV's class in its index, and with this many blocks.
fn kv(double: usize, single: usize) -> (TempDir, Pipeline) {
    let model = copy_of_model();
    edit_json(&model.path().join("model_index.json"), |index| {
        index["_class_name"] = json!("Flux2KleinKVPipeline");
    });
    deepen(model.path(), "transformer_blocks", "num_layers", double);
    deepen(
        model.path(),
        "single_transformer_blocks",
        "num_single_layers",
        single,
    );
    let pipeline = Pipeline::open(model.path(), &OpenOptions::default()).unwrap();
    assert_eq!(pipeline.info().variant, Variant::KleinKv);
    (model, pipeline)
}

fn picture(pipeline: &Pipeline, request: &Request) -> RgbImage {
    pipeline.render(request, &mut Recorder::default()).unwrap()
}

#[test]
fn pictures_are_those_of_the_reference_and_not_those_of_plain_klein() {
    let text = fs::read_to_string(klein().join("kv/cases.json")).unwrap();
    let cases: Vec<Case> = serde_json::from_str(&text).unwrap();
    assert!(cases.iter().any(|case| case.references.len() == 1));
    assert!(cases.iter().any(|case| case.references.len() == 3));
    for case in &cases {
        let (_model, kv) = kv(case.double.unwrap_or(1), case.single.unwrap_or(1));
        let request = case.request();
        let mut recorder = Recorder {
            wants_tensors: true,
            ..Recorder::default()
        };
        kv.render(&request, &mut recorder).unwrap();
        let made = painted(&recorder, case.width, case.height);
        let expected = open(&format!("kv/{}.png", case.name)).into_rgb8();
        let near = psnr(&made, &expected);
        println!(
            "{}: {near:.2} dB, plain {:.2} dB",
            case.name, case.psnr_db_plain
        );
        assert!(near >= LEAST_PSNR, "{}: {near:.2} dB", case.name);
        assert!(case.psnr_db_plain < LEAST_PSNR - 10.0, "{}", case.name);
    }
}

#[test]
fn plain_klein_reads_the_same_references_otherwise() {
    let text = fs::read_to_string(klein().join("kv/cases.json")).unwrap();
    let cases: Vec<Case> = serde_json::from_str(&text).unwrap();
    let case = cases.iter().find(|case| case.name == "three").unwrap();
    let expected = open("kv/three.png").into_rgb8();
    let apart = psnr(&picture(pipeline(), &case.request()), &expected);
    assert!((apart - case.psnr_db_plain).abs() < 0.5, "{apart:.2} dB");
}

#[test]
fn without_references_it_is_plain_klein() {
    let (_model, kv) = kv(1, 1);
    assert_eq!(picture(&kv, &request()), picture(pipeline(), &request()));
}

#[test]
fn the_variant_may_be_said_where_no_index_says_it() {
    let (_model, kv) = kv(1, 1);
    let model = klein().join("model");
    let parts = ModelParts {
        variant: Some(Variant::KleinKv),
        ..ModelParts::default()
    };
    let source = ModelSource::find(&model, &parts, &SharedParts::default()).unwrap();
    let asked = Pipeline::open_source(&source, &OpenOptions::default()).unwrap();
    let request = Request {
        references: vec![open("cases/three-references/reference-1.png").into_rgb8()],
        ..request()
    };
    assert_eq!(picture(&asked, &request), picture(&kv, &request));
    assert_ne!(picture(pipeline(), &request), picture(&kv, &request));
}

#[test]
fn it_stops_between_steps() {
    let (_model, kv) = kv(1, 1);
    let request = Request {
        references: vec![open("cases/three-references/reference-1.png").into_rgb8()],
        ..request()
    };
    for step in 0..2 {
        let mut recorder = Recorder {
            stop_at: Some(Progress::Denoising { step, steps: 3 }),
            ..Recorder::default()
        };
        let error = kv.render(&request, &mut recorder).unwrap_err();
        assert_eq!(error.code(), "cancelled");
        assert_eq!(recorder.progress.last(), recorder.stop_at.as_ref());
    }
}
