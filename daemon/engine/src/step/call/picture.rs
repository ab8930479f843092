//! The calls for operations on pictures.

use super::{Arguments, Call, THREADS, Unit, by_row, count};
use crate::step::op::picture::{Affine, Moments, Patches, Planes, Settle, Softmax};
use crate::step::place::{Address, Kind};

type Place<'a> = &'a dyn Fn(Address) -> u64;

/// Channels that a thread has at once.
const EACH: usize = 8;
/// Channels of a block that takes moments, and its shared memory.
const MOMENTS_CHANNELS: usize = 32 * EACH;
const MOMENTS_SHARED: u32 = 16 << 10;
/// Shared memory of a block that joins them: three numbers for each thread.
const AFFINE_SHARED: u32 = 3 * 4 * THREADS;

/// A kernel of two, by what pictures are held in.
fn named(kind: Kind, [f32, bf16]: [&'static str; 2]) -> &'static str {
    match kind {
        Kind::F32 => f32,
        _ => bf16,
    }
}

fn blocks(threads: usize) -> usize {
    threads.div_ceil(THREADS as usize)
}

pub(super) fn of_patches(patches: &Patches, place: Place<'_>) -> Call {
    let (from, window) = (patches.from, patches.window);
    let affine = patches.affine;
    let arguments = Arguments::new(place)
        .pointer(from.at)
        .pointer(affine.map(|affine| affine.scale))
        .pointer(affine.map(|affine| affine.shift))
        .pointer(patches.out.at)
        .size(patches.size[0])
        .size(patches.size[1])
        .size(from.columns)
        .size(patches.first)
        .size(patches.rows())
        .size(patches.width)
        .size(window.side())
        .size(window.before())
        .size(window.stride())
        .size(window.each())
        .size(usize::from(patches.silu));
    let covered = |count: usize| (count - 1) * window.stride() + window.side();
    let places = covered(patches.rows()) * covered(patches.width);
    let blocks = blocks(places * from.columns / EACH);
    let kernel = named(from.kind, ["patches_f32", "patches_bf16"]);
    by_row(Unit::Picture, kernel, blocks, 0, arguments)
}

pub(super) fn of_moments(moments: &Moments, place: Place<'_>) -> Call {
    let x = moments.x;
    let arguments = Arguments::new(place)
        .pointer(x.at)
        .pointer(moments.out.at)
        .size(x.rows)
        .size(x.columns)
        .size(moments.slice);
    let kernel = named(x.kind, ["moments_f32", "moments_bf16"]);
    let slices = x.rows.div_ceil(moments.slice);
    let call = by_row(Unit::Picture, kernel, slices, MOMENTS_SHARED, arguments);
    let across = count(x.columns.div_ceil(MOMENTS_CHANNELS));
    Call {
        grid: [call.grid[0], across, 1],
        ..call
    }
}

pub(super) fn of_affine(affine: &Affine, place: Place<'_>) -> Call {
    let arguments = Arguments::new(place)
        .pointer(affine.moments.at)
        .pointer(affine.weight)
        .pointer(affine.bias)
        .pointer(affine.out.scale)
        .pointer(affine.out.shift)
        .size(affine.rows)
        .size(affine.moments.columns)
        .size(affine.slice)
        .size(affine.groups)
        .number(affine.eps);
    let groups = affine.groups;
    by_row(Unit::Picture, "affine", groups, AFFINE_SHARED, arguments)
}

pub(super) fn of_settle(settle: &Settle, place: Place<'_>) -> Call {
    let out = settle.out;
    let arguments = Arguments::new(place)
        .pointer(settle.y.at)
        .pointer(settle.bias)
        .pointer(settle.add.map(|add| add.at))
        .pointer(out.at)
        .size(out.rows)
        .size(out.columns);
    let kernel = named(out.kind, ["settle_f32", "settle_bf16"]);
    let blocks = blocks(out.rows * out.columns / EACH);
    by_row(Unit::Picture, kernel, blocks, 0, arguments)
}

pub(super) fn of_planes(planes: &Planes, place: Place<'_>) -> Call {
    let y = planes.y;
    let arguments = Arguments::new(place)
        .pointer(y.at)
        .pointer(planes.bias)
        .pointer(planes.out.at)
        .size(y.rows)
        .size(y.columns)
        .size(planes.out.rows)
        .size(planes.out.columns)
        .size(planes.first);
    by_row(Unit::Picture, "planes", blocks(y.rows), 0, arguments)
}

pub(super) fn of_softmax(softmax: &Softmax, place: Place<'_>) -> Call {
    let scores = softmax.scores;
    let arguments = Arguments::new(place)
        .pointer(scores.at)
        .pointer(softmax.out.at)
        .size(scores.rows)
        .size(softmax.keys)
        .size(scores.columns)
        .number(softmax.factor);
    let kernel = named(softmax.out.kind, ["softmax_f32", "softmax_bf16"]);
    by_row(Unit::Picture, kernel, scores.rows, 0, arguments)
}
