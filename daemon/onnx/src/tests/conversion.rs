//! What goes in and what comes out.

use super::forge::{self, BOOL, FLOAT, FLOAT16, INT32, INT64, UINT8};
use super::{floats, refused, run};
use crate::{Numbers, Tensor};

fn integers(name: &str, numbers: &[i32]) -> Tensor {
    Tensor {
        name: name.to_owned(),
        shape: vec![1, 2],
        numbers: Numbers::Integers(numbers.to_vec()),
    }
}

fn bytes(name: &str, numbers: &[u8]) -> Tensor {
    Tensor {
        name: name.to_owned(),
        shape: vec![1, 2],
        numbers: Numbers::Bytes(numbers.to_vec()),
    }
}

#[test]
fn a_model_is_computed() {
    let x = floats("x", &[2, 2], &[1.0, 0.0, -1.0, 2.0]);
    let made = run(&forge::affine(), vec![x]).unwrap();
    assert_eq!(
        made,
        [floats("y", &[2, 3], &[1.5, 2.0, 2.5, 7.5, 8.0, 8.5])]
    );
}

#[test]
fn inputs_go_by_name_or_by_order() {
    let (x, z) = ([1, 2], [0.5, 0.25]);
    let sum = forge::sum(INT32);
    let expected = [floats("y", &[1, 2], &[1.5, 2.25])];
    let turned = vec![floats("z", &[1, 2], &z), integers("x", &x)];
    assert_eq!(run(&sum, turned).unwrap(), expected);
    let unnamed = vec![integers("", &x), floats("", &[1, 2], &z)];
    assert_eq!(run(&sum, unnamed).unwrap(), expected);

    let unknown = vec![integers("x", &x), floats("w", &[1, 2], &z)];
    let said = refused(&sum, unknown);
    assert_eq!(said, "it has no input \"w\"; its inputs are \"x\", \"z\"");
    let twice = vec![integers("x", &x), integers("x", &x)];
    assert_eq!(refused(&sum, twice), "input \"x\" came twice");
    let one = refused(&sum, vec![integers("x", &x)]);
    assert_eq!(one, "it takes 2 inputs (\"x\", \"z\"), and 1 came");
}

#[test]
fn a_wrong_shape_is_named() {
    let affine = forge::affine();
    let wide = refused(&affine, vec![floats("x", &[1, 3], &[0.0; 3])]);
    assert_eq!(wide, "input \"x\" takes N × 2, and 1 × 3 came");
    let flat = refused(&affine, vec![floats("x", &[2], &[0.0; 2])]);
    assert_eq!(flat, "input \"x\" takes N × 2, and 2 came");
    let none = refused(&affine, vec![floats("x", &[0, 2], &[])]);
    assert_eq!(none, "input \"x\" takes N × 2, and 0 × 2 came");
    let few = refused(&affine, vec![floats("x", &[1, 2], &[0.0])]);
    assert_eq!(few, "input \"x\" of 1 × 2 has 2 numbers, and 1 came");
    let endless = [u32::MAX, u32::MAX, 2];
    let said = refused(&affine, vec![floats("x", &endless, &[0.0])]);
    assert!(said.starts_with("input \"x\" takes N × 2"), "{said}");
}

#[test]
fn numbers_become_what_the_model_takes() {
    for kind in [FLOAT, FLOAT16, INT32, INT64, UINT8] {
        for x in [integers("x", &[1, 200]), bytes("x", &[1, 200])] {
            let made = run(&forge::cast(kind, FLOAT), vec![x]).unwrap();
            assert_eq!(
                made,
                [floats("y", &[1, 2], &[1.0, 200.0])],
                "of type {kind}"
            );
        }
    }
    let halves = run(
        &forge::cast(FLOAT16, FLOAT),
        vec![floats("x", &[1, 2], &[0.1, 2.0])],
    );
    assert_eq!(halves.unwrap(), [floats("y", &[1, 2], &[0.099975586, 2.0])]);
    let truths = run(&forge::cast(BOOL, FLOAT), vec![bytes("x", &[0, 1])]);
    assert_eq!(truths.unwrap(), [floats("y", &[1, 2], &[0.0, 1.0])]);
}

#[test]
fn what_would_lose_more_than_precision_is_refused() {
    let said = |kind, x| refused(&forge::cast(kind, FLOAT), vec![x]);
    assert_eq!(
        said(INT32, floats("x", &[1, 2], &[1.0, 2.0])),
        "input \"x\" takes integers (i32), and floats came"
    );
    assert_eq!(
        said(UINT8, integers("x", &[0, 256])),
        "input \"x\" takes bytes, and 256 does not fit into that"
    );
    assert_eq!(
        said(BOOL, bytes("x", &[2, 0])),
        "input \"x\" takes truths (bytes of 0 and 1), and 2 does not fit into that"
    );
    assert_eq!(
        said(FLOAT16, floats("x", &[1, 2], &[70000.0, 0.0])),
        "input \"x\" takes floats, and 70000 is too large for that"
    );
}

#[test]
fn all_types_come_out_as_one_of_three() {
    let x = || vec![integers("x", &[0, 1])];
    for (kind, expected) in [
        (FLOAT16, Numbers::Floats(vec![0.0, 1.0])),
        (INT64, Numbers::Integers(vec![0, 1])),
        (UINT8, Numbers::Bytes(vec![0, 1])),
        (BOOL, Numbers::Bytes(vec![0, 1])),
    ] {
        let made = run(&forge::cast(INT32, kind), x()).unwrap();
        assert_eq!(made[0].numbers, expected, "of type {kind}");
        assert_eq!(made[0].shape, [1, 2]);
    }
}
