//! What words of 32 bits hold, and how numbers get into them.

use crate::cpu::matrix::Rows;
use crate::cpu::operands::{Operands, narrow};
use crate::cpu::scratch::{self, Slot};

thread_local! {
    static WIDENED: Slot = const { Slot::new(Vec::new()) };
}

/// A kind of word.
pub(crate) trait Words {
    /// Numbers in a word.
    const NUMBERS: usize;

    /// Words for each word's numbers: a number may be kept as the sum of several.
    const PARTS: usize = 1;

    /// Whether what is read of a weight is still to be multiplied by its factors.
    const UNSCALED: bool = false;

    /// Decodes whole rows of a weight from the row `first` on: first all rows' first parts, then their
    /// second, as many as `words` hold, `length` each; what a row leaves over is zero.
    fn read<R: Rows + ?Sized>(weight: &R, first: usize, length: usize, words: &mut [f32]);

    /// Puts one part of a row's numbers from the number `at` on into its words. Those before are there
    /// already; what the last word has left is zero.
    fn put(numbers: &[f32], at: usize, part: usize, words: &mut [f32]);

    /// Takes as many rows as a word holds numbers, and puts one part of what is below one another into one
    /// word; zeros where there is nothing.
    fn pile(rows: &[&[f32]], part: usize, words: &mut [f32]);
}

/// One f32, as it is.
pub(crate) struct Single;

/// One f32 that is rounded to bf16.
pub(crate) struct RoundedSingle;

/// Two bf16, the first number in the lower half.
pub(crate) struct Pair;

/// Two bf16 that rows of a weight hold before they are multiplied by its factors.
pub(crate) struct Unscaled;

/// Two numbers as [`Pair`]s that add up to them: the eight leading bits of each, the next eight, and the
/// last. The sum is the f32 itself, except that of numbers below 2⁻¹⁰² the last bits may be lost, and that
/// infinity has no such parts: it becomes NaN.
pub(crate) struct Thirds;

impl Words for Single {
    const NUMBERS: usize = 1;

    #[inline(always)]
    fn read<R: Rows + ?Sized>(weight: &R, first: usize, length: usize, words: &mut [f32]) {
        debug_assert_eq!(length, weight.row_length(), "as many words as numbers");
        weight.widen_rows(first, words);
    }

    #[inline(always)]
    fn put(numbers: &[f32], at: usize, _: usize, words: &mut [f32]) {
        words[at..at + numbers.len()].copy_from_slice(numbers);
    }

    #[inline(always)]
    fn pile(rows: &[&[f32]], _: usize, words: &mut [f32]) {
        let row = rows.first().copied().unwrap_or_default();
        words[..row.len()].copy_from_slice(row);
        words[row.len()..].fill(0.0);
    }
}

impl Words for RoundedSingle {
    const NUMBERS: usize = 1;

    #[inline(always)]
    fn read<R: Rows + ?Sized>(weight: &R, first: usize, length: usize, words: &mut [f32]) {
        Single::read(weight, first, length, words);
        Operands::Bf16.round(words);
    }

    #[inline(always)]
    fn put(numbers: &[f32], at: usize, part: usize, words: &mut [f32]) {
        Single::put(numbers, at, part, words);
        Operands::Bf16.round(&mut words[at..at + numbers.len()]);
    }

    #[inline(always)]
    fn pile(rows: &[&[f32]], part: usize, words: &mut [f32]) {
        Single::pile(rows, part, words);
        Operands::Bf16.round(words);
    }
}

impl Words for Pair {
    const NUMBERS: usize = 2;

    #[inline(always)]
    fn read<R: Rows + ?Sized>(weight: &R, first: usize, length: usize, words: &mut [f32]) {
        for (row, words) in (first..).zip(words.chunks_exact_mut(length)) {
            let (numbers, rest) = halves(words, weight.row_length());
            weight.narrow_rows(row, numbers);
            rest.fill(0);
        }
    }

    #[inline(always)]
    fn put(numbers: &[f32], at: usize, _: usize, words: &mut [f32]) {
        put_halves::<Nearest>(numbers, at, words);
    }

    #[inline(always)]
    fn pile(rows: &[&[f32]], _: usize, words: &mut [f32]) {
        pile_halves::<Nearest>(rows, words);
    }
}

impl Words for Unscaled {
    const NUMBERS: usize = 2;
    const UNSCALED: bool = true;

    #[inline(always)]
    fn read<R: Rows + ?Sized>(weight: &R, first: usize, length: usize, words: &mut [f32]) {
        for (row, words) in (first..).zip(words.chunks_exact_mut(length)) {
            let (numbers, rest) = halves(words, weight.row_length());
            weight.unscaled_rows(row, numbers);
            rest.fill(0);
        }
    }

    #[inline(always)]
    fn put(numbers: &[f32], at: usize, part: usize, words: &mut [f32]) {
        Pair::put(numbers, at, part, words);
    }

    #[inline(always)]
    fn pile(rows: &[&[f32]], part: usize, words: &mut [f32]) {
        Pair::pile(rows, part, words);
    }
}

