//! The tiny model as users have FLUX.2: single files of every origin, in ComfyUI's folders, in GGUF.
//! Where the numbers are the same, so is the picture, to the last bit.

mod refused;

use std::fs;
use std::path::{Path, PathBuf};

use atelier_flux::{
    EngineError, ModelParts, ModelSource, OpenOptions, Pipeline, SharedParts, Variant,
    VariantBasis, inspect_source,
};
use image::RgbImage;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::fixture::{Recorder, copy_of_model, klein, pipeline, psnr, request};
use crate::forge::{
    self, Gguf, GgufType, Safetensors, Tensor, Tensors, from_e4m3, prefixed,
    text_encoder_to_llama_cpp, transformer_to_bfl, vae_to_bfl,
};
use crate::surgery::{TEXT_ENCODER, TRANSFORMER, VAE, edit_json};

fn tensors(file: &str) -> Tensors {
    forge::read(&klein().join("model").join(file))
}

/// The tiny model's folders as the parts of a transformer's file.
fn parts() -> ModelParts {
    let model = klein().join("model");
    ModelParts {
        text_encoder: Some(model.join("text_encoder")),
        tokenizer: Some(model.join("tokenizer")),
        vae: Some(model.join("vae")),
        ..ModelParts::default()
    }
}

fn find(path: &Path, parts: &ModelParts) -> Result<ModelSource, EngineError> {
    ModelSource::find(path, parts, &SharedParts::default())
}

fn picture(source: &ModelSource) -> RgbImage {
    let pipeline = Pipeline::open_source(source, &OpenOptions::default()).unwrap();
    pipeline
        .render(&request(), &mut Recorder::default())
        .unwrap()
}

/// The picture with this transformer and the tiny model's other parts.
fn with_transformer(file: &Path) -> RgbImage {
    picture(&find(file, &parts()).unwrap())
}

fn expected() -> RgbImage {
    pipeline()
        .render(&request(), &mut Recorder::default())
        .unwrap()
}

/// The picture of the folder with a text encoder that any other program could have saved: without the
/// trace of a pipeline that was cast as a whole.
fn expected_of_a_published_encoder() -> RgbImage {
    let model = copy_of_model();
    edit_json(&model.path().join("text_encoder/config.json"), |config| {
        config["rope_parameters"] = json!(null);
        config["rope_theta"] = json!(1e6);
    });
    picture(&ModelSource::discover(model.path()).unwrap())
}

#[test]
fn every_spelling_of_the_transformers_names_gives_the_same_picture() {
    let folder = tempfile::tempdir().unwrap();
    let bfl = transformer_to_bfl(&tensors(TRANSFORMER));
    let renamed = |from: &str, to: &str| -> Tensors {
        let rename = |(name, tensor): (&String, &Tensor)| (name.replace(from, to), tensor.clone());
        bfl.iter().map(rename).collect()
    };
    for (number, (dtype, tensors)) in [
        ("BF16", bfl.clone()),
        ("F32", prefixed("model.diffusion_model.", &bfl)),
        ("BF16", prefixed("diffusion_model.", &bfl)),
        ("BF16", renamed("_norm.scale", "_norm.weight")),
        ("BF16", prefixed("transformer.", &tensors(TRANSFORMER))),
    ]
    .into_iter()
    .enumerate()
    {
        let path = folder.path().join(format!("{number}.safetensors"));
        let mut file = Safetensors::default();
        file.add_all(dtype, &tensors);
        file.add("__index_timestep_zero__", "F32", &[], &[0; 4]);
        file.write(&path);
        assert_eq!(with_transformer(&path), expected(), "{number}");
    }
}

