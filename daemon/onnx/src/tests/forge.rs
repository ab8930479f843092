//! ONNX files written by hand: protocol buffers are numbered fields, and ONNX's numbers are in its
//! `onnx.proto3`.

pub(super) const FLOAT: u64 = 1;
pub(super) const UINT8: u64 = 2;
pub(super) const INT32: u64 = 6;
pub(super) const INT64: u64 = 7;
pub(super) const BOOL: u64 = 9;
pub(super) const FLOAT16: u64 = 10;

fn varint(mut number: u64) -> Vec<u8> {
    let mut out = Vec::new();
    while number > 0x7f {
        out.push(number as u8 & 0x7f | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
    out
}

pub(super) fn whole(field: u64, number: u64) -> Vec<u8> {
    [varint(field << 3), varint(number)].concat()
}

pub(super) fn part(field: u64, content: impl AsRef<[u8]>) -> Vec<u8> {
    let content = content.as_ref();
    [
        varint(field << 3 | 2),
        varint(content.len() as u64),
        content.to_vec(),
    ]
    .concat()
}

/// A node without attributes.
pub(super) fn node(operation: &str, inputs: &[&str], output: &str) -> Vec<u8> {
    let inputs: Vec<u8> = inputs.iter().flat_map(|input| part(1, input)).collect();
    [inputs, part(2, output), part(4, operation)].concat()
}

/// A node with one integer for an attribute.
pub(super) fn node_with(
    operation: &str,
    inputs: &[&str],
    output: &str,
    (name, number): (&str, u64),
) -> Vec<u8> {
    let attribute = [part(1, name), whole(3, number), whole(20, 2)].concat();
    [node(operation, inputs, output), part(5, attribute)].concat()
}

/// An input or output; a side of 0 may be any and is called N.
pub(super) fn fact(name: &str, kind: u64, shape: &[u64]) -> Vec<u8> {
    let side = |&side: &u64| {
        let side = if side == 0 {
            part(2, "N")
        } else {
            whole(1, side)
        };
        part(1, side)
    };
    let sides: Vec<u8> = shape.iter().flat_map(side).collect();
    let tensor = [whole(1, kind), part(2, sides)].concat();
    [part(1, name), part(2, part(1, tensor))].concat()
}

/// A constant.
pub(super) fn constant(name: &str, kind: u64, shape: &[u64], data: &[u8]) -> Vec<u8> {
    let sides: Vec<u8> = shape.iter().flat_map(|&side| whole(1, side)).collect();
    [sides, whole(2, kind), part(8, name), part(9, data)].concat()
}

pub(super) fn of_floats(numbers: &[f32]) -> Vec<u8> {
    numbers
        .iter()
        .flat_map(|number| number.to_le_bytes())
        .collect()
}

pub(super) fn of_longs(numbers: &[i64]) -> Vec<u8> {
    numbers
        .iter()
        .flat_map(|number| number.to_le_bytes())
        .collect()
}

/// A whole file.
pub(super) fn file(
    nodes: &[Vec<u8>],
    constants: &[Vec<u8>],
    inputs: &[Vec<u8>],
    outputs: &[Vec<u8>],
) -> Vec<u8> {
    let fields = [(1, nodes), (5, constants), (11, inputs), (12, outputs)];
    let fields = fields.into_iter().flat_map(|(field, parts)| {
        let parts = parts.iter().map(move |content| part(field, content));
        parts.collect::<Vec<_>>()
    });
    let graph = [fields.flatten().collect(), part(2, "forged")].concat();
    [whole(1, 8), part(7, graph), part(8, whole(2, 17))].concat()
}

/// x of N × 2 times a matrix of 2 × 3, plus a row.
pub(super) fn affine() -> Vec<u8> {
    file(
        &[
            node("MatMul", &["x", "m"], "p"),
            node("Add", &["p", "r"], "y"),
        ],
        &[
            constant(
                "m",
                FLOAT,
                &[2, 3],
                &of_floats(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]),
            ),
            constant("r", FLOAT, &[3], &of_floats(&[0.5, 0.0, -0.5])),
        ],
        &[fact("x", FLOAT, &[0, 2])],
        &[fact("y", FLOAT, &[0, 3])],
    )
}

/// x of some type, as floats, plus z of 1 × 2.
pub(super) fn sum(kind: u64) -> Vec<u8> {
    file(
        &[
            node_with("Cast", &["x"], "f", ("to", FLOAT)),
            node("Add", &["f", "z"], "y"),
        ],
        &[],
        &[fact("x", kind, &[1, 2]), fact("z", FLOAT, &[1, 2])],
        &[fact("y", FLOAT, &[1, 2])],
    )
}

/// x of a type, as another.
pub(super) fn cast(from: u64, to: u64) -> Vec<u8> {
    file(
        &[node_with("Cast", &["x"], "y", ("to", to))],
        &[],
        &[fact("x", from, &[1, 2])],
        &[fact("y", to, &[1, 2])],
    )
}

/// As many nodes one after another, each of which has something to do.
pub(super) fn chain(nodes: usize) -> Vec<u8> {
    let name = |index: usize| {
        if index == 0 {
            "x".to_owned()
        } else {
            format!("v{index}")
        }
    };
    let link = |index: usize| {
        let operation = if index.is_multiple_of(2) {
            "Sin"
        } else {
            "Exp"
        };
        let output = if index + 1 == nodes {
            "y".to_owned()
        } else {
            name(index + 1)
        };
        node(operation, &[&name(index)], &output)
    };
    let nodes: Vec<_> = (0..nodes).map(link).collect();
    file(
        &nodes,
        &[],
        &[fact("x", FLOAT, &[1, 2])],
        &[fact("y", FLOAT, &[1, 2])],
    )
}
