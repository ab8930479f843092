//! What names and shapes in a LoRA file are taken to mean.
//!
//! An input is text: on each line the name of a tensor and its shape, parted by spaces. The file that
//! is made of them is a valid one, so mutations go to names and shapes and nowhere else.
#![no_main]

use std::collections::BTreeSet;
use std::fmt::Write;

use atelier_flux::LoraInfo;
use atelier_fuzz::{Memory, assert_explained};
use libfuzzer_sys::fuzz_target;

/// Bytes of tensors that a file may have.
const MOST_BYTES: usize = 1 << 16;
/// Bytes of a number.
const WIDTH: usize = 4;

fuzz_target!(|text: &str| {
    let mut header = String::from("{");
    let mut names = BTreeSet::new();
    let mut end = 0;
    for line in text.lines() {
        let mut words = line.split(' ');
        let name = words.next().unwrap_or_default();
        let shape: Vec<usize> = words.filter_map(|word| word.parse().ok()).collect();
        let elements = shape
            .iter()
            .try_fold(1, |product: usize, &side| product.checked_mul(side));
        let Some(next) = elements
            .and_then(|elements| elements.checked_mul(WIDTH)?.checked_add(end))
            .filter(|&next| next <= MOST_BYTES)
        else {
            continue;
        };
        let is_plain = name
            .chars()
            .all(|c| !c.is_control() && c != '"' && c != '\\');
        if !is_plain || name == "__metadata__" || !names.insert(name) {
            continue;
        }
        let comma = if end == 0 && header.len() == 1 {
            ""
        } else {
            ","
        };
        write!(
            header,
            r#"{comma}"{name}":{{"dtype":"F32","shape":{shape:?},"data_offsets":[{end},{next}]}}"#
        )
        .expect("text can be written");
        end = next;
    }
    header.push('}');
    let length = (header.len() as u64).to_le_bytes();
    // Small whole numbers, so that ranks and alphas are now and then the same.
    let numbers: Vec<u8> = (0..end / WIDTH)
        .flat_map(|place| ((place % 8) as f32).to_le_bytes())
        .collect();
    let file = Memory::new(&[&length, header.as_bytes(), &numbers], 0);
    match LoraInfo::read(&file.path()) {
        Ok(info) => {
            let counted = info.changes + info.unknown.len() + info.text_encoder;
            assert!(
                counted <= names.len(),
                "{info:?} of {} tensors",
                names.len()
            );
            assert!(
                info.magnitudes <= info.changes + info.unknown.len(),
                "{info:?}"
            );
        }
        Err(error) => assert_explained(error.code(), &error),
    }
});
