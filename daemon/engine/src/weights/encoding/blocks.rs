//! ggml's blocks of 32 numbers with one scale, and in the "_1" kinds one offset.
//!
//! The scale d and the offset m are f16 and come first; then, where a number has five bits, 32 fifth
//! bits; then the numbers, as bytes or with the first half of the block in the lower nibbles and the
//! second half in the upper ones. A number q means d·q, or d·q + m. ggml-quants.c is the reference.

use super::plain::half;

/// Bytes of a block: d and 32 signed bytes.
pub(super) const Q8_0: usize = 2 + 32;
/// Bytes of a block: d, fifth bits, nibbles.
pub(super) const Q5_0: usize = 2 + 4 + 16;
/// Bytes of a block: d, m, fifth bits, nibbles.
pub(super) const Q5_1: usize = 4 + 4 + 16;
/// Bytes of a block: d, nibbles.
pub(super) const Q4_0: usize = 2 + 16;
/// Bytes of a block: d, m, nibbles.
pub(super) const Q4_1: usize = 4 + 16;

/// The f16 at `offset` of a block.
#[inline(always)]
pub(super) fn half_at<const N: usize>(block: &[u8; N], offset: usize) -> f32 {
    half(u16::from_le_bytes([block[offset], block[offset + 1]]))
}

/// Each block of `N` bytes through `decode`.
#[inline(always)]
pub(super) fn each<const N: usize, const ELEMENTS: usize>(
    bytes: &[u8],
    out: &mut [f32],
    decode: impl Fn(&[u8; N], &mut [f32; ELEMENTS]),
) {
    let blocks = bytes.as_chunks::<N>().0;
    for (values, block) in out.as_chunks_mut::<ELEMENTS>().0.iter_mut().zip(blocks) {
        decode(block, values);
    }
}

#[inline(always)]
pub(super) fn q8_0(bytes: &[u8], out: &mut [f32]) {
    each(bytes, out, |block: &[u8; Q8_0], values: &mut [f32; 32]| {
        let d = half_at(block, 0);
        for (value, &q) in values.iter_mut().zip(&block[2..]) {
            *value = d * f32::from(q.cast_signed());
        }
    });
}

/// Nibbles with an offset that takes them below zero.
#[inline(always)]
pub(super) fn q4_0(bytes: &[u8], out: &mut [f32]) {
    each(bytes, out, |block: &[u8; Q4_0], values: &mut [f32; 32]| {
        let d = half_at(block, 0);
        for (i, &q) in block[2..].iter().enumerate() {
            values[i] = d * (f32::from(q & 0xf) - 8.0);
            values[i + 16] = d * (f32::from(q >> 4) - 8.0);
        }
    });
}

#[inline(always)]
pub(super) fn q4_1(bytes: &[u8], out: &mut [f32]) {
    each(bytes, out, |block: &[u8; Q4_1], values: &mut [f32; 32]| {
        let (d, m) = (half_at(block, 0), half_at(block, 2));
        for (i, &q) in block[4..].iter().enumerate() {
            values[i] = d * f32::from(q & 0xf) + m;
            values[i + 16] = d * f32::from(q >> 4) + m;
        }
    });
}

#[inline(always)]
pub(super) fn q5_0(bytes: &[u8], out: &mut [f32]) {
    each(bytes, out, |block: &[u8; Q5_0], values: &mut [f32; 32]| {
        let d = half_at(block, 0);
        five_bits(block, 2, values, |q| d * (q - 16.0));
    });
}

#[inline(always)]
pub(super) fn q5_1(bytes: &[u8], out: &mut [f32]) {
    each(bytes, out, |block: &[u8; Q5_1], values: &mut [f32; 32]| {
        let (d, m) = (half_at(block, 0), half_at(block, 2));
        five_bits(block, 4, values, |q| d * q + m);
    });
}

/// Nibbles and the fifth bits before them, which begin at `offset`: bit i belongs to number i.
#[inline(always)]
fn five_bits<const N: usize>(
    block: &[u8; N],
    offset: usize,
    values: &mut [f32; 32],
    value: impl Fn(f32) -> f32,
) {
    let (fifths, nibbles) = block[offset..].split_at(4);
    let fifths = fifths
        .iter()
        .rev()
        .fold(0, |bits, &byte| bits << 8 | u32::from(byte));
    for (i, &q) in nibbles.iter().enumerate() {
        let fifth = |number: usize| (fifths >> number << 4 & 0x10) as u8;
        values[i] = value(f32::from(q & 0xf | fifth(i)));
        values[i + 16] = value(f32::from(q >> 4 | fifth(i + 16)));
    }
}
