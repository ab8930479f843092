//! The processor's units that multiply, and how operands lie for each.
//!
//! Blocking ([`product`](mod@super::product)) is the same for all of them: strips of tokens meet panels of
//! weights, block by block of depth. What differs is what a word of 32 bits holds (one number, or two of
//! bf16 that are multiplied and added together), how high a strip is, and which instructions take it.
//! Words are carried as f32, whatever their bits mean.
//!
//! - [`Floats`]: f32 with the widest vectors there are
//! - [`Rounded`]: the same, of operands rounded to bf16: for processors that know no bf16
//! - `Dot`, `Tiles`: pairs of bf16 by AVX512-BF16 and by AMX; AMX takes f32 too, in three parts
//!
//! Units for the same operands give the same sums up to the order of summation.

#[cfg(target_arch = "x86_64")]
mod dot;
#[cfg(target_arch = "x86_64")]
mod tiles;
mod words;

use std::ops::Range;

use pulp::{Arch, Simd, WithSimd};

use super::operands::Operands;
use super::tile::{self, DEPTH, Lanes, SHORT, ShapeOfTiles, TALL, TileShape};
pub(crate) use words::Words;
use words::{RoundedSingle, Single};
#[cfg(target_arch = "x86_64")]
use {
    dot::Dot,
    tiles::Tiles,
    words::{Pair, Thirds, Unscaled},
};

/// A unit that multiplies strips with panels.
pub(crate) trait Unit: Copy + Send + Sync {
    /// What it takes in strips.
    type Left: Words;

    /// What it takes in panels, with as many numbers in a word.
    type Right: Words;

    /// Depths are filled up with zeros to a multiple of so many words.
    const STEP: usize;

    fn shape(self) -> TileShape;

    /// Runs a task where this unit's instructions may be used.
    fn perform<T: Task>(self, task: T);
}

/// What may be done on any unit.
pub(crate) trait OnUnit {
    type Output;

    fn on<U: Unit>(self, unit: U) -> Self::Output;
}

/// Does it on the unit that is best for these operands on this processor. Panels are `narrow` if they are a
/// weight that is known to be bf16 but for a factor of each row; then those parts that would be zero are
/// left out, which changes no sum.
pub(crate) fn choose<W: OnUnit>(operands: Operands, narrow: bool, work: W) -> W::Output {
    #[cfg(target_arch = "x86_64")]
    match operands {
        Operands::F32 if narrow => {
            if let Some(tiles) = Tiles::<Thirds, Unscaled>::find() {
                return work.on(tiles);
            }
        }
        Operands::F32 => {
            if let Some(tiles) = Tiles::<Thirds, Thirds>::find() {
                return work.on(tiles);
            }
        }
        Operands::Bf16 => {
            if let Some(tiles) = Tiles::<Pair, Pair>::find() {
                return work.on(tiles);
            } else if let Some(dot) = Dot::find() {
                return work.on(dot);
            }
        }
    }
    match operands {
        Operands::F32 => work.on(Floats::find()),
        Operands::Bf16 => work.on(Rounded::find()),
    }
}

/// Does it on every unit that this processor has and that takes such panels, `narrow` or not; with each
/// result, what operands were rounded to.
#[cfg(test)]
pub(crate) fn everywhere<W: OnUnit + Copy>(narrow: bool, work: W) -> Vec<(Operands, W::Output)> {
    let mut found = vec![
        (Operands::F32, work.on(Floats::find())),
        (Operands::Bf16, work.on(Rounded::find())),
    ];
    #[cfg(target_arch = "x86_64")]
    {
        let dot = Dot::present().map(|dot| work.on(dot));
        let tiles = Tiles::<Pair, Pair>::find().map(|tiles| work.on(tiles));
        let pairs = dot.into_iter().chain(tiles);
        found.extend(pairs.map(|found| (Operands::Bf16, found)));
        let thirds = Tiles::<Thirds, Thirds>::find().map(|tiles| work.on(tiles));
        let mixed = Tiles::<Thirds, Unscaled>::find().filter(|_| narrow);
        let thirds = thirds.into_iter().chain(mixed.map(|tiles| work.on(tiles)));
        found.extend(thirds.map(|found| (Operands::F32, found)));
    }
    found
}

/// Something to do with one unit.
pub(crate) trait Task {
    fn run<M: Multiply>(self, multiply: M);
}

/// A unit at work.
pub(crate) trait Multiply: Copy {
    type Simd: Simd;
    /// Rows of a strip.
    const HEIGHT: usize;

    /// Vectors for all else.
    fn simd(self) -> Self::Simd;

    /// Multiplies strips, `[strip][part][row]` of rows of [`tile::DEPTH`] words, with panels, each
    /// `[part][depth][width]`, into tiles `[panel][strip]`: added to what they hold unless `is_first`.
    fn all<'a>(
        self,
        rows: &[f32],
        panels: impl Iterator<Item = &'a [f32]>,
        tiles: &mut [f32],
        is_first: bool,
    );
}

/// Words that a row of `depth` numbers takes.
pub(crate) fn words_of<U: Unit>(depth: usize) -> usize {
    depth.div_ceil(U::Left::NUMBERS).next_multiple_of(U::STEP)
}

/// Where in strips one part of a row lies.
#[inline(always)]
pub(crate) fn strip_row<U: Unit, M: Multiply>(row: usize, part: usize) -> Range<usize> {
    let strip = row / M::HEIGHT * U::Left::PARTS + part;
    let start = (strip * M::HEIGHT + row % M::HEIGHT) * DEPTH;
    start..start + DEPTH
}

/// f32, one in a word.
#[derive(Clone, Copy)]
pub(crate) struct Floats(Arch);

/// f32 that are rounded to bf16, one in a word.
#[derive(Clone, Copy)]
pub(crate) struct Rounded(Floats);

impl Floats {
    pub(crate) fn find() -> Self {
        Self(Arch::new())
    }
}

impl Rounded {
    pub(crate) fn find() -> Self {
        Self(Floats::find())
    }
}

impl Unit for Floats {
    type Left = Single;
    type Right = Single;

    const STEP: usize = 1;

    fn shape(self) -> TileShape {
        self.0.dispatch(ShapeOfTiles)
    }

    fn perform<T: Task>(self, task: T) {
        self.0.dispatch(OnSimd(task));
    }
}

impl Unit for Rounded {
    type Left = RoundedSingle;
    type Right = RoundedSingle;

    const STEP: usize = 1;

    fn shape(self) -> TileShape {
        self.0.shape()
    }

    fn perform<T: Task>(self, task: T) {
        self.0.perform(task);
    }
}

/// Vectors of lanes, in strips of `R` rows.
#[derive(Clone, Copy)]
struct Vectors<L, const R: usize>(L);

impl<L: Lanes, const R: usize> Multiply for Vectors<L, R> {
    type Simd = L::Simd;

    const HEIGHT: usize = R;

    #[inline(always)]
    fn simd(self) -> L::Simd {
        self.0.simd()
    }

    #[inline(always)]
    fn all<'a>(
        self,
        rows: &[f32],
        panels: impl Iterator<Item = &'a [f32]>,
        tiles: &mut [f32],
        is_first: bool,
    ) {
        tile::multiply_all::<L, R>(self.0, rows, panels, tiles, is_first);
    }
}

/// A task for whichever vectors there are.
struct OnSimd<T>(T);

impl<T: Task> WithSimd for OnSimd<T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        if S::REGISTER_COUNT >= 32 {
            self.0.run(Vectors::<S, TALL>(simd));
        } else {
            self.0.run(Vectors::<S, SHORT>(simd));
        }
    }
}
