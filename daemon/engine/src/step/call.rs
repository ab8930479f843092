//! From operations to calls of kernels: their names, grids and arguments.
//!
//! What is called is decided here, for any device that has the kernels of `daemon/engine/kernels`: a card, or the
//! emulator that the tests run the same text in. Arguments are one struct for each kernel, pointers first, as its
//! text declares it.

mod attention;
mod picture;
#[cfg(test)]
mod tests;

use super::op::{By, Gated, Heads, Norm, Op, Span, Vector};
use super::place::{Address, Kind, Matrix};
pub(crate) use attention::SMALL_TILES;

/// A kernel to be run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Call {
    pub(crate) unit: Unit,
    pub(crate) kernel: &'static str,
    pub(crate) grid: [u32; 3],
    pub(crate) threads: u32,
    /// Bytes of shared memory beside what the kernel declares.
    pub(crate) shared: u32,
    /// The struct that it takes.
    pub(crate) arguments: Vec<u64>,
}

/// Text that is compiled by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Unit {
    Rows,
    Heads,
    Vector,
    Gemm,
    Picture,
    /// For heads of this width.
    Attention(u32),
    /// The same with smaller tiles, see [`Call::fitted`].
    SmallAttention(u32),
}

/// Threads of a block that treats one row.
const THREADS: u32 = 256;
/// Threads that run in step.
const WARP: u32 = 32;

/// The call for an operation, with addresses as the device has them; none for those that are no kernel.
pub(crate) fn call(op: &Op, place: &dyn Fn(Address) -> u64) -> Option<Call> {
    match op {
        Op::Norm(norm) => Some(of_norm(norm, place)),
        Op::Gated(gated) => Some(of_gated(gated, place)),
        Op::Heads(heads) => Some(of_heads(heads, place)),
        Op::Attend(attend) => Some(attention::of_attend(attend, place)),
        Op::Vector(vector) => Some(of_vector(vector, place)),
        Op::Decode { weight, out } => Some(of_decode(weight, out, place)),
        Op::Product { a, b, out } => Some(of_product([a, b, out], place)),
        Op::Patches(patches) => Some(picture::of_patches(patches, place)),
        Op::Moments(moments) => Some(picture::of_moments(moments, place)),
        Op::Affine(affine) => Some(picture::of_affine(affine, place)),
        Op::Settle(settle) => Some(picture::of_settle(settle, place)),
        Op::Planes(planes) => Some(picture::of_planes(planes, place)),
        Op::Softmax(softmax) => Some(picture::of_softmax(softmax, place)),
        Op::Copy { .. } | Op::Enter(_) | Op::Leave(_) => None,
    }
}

/// A struct of C, built up field by field.
struct Arguments<'a> {
    place: &'a dyn Fn(Address) -> u64,
    words: Vec<u64>,
    /// Whether the last word holds one field of four bytes.
    half: bool,
}

impl<'a> Arguments<'a> {
    fn new(place: &'a dyn Fn(Address) -> u64) -> Self {
        Self {
            place,
            words: Vec::new(),
            half: false,
        }
    }

    fn pointer(mut self, at: impl Into<Option<Address>>) -> Self {
        debug_assert!(!self.half, "pointers come first");
        self.words.push(at.into().map_or(0, self.place));
        self
    }

    #[allow(
        clippy::cast_possible_truncation,
        reason = "sizes of one picture are far below 2^32"
    )]
    fn size(self, value: usize) -> Self {
        self.field(value as u32)
    }

    fn number(self, value: f32) -> Self {
        self.field(value.to_bits())
    }

    fn field(mut self, bits: u32) -> Self {
        match self.words.last_mut() {
            Some(last) if self.half => *last |= u64::from(bits) << 32,
            _ => self.words.push(u64::from(bits)),
        }
        self.half = !self.half;
        self
    }
}

#[allow(
    clippy::cast_possible_truncation,
    reason = "sizes of one picture are far below 2^32"
)]
fn count(value: usize) -> u32 {
    value as u32
}

/// One block for each row.
fn by_row(
    unit: Unit,
    kernel: &'static str,
    rows: usize,
    shared: u32,
    arguments: Arguments<'_>,
) -> Call {
    Call {
        unit,
        kernel,
        grid: [count(rows), 1, 1],
        threads: THREADS,
        shared,
        arguments: arguments.words,
    }
}

/// Bytes in which a row waits as f32.
fn row_of(columns: usize) -> u32 {
    count(columns * Kind::F32.bytes())
}

fn of_norm(norm: &Norm, place: &dyn Fn(Address) -> u64) -> Call {
    let (update, then) = (norm.update, norm.then);
    let y = update.map(|update| update.y);
    let (mut shift, mut scale, mut weight) = (None, None, None);
    match then.map(|then| then.by) {
        Some(By::Layer {
            shift: at,
            scale: by,
        }) => (shift, scale) = (Some(at), Some(by)),
        Some(By::Rms { weight: by }) => weight = Some(by),
        None => {}
    }
    let out = then.map(|then| then.out);
    let kind = match (out, y) {
        (Some(out), _) => out.values.kind,
        (None, Some(y)) => y.values.kind,
        (None, None) => Kind::F32,
    };
    let kernel = match kind {
        Kind::F32 => "norm_f32",
        Kind::Bf16 => "norm_bf16",
        Kind::E4m3 => "norm_e4m3",
    };
    let arguments = Arguments::new(place)
        .pointer(norm.x.at)
        .pointer(y.map(|y| y.values.at))
        .pointer(y.and_then(|y| y.row_scales))
        .pointer(y.and_then(|y| y.column_scales))
        .pointer(update.and_then(|update| update.gate))
        .pointer(shift)
        .pointer(scale)
        .pointer(weight)
        .pointer(out.map(|out| out.values.at))
        .pointer(out.and_then(|out| out.scales))
        .size(norm.x.rows)
        .size(norm.x.columns)
        .number(then.map_or(0.0, |then| then.eps))
        .number(then.and_then(|then| then.fixed).unwrap_or(0.0));
    let shared = then.map_or(0, |_| row_of(norm.x.columns));
    by_row(Unit::Rows, kernel, norm.x.rows, shared, arguments)
}

