//! Damaged and mismatched models: each is refused with a code, and a message that names the file and
//! the tensor; none of them panics.

use std::fs;
use std::path::Path;

use atelier_flux::{EngineError, OpenOptions, Pipeline};
use serde_json::{Map, Value, json};

use crate::fixture::{Recorder, copy_of_model, request};

const TRANSFORMER: &str = "transformer/diffusion_pytorch_model.safetensors";
const VAE: &str = "vae/diffusion_pytorch_model.safetensors";
const TEXT_ENCODER: &str = "text_encoder/model.safetensors";
const TENSOR: &str = "x_embedder.weight";

fn open(model: &Path) -> Result<Pipeline, EngineError> {
    Pipeline::open(model, &OpenOptions::default())
}

/// Applies `damage` to a copy of the model and expects `code`, and a message with each of `words`.
fn refused(code: &str, words: &[&str], damage: impl FnOnce(&Path)) {
    let model = copy_of_model();
    damage(model.path());
    let error = open(model.path()).err().expect("the damage goes unnoticed");
    assert_eq!(error.code(), code, "{error}");
    for word in words {
        assert!(
            error.to_string().contains(word),
            "{error} does not name {word}"
        );
    }
}

/// A weight file taken apart.
struct Parts {
    header: Map<String, Value>,
    data: Vec<u8>,
}

impl Parts {
    fn read(path: &Path) -> Self {
        let bytes = fs::read(path).unwrap();
        let (length, rest) = bytes.split_first_chunk::<8>().unwrap();
        let (header, data) = rest.split_at(usize::try_from(u64::from_le_bytes(*length)).unwrap());
        Self {
            header: serde_json::from_slice(header).unwrap(),
            data: data.to_vec(),
        }
    }

    fn write(&self, path: &Path) {
        write_raw(
            path,
            &serde_json::to_string(&self.header).unwrap(),
            &self.data,
        );
    }

    /// Leaves a tensor out, and its bytes too.
    fn remove(&mut self, tensor: &str) {
        let entry = self.header.remove(tensor).unwrap();
        let [begin, end] = [0, 1].map(|i| entry["data_offsets"][i].as_u64().unwrap());
        self.data
            .drain(usize::try_from(begin).unwrap()..usize::try_from(end).unwrap());
        for (name, entry) in &mut self.header {
            let offsets = if name == "__metadata__" {
                None
            } else {
                entry.get_mut("data_offsets")
            };
            for offset in offsets
                .into_iter()
                .flat_map(|offsets| offsets.as_array_mut().unwrap())
            {
                let old = offset.as_u64().unwrap();
                *offset = json!(if old >= end { old - (end - begin) } else { old });
            }
        }
    }
}

fn write_raw(path: &Path, header: &str, data: &[u8]) {
    let length = u64::try_from(header.len()).unwrap().to_le_bytes();
    fs::write(path, [&length, header.as_bytes(), data].concat()).unwrap();
}

fn edit(model: &Path, file: &str, change: impl FnOnce(&mut Parts)) {
    let path = model.join(file);
    let mut parts = Parts::read(&path);
    change(&mut parts);
    parts.write(&path);
}

fn edit_json(path: &Path, change: impl FnOnce(&mut Value)) {
    let mut value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    change(&mut value);
    fs::write(path, value.to_string()).unwrap();
}

#[test]
fn a_file_cut_short_is_refused_wherever_it_ends() {
    let whole = fs::read(crate::fixture::klein().join("model").join(VAE)).unwrap();
    let header = 8 + usize::try_from(u64::from_le_bytes(whole[..8].try_into().unwrap())).unwrap();
    for (length, code) in [
        (0, "weights-malformed"),
        (7, "weights-malformed"),
        (8, "weights-malformed"),
        (header - 1, "weights-malformed"),
        (header, "weights-truncated"),
        (header + 1000, "weights-truncated"),
        (whole.len() - 1, "weights-truncated"),
    ] {
        refused(code, &[VAE], |model| {
            fs::write(model.join(VAE), &whole[..length]).unwrap()
        });
    }
}

#[test]
fn a_lying_header_is_refused() {
    let long = |length: u64| {
        move |model: &Path| {
            let mut bytes = fs::read(model.join(TRANSFORMER)).unwrap();
            bytes[..8].copy_from_slice(&length.to_le_bytes());
            fs::write(model.join(TRANSFORMER), bytes).unwrap();
        }
    };
    for length in [u64::MAX, u64::MAX - 7, 1 << 40, 0, 1] {
        refused("weights-malformed", &[TRANSFORMER], long(length));
    }
    for header in [
        "",
        "[]",
        "{",
        "null",
        "{\"a\": 1}",
        "{\"a\": {}}",
        "\u{0}",
        "{\"__metadata__\": {}}",
    ] {
        refused("weights-malformed", &[TRANSFORMER], |model| {
            write_raw(&model.join(TRANSFORMER), header, &[0; 16]);
        });
    }
    let twice = r#"{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},
                    "a":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}}"#;
    refused("weights-malformed", &["\"a\"", "twice"], |model| {
        write_raw(&model.join(TRANSFORMER), twice, &[0; 8]);
    });
}