/// The transformer with block matrices in fp8, as each program writes it, and the same numbers as f32.
fn write_fp8(folder: &Path) -> (PathBuf, Vec<PathBuf>) {
    let bfl = transformer_to_bfl(&tensors(TRANSFORMER));
    let mut exact = bfl.clone();
    let mut sentinel = Safetensors::default();
    let mut tagged = Safetensors::default();
    let mut noted = Safetensors::default();
    let mut layers = serde_json::Map::new();
    for (name, tensor) in &bfl {
        let is_block = name.contains("_blocks.") && tensor.shape.len() == 2;
        if !is_block {
            for file in [&mut sentinel, &mut tagged, &mut noted] {
                file.add(
                    name,
                    "BF16",
                    &tensor.shape,
                    &forge::encode("BF16", &tensor.values),
                );
            }
            continue;
        }
        let layer = name.strip_suffix(".weight").unwrap();
        let largest = tensor.values.iter().fold(0.0_f32, |a, b| a.max(b.abs()));
        let scale = largest / 448.0;
        let scaled: Vec<f32> = tensor.values.iter().map(|value| value / scale).collect();
        let bytes = forge::encode("F8_E4M3", &scaled);
        for file in [&mut sentinel, &mut tagged, &mut noted] {
            file.add(name, "F8_E4M3", &tensor.shape, &bytes);
        }
        let format = json!({"format": "float8_e4m3fn"});
        sentinel.add(
            &format!("{layer}.scale_weight"),
            "F32",
            &[1],
            &scale.to_le_bytes(),
        );
        tagged.add(
            &format!("{layer}.weight_scale"),
            "F32",
            &[],
            &scale.to_le_bytes(),
        );
        noted.add(
            &format!("{layer}.weight_scale"),
            "F32",
            &[],
            &scale.to_le_bytes(),
        );
        let tag = format.to_string();
        tagged.add(
            &format!("{layer}.comfy_quant"),
            "U8",
            &[tag.len()],
            tag.as_bytes(),
        );
        layers.insert(layer.to_owned(), format);
        exact.get_mut(name).unwrap().values =
            bytes.iter().map(|&code| from_e4m3(code) * scale).collect();
    }
    sentinel.add("scaled_fp8", "F8_E4M3", &[2], &[0; 2]);
    let notes = json!({"format_version": "1.0", "layers": layers});
    noted.metadata("_quantization_metadata", &notes.to_string());
    let files = [("sentinel", sentinel), ("tagged", tagged), ("noted", noted)];
    let files = files.map(|(name, file)| {
        let path = folder.join(format!("{name}.safetensors"));
        file.write(&path);
        path
    });
    let path = folder.join("exact.safetensors");
    forge::write(&path, "F32", &exact);
    (path, files.to_vec())
}

#[test]
fn scaled_fp8_files_give_the_picture_of_the_numbers_they_stand_for() {
    let folder = tempfile::tempdir().unwrap();
    let (exact, files) = write_fp8(folder.path());
    let pictures: Vec<_> = files.iter().map(|file| with_transformer(file)).collect();
    for (picture, file) in pictures.iter().zip(&files) {
        assert_eq!(picture, &pictures[0], "{}", file.display());
    }
    // Not the same to the last bit: a scale may be multiplied into weights or into their sums.
    let psnr = psnr(&pictures[0], &with_transformer(&exact));
    assert!(psnr > 75.0, "{psnr}");
}

#[test]
fn a_pipeline_folder_may_hold_a_single_file_model() {
    let folder = tempfile::tempdir().unwrap();
    let (_, files) = write_fp8(folder.path());
    let expected = with_transformer(&files[1]);
    for has_config in [true, false] {
        let model = copy_of_model();
        fs::remove_file(model.path().join(TRANSFORMER)).unwrap();
        fs::copy(&files[1], model.path().join("transformer/any.safetensors")).unwrap();
        if !has_config {
            fs::remove_file(model.path().join("transformer/config.json")).unwrap();
            fs::remove_file(model.path().join("vae/config.json")).unwrap();
        }
        let source = ModelSource::discover(model.path()).unwrap();
        assert_eq!(picture(&source), expected, "config: {has_config}");
        let transformer = &inspect_source(&source).unwrap().parts[3];
        let precisions: Vec<_> = transformer.precision.keys().map(String::as_str).collect();
        assert_eq!(precisions, ["BF16", "F8_E4M3"]);
    }
}

#[test]
fn gguf_files_give_the_picture_of_the_numbers_they_stand_for() {
    let folder = tempfile::tempdir().unwrap();
    let bfl = transformer_to_bfl(&tensors(TRANSFORMER));
    for kind in [GgufType::F32, GgufType::Bf16, GgufType::Q8_0] {
        let mut file = Gguf::default();
        file.string("general.architecture", "flux");
        let mut exact = bfl.clone();
        for (name, tensor) in &bfl {
            file.add(name, kind, tensor);
            let is_quantised = matches!(kind, GgufType::Q8_0) && tensor.shape.len() == 2;
            if is_quantised {
                let blocks = tensor
                    .values
                    .chunks(32)
                    .flat_map(|block| forge::q8_0(block).1);
                exact.get_mut(name).unwrap().values = blocks.collect();
            }
        }
        let path = folder.path().join("flux.gguf");
        file.write(&path);
        let exact_path = folder.path().join("exact.safetensors");
        forge::write(&exact_path, "F32", &exact);
        assert_eq!(
            with_transformer(&path),
            with_transformer(&exact_path),
            "{kind:?}"
        );
    }
}

