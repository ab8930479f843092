//! Damaged weight files: each is refused with a code, and a message that names the file and the tensor;
//! none of them panics.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::fixture::{Recorder, copy_of_model, klein, pipeline, request};
use crate::surgery::{
    TENSOR, TEXT_ENCODER, TRANSFORMER, VAE, edit, edit_json, open, refused, split_in_two, write_raw,
};

#[test]
fn a_file_cut_short_is_refused_wherever_it_ends() {
    let whole = fs::read(klein().join("model").join(VAE)).unwrap();
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

/// Layers whose matrices become one product, and one that stands alone, each with a scale of its own.
const SCALED: [(&str, f32); 4] = [
    ("transformer_blocks.0.attn.to_q", 0.125),
    ("transformer_blocks.0.attn.to_k", 0.25),
    ("transformer_blocks.0.attn.to_v", 0.5),
    ("x_embedder", 0.0625),
];

/// Makes these layers' weights fp8 with a scale, or the same numbers in bf16, which holds all of them.
fn quantise(model: &Path, is_fp8: bool) {
    edit(model, TRANSFORMER, |parts| {
        for (layer, scale) in SCALED {
            let name = format!("{layer}.weight");
            let shape = parts.header[&name]["shape"].clone();
            // The weights' own signs and last bits, between 1/16 and 1.
            let bytes = parts.bytes(&name).as_chunks::<2>().0.iter();
            let fp8: Vec<u8> = bytes
                .map(|pair| pair[1] & 0x80 | (0x18 + (pair[0] & 0x1f)))
                .collect();
            if is_fp8 {
                parts.put(&name, "F8_E4M3", &shape, &fp8);
                let scale = scale.to_le_bytes();
                parts.put(&format!("{layer}.weight_scale"), "F32", &json!([]), &scale);
                let tag = br#"{"format": "float8_e4m3fn"}"#;
                parts.put(
                    &format!("{layer}.comfy_quant"),
                    "U8",
                    &json!([tag.len()]),
                    tag,
                );
            } else {
                let bf16 = fp8.iter().flat_map(|&byte| {
                    let value = f32::from_bits((u32::from(byte & 0x7f) << 20) + (120 << 23));
                    let value = if byte < 0x80 { value } else { -value };
                    ((value * scale).to_bits() >> 16).to_le_bytes()[..2].to_vec()
                });
                parts.put(&name, "BF16", &shape, &bf16.collect::<Vec<_>>());
            }
        }
    });
}

#[test]
fn scaled_fp8_gives_the_picture_of_the_same_numbers_in_bf16() {
    let [wide, narrow] = [false, true].map(|is_fp8| {
        let model = copy_of_model();
        quantise(model.path(), is_fp8);
        let pipeline = open(model.path()).unwrap();
        let picture = pipeline.render(&request(), &mut Recorder::default());
        (picture.unwrap(), pipeline.info().parameters, model)
    });
    assert_eq!(wide.0, narrow.0);
    assert_eq!(wide.1, narrow.1, "a scale is no parameter");
    let other = pipeline().render(&request(), &mut Recorder::default());
    assert_ne!(
        wide.0,
        other.unwrap(),
        "these weights are seen in the picture"
    );
}

#[test]
fn a_missing_scale_is_found_before_any_work() {
    let layer = SCALED[1].0;
    let scale = format!("{layer}.weight_scale");
    refused("scale-missing", &[TRANSFORMER, layer, &scale], |model| {
        quantise(model, true);
        edit(model, TRANSFORMER, |parts| parts.remove(&scale));
    });
}

#[test]
fn an_unknown_quantisation_is_found_before_any_work() {
    let named = [TRANSFORMER, "x_embedder.weight", "nvfp4"];
    refused("quantisation-unknown", &named, |model| {
        edit(model, TRANSFORMER, |parts| {
            let tag = br#"{"format": "nvfp4"}"#;
            parts.put("x_embedder.comfy_quant", "U8", &json!([tag.len()]), tag);
        });
    });
    let named = [TRANSFORMER, TENSOR, "I8"];
    refused("weights-precision", &named, |model| {
        edit(model, TRANSFORMER, |parts| {
            let shape = parts.header[TENSOR]["shape"].clone();
            let bytes = vec![0; parts.bytes(TENSOR).len() / 2];
            parts.put(TENSOR, "I8", &shape, &bytes);
        });
    });
}

#[test]
fn weights_in_shards_give_the_same_picture_and_a_missing_shard_is_named() {
    let model = copy_of_model();
    let folder = model.path().join("transformer");
    split_in_two(&folder);
    let whole = pipeline()
        .render(&request(), &mut Recorder::default())
        .unwrap();
    let split = open(model.path()).unwrap();
    assert_eq!(
        split.render(&request(), &mut Recorder::default()).unwrap(),
        whole
    );
    assert_eq!(split.info().parameters, pipeline().info().parameters);

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