#[test]
fn lying_entries_are_refused() {
    let with = |change: fn(&mut Value)| {
        move |model: &Path| {
            edit(model, TRANSFORMER, |parts| {
                change(parts.header.get_mut(TENSOR).unwrap())
            });
        }
    };
    let named = [TRANSFORMER, TENSOR];
    let big = u64::MAX;
    refused(
        "weights-malformed",
        &named,
        with(|entry| entry["dtype"] = json!("F7")),
    );
    refused(
        "weights-malformed",
        &named,
        with(|entry| entry["dtype"] = json!("F32")),
    );
    refused(
        "weights-malformed",
        &named,
        with(|entry| entry["shape"] = json!([256, 127])),
    );
    refused(
        "weights-malformed",
        &named,
        with(|entry| entry["shape"] = json!([u64::MAX, u64::MAX])),
    );
    refused(
        "weights-malformed",
        &named,
        with(|entry| entry["shape"] = json!([])),
    );
    refused(
        "weights-malformed",
        &[TRANSFORMER],
        with(|entry| entry["shape"] = json!([-1, 128])),
    );
    refused(
        "weights-malformed",
        &[TRANSFORMER],
        with(|entry| entry["data_offsets"] = json!([0])),
    );
    refused("weights-malformed", &[TRANSFORMER], |model| {
        edit(model, TRANSFORMER, |parts| {
            let entry = parts.header.get_mut(TENSOR).unwrap();
            let begin = entry["data_offsets"][0].as_u64().unwrap();
            entry["data_offsets"] = json!([begin, begin - 1]);
        });
    });
    refused("weights-truncated", &[TRANSFORMER], |model| {
        edit(model, TRANSFORMER, |parts| {
            parts.header.get_mut(TENSOR).unwrap()["data_offsets"][1] = json!(big);
        });
    });
}

#[test]
fn overlaps_holes_and_trailing_bytes_are_refused() {
    let entry =
        |begin, end| json!({"dtype": "U8", "shape": [end - begin], "data_offsets": [begin, end]});
    for (entries, words) in [
        (
            json!({"a": entry(0, 8), "b": entry(4, 12)}),
            ["b", "overlaps"],
        ),
        (
            json!({"a": entry(0, 12), "b": entry(0, 12)}),
            ["b", "overlaps"],
        ),
        (
            json!({"a": entry(0, 4), "b": entry(8, 12)}),
            ["b", "unclaimed"],
        ),
        (json!({"a": entry(0, 8)}), ["4 bytes", "no tensor"]),
    ] {
        refused("weights-malformed", &words, |model| {
            write_raw(&model.join(VAE), &entries.to_string(), &[0; 12]);
        });
    }
}

#[test]
fn a_missing_tensor_is_named() {
    let cases = [
        (TRANSFORMER, "transformer_blocks.0.attn.norm_added_k.weight"),
        (TRANSFORMER, "proj_out.weight"),
        (VAE, "bn.running_var"),
        (VAE, "decoder.up_blocks.2.resnets.0.conv_shortcut.bias"),
        (TEXT_ENCODER, "model.layers.26.mlp.up_proj.weight"),
    ];
    for (file, tensor) in cases {
        let part = file.split('/').next().unwrap();
        refused("tensor-missing", &[part, tensor], |model| {
            edit(model, file, |parts| parts.remove(tensor));
        });
    }
}

#[test]
fn a_layer_after_the_last_tap_may_be_missing() {
    let model = copy_of_model();
    edit(model.path(), TEXT_ENCODER, |parts| {
        let last: Vec<_> = parts
            .header
            .keys()
            .filter(|name| name.contains("layers.27."))
            .cloned()
            .collect();
        assert!(!last.is_empty());
        for name in last {
            parts.remove(&name);
        }
    });
    open(model.path()).unwrap();
}

#[test]
fn another_shape_than_the_config_implies_is_refused() {
    let named = [TRANSFORMER, TENSOR, "[256, 128]", "[128, 256]"];
    refused("tensor-shape", &named, |model| {
        edit(model, TRANSFORMER, |parts| {
            parts.header.get_mut(TENSOR).unwrap()["shape"] = json!([128, 256]);
        });
    });
}