/// The tiny model in ComfyUI's folders, VAE and transformer under BFL's names.
fn comfy_folders() -> TempDir {
    let root = tempfile::tempdir().unwrap();
    let models = root.path().join("models");
    let bfl = transformer_to_bfl(&tensors(TRANSFORMER));
    let transformer = models.join("diffusion_models/flux2/flux-2-klein-4b.safetensors");
    forge::write(&transformer, "BF16", &bfl);
    let vae = models.join("vae/flux2-vae.safetensors");
    forge::write(&vae, "BF16", &vae_to_bfl(&tensors(VAE)));
    forge::write(
        &models.join("text_encoders/qwen.safetensors"),
        "BF16",
        &tensors(TEXT_ENCODER),
    );
    let tokenizer = models.join("text_encoders/tokenizer");
    fs::create_dir(&tokenizer).unwrap();
    for file in [
        "tokenizer.json",
        "tokenizer_config.json",
        "chat_template.jinja",
    ] {
        let original = klein().join("model/tokenizer").join(file);
        fs::copy(original, tokenizer.join(file)).unwrap();
    }
    // What else lies about there.
    fs::write(models.join("vae/notes.safetensors"), "no weights").unwrap();
    root
}

fn comfy_transformer(root: &TempDir) -> PathBuf {
    root.path()
        .join("models/diffusion_models/flux2/flux-2-klein-4b.safetensors")
}

#[test]
fn comfy_folders_are_found_and_give_the_same_picture() {
    let root = comfy_folders();
    let source = ModelSource::discover(&comfy_transformer(&root)).unwrap();
    assert_eq!(picture(&source), expected_of_a_published_encoder());

    let info = inspect_source(&source).unwrap();
    let of_folder = pipeline().info();
    assert_eq!(info.architecture, of_folder.architecture);
    assert_eq!(info.variant, Variant::Klein { distilled: true });
    assert_eq!(info.variant_basis, VariantBasis::FileName);
    assert_eq!(info.pipeline, of_folder.pipeline);
    assert_eq!(info.name, "flux-2-klein-4b");
    let names: Vec<_> = info.named_files().into_keys().collect();
    let expected = [
        "text_encoder/qwen.safetensors",
        "tokenizer/chat_template.jinja",
        "tokenizer/tokenizer.json",
        "tokenizer/tokenizer_config.json",
        "transformer/flux-2-klein-4b.safetensors",
        "vae/flux2-vae.safetensors",
    ];
    assert_eq!(names, expected.map(PathBuf::from));
    assert_eq!(info.weight_files().len(), expected.len());
}

#[test]
fn a_text_encoder_of_llama_cpp_gives_the_same_picture() {
    let root = comfy_folders();
    let folder = root.path().join("models/text_encoders");
    fs::remove_file(folder.join("qwen.safetensors")).unwrap();
    let mut file = Gguf::default();
    file.string("general.architecture", "qwen3");
    file.float("qwen3.rope.freq_base", 1e6);
    file.float("qwen3.attention.layer_norm_rms_epsilon", 1e-6);
    for (name, tensor) in &text_encoder_to_llama_cpp(&tensors(TEXT_ENCODER)) {
        file.add(name, GgufType::Bf16, tensor);
    }
    file.write(&folder.join("qwen.gguf"));
    let source = ModelSource::discover(&comfy_transformer(&root)).unwrap();
    assert_eq!(picture(&source), expected_of_a_published_encoder());
}

