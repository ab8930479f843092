//! Files and parts that make no model: which code, and that the words name the file at fault.

use std::fs;

use atelier_flux::{EngineError, ModelParts, ModelSource, OpenOptions, Pipeline, Variant};

use super::{comfy_folders, comfy_transformer, find, parts, tensors};
use crate::fixture::klein;
use crate::forge::{self, Tensor, transformer_to_bfl};
use crate::surgery::{TEXT_ENCODER, TRANSFORMER, VAE};

fn refused(result: Result<ModelSource, EngineError>, code: &str, words: &[&str]) {
    let error = result
        .and_then(|source| Pipeline::open_source(&source, &OpenOptions::default()))
        .err()
        .expect("it is accepted");
    assert_eq!(error.code(), code, "{error}");
    let said = format!("{error} {}", error.hint().unwrap_or_default());
    for word in words {
        assert!(said.contains(word), "{said} does not say {word}");
    }
}

#[test]
fn parts_that_are_missing_or_could_be_several_are_said_with_the_settings_to_write() {
    let root = comfy_folders();
    let path = comfy_transformer(&root);
    let models = root.path().join("models");
    let discover = || ModelSource::discover(&path);
    let encoder = models.join("text_encoders/qwen.safetensors");
    let second = models.join("text_encoders/qwen-again.safetensors");
    fs::copy(&encoder, &second).unwrap();
    let both = [
        "qwen.safetensors",
        "qwen-again.safetensors",
        "text_encoder = ",
    ];
    refused(discover(), "model-parts-ambiguous", &both);
    fs::remove_file(second).unwrap();

    fs::remove_dir_all(models.join("text_encoders/tokenizer")).unwrap();
    refused(
        discover(),
        "model-parts-missing",
        &["tokenizer = ", "config.toml"],
    );
    fs::remove_file(encoder).unwrap();
    fs::remove_file(models.join("vae/flux2-vae.safetensors")).unwrap();
    refused(
        discover(),
        "model-parts-missing",
        &["text_encoder = ", "vae = "],
    );
}

#[test]
fn a_file_that_is_something_else_is_refused() {
    let model = klein().join("model");
    let swapped = ModelParts {
        vae: Some(model.join(TEXT_ENCODER)),
        ..parts()
    };
    refused(
        find(&model, &swapped),
        "model-part-invalid",
        &[TEXT_ENCODER, "VAE"],
    );
    refused(
        find(&model.join(VAE), &parts()),
        "model-part-invalid",
        &[VAE, "transformer"],
    );
}

#[test]
fn an_encoder_of_another_size_or_family_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let wide = folder.path().join("wide.safetensors");
    let mut bfl = transformer_to_bfl(&tensors(TRANSFORMER));
    let widened = |tensor: &Tensor| Tensor {
        shape: vec![tensor.shape[0], 2 * tensor.shape[1]],
        values: [tensor.values.clone(), tensor.values.clone()].concat(),
    };
    let text_in = widened(&bfl["txt_in.weight"]);
    bfl.insert("txt_in.weight".into(), text_in);
    forge::write(&wide, "BF16", &bfl);
    refused(
        find(&wide, &parts()),
        "model-mismatch",
        &["32 wide", "from a text encoder of 64"],
    );

    // A guidance embedder makes it dev, whose encoder is another.
    let mut bfl = transformer_to_bfl(&tensors(TRANSFORMER));
    for layer in ["in_layer", "out_layer"] {
        let same = bfl[&format!("time_in.{layer}.weight")].clone();
        bfl.insert(format!("guidance_in.{layer}.weight"), same);
    }
    let dev = folder.path().join("klein.safetensors");
    forge::write(&dev, "BF16", &bfl);
    refused(
        find(&dev, &parts()),
        "model-mismatch",
        &["text encoder of FLUX.2 [klein]"],
    );
    let klein = ModelParts {
        variant: Some(Variant::Klein { distilled: true }),
        ..parts()
    };
    refused(
        find(&dev, &klein),
        "model-variant",
        &["has an embedder for guidance"],
    );
}

#[test]
fn a_weight_without_a_place_is_refused_and_what_is_missing_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.safetensors");
    let bfl = transformer_to_bfl(&tensors(TRANSFORMER));
    let mut with_bias = bfl.clone();
    let bias = Tensor {
        shape: vec![256],
        values: vec![0.0; 256],
    };
    with_bias.insert("img_in.bias".into(), bias);
    forge::write(&path, "BF16", &with_bias);
    refused(
        find(&path, &parts()),
        "model-unsupported",
        &["t.safetensors", "img_in.bias"],
    );

    let mut scalar = bfl.clone();
    for name in [
        "final_layer.adaLN_modulation.1.weight",
        "double_blocks.0.txt_attn.qkv.weight",
    ] {
        let single = Tensor {
            shape: vec![],
            values: vec![1.0],
        };
        let whole = scalar.insert(name.into(), single).unwrap();
        forge::write(&path, "BF16", &scalar);
        refused(
            find(&path, &parts()),
            "model-unsupported",
            &["t.safetensors", name],
        );
        scalar.insert(name.into(), whole);
    }

    let mut without = bfl;
    without.remove("double_blocks.0.img_attn.qkv.weight");
    forge::write(&path, "BF16", &without);
    let words = ["t.safetensors", "double_blocks.0.img_attn.qkv.weight"];
    refused(find(&path, &parts()), "tensor-missing", &words);
}
