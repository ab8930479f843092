//! Cases of the kernels for pictures: sizes that fill neither a block nor a tile.

use super::{Draft, name};
use crate::step::compare::Case;
use crate::step::op::Op;
use crate::step::op::picture::{
    Affine, Channels, Moments, Patches, Planes, Settle, Softmax, Window,
};
use crate::step::place::Kind;

const KINDS: [Kind; 2] = [Kind::F32, Kind::Bf16];

/// All cases.
pub(super) fn all() -> Vec<Case> {
    let windows = [Window::Point, Window::Near, Window::Doubled, Window::Halved];
    let mut cases = Vec::new();
    for kind in KINDS {
        cases.extend(windows.map(|window| patches(kind, window)));
        cases.extend([24, 520].map(|channels| moments(kind, channels)));
        cases.extend([settle(kind, false), settle(kind, true), softmax(kind)]);
    }
    cases.extend([affine(3), affine(16), planes()]);
    cases
}

/// A band in the middle of a picture, to its last row.
fn patches(kind: Kind, window: Window) -> Case {
    let (size, channels) = ([10, 14], 24);
    let mut draft = Draft::default();
    let from = draft.random(size[0] * size[1], channels, kind, 0.3);
    let normal = matches!(window, Window::Point | Window::Near);
    let affine = normal.then(|| Channels {
        scale: draft.vector(channels, 1.0),
        shift: draft.vector(channels, 0.0),
    });
    let [height, width] = window.made(size);
    let first = height / 2;
    let side = window.side();
    let rows = (height - first) * width;
    let out = draft.out(rows, side * side * channels, kind);
    let op = Op::Patches(Patches {
        from,
        size,
        affine,
        silu: window == Window::Near,
        window,
        first,
        width,
        out,
    });
    let kernel = name(kind, ["patches_f32", "patches_bf16", ""]);
    draft.case(kernel, format!("{window:?}"), op)
}

/// Around a mean that is far larger than what they spread by.
fn moments(kind: Kind, channels: usize) -> Case {
    let (rows, slice) = (150, 64);
    let mut draft = Draft::default();
    let x = draft.random(rows, channels, kind, 30.0);
    let out = draft.out(2 * rows.div_ceil(slice), channels, Kind::F32);
    let op = Op::Moments(Moments { x, slice, out });
    let kernel = name(kind, ["moments_f32", "moments_bf16", ""]);
    draft.case(kernel, format!("{channels} channels"), op)
}

fn affine(each: usize) -> Case {
    let (rows, slice, groups) = (150, 64, 32);
    let channels = groups * each;
    let mut draft = Draft::default();
    let moments = draft.random(2 * 3, channels, Kind::F32, 0.0);
    // Means around 1, and sums of squares, which are never below 0.
    if let Some((_, values)) = draft.inputs.last_mut() {
        for (number, value) in values.iter_mut().enumerate() {
            let is_mean = (number / channels).is_multiple_of(2);
            *value = if is_mean {
                1.0 + *value
            } else {
                60.0 * value.abs()
            };
        }
    }
    let op = Op::Affine(Affine {
        moments,
        rows,
        slice,
        groups,
        eps: 1e-6,
        weight: draft.vector(channels, 1.0),
        bias: draft.vector(channels, 0.0),
        out: Channels {
            scale: draft.out(1, channels, Kind::F32).at,
            shift: draft.out(1, channels, Kind::F32).at,
        },
    });
    draft.case("affine", format!("groups of {each}"), op)
}

fn settle(kind: Kind, adds: bool) -> Case {
    let (rows, columns) = (77, 72);
    let mut draft = Draft::default();
    let y = draft.random(rows, columns, Kind::F32, 0.0);
    let bias = draft.vector(columns, 0.0);
    let out = draft.random(rows, columns, kind, 0.0);
    draft.outputs.push(out);
    let add = adds.then_some(out);
    let op = Op::Settle(Settle { y, bias, add, out });
    let kernel = name(kind, ["settle_f32", "settle_bf16", ""]);
    draft.case(kernel, format!("added in place: {adds}"), op)
}

fn planes() -> Case {
    let (rows, columns, first) = (300, 8, 20);
    let mut draft = Draft::default();
    let y = draft.random(rows, columns, Kind::F32, 0.0);
    let bias = draft.vector(columns, 0.0);
    let out = draft.random(3, first + rows + 4, Kind::F32, 0.0);
    draft.outputs.push(out);
    let op = Op::Planes(Planes {
        y,
        bias,
        first,
        out,
    });
    draft.case("planes", "three of eight columns".into(), op)
}

fn softmax(kind: Kind) -> Case {
    let (rows, keys, columns) = (5, 1212, 1216);
    let mut draft = Draft::default();
    let scores = draft.random(rows, columns, Kind::F32, 0.0);
    let out = draft.out(rows, columns, kind);
    let op = Op::Softmax(Softmax {
        scores,
        keys,
        factor: 2.5,
        out,
    });
    let kernel = name(kind, ["softmax_f32", "softmax_bf16", ""]);
    draft.case(kernel, format!("{keys} of {columns}"), op)
}
