//! Models of which a file is missing, belongs to another model, or asks for what the engine would
//! compute wrongly: refused when they are opened, or at the latest when they give no picture.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::fixture::{Recorder, copy_of_model, request};
use crate::surgery::{TENSOR, TEXT_ENCODER, TRANSFORMER, VAE, edit, edit_json, open, refused};

#[test]
fn a_folder_that_is_no_model_is_refused() {
    let error = open(Path::new("/nonexistent/model")).err().unwrap();
    assert_eq!(error.code(), "model-missing");
    let empty = tempfile::tempdir().unwrap();
    let error = open(empty.path()).err().unwrap();
    assert_eq!(error.code(), "model-invalid");
    assert!(error.hint().is_some());
}

#[test]
fn a_missing_file_is_named() {
    for (file, code) in [
        ("scheduler/scheduler_config.json", "model-incomplete"),
        (TRANSFORMER, "weights-missing"),
        (VAE, "weights-missing"),
        (TEXT_ENCODER, "weights-missing"),
    ] {
        let part = file.split('/').next().unwrap();
        refused(code, &[part], |model| {
            fs::remove_file(model.join(file)).unwrap()
        });
    }
    let model = copy_of_model();
    fs::remove_file(model.path().join("tokenizer/tokenizer.json")).unwrap();
    assert!(open(model.path()).is_err());
}

#[test]
fn configs_that_would_be_computed_wrongly_are_refused() {
    let cases: [(&str, &str, Value, &str); 15] = [
        (
            "transformer",
            "num_attention_heads",
            json!(0),
            "model-config-invalid",
        ),
        (
            "transformer",
            "num_attention_heads",
            json!(u32::MAX),
            "model-config-invalid",
        ),
        (
            "transformer",
            "axes_dims_rope",
            json!([32, 32, 32, 31]),
            "model-config-invalid",
        ),
        (
            "transformer",
            "axes_dims_rope",
            json!([64, 64]),
            "model-config-invalid",
        ),
        (
            "transformer",
            "mlp_ratio",
            json!(-3.0),
            "model-config-invalid",
        ),
        (
            "transformer",
            "num_layers",
            json!("one"),
            "model-config-invalid",
        ),
        (
            "transformer",
            "num_layers",
            json!(1_000_000_000),
            "tensor-missing",
        ),
        (
            "transformer",
            "joint_attention_dim",
            json!(192),
            "model-mismatch",
        ),
        (
            "transformer",
            "guidance_embeds",
            json!(true),
            "model-variant",
        ),
        ("vae", "latent_channels", json!(16), "model-mismatch"),
        ("vae", "norm_num_groups", json!(3), "model-config-invalid"),
        (
            "vae",
            "block_out_channels",
            json!([32, 64]),
            "model-config-invalid",
        ),
        (
            "text_encoder",
            "num_hidden_layers",
            json!(26),
            "model-mismatch",
        ),
        (
            "text_encoder",
            "model_type",
            json!("mistral"),
            "model-mismatch",
        ),
        (
            "text_encoder",
            "model_type",
            json!("t5"),
            "model-config-invalid",
        ),
    ];
    for (part, key, value, code) in cases {
        refused(code, &[], |model| {
            edit_json(&model.join(part).join("config.json"), |config| {
                config[key] = value
            });
        });
    }
    refused("model-config-invalid", &["config.json"], |model| {
        fs::write(model.join("vae/config.json"), "{").unwrap();
    });
}

#[test]
fn other_pipelines_are_refused_by_name() {
    refused("model-unsupported", &["FluxPipeline"], |model| {
        edit_json(&model.join("model_index.json"), |index| {
            index["_class_name"] = json!("FluxPipeline")
        });
    });
}

#[test]
fn weights_that_are_not_numbers_are_found_before_any_work() {
    refused("weights-not-finite", &[TRANSFORMER, TENSOR], |model| {
        edit(model, TRANSFORMER, |parts| {
            let offset = parts.header[TENSOR]["data_offsets"][0].as_u64().unwrap();
            let offset = usize::try_from(offset).unwrap();
            parts.data[offset..offset + 2].copy_from_slice(&[0xc0, 0x7f]);
        });
    });
}

#[test]
fn a_tokenizer_with_more_words_than_the_encoder_is_refused() {
    let model = copy_of_model();
    // The padding's id is the largest of a short prompt; an encoder one row smaller lacks it.
    edit_json(&model.path().join("text_encoder/config.json"), |config| {
        config["vocab_size"] = json!(64)
    });
    edit(model.path(), TEXT_ENCODER, |parts| {
        let name = "model.embed_tokens.weight";
        let entry = parts.header[name].clone();
        let [begin, end] = [0, 1].map(|i| entry["data_offsets"][i].as_u64().unwrap());
        let cut = begin + 64 * 32 * 2;
        parts.header[name]["shape"] = json!([64, 32]);
        parts.header[name]["data_offsets"] = json!([begin, cut]);
        let rest = json!({"dtype": "U8", "shape": [end - cut], "data_offsets": [cut, end]});
        parts.header.insert("spare".into(), rest);
    });
    let error = open(model.path())
        .unwrap()
        .render(&request(), &mut Recorder::default());
    assert_eq!(error.unwrap_err().code(), "model-mismatch");
}
