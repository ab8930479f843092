//! Tensors cut, stacked and renamed: scales stay with the rows they belong to.

use std::collections::BTreeMap;

use super::safetensors_writer::Safetensors;
use super::{golden, open_bytes};
use crate::weights::{Stored, Weights};

#[test]
fn parts_and_stacks_keep_each_row_its_scale() {
    let open = |spelling: &str| {
        let path = golden(&format!("fp8-{spelling}.safetensors"));
        Weights::open_file(&path).unwrap()
    };
    let tensors = ["plain", "rows", "header"].map(|spelling| {
        let weights = open(spelling);
        weights.get("blocks.0.qkv.weight").unwrap().clone()
    });
    let rows: Vec<Vec<f32>> = tensors
        .iter()
        .flat_map(|tensor| {
            let values = tensor.widen();
            values.chunks(16).map(<[f32]>::to_vec).collect::<Vec<_>>()
        })
        .collect();
    let stack = Stored::stack(tensors).unwrap();
    assert_eq!(stack.shape(), [36, 16]);
    for (first, last) in [
        (0, 36),
        (1, 2),
        (5, 30),
        (11, 13),
        (23, 25),
        (12, 24),
        (35, 36),
    ] {
        let part = stack.part(first..last);
        assert_eq!(part.widen(), rows[first..last].concat(), "{first}..{last}");
        let again = part.part(0..last - first - 1);
        assert_eq!(again.widen(), rows[first..last - 1].concat());
        let flat = part.clone().reshaped(vec![(last - first) * 2, 8]);
        assert_eq!(flat.part(1..2).widen(), rows[first][8..]);
        let mut some = vec![0.0; 16];
        stack.widen_rows(last - 1, &mut some);
        assert_eq!(some, rows[last - 1]);
    }
}

#[test]
fn hints_of_a_stack_are_those_of_all_its_pieces() {
    let file = |scale: f32| {
        let file = Safetensors::default()
            .fp8("a.weight", 1)
            .f32("a.weight_scale", &[], &[1.0])
            .f32("a.input_scale", &[], &[scale]);
        let (folder, weights) = open_bytes(&file.bytes());
        let tensor = weights.unwrap().get("a.weight").unwrap().clone();
        (folder, tensor)
    };
    let (one, same, other) = (file(0.5).1, file(0.5).1, file(0.25).1);
    let hints = |pieces: &[&Stored]| {
        Stored::stack(pieces.iter().copied().cloned())
            .unwrap()
            .hints()
    };
    assert_eq!(hints(&[&one, &same]).input_scale, Some(0.5));
    assert_eq!(hints(&[&one, &same, &other]).input_scale, None);
    assert_eq!(hints(&[&other, &one, &one]).input_scale, None);
}

#[test]
fn a_part_may_be_given_other_names() {
    let weights = Weights::open_file(&golden("fp8-tagged.safetensors")).unwrap();
    let fused = weights
        .get("model.diffusion_model.blocks.0.qkv.weight")
        .unwrap();
    let expected = fused.widen();
    let names = ["q", "k", "v"].into_iter().zip([0..4, 4..8, 8..12]);
    let parts: BTreeMap<_, _> = names
        .map(|(name, rows)| (name.to_owned(), fused.part(rows)))
        .collect();
    let weights = weights.relabelled(parts);
    assert_eq!(weights.parameters(), 12 * 16);
    assert_eq!(
        weights.bytes_by_dtype(),
        BTreeMap::from([("F8_E4M3".into(), 192)])
    );
    assert_eq!(weights.get("k").unwrap().widen(), expected[4 * 16..8 * 16]);
    let error = weights.get("norm.weight").unwrap_err();
    assert_eq!(error.code(), "tensor-missing");
    assert!(error.to_string().contains("fp8-tagged.safetensors"));
}

#[test]
fn rows_in_bf16_are_copied_as_they_are_and_no_others() {
    let bytes: Vec<u8> = (0..2 * 3 * 4).collect();
    let file = Safetensors::default()
        .with("a", "BF16", &[3, 4], &bytes)
        .with(
            "b",
            "BF16",
            &[3, 4],
            &bytes.iter().rev().copied().collect::<Vec<_>>(),
        )
        .fp8("c", 0x38);
    let (_folder, weights) = open_bytes(&file.bytes());
    let weights = weights.unwrap();
    let stack = |names: &[&str]| {
        let tensors = names.iter().map(|name| weights.get(name).unwrap().clone());
        Stored::stack(tensors).unwrap()
    };
    let both = stack(&["a", "b"]);
    let widened = both.widen();
    for (first, rows) in [(0, 6), (0, 1), (2, 2), (3, 3), (1, 5)] {
        let mut copied = vec![0; 4 * rows];
        assert!(both.copy_bf16_rows(first, &mut copied), "{first}");
        let upper = widened[4 * first..][..4 * rows].iter();
        let upper: Vec<_> = upper.map(|number| number.to_bits() >> 16).collect();
        let copied: Vec<_> = copied.into_iter().map(u32::from).collect();
        assert_eq!(copied, upper, "{first}");
    }
    let mixed = stack(&["a", "c"]);
    assert!(mixed.copy_bf16_rows(0, &mut [0; 12]));
    let mut untouched = [7; 8];
    assert!(!mixed.copy_bf16_rows(2, &mut untouched));
    assert_eq!(untouched, [7; 8]);
}