impl Words for Thirds {
    const NUMBERS: usize = 2;
    const PARTS: usize = 3;

    #[inline(always)]
    fn read<R: Rows + ?Sized>(weight: &R, first: usize, length: usize, words: &mut [f32]) {
        let width = weight.row_length();
        let rows = words.len() / Self::PARTS / length.max(1);
        scratch::with(&WIDENED, rows * width, |widened| {
            weight.widen_rows(first, widened);
            let parts = words.chunks_exact_mut((rows * length).max(1));
            for (part, words) in parts.enumerate() {
                let rows = words.chunks_exact_mut(length.max(1));
                for (numbers, words) in widened.chunks_exact(width.max(1)).zip(rows) {
                    Self::put(numbers, 0, part, words);
                    words[width.div_ceil(Self::NUMBERS)..].fill(0.0);
                }
            }
        });
    }

    #[inline(always)]
    fn put(numbers: &[f32], at: usize, part: usize, words: &mut [f32]) {
        match part {
            0 => put_halves::<Third<0>>(numbers, at, words),
            1 => put_halves::<Third<1>>(numbers, at, words),
            _ => put_halves::<Third<2>>(numbers, at, words),
        }
    }

    #[inline(always)]
    fn pile(rows: &[&[f32]], part: usize, words: &mut [f32]) {
        match part {
            0 => pile_halves::<Third<0>>(rows, words),
            1 => pile_halves::<Third<1>>(rows, words),
            _ => pile_halves::<Third<2>>(rows, words),
        }
    }
}

/// What is kept of a number in 16 bits.
trait Half {
    fn of(number: f32) -> u16;
}

/// The nearest bf16.
struct Nearest;

/// The bf16 that the leading bits are, after those of `BEFORE` such thirds are taken away.
struct Third<const BEFORE: usize>;

impl Half for Nearest {
    #[inline(always)]
    fn of(number: f32) -> u16 {
        narrow(number)
    }
}

impl<const BEFORE: usize> Half for Third<BEFORE> {
    #[inline(always)]
    #[allow(clippy::cast_possible_truncation, reason = "the upper half is left")]
    fn of(number: f32) -> u16 {
        let mut rest = number;
        for _ in 0..BEFORE {
            rest -= f32::from_bits(rest.to_bits() & 0xffff_0000);
        }
        (rest.to_bits() >> 16) as u16
    }
}

/// The first `count` halves of words, and the others.
#[inline(always)]
fn halves(words: &mut [f32], count: usize) -> (&mut [u16], &mut [u16]) {
    bytemuck::cast_slice_mut(words).split_at_mut(count)
}

/// Two numbers to a word, which as halves of a word of this processor lie one after another.
#[inline(always)]
fn put_halves<H: Half>(numbers: &[f32], at: usize, words: &mut [f32]) {
    let (_, after) = halves(words, at);
    let (put, rest) = after.split_at_mut(numbers.len());
    for (half, &number) in put.iter_mut().zip(numbers) {
        *half = H::of(number);
    }
    if let Some(last) = rest
        .first_mut()
        .filter(|_| !(at + numbers.len()).is_multiple_of(2))
    {
        *last = 0;
    }
}

#[inline(always)]
fn pile_halves<H: Half>(rows: &[&[f32]], words: &mut [f32]) {
    let words: &mut [u32] = bytemuck::cast_slice_mut(words);
    words.fill(0);
    for (shift, row) in [0, 16].into_iter().zip(rows) {
        for (word, &number) in words.iter_mut().zip(*row) {
            *word |= u32::from(H::of(number)) << shift;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::testing::draw;

    #[test]
    fn numbers_stand_where_they_belong_however_they_are_put() {
        let numbers: Vec<f32> = (1_u8..=9).map(f32::from).collect();
        let expected: Vec<u16> = numbers.iter().copied().map(narrow).chain([0]).collect();
        for first in 0..=9 {
            for second in first..=9 {
                let mut words = [f32::NAN; 5];
                Pair::put(&numbers[..first], 0, 0, &mut words);
                Pair::put(&numbers[first..second], first, 0, &mut words);
                Pair::put(&numbers[second..], second, 0, &mut words);
                let found: &[u16] = bytemuck::cast_slice(&words);
                assert_eq!(found, expected, "{first} {second}");
            }
        }
    }

    #[test]
    fn thirds_add_up_to_the_number() {
        let numbers = draw(1, 1000).into_iter();
        let numbers = numbers.flat_map(|number| [number, number * 1e30, number * 1e-25]);
        let edges = [0.0, -0.0, 1.0, f32::MAX, f32::MIN, 1.0 + f32::EPSILON];
        for number in numbers.chain(edges) {
            let parts = (0..3).map(|part| {
                let mut word = [f32::NAN];
                Thirds::put(&[number], 0, part, &mut word);
                f32::from_bits(word[0].to_bits() << 16)
            });
            let sum: f32 = parts.collect::<Vec<_>>().into_iter().rev().sum();
            assert_eq!(sum, number, "{number:e}");
        }
    }
}
