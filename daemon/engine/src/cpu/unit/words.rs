//! What words of 32 bits hold, and how numbers get into them.

use crate::cpu::matrix::Rows;
use crate::cpu::operands::{Operands, narrow};

/// A kind of word.
pub(crate) trait Words {
    /// Numbers in a word.
    const NUMBERS: usize;

    /// Decodes whole rows of a weight from the row `first` on: as many as `words` hold, `length` each; what
    /// a row leaves over is zero.
    fn read<R: Rows + ?Sized>(weight: &R, first: usize, length: usize, words: &mut [f32]);

    /// Puts a row's numbers from the number `at` on into its words. Those before are there already.
    fn put(numbers: &[f32], at: usize, words: &mut [f32]);

    /// Takes as many rows as a word holds numbers, and puts what is below one another into one word;
    /// zeros where there is nothing.
    fn pile<'a>(rows: &mut impl Iterator<Item = &'a [f32]>, words: &mut [f32]);
}

/// One f32, as it is.
pub(crate) struct Single;

/// One f32 that is rounded to bf16.
pub(crate) struct RoundedSingle;

/// Two bf16, the first number in the lower half.
pub(crate) struct Pair;

impl Words for Single {
    const NUMBERS: usize = 1;

    #[inline(always)]
    fn read<R: Rows + ?Sized>(weight: &R, first: usize, length: usize, words: &mut [f32]) {
        debug_assert_eq!(length, weight.row_length(), "as many words as numbers");
        weight.widen_rows(first, words);
    }

    #[inline(always)]
    fn put(numbers: &[f32], at: usize, words: &mut [f32]) {
        words[at..at + numbers.len()].copy_from_slice(numbers);
    }

    #[inline(always)]
    fn pile<'a>(rows: &mut impl Iterator<Item = &'a [f32]>, words: &mut [f32]) {
        let row = rows.next().unwrap_or_default();
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
    fn put(numbers: &[f32], at: usize, words: &mut [f32]) {
        Single::put(numbers, at, words);
        Operands::Bf16.round(&mut words[at..at + numbers.len()]);
    }

    #[inline(always)]
    fn pile<'a>(rows: &mut impl Iterator<Item = &'a [f32]>, words: &mut [f32]) {
        Single::pile(rows, words);
        Operands::Bf16.round(words);
    }
}

impl Words for Pair {
    const NUMBERS: usize = 2;

    #[inline(always)]
    fn read<R: Rows + ?Sized>(weight: &R, first: usize, length: usize, words: &mut [f32]) {
        for (row, words) in (first..).zip(words.chunks_exact_mut(length)) {
            let numbers: &mut [u16] = bytemuck::cast_slice_mut(words);
            let (numbers, rest) = numbers.split_at_mut(weight.row_length());
            weight.narrow_rows(row, numbers);
            rest.fill(0);
        }
    }

    #[inline(always)]
    fn put(numbers: &[f32], at: usize, words: &mut [f32]) {
        let words: &mut [u32] = bytemuck::cast_slice_mut(&mut words[at / 2..]);
        let (first, numbers) = numbers.split_at(numbers.len().min(at % 2));
        let (begun, words) = words.split_at_mut(at % 2);
        for (word, &number) in begun.iter_mut().zip(first) {
            *word = *word & 0xffff | u32::from(narrow(number)) << 16;
        }
        let (pairs, last) = numbers.as_chunks::<2>();
        let mut words = words.iter_mut();
        for (&[lower, upper], word) in pairs.iter().zip(&mut words) {
            *word = u32::from(narrow(lower)) | u32::from(narrow(upper)) << 16;
        }
        for (&number, word) in last.iter().zip(words) {
            *word = u32::from(narrow(number));
        }
    }

    #[inline(always)]
    fn pile<'a>(rows: &mut impl Iterator<Item = &'a [f32]>, words: &mut [f32]) {
        let words: &mut [u32] = bytemuck::cast_slice_mut(words);
        words.fill(0);
        for (shift, row) in [0, 16].into_iter().zip(rows) {
            for (word, &number) in words.iter_mut().zip(row) {
                *word |= u32::from(narrow(number)) << shift;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stand_where_they_belong_however_they_are_put() {
        let numbers: Vec<f32> = (1_u8..=9).map(f32::from).collect();
        let expected: Vec<u16> = numbers.iter().copied().map(narrow).chain([0]).collect();
        for first in 0..=9 {
            for second in first..=9 {
                let mut words = [f32::NAN; 5];
                Pair::put(&numbers[..first], 0, &mut words);
                Pair::put(&numbers[first..second], first, &mut words);
                Pair::put(&numbers[second..], second, &mut words);
                let found: &[u16] = bytemuck::cast_slice(&words);
                assert_eq!(found, expected, "{first} {second}");
            }
        }
    }
}
