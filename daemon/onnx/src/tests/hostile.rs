//! Files that nobody should have made.

use super::forge::{self, FLOAT, INT64};
use super::{floats, models_of, run, unusable};
use crate::{Limits, Trouble};

/// Takes x of 1 × 2, and a constant c.
fn with_constant(constant: Vec<u8>, node: Vec<u8>) -> Vec<u8> {
    let (x, y) = (
        forge::fact("x", FLOAT, &[1, 2]),
        forge::fact("y", FLOAT, &[]),
    );
    forge::file(&[node], &[constant], &[x], &[y])
}

#[test]
fn what_is_no_model_is_an_error() {
    assert_eq!(unusable(b""), "it has no graph, so it is no ONNX model");
    assert_eq!(unusable(&[0xff; 512]), "it is no ONNX file, or is damaged");
    // A reproducible mess, of many lengths.
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    for length in 1..200 {
        let mess: Vec<u8> = (0..length)
            .map(|_| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                state as u8
            })
            .collect();
        unusable(&mess);
    }
}

#[test]
fn a_truncated_model_is_an_error() {
    let whole = forge::affine();
    for length in 3..whole.len() {
        let cut = run(&whole[..length], vec![floats("x", &[1, 2], &[1.0, 2.0])]);
        // What ends after the graph lacks only the operator set.
        if let Ok(made) = cut {
            assert!(length > whole.len() - 8, "{length} bytes gave {made:?}");
        }
    }
}

#[test]
fn a_model_with_one_byte_changed_never_crashes() {
    let whole = forge::affine();
    for place in 0..whole.len() {
        for other in [0x00, 0x01, 0x7f, 0x80, 0xff] {
            let mut broken = whole.clone();
            broken[place] = other;
            // Some of these still are models; that it comes back is what counts, and how.
            match run(&broken, vec![floats("x", &[1, 2], &[1.0, 2.0])]) {
                Ok(made) => assert!(made.len() <= 1),
                Err(Trouble::Stopped { .. } | Trouble::Missing { .. }) => {
                    panic!("byte {place} as {other} stopped it")
                }
                Err(_) => {}
            }
        }
    }
}

#[test]
fn numbers_in_another_file_are_refused() {
    let location = [forge::part(1, "location"), forge::part(2, "/etc/passwd")].concat();
    let mut outside = forge::constant("c", FLOAT, &[1, 2], &[]);
    outside.extend(forge::part(13, location));
    outside.extend(forge::whole(14, 1));
    let add = forge::node("Add", &["x", "c"], "y");
    let said = unusable(&with_constant(outside, add));
    assert!(
        said.starts_with("the numbers of \"c\" lie in another file"),
        "{said}"
    );
}

#[test]
fn a_shape_that_lies_is_refused() {
    let add = || forge::node("Add", &["x", "c"], "y");
    for shape in [
        &[1 << 40, 2][..],
        &[u64::MAX, 2],
        &[1 << 32, 1 << 32],
        &[4, 5],
    ] {
        let lying = forge::constant("c", FLOAT, shape, &[0; 8]);
        let said = unusable(&with_constant(lying, add()));
        assert_eq!(said, "the shape of \"c\" does not go with its data");
    }
}

#[test]
fn absurd_sizes_are_refused_before_they_are_made() {
    let shape = || forge::constant("c", INT64, &[1], &forge::of_longs(&[1 << 36]));
    let made = forge::node("ConstantOfShape", &["c"], "y");
    let said = unusable(&with_constant(shape(), made));
    assert!(said.contains("numbers that a tensor may have"), "{said}");
    let shape = || forge::constant("c", INT64, &[2], &forge::of_longs(&[1 << 20, 1 << 20]));
    for operation in ["Expand", "Tile"] {
        let said = unusable(&with_constant(
            shape(),
            forge::node(operation, &["x", "c"], "y"),
        ));
        assert!(said.contains("numbers that a tensor may have"), "{said}");
    }
    let wide = forge::file(
        &[forge::node("Relu", &["x"], "y")],
        &[],
        &[forge::fact("x", FLOAT, &[1 << 40, 2])],
        &[forge::fact("y", FLOAT, &[1 << 40, 2])],
    );
    assert!(unusable(&wide).starts_with("\"x\" has more than"));
}

#[test]
fn a_tensor_that_grows_while_it_runs_is_an_error() {
    // x of 1 × 2 against 1000 × 1 is 1000 × 2.
    let column = forge::constant("c", FLOAT, &[1000, 1], &forge::of_floats(&[1.0; 1000]));
    let model = with_constant(column, forge::node("Add", &["x", "c"], "y"));
    let limits = Limits {
        tensor_bytes: 4000,
        ..Limits::default()
    };
    let (_folder, models) = models_of(&model, limits);
    let answer = models.run("it", vec![floats("x", &[1, 2], &[1.0, 2.0])], &|| false);
    let said = answer.unwrap_err().to_string();
    assert!(said.contains("8000 bytes, and at most 4000"), "{said}");
}

#[test]
fn a_graph_without_an_end_is_an_error() {
    let circle = forge::file(
        &[
            forge::node("Add", &["x", "b"], "a"),
            forge::node("Relu", &["a"], "b"),
        ],
        &[],
        &[forge::fact("x", FLOAT, &[1, 2])],
        &[forge::fact("b", FLOAT, &[1, 2])],
    );
    unusable(&circle);
    let nowhere = forge::file(
        &[forge::node("Add", &["x", "nothing"], "y")],
        &[],
        &[forge::fact("x", FLOAT, &[1, 2])],
        &[forge::fact("y", FLOAT, &[1, 2])],
    );
    assert_eq!(
        unusable(&nowhere),
        "it uses \"nothing\", which nothing in it makes"
    );
    let unmade = forge::file(&[], &[], &[], &[forge::fact("y", FLOAT, &[1])]);
    unusable(&unmade);
    unusable(&with_constant(
        forge::constant("c", FLOAT, &[1], &[0; 4]),
        forge::node("NoSuchOperator", &["x", "c"], "y"),
    ));
}

#[test]
fn a_file_that_is_too_large_is_not_loaded() {
    let limits = Limits {
        file_bytes: 100,
        ..Limits::default()
    };
    let (folder, models) = models_of(&forge::affine(), limits);
    let said = models.prepare("it").unwrap_err().to_string();
    assert!(said.contains("is larger than the 100 bytes"), "{said}");
    std::fs::create_dir(folder.path().join("folder.onnx")).unwrap();
    let said = models.prepare("folder").unwrap_err().to_string();
    assert!(said.ends_with("is not a file"), "{said}");
}

#[test]
fn a_name_is_never_a_path() {
    let (_folder, models) = models_of(&forge::affine(), Limits::default());
    for name in ["", "../it", "a/b", ".it", "it\0", "nobody"] {
        let answer = models.prepare(name);
        assert!(
            matches!(answer, Err(Trouble::Missing { .. })),
            "{name:?}: {answer:?}"
        );
    }
    models.prepare("it").unwrap();
}