#[test]
fn fp8_weights_are_refused_with_advice() {
    let model = copy_of_model();
    edit(model.path(), TRANSFORMER, |parts| {
        let entry = parts.header.get_mut(TENSOR).unwrap();
        let [begin, end] = [0, 1].map(|i| entry["data_offsets"][i].as_u64().unwrap());
        let half = usize::try_from(u64::midpoint(begin, end)).unwrap();
        entry["dtype"] = json!("F8_E4M3");
        let begin = usize::try_from(begin).unwrap();
        // Its second half becomes a tensor that nobody asks for.
        entry["data_offsets"] = json!([begin, half]);
        parts.header.insert(
            "spare".into(),
            json!({"dtype": "F8_E4M3", "shape": [half - begin], "data_offsets": [half, end]}),
        );
    });
    let error = open(model.path()).err().unwrap();
    assert_eq!(error.code(), "weights-precision");
    assert!(error.to_string().contains("F8_E4M3"), "{error}");
    assert!(error.hint().unwrap().contains("bf16"));
}

#[test]
fn weights_in_shards_give_the_same_picture_and_a_missing_shard_is_named() {
    let model = copy_of_model();
    let folder = model.path().join("transformer");
    split_in_two(&folder);
    let whole = crate::fixture::pipeline()
        .render(&request(), &mut Recorder::default())
        .unwrap();
    let split = open(model.path()).unwrap();
    assert_eq!(
        split.render(&request(), &mut Recorder::default()).unwrap(),
        whole
    );
    assert_eq!(
        split.info().parameters,
        crate::fixture::pipeline().info().parameters
    );

    fs::remove_file(folder.join("b.safetensors")).unwrap();
    let error = open(model.path()).err().unwrap();
    assert_eq!(error.code(), "weights-missing");
    assert!(error.to_string().contains("b.safetensors"), "{error}");
}

#[test]
fn an_index_that_lies_is_refused() {
    for (shard, code) in [
        (
            "../vae/diffusion_pytorch_model.safetensors",
            "weights-malformed",
        ),
        ("/etc/passwd", "weights-malformed"),
        ("..", "weights-malformed"),
        ("", "weights-malformed"),
        ("b.safetensors", "tensor-missing"),
    ] {
        refused(code, &["transformer"], |model| {
            let folder = model.join("transformer");
            split_in_two(&folder);
            edit_json(
                &folder.join("diffusion_pytorch_model.safetensors.index.json"),
                |index| {
                    index["weight_map"]["context_embedder.weight"] = json!(shard);
                },
            );
        });
    }
}

/// Splits `diffusion_pytorch_model.safetensors` into `a.safetensors` and `b.safetensors`.
fn split_in_two(folder: &Path) {
    let single = folder.join("diffusion_pytorch_model.safetensors");
    let names: Vec<String> = Parts::read(&single).header.keys().cloned().collect();
    let mut weight_map = Map::new();
    let shard_of = |name: &str| {
        if name < "single" {
            "a.safetensors"
        } else {
            "b.safetensors"
        }
    };
    for shard in ["a.safetensors", "b.safetensors"] {
        let mut parts = Parts::read(&single);
        for name in names.iter().filter(|name| *name != "__metadata__") {
            if shard_of(name) == shard {
                weight_map.insert(name.clone(), json!(shard));
            } else {
                parts.remove(name);
            }
        }
        parts.write(&folder.join(shard));
    }
    fs::remove_file(single).unwrap();
    let index = json!({"metadata": {"total_size": 0}, "weight_map": weight_map});
    let path = folder.join("diffusion_pytorch_model.safetensors.index.json");
    fs::write(path, index.to_string()).unwrap();
}

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
        ("transformer/config.json", "model-incomplete"),
        ("vae/config.json", "model-incomplete"),
        ("text_encoder/config.json", "model-incomplete"),
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
    let cases: [(&str, &str, Value, &str); 14] = [
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
            "model-unsupported",
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
    for class in ["FluxPipeline", "Flux2KleinKVPipeline"] {
        refused("model-unsupported", &[class], |model| {
            edit_json(&model.join("model_index.json"), |index| {
                index["_class_name"] = json!(class)
            });
        });
    }
}

#[test]
fn weights_that_are_not_numbers_give_an_error_not_a_picture() {
    let model = copy_of_model();
    edit(model.path(), TRANSFORMER, |parts| {
        let offset = parts.header[TENSOR]["data_offsets"][0].as_u64().unwrap();
        let offset = usize::try_from(offset).unwrap();
        parts.data[offset..offset + 2].copy_from_slice(&[0xc0, 0x7f]);
    });
    let error = open(model.path())
        .unwrap()
        .render(&request(), &mut Recorder::default());
    assert_eq!(error.unwrap_err().code(), "not-finite");
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
