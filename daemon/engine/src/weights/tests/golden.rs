//! What the formats' own libraries wrote is read as they read it, bit for bit.

use super::{golden, open_bytes};
use crate::weights::Weights;

fn same_bits(found: &[f32], expected: &[f32], name: &str) {
    let bits = |values: &[f32]| {
        values
            .iter()
            .map(|value| value.to_bits())
            .collect::<Vec<_>>()
    };
    assert_eq!(bits(found), bits(expected), "{name}");
}

#[test]
fn every_kind_of_block_is_dequantised_as_by_its_library() {
    let blocks = Weights::open_file(&golden("blocks.gguf")).unwrap();
    let expected = Weights::open_file(&golden("blocks.safetensors")).unwrap();
    assert!(blocks.names().eq(expected.names()));
    assert_eq!(blocks.names().count(), 13);
    for (name, tensor) in blocks.tensors() {
        let expected = expected.get(name).unwrap();
        assert_eq!(tensor.shape(), expected.shape(), "{name}");
        let precision = tensor.encodings().next().unwrap().0.to_string();
        assert_eq!(format!("{precision}.weight"), *name);
        same_bits(&tensor.widen(), &expected.widen(), name);
        let mut row = vec![0.0; tensor.row_length()];
        tensor.part(1..2).widen_rows(0, &mut row);
        same_bits(&row, &expected.widen()[row.len()..], name);
    }
    blocks.check_finite().unwrap();
}

#[test]
fn every_spelling_of_fp8_is_read_as_torch_reads_it() {
    let expected = Weights::open_file(&golden("fp8.safetensors")).unwrap();
    let mut compared = 0;
    for spelling in [
        "plain", "e5m2", "scaled", "tagged", "header", "untagged", "rows",
    ] {
        let path = golden(&format!("fp8-{spelling}.safetensors"));
        let weights = Weights::open_file(&path).unwrap();
        assert_eq!(
            weights.names().count(),
            4,
            "no scale or tag is left: {spelling}"
        );
        assert_eq!(weights.parameters(), 16 + 8 * 16 + 12 * 16 + 4 * 16);
        for (name, tensor) in weights.tensors() {
            let name = format!("{spelling}/{name}");
            same_bits(
                &tensor.widen(),
                &expected.get(&name).unwrap().widen(),
                &name,
            );
            compared += 1;
        }
    }
    assert_eq!(compared, expected.names().count());
}

#[test]
fn what_layers_want_for_multiplying_in_fp8_is_kept() {
    let hints = |file: &str, name: &str| {
        let weights = Weights::open_file(&golden(file)).unwrap();
        let hints = weights.get(name).unwrap().hints();
        (hints.input_scale, hints.full_precision)
    };
    let prefixed = |layer| format!("model.diffusion_model.blocks.0.{layer}.weight");
    let tagged = "fp8-tagged.safetensors";
    assert_eq!(hints(tagged, &prefixed("qkv")), (Some(0.5), false));
    assert_eq!(hints(tagged, &prefixed("proj")), (None, true));
    // The old spelling: two elements in its marker, and a one that stands for no scale.
    let old = "fp8-scaled.safetensors";
    assert_eq!(hints(old, "blocks.0.qkv.weight"), (None, true));
    assert_eq!(hints(old, "blocks.0.proj.weight"), (Some(0.25), true));
    assert_eq!(
        hints("fp8-plain.safetensors", "blocks.0.qkv.weight"),
        (None, false)
    );
}

#[test]
fn pairs_of_a_gguf_come_in_their_types() {
    let weights = Weights::open_file(&golden("blocks.gguf")).unwrap();
    let pairs = weights.gguf().unwrap();
    assert_eq!(pairs.string("general.architecture").unwrap(), "flux");
    for (key, value) in [
        ("test.u8", Some(200)),
        ("test.i8", Some(-100)),
        ("test.u16", Some(60000)),
        ("test.i16", Some(-30000)),
        ("test.i32", Some(i64::from(i32::MIN))),
        ("test.i64", Some(i64::MIN)),
        ("test.u64", None),
        ("test.bool", Some(1)),
        ("test.f32", None),
        ("test.words", None),
        ("nothing", None),
    ] {
        assert_eq!(pairs.integer(key), value, "{key}");
    }
    assert_eq!(pairs.float("test.f32"), Some(0.5));
    assert_eq!(pairs.float("test.f64"), Some(0.1));
    assert_eq!(pairs.float("test.u8"), None);
    assert_eq!(pairs.string("test.u8"), None);
    assert_eq!(pairs.strings("test.words").unwrap(), ["Ġred", "fox", ""]);
    assert_eq!(pairs.integers("test.kinds").unwrap(), [1, -3, 6]);
    assert_eq!(pairs.integers("test.scores"), None);
    assert_eq!(pairs.strings("test.kinds"), None);
    assert_eq!(pairs.integers("test.words"), None);
    assert_eq!(pairs.integers("test.nested"), None);
    assert_eq!(weights.metadata()["test.i8"], "-100");
    assert_eq!(weights.metadata()["test.bool"], "true");
    assert_eq!(weights.raw("counter").unwrap().len(), 32);
}

#[test]
fn a_file_is_known_by_its_content() {
    let gguf = std::fs::read(golden("blocks.gguf")).unwrap();
    let (_folder, weights) = open_bytes(&gguf);
    assert!(weights.unwrap().gguf().is_some());
    let plain = std::fs::read(golden("fp8-header.safetensors")).unwrap();
    let (_folder, weights) = open_bytes(&plain);
    let weights = weights.unwrap();
    assert!(weights.gguf().is_none());
    assert!(weights.metadata()["_quantization_metadata"].contains("float8_e4m3fn"));
}
