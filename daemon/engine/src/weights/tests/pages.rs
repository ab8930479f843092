//! Numbers that are not finite, and the memory that reading takes.

use std::fs;
use std::path::Path;

use super::safetensors_writer::Safetensors;
use super::{golden, open_bytes};
use crate::weights::Weights;

#[test]
fn a_nan_is_found_wherever_it_is() {
    let count = 5 << 20;
    let values: Vec<u8> = [0x80, 0x3f].repeat(count);
    let file = |place: usize, bits: u16| {
        let mut values = values.clone();
        values[2 * place..][..2].copy_from_slice(&bits.to_le_bytes());
        Safetensors::default()
            .with("a", "BF16", &[4, 2], &[0; 16])
            .with("big", "BF16", &[count / 256, 256], &values)
            .with("later", "BF16", &[1], &[0xff, 0xff])
    };
    for (place, bits, value) in [
        (0, 0x7f80, "inf"),
        (count / 2 + 77, 0xff80, "-inf"),
        (count - 1, 0x7fc0, "NaN"),
    ] {
        let (_folder, weights) = open_bytes(&file(place, bits).bytes());
        let error = weights.unwrap().check_finite().unwrap_err();
        assert_eq!(error.code(), "weights-not-finite");
        let message = error.to_string();
        for word in ["some.weights", "tensor big", value, &place.to_string()] {
            assert!(message.contains(word), "{message} does not say {word}");
        }
    }
    let sound = file(0, 0x3f80).without("later");
    open_bytes(&sound.bytes())
        .1
        .unwrap()
        .check_finite()
        .unwrap();
}

#[test]
fn a_nan_in_a_blocks_scale_is_found() {
    let mut bytes = fs::read(golden("blocks.gguf")).unwrap();
    let weights = Weights::open_file(&golden("blocks.gguf")).unwrap();
    let tensor = weights.get("Q6_K.weight").unwrap();
    let place = tensor.stretches().next().unwrap().1.start + 3 * 210 + 208;
    bytes[place..][..2].copy_from_slice(&0x7e00_u16.to_le_bytes());
    let (_folder, weights) = open_bytes(&bytes);
    let message = weights.unwrap().check_finite().unwrap_err().to_string();
    assert!(
        message.contains("Q6_K.weight holds NaN at position 768"),
        "{message}"
    );
}

/// Kilobytes of this process's map of a file: resident, and anonymous.
fn resident(path: &Path) -> (u64, u64) {
    let maps = fs::read_to_string("/proc/self/smaps").unwrap();
    let mut lines = maps.lines();
    let name = path.to_str().unwrap();
    lines
        .find(|line| line.ends_with(name))
        .expect("it is mapped");
    let mut field = |key: &str| {
        let line = lines.find(|line| line.starts_with(key)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    };
    (field("Rss:"), field("Anonymous:"))
}

#[test]
fn reading_takes_no_memory_of_ours_and_pages_can_be_released() {
    let count = 32 << 20;
    let file = Safetensors::default().with("a", "F8_E4M3", &[count / 256, 256], &vec![0x38; count]);
    let (folder, weights) = open_bytes(&file.bytes());
    let weights = weights.unwrap();
    let path = folder.path().join("some.weights");
    let at_first = resident(&path).0;
    weights.check_finite().unwrap();
    let mut row = [0.0; 256];
    weights.get("a").unwrap().widen_rows(4, &mut row);
    assert_eq!(row, [1.0; 256]);
    let (all, anonymous) = resident(&path);
    assert!(all >= 32 << 10, "{all} kB are mapped");
    assert_eq!(anonymous, 0);
    assert!(
        at_first < all / 2,
        "opening has read {at_first} kB, more than a header"
    );
    weights.release();
    assert_eq!(resident(&path), (0, 0));
    weights.get("a").unwrap().widen_rows(5, &mut row);
    assert_eq!(row, [1.0; 256]);
}
