//! \[dev\] as users have it: single files under BFL's names, GGUF, and the mixed fp8 file. Where the
//! numbers are the same as the folder's, so is the picture, to the last bit.

use std::ops::ControlFlow;
use std::path::Path;

use atelier_flux::{
    ModelParts, ModelSource, OpenOptions, Pipeline, QuantizeOptions, Recipe, SharedParts, Variant,
    VariantBasis, inspect_source, quantize,
};
use image::RgbImage;

use crate::fixture::{Recorder, dev, psnr, request};
use crate::forge::{self, Gguf, GgufType, Tensors, prefixed, transformer_to_bfl, vae_to_bfl};
use crate::surgery::{TRANSFORMER, VAE};

fn transformer() -> Tensors {
    transformer_to_bfl(&forge::read(&dev().join("model").join(TRANSFORMER)))
}

/// This transformer and the tiny dev's other parts.
fn source(file: &Path) -> ModelSource {
    let model = dev().join("model");
    let parts = ModelParts {
        text_encoder: Some(model.join("text_encoder")),
        tokenizer: Some(model.join("tokenizer")),
        vae: Some(model.join("vae")),
        ..ModelParts::default()
    };
    ModelSource::find(file, &parts, &SharedParts::default()).unwrap()
}

fn picture(source: &ModelSource) -> RgbImage {
    let pipeline = Pipeline::open_source(source, &OpenOptions::default()).unwrap();
    pipeline
        .render(&request(), &mut Recorder::default())
        .unwrap()
}

fn of_folder() -> RgbImage {
    picture(&ModelSource::discover(&dev().join("model")).unwrap())
}

#[test]
fn a_single_file_of_dev_gives_the_folders_picture() {
    let folder = tempfile::tempdir().unwrap();
    let expected = of_folder();
    let bfl = transformer();
    assert!(bfl.contains_key("guidance_in.in_layer.weight"));
    for (dtype, prefix) in [("BF16", ""), ("F32", "model.diffusion_model.")] {
        let path = folder.path().join(format!("{dtype}.safetensors"));
        forge::write(&path, dtype, &prefixed(prefix, &bfl));
        let source = source(&path);
        let info = inspect_source(&source).unwrap();
        assert_eq!(info.variant, Variant::Dev);
        assert_eq!(info.variant_basis, VariantBasis::Tensors);
        assert_eq!(picture(&source), expected, "{dtype}");
    }
    let path = folder.path().join("dev.gguf");
    let mut file = Gguf::default();
    file.string("general.architecture", "flux");
    for (name, tensor) in &bfl {
        file.add(name, GgufType::Bf16, tensor);
    }
    file.write(&path);
    assert_eq!(picture(&source(&path)), expected, "GGUF");
}

#[test]
fn a_single_file_vae_under_bfls_names_serves_dev_too() {
    let folder = tempfile::tempdir().unwrap();
    let vae = folder.path().join("flux2-vae.safetensors");
    let model = dev().join("model");
    forge::write(&vae, "BF16", &vae_to_bfl(&forge::read(&model.join(VAE))));
    let parts = ModelParts {
        vae: Some(vae),
        ..ModelParts::default()
    };
    let source = ModelSource::find(&model, &parts, &SharedParts::default()).unwrap();
    assert_eq!(picture(&source), of_folder());
}

#[test]
fn the_mixed_fp8_file_of_dev_is_near_its_bf16_and_keeps_attention_in_bf16() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("flux2_dev_fp8mixed.safetensors");
    let options = QuantizeOptions::default();
    let model = dev().join("model");
    let done = quantize(&model, &path, &options, &mut |_| ControlFlow::Continue(())).unwrap();
    assert_eq!(done.recipe, Recipe::Mixed);
    let source = source(&path);
    let info = inspect_source(&source).unwrap();
    let transformer = info
        .parts
        .iter()
        .find(|part| part.name == "transformer")
        .unwrap();
    let precisions: Vec<_> = transformer.precision.keys().map(String::as_str).collect();
    assert_eq!(precisions, ["BF16", "F8_E4M3"]);
    let distance = psnr(&picture(&source), &of_folder());
    // e4m3 has three bits of mantissa: near, but not the same.
    assert!((28.0..90.0).contains(&distance), "{distance} dB");
}
