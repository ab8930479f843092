//! Notes about quantisation that are wrong: each is refused when the file is opened.

use super::safetensors_writer::Safetensors;
use super::{open_bytes, refused};

/// Byte of 1.0 in E4M3.
const ONE: u8 = 0x38;
const TAG: &str = r#"{"format": "float8_e4m3fn"}"#;

/// Two scaled layers, by the spelling without tags.
fn untagged() -> Safetensors {
    let scaled = |file: Safetensors, layer: &str| {
        file.fp8(&format!("{layer}.weight"), ONE)
            .f32(&format!("{layer}.weight_scale"), &[], &[2.0])
    };
    let file = scaled(Safetensors::default(), "a");
    scaled(file, "b").f32("norm.weight", &[4], &[1.0; 4])
}

fn tagged() -> Safetensors {
    untagged()
        .text("a.comfy_quant", TAG)
        .text("b.comfy_quant", TAG)
}

fn marked() -> Safetensors {
    let file = Safetensors::default().with("scaled_fp8", "F8_E4M3", &[0], &[]);
    file.fp8("a.weight", ONE)
        .f32("a.scale_weight", &[1], &[2.0])
        .fp8("b.weight", ONE)
        .f32("b.scale_weight", &[1], &[2.0])
}

fn noted() -> Safetensors {
    let layers = format!(r#"{{"format_version": "1.0", "layers": {{"a": {TAG}, "b": {TAG}}}}}"#);
    untagged().note("_quantization_metadata", &layers)
}

#[test]
fn a_missing_scale_is_named_in_every_spelling() {
    for (file, scale, told_by) in [
        (untagged(), "a.weight_scale", "b.weight_scale"),
        (tagged(), "a.weight_scale", "a.comfy_quant"),
        (noted(), "a.weight_scale", "_quantization_metadata"),
        (marked(), "a.scale_weight", "scaled_fp8"),
    ] {
        open_bytes(&file.bytes()).1.unwrap();
        let words = ["a.weight ", "a.weight_scale", told_by];
        refused(&file.without(scale).bytes(), "scale-missing", &words);
    }
    let alone = Safetensors::default().fp8("a.weight", ONE);
    let file = alone.clone().f32("a.input_scale", &[], &[1.0]);
    refused(&file.bytes(), "scale-missing", &["a.weight", "input"]);
    let (_folder, plain) = open_bytes(&alone.bytes());
    assert_eq!(plain.unwrap().get("a.weight").unwrap().widen(), [1.0; 8]);
}

#[test]
fn a_tagged_file_may_hold_plain_fp8_too() {
    let file = tagged().fp8("c.weight", ONE);
    let (_folder, weights) = open_bytes(&file.bytes());
    let weights = weights.unwrap();
    assert_eq!(weights.get("a.weight").unwrap().widen(), [2.0; 8]);
    assert_eq!(weights.get("c.weight").unwrap().widen(), [1.0; 8]);
}

#[test]
fn a_marker_speaks_for_its_own_prefix() {
    let file = Safetensors::default()
        .with("text.scaled_fp8", "F32", &[1], &[0; 4])
        .fp8("text.a.weight", ONE)
        .f32("text.a.scale_weight", &[], &[3.0])
        .fp8("image.a.weight", ONE);
    let (_folder, weights) = open_bytes(&file.bytes());
    let weights = weights.unwrap();
    assert_eq!(weights.get("text.a.weight").unwrap().widen(), [3.0; 8]);
    assert_eq!(weights.get("image.a.weight").unwrap().widen(), [1.0; 8]);
    assert!(!weights.contains("text.scaled_fp8"));
}

#[test]
fn a_scale_that_is_no_scale_is_refused() {
    for value in [0.0, -1.0, f32::NAN, f32::INFINITY] {
        let words = ["a.weight_scale", &value.to_string()];
        let file = untagged().f32("a.weight_scale", &[], &[value]);
        refused(&file.bytes(), "scale-invalid", &words);
        let file = untagged().f32("a.input_scale", &[], &[value]);
        refused(&file.bytes(), "scale-invalid", &["a.input_scale"]);
    }
    let file = untagged().f32("a.weight_scale", &[2, 1], &[1.0, f32::NAN]);
    refused(&file.bytes(), "scale-invalid", &["a.weight_scale", "NaN"]);
    let file = untagged().f32("a.scale_weight", &[], &[2.0]);
    refused(&file.bytes(), "scale-invalid", &["a.scale_weight", "twice"]);
    let file = untagged().f32("a.input_scale", &[2], &[2.0; 2]);
    refused(&file.bytes(), "scale-invalid", &["a.input_scale", "[2]"]);
}

#[test]
fn scales_in_blocks_are_refused() {
    for shape in [&[2, 2][..], &[1, 2], &[4], &[1, 4]] {
        let count = shape.iter().product();
        let file = untagged().f32("a.weight_scale", shape, &vec![1.0; count]);
        refused(
            &file.bytes(),
            "quantisation-unknown",
            &["a.weight", &format!("{shape:?}")],
        );
    }
    let file = untagged().with("a.weight_scale", "F8_E8M0", &[2, 1], &[127; 2]);
    refused(
        &file.bytes(),
        "quantisation-unknown",
        &["a.weight", "F8_E8M0"],
    );
}

#[test]
fn a_scale_or_tag_without_its_weight_is_refused() {
    for file in [
        untagged().without("a.weight"),
        tagged().without("a.weight"),
        marked().without("a.weight"),
        untagged().f32("a.weight", &[2, 4], &[1.0; 8]),
        untagged()
            .without("a.weight")
            .f32("a.input_scale", &[], &[1.0]),
    ] {
        refused(&file.bytes(), "scale-without-weight", &["a.", "a.weight"]);
    }
    let file = Safetensors::default().text("a.comfy_quant", TAG);
    refused(
        &file.bytes(),
        "scale-without-weight",
        &["a.comfy_quant", "a.weight"],
    );
    // A header is copied along when a file is cut.
    let file = noted().without("a.weight").without("a.weight_scale");
    open_bytes(&file.bytes()).1.unwrap();
    // A scale of one changes nothing.
    let idle = untagged().f32("a.weight", &[2, 4], &[1.5; 8]);
    let (_folder, weights) = open_bytes(&idle.f32("a.weight_scale", &[], &[1.0]).bytes());
    assert_eq!(weights.unwrap().get("a.weight").unwrap().widen(), [1.5; 8]);
}

#[test]
fn a_quantisation_of_another_name_is_refused() {
    for format in [
        "nvfp4",
        "mxfp8",
        "int8_tensorwise",
        "convrot_w4a4",
        "float8_e4m3fn_blockwise",
        "",
    ] {
        let tag = format!(r#"{{"format": {format:?}}}"#);
        let words = ["a.weight", format];
        let file = tagged().text("a.comfy_quant", &tag);
        refused(&file.bytes(), "quantisation-unknown", &words);
        let layers = format!(r#"{{"layers": {{"a": {tag}}}}}"#);
        let file = untagged().note("_quantization_metadata", &layers);
        refused(&file.bytes(), "quantisation-unknown", &words);
    }
    let rotated = r#"{"format": "float8_e4m3fn", "convrot": true}"#;
    let file = tagged().text("a.comfy_quant", rotated);
    refused(
        &file.bytes(),
        "quantisation-unknown",
        &["a.weight", "convrot"],
    );
    for name in [
        "a.weight_scale_2",
        "a.weight_scale_inv",
        "a.pre_quant_scale",
        "a.qweight",
    ] {
        let file = untagged().f32(name, &[2, 2], &[1.0; 4]);
        refused(&file.bytes(), "quantisation-unknown", &[name]);
    }
    let file = untagged().with("a.weight", "I8", &[2, 4], &[0; 8]);
    refused(&file.bytes(), "quantisation-unknown", &["a.weight", "I8"]);
}

#[test]
fn a_note_that_contradicts_the_tensor_is_refused() {
    let code = "quantisation-malformed";
    for tag in ["", "{", "[]", "{}", r#"{"format": 1}"#, "null"] {
        let file = tagged().text("a.comfy_quant", tag);
        refused(&file.bytes(), code, &["a.weight", "a.comfy_quant"]);
    }
    let file = tagged().with("a.weight", "F8_E5M2", &[2, 4], &[0x3c; 8]);
    refused(&file.bytes(), code, &["a.weight", "F8_E4M3", "F8_E5M2"]);
    let file = tagged().with("a.weight", "BF16", &[2, 4], &[0; 16]);
    refused(&file.bytes(), code, &["a.weight", "BF16"]);
    let file = tagged().with("a.weight", "U8", &[2, 4], &[0; 8]);
    refused(
        &file.without("a.weight_scale").bytes(),
        code,
        &["a.weight", "U8"],
    );
    for note in ["", "{}", "[]", r#"{"layers": 1}"#] {
        let file = untagged().note("_quantization_metadata", note);
        refused(
            &file.bytes(),
            "weights-malformed",
            &["_quantization_metadata"],
        );
    }
}

#[test]
fn a_header_may_leave_out_the_prefix() {
    let layers = format!(r#"{{"layers": {{"a": {TAG}}}}}"#);
    let file = Safetensors::default()
        .fp8("model.diffusion_model.a.weight", ONE)
        .note("_quantization_metadata", &layers);
    refused(
        &file.bytes(),
        "scale-missing",
        &["model.diffusion_model.a.weight"],
    );
}

#[test]
fn tensors_that_are_no_weights_are_let_be() {
    let file = untagged()
        .text("tekken_model", "{}")
        .f32("logit_scale", &[], &[0.0])
        .with("position_ids", "I64", &[1], &[0; 8])
        .with("flag", "BOOL", &[], &[1]);
    let (_folder, weights) = open_bytes(&file.bytes());
    let weights = weights.unwrap();
    assert_eq!(weights.raw("tekken_model").unwrap(), b"{}");
    assert_eq!(weights.raw("a.weight"), None);
    assert_eq!(weights.get("flag").unwrap_err().code(), "weights-precision");
}