fn of_gated(gated: &Gated, place: &dyn Fn(Address) -> u64) -> Call {
    let (front, inner) = (gated.front, gated.inner);
    let y = inner.map(|inner| inner.y);
    let out = gated.out;
    let (kernel, shared) = match out.values.kind {
        Kind::F32 => ("gated_f32", 0),
        Kind::Bf16 => ("gated_bf16", 0),
        Kind::E4m3 => ("gated_e4m3", row_of(out.values.columns)),
    };
    let arguments = Arguments::new(place)
        .pointer(front.map(|front| front.at))
        .pointer(y.map(|y| y.values.at))
        .pointer(y.and_then(|y| y.row_scales))
        .pointer(y.and_then(|y| y.column_scales))
        .pointer(out.values.at)
        .pointer(out.scales)
        .size(out.values.rows)
        .size(front.map_or(0, |front| front.columns))
        .size(inner.map_or(0, |inner| inner.width))
        .size(y.map_or(0, |y| y.values.columns))
        .size(inner.map_or(0, |inner| inner.gate))
        .size(inner.map_or(0, |inner| inner.value))
        .number(gated.fixed.unwrap_or(0.0));
    by_row(Unit::Rows, kernel, out.values.rows, shared, arguments)
}

fn of_heads(heads: &Heads, place: &dyn Fn(Address) -> u64) -> Call {
    let norm = |span: Option<Span>| span.and_then(|span| span.norm);
    let out = |span: Option<Span>| span.map(|span| span.out.at);
    let column = |span: Option<Span>| span.map_or(0, |span| span.column);
    let number = |span: Option<Span>| span.map_or(0, |span| span.heads);
    let y = heads.y;
    let arguments = Arguments::new(place)
        .pointer(y.values.at)
        .pointer(y.row_scales)
        .pointer(y.column_scales)
        .pointer(norm(heads.queries))
        .pointer(norm(heads.keys))
        .pointer(heads.cos)
        .pointer(heads.sin)
        .pointer(out(heads.queries))
        .pointer(out(heads.keys))
        .pointer(out(heads.values))
        .size(y.values.rows)
        .size(number(heads.queries))
        .size(number(heads.keys))
        .size(heads.width)
        .size(y.values.columns)
        .size(column(heads.queries))
        .size(column(heads.keys))
        .size(column(heads.values))
        .size(usize::from(heads.halves))
        .number(heads.eps);
    let kernel = match y.values.kind {
        Kind::F32 => "heads_f32",
        _ => "heads_bf16",
    };
    // A warp for each head of each row.
    let warps = y.values.rows * (number(heads.queries) + 2 * number(heads.keys));
    let blocks = warps.div_ceil((THREADS / WARP) as usize);
    by_row(Unit::Heads, kernel, blocks, 0, arguments)
}

fn of_vector(vector: &Vector, place: &dyn Fn(Address) -> u64) -> Call {
    let weight = vector.weight;
    let arguments = Arguments::new(place)
        .pointer(weight.at)
        .pointer(vector.scales)
        .pointer(vector.x)
        .pointer(vector.out)
        .size(weight.rows)
        .size(weight.columns)
        .size(usize::from(vector.silu))
        .size(usize::from(vector.add));
    let kernel = match weight.kind {
        Kind::F32 => "matvec_f32",
        Kind::Bf16 => "matvec_bf16",
        Kind::E4m3 => "matvec_e4m3",
    };
    let blocks = weight.rows.div_ceil((THREADS / WARP) as usize);
    by_row(Unit::Vector, kernel, blocks, 0, arguments)
}

fn of_decode(weight: &Matrix, out: &Matrix, place: &dyn Fn(Address) -> u64) -> Call {
    let arguments = Arguments::new(place)
        .pointer(weight.at)
        .pointer(None)
        .pointer(out.at)
        .size(weight.rows)
        .size(weight.columns);
    // Eight numbers for each thread.
    let blocks = (weight.rows * weight.columns).div_ceil(8 * THREADS as usize);
    by_row(Unit::Vector, "decode_e4m3", blocks, 0, arguments)
}

/// Rows and columns of what one block of a product makes, its threads, and its shared memory.
const TILE: usize = 128;
const TILE_THREADS: u32 = 128;
const TILE_SHARED: u32 = 48 << 10;

fn of_product([a, b, out]: [&Matrix; 3], place: &dyn Fn(Address) -> u64) -> Call {
    let arguments = Arguments::new(place)
        .pointer(a.at)
        .pointer(b.at)
        .pointer(out.at)
        .size(a.rows)
        .size(b.rows)
        .size(a.columns)
        .size(a.columns)
        .size(b.columns)
        .size(out.columns);
    Call {
        unit: Unit::Gemm,
        kernel: match (a.kind, out.kind) {
            (Kind::F32, _) => "gemm_f32",
            (Kind::Bf16, Kind::F32) => "gemm_bf16_f32",
            (Kind::Bf16, _) => "gemm_bf16",
            (Kind::E4m3, _) => "gemm_e4m3",
        },
        grid: [count(a.rows.div_ceil(TILE) * b.rows.div_ceil(TILE)), 1, 1],
        threads: TILE_THREADS,
        shared: TILE_SHARED,
        arguments: arguments.words,
    }
}
