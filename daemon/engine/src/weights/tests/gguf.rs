//! GGUF files that lie: each is refused, in no time and with no memory.

use super::gguf_writer::{Gguf, Tensor};
use super::{golden, open_bytes, refused};

const MALFORMED: &str = "weights-malformed";

#[track_caller]
fn opens(file: &Gguf, alignment: usize) {
    let (_folder, weights) = open_bytes(&file.bytes(alignment));
    let weights = weights.unwrap();
    assert_eq!(weights.get("a").unwrap().shape(), [2, 3]);
    assert_eq!(weights.get("b").unwrap().shape(), [1, 32]);
    assert_eq!(weights.get("b").unwrap().widen(), [0.0; 32]);
}

#[test]
fn a_sound_file_opens_in_both_versions_and_with_any_padding() {
    let mut file = Gguf::sound();
    opens(&file, 32);
    file.version = 2;
    opens(&file, 32);
    file.data.resize(64 + 32, 0);
    opens(&file, 32);
    let file = Gguf::sound().pair("general.alignment", 4, &8_u32.to_le_bytes());
    let mut file = file.changed(|b| b.offset = 24);
    file.data.truncate(24 + 34);
    opens(&file, 8);
}

#[test]
fn a_file_cut_short_is_refused_wherever_it_ends() {
    let sound = Gguf::sound();
    let bytes = sound.bytes(32);
    for length in 0..bytes.len() {
        let (_folder, weights) = open_bytes(&bytes[..length]);
        let error = weights.err().expect("the damage goes unnoticed");
        let expected = match length {
            _ if length < sound.header().len() => MALFORMED,
            _ => "weights-truncated",
        };
        assert_eq!(error.code(), expected, "{length}: {error}");
    }
}

#[test]
fn another_version_or_byte_order_is_refused() {
    for version in [0, 1, 4, u32::MAX] {
        let file = Gguf {
            version,
            ..Gguf::sound()
        };
        refused(
            &file.bytes(32),
            MALFORMED,
            &["version", &version.to_string()],
        );
    }
    let file = Gguf {
        version: 3_u32.swap_bytes(),
        ..Gguf::sound()
    };
    refused(&file.bytes(32), MALFORMED, &["big-endian"]);
    for start in [
        &b"PK\x03\x04 and so on"[..],
        b"\x80\x02\x8a\x0al\xfc\x9c\x46",
    ] {
        refused(start, "weights-pickle", &[]);
    }
    let file = Gguf {
        magic: *b"GGML",
        ..Gguf::sound()
    };
    refused(&file.bytes(32), MALFORMED, &[]);
}

#[test]
fn lying_counts_and_lengths_are_refused() {
    for count in [100, 1 << 16, (1 << 16) + 1, u64::MAX] {
        let file = Gguf {
            tensor_count: Some(count),
            ..Gguf::sound()
        };
        refused(&file.bytes(32), MALFORMED, &["tensor"]);
        let file = Gguf {
            pair_count: Some(count),
            ..Gguf::sound()
        };
        refused(&file.bytes(32), MALFORMED, &[]);
    }
    let long = |length: u64| length.to_le_bytes();
    for length in [1 << 20, 1 << 40, u64::MAX] {
        let file = Gguf::sound().pair("text", 8, &long(length));
        refused(&file.bytes(32), MALFORMED, &["text"]);
        for kind in 0..=12_u32 {
            let array = [&kind.to_le_bytes()[..], &long(length)].concat();
            let file = Gguf::sound().pair("array", 9, &array);
            refused(&file.bytes(32), MALFORMED, &["array"]);
        }
    }
    // Arrays in arrays, without an end.
    let deep = [&9_u32.to_le_bytes()[..], &long(1)]
        .concat()
        .repeat(1 << 16);
    let file = Gguf::sound().pair("deep", 9, &deep);
    refused(&file.bytes(32), MALFORMED, &["deep", "too many"]);
}