/// The picture of the tiny dev with its config as any program saves it that does not cast a pipeline.
#[test]
fn a_mistral_of_llama_cpp_is_understood_although_its_rows_are_in_another_order() {
    let dev = klein().join("../dev/model");
    let folder = tempfile::tempdir().unwrap();
    let mut config: Value =
        serde_json::from_slice(&fs::read(dev.join("text_encoder/config.json")).unwrap()).unwrap();
    config["text_config"]["rope_parameters"] = json!(null);
    config["text_config"]["rope_theta"] = json!(1e9);
    let published = folder.path().join("text_encoder");
    fs::create_dir(&published).unwrap();
    fs::write(published.join("config.json"), config.to_string()).unwrap();
    let original = dev.join(TEXT_ENCODER);
    fs::copy(&original, published.join("model.safetensors")).unwrap();

    let mut file = Gguf::default();
    file.string("general.architecture", "mistral3");
    file.integer("mistral3.attention.key_length", 32);
    let language = forge::read(&original)
        .into_iter()
        .filter_map(|(name, tensor)| {
            Some((name.strip_prefix("language_model.")?.to_owned(), tensor))
        });
    for (name, tensor) in &text_encoder_to_llama_cpp(&language.collect()) {
        let tensor = match name.rsplit('.').nth(1) {
            Some("attn_q") => &forge::rows_interleaved(tensor, 4),
            Some("attn_k") => &forge::rows_interleaved(tensor, 2),
            _ => tensor,
        };
        file.add(name, GgufType::Bf16, tensor);
    }
    let gguf = folder.path().join("mistral.gguf");
    file.write(&gguf);

    let [expected, found] = [published, gguf].map(|text_encoder| {
        let parts = ModelParts {
            text_encoder: Some(text_encoder),
            tokenizer: Some(dev.join("tokenizer")),
            ..ModelParts::default()
        };
        picture(&find(&dev, &parts).unwrap())
    });
    // A head's sum runs in another order.
    let psnr = psnr(&expected, &found);
    assert!(psnr >= 70.0, "{psnr:.2} dB");
}

#[test]
fn one_checkpoint_may_hold_all_parts() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("klein-all.safetensors");
    let mut file = Safetensors::default();
    let bfl = transformer_to_bfl(&tensors(TRANSFORMER));
    file.add_all("BF16", &prefixed("model.diffusion_model.", &bfl));
    file.add_all("BF16", &prefixed("vae.", &vae_to_bfl(&tensors(VAE))));
    let encoder = prefixed(
        "text_encoders.qwen3_4b.transformer.",
        &tensors(TEXT_ENCODER),
    );
    file.add_all("BF16", &encoder);
    file.write(&path);
    let shared = SharedParts {
        tokenizer: vec![klein().join("model/tokenizer")],
        ..SharedParts::default()
    };
    let source = ModelSource::find(&path, &ModelParts::default(), &shared).unwrap();
    assert_eq!(picture(&source), expected_of_a_published_encoder());
    let info = inspect_source(&source).unwrap();
    assert_eq!(info.architecture, pipeline().info().architecture);
}

#[test]
fn the_variant_is_what_is_asked_or_what_files_say() {
    let folder = tempfile::tempdir().unwrap();
    let bfl = transformer_to_bfl(&tensors(TRANSFORMER));
    let basis = |path: &Path, parts: &ModelParts| {
        let info = inspect_source(&find(path, parts).unwrap()).unwrap();
        (info.variant, info.variant_basis, info.notes.len())
    };
    let (distilled, base) = (
        Variant::Klein { distilled: true },
        Variant::Klein { distilled: false },
    );
    let unnamed = folder.path().join("model.safetensors");
    forge::write(&unnamed, "BF16", &bfl);
    assert_eq!(
        basis(&unnamed, &parts()),
        (distilled, VariantBasis::Assumed, 1)
    );
    let named = folder.path().join("klein-base.safetensors");
    fs::copy(&unnamed, &named).unwrap();
    assert_eq!(basis(&named, &parts()), (base, VariantBasis::FileName, 0));
    let asked = ModelParts {
        variant: Some(Variant::KleinKv),
        ..parts()
    };
    assert_eq!(
        basis(&named, &asked),
        (Variant::KleinKv, VariantBasis::Asked, 0)
    );
    let mut file = Safetensors::default();
    file.add_all("BF16", &bfl);
    file.metadata("modelspec.title", "FLUX.2 klein base");
    file.write(&unnamed);
    assert_eq!(basis(&unnamed, &parts()), (base, VariantBasis::Metadata, 0));
    let model = klein().join("model");
    assert_eq!(
        basis(&model, &ModelParts::default()),
        (distilled, VariantBasis::Index, 0)
    );
}
