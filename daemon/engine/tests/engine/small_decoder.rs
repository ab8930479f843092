//! A VAE whose decoder has other widths than its encoder, against the reference implementation.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use atelier_flux::{ModelParts, ModelSource, OpenOptions, Pipeline, SharedParts, inspect_source};
use image::RgbImage;
use serde::Deserialize;
use serde_json::json;

use crate::fixture::{PromptAlone, Recorder, copy_of_model, klein, pipeline, psnr};
use crate::forge::{self, Tensor, Tensors, vae_to_bfl};
use crate::surgery::{VAE, edit_json};

/// What summation order may cost.
const LEAST_PSNR: f64 = 55.0;

#[derive(Deserialize)]
struct Described {
    request: PromptAlone,
    widths: Vec<usize>,
    gain: f32,
    shortcut: String,
    shapes: BTreeMap<String, Vec<usize>>,
}

fn folder() -> PathBuf {
    klein().join("small-decoder")
}

fn described() -> Described {
    serde_json::from_slice(&fs::read(folder().join("decoder.json")).unwrap()).unwrap()
}

/// A tensor's values, again and again along each axis.
fn repeated(tensor: &Tensor, shape: &[usize]) -> Vec<f32> {
    let count = shape.iter().product();
    let value = |mut place: usize| {
        let (mut from, mut step) = (0, 1);
        for (&size, &own) in shape.iter().zip(&tensor.shape).rev() {
            from += place % size % own * step;
            step *= own;
            place /= size;
        }
        tensor.values[from]
    };
    (0..count).map(value).collect()
}

/// The tiny model's VAE with the decoder that `make_small_decoder.py` describes.
fn vae(described: &Described) -> Tensors {
    let full = forge::read(&klein().join("model").join(VAE));
    let mut tensors = full.clone();
    tensors.retain(|name, _| !name.starts_with("decoder."));
    for (name, shape) in &described.shapes {
        let leaf = name.rsplit('.').next().unwrap();
        let source = full.get(name);
        let source = source.unwrap_or_else(|| &full[&format!("{}.{leaf}", described.shortcut)]);
        let is_last = name.starts_with("decoder.conv_out.");
        let gain = if is_last { described.gain } else { 1.0 };
        let values = repeated(source, shape).iter().map(|x| x * gain).collect();
        let shape = shape.clone();
        tensors.insert(name.clone(), Tensor { shape, values });
    }
    tensors
}

fn picture(pipeline: &Pipeline, asked: &PromptAlone) -> RgbImage {
    let request = asked.clone().into();
    pipeline.render(&request, &mut Recorder::default()).unwrap()
}

#[test]
fn a_decoder_of_other_widths_gives_the_references_picture() {
    let described = described();
    let model = copy_of_model();
    forge::write(&model.path().join(VAE), "BF16", &vae(&described));
    edit_json(&model.path().join("vae/config.json"), |config| {
        config["decoder_block_out_channels"] = json!(described.widths);
    });
    let small = Pipeline::open(model.path(), &OpenOptions::default()).unwrap();
    let made = picture(&small, &described.request);
    let expected = image::open(folder().join("picture.png")).unwrap();
    let near = psnr(&made, &expected.into_rgb8());
    println!("{near:.2} dB");
    assert!(near >= LEAST_PSNR, "{near:.2} dB");
    let full = picture(pipeline(), &described.request);
    assert!(psnr(&made, &full) < 40.0, "the decoder makes a difference");
}

#[test]
fn its_widths_are_read_from_a_single_file_of_either_spelling() {
    let described = described();
    let folder = tempfile::tempdir().unwrap();
    let tensors = vae(&described);
    let spellings = [
        ("diffusers.safetensors", tensors.clone()),
        ("bfl.safetensors", vae_to_bfl(&tensors)),
    ];
    let model = klein().join("model");
    let expected = image::open(self::folder().join("picture.png")).unwrap();
    let expected = expected.into_rgb8();
    let mut pictures = Vec::new();
    for (name, tensors) in spellings {
        let file = folder.path().join(name);
        forge::write(&file, "BF16", &tensors);
        let parts = ModelParts {
            vae: Some(file),
            ..ModelParts::default()
        };
        let source = ModelSource::find(&model, &parts, &SharedParts::default()).unwrap();
        assert_eq!(inspect_source(&source).unwrap().notes.len(), 0);
        let pipeline = Pipeline::open_source(&source, &OpenOptions::default()).unwrap();
        pictures.push(picture(&pipeline, &described.request));
    }
    assert!(psnr(&pictures[0], &expected) >= LEAST_PSNR);
    assert_eq!(pictures[0], pictures[1]);
}