#[test]
fn pairs_of_unknown_types_or_names_are_refused() {
    for kind in [13, 255, u32::MAX] {
        let file = Gguf::sound().pair("odd", kind, &[0; 8]);
        refused(&file.bytes(32), MALFORMED, &["odd", &kind.to_string()]);
    }
    let file = Gguf::sound().pair("general.architecture", 0, &[1]);
    refused(
        &file.bytes(32),
        MALFORMED,
        &["general.architecture", "twice"],
    );
    for alignment in [0_u32, 3, 33, 1 << 30] {
        let file = Gguf::sound().pair("general.alignment", 4, &alignment.to_le_bytes());
        refused(&file.bytes(32), MALFORMED, &["general.alignment"]);
    }
    let file = Gguf::sound().pair("general.alignment", 6, &32.0_f32.to_le_bytes());
    refused(&file.bytes(32), MALFORMED, &["general.alignment"]);
}

#[test]
fn lying_entries_are_refused() {
    type Lie = fn(&mut Tensor);
    let cases: [(Lie, &str, &str); 16] = [
        (|b| b.name = b"a".to_vec(), MALFORMED, "a is there twice"),
        (|b| b.name = vec![0xff, 0xfe], MALFORMED, "UTF-8"),
        (|b| b.sides = vec![1; 5], MALFORMED, "5 axes"),
        (
            |b| b.sides = vec![32, u64::MAX],
            MALFORMED,
            "b claims the shape",
        ),
        (
            |b| b.sides = vec![1 << 32, 1 << 32],
            MALFORMED,
            "b claims the shape",
        ),
        (
            |b| b.sides = vec![1 << 60, 8],
            "weights-truncated",
            "tensor b",
        ),
        (
            |b| b.sides = vec![0, 1 << 63, 1 << 63],
            MALFORMED,
            "b claims the shape",
        ),
        (|b| b.sides = vec![31, 1], MALFORMED, "blocks of 32"),
        (|b| b.sides = vec![32], MALFORMED, "blocks of 32"),
        (|b| b.kind = 99, MALFORMED, "99"),
        (|b| b.kind = 31, MALFORMED, "31"),
        (|b| b.kind = 23, "quantisation-unknown", "IQ4_XS"),
        (|b| b.offset = 0, MALFORMED, "overlaps"),
        (|b| b.offset = 40, MALFORMED, "offset 40"),
        (|b| b.offset = u64::MAX - 31, MALFORMED, "b"),
        (|b| b.offset = 1 << 40, "weights-truncated", "tensor b"),
    ];
    for (change, code, words) in cases {
        refused(&Gguf::sound().changed(change).bytes(32), code, &[words]);
    }
    let mut file = Gguf::sound().changed(|b| b.offset = 64);
    file.data.resize(64 + 34, 0);
    refused(
        &file.bytes(32),
        MALFORMED,
        &["b", "40 bytes before it unclaimed"],
    );
    let mut file = Gguf::sound();
    file.data.resize(66 + 32, 0);
    refused(&file.bytes(32), MALFORMED, &["32 bytes", "no tensor"]);
}

#[test]
fn no_damaged_byte_of_a_header_makes_a_panic() {
    let bytes = std::fs::read(golden("blocks.gguf")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("damaged.gguf");
    let (mut refused, mut read) = (0, 0);
    for place in 0..2048 {
        let mut bytes = bytes.clone();
        bytes[place] ^= 0xff;
        std::fs::write(&path, bytes).unwrap();
        match crate::weights::Weights::open_file(&path) {
            Ok(weights) => {
                read += 1;
                for tensor in weights.tensors().values() {
                    tensor.widen();
                }
                let pairs = weights.gguf().unwrap();
                for key in ["test.words", "test.kinds", "test.scores", "test.nested"] {
                    let _ = (pairs.strings(key), pairs.integers(key));
                }
            }
            Err(_) => refused += 1,
        }
    }
    assert!(
        refused > 300 && read > 100,
        "{refused} refused, {read} read"
    );
}
