//! ggml's "K" blocks of 256 numbers: groups of 16 or 32 with a small scale each, and f16 scales for
//! those scales.
//!
//! A number q of group g means (d·s_g)·q, or (d·s_g)·q − (d_min·m_g) in the kinds with a minimum. The
//! products are taken in this order, as ggml-quants.c does, so that the results are the same to the
//! last bit.

use super::blocks::{each, half_at};

/// Bytes of a block: lower nibbles, upper pairs of bits, 16 scales, d.
pub(super) const Q6K: usize = 128 + 64 + 16 + 2;
/// Bytes of a block: d, d_min, packed scales and minima, fifth bits, nibbles.
pub(super) const Q5K: usize = 4 + 12 + 32 + 128;
/// Bytes of a block: d, d_min, packed scales and minima, nibbles.
pub(super) const Q4K: usize = 4 + 12 + 128;
/// Bytes of a block: third bits, pairs of bits, packed scales, d.
pub(super) const Q3K: usize = 32 + 64 + 12 + 2;
/// Bytes of a block: scales and minima as nibbles, pairs of bits, d, d_min.
pub(super) const Q2K: usize = 16 + 64 + 4;

type Block = [f32; 256];

#[inline(always)]
pub(super) fn q6k(bytes: &[u8], out: &mut [f32]) {
    each(bytes, out, |block: &[u8; Q6K], values: &mut Block| {
        let d = half_at(block, 208);
        let (low, rest) = block.split_at(128);
        let (high, scales) = rest.split_at(64);
        for (half, values) in values.as_chunks_mut::<128>().0.iter_mut().enumerate() {
            let (low, high) = (&low[64 * half..][..64], &high[32 * half..][..32]);
            // Four runs of 32: the first two take lower nibbles, the others upper ones.
            for (run, values) in values.as_chunks_mut::<32>().0.iter_mut().enumerate() {
                let low = &low[32 * (run % 2)..][..32];
                for (group, values) in values.as_chunks_mut::<16>().0.iter_mut().enumerate() {
                    let s = d * f32::from(scales[8 * half + 2 * run + group].cast_signed());
                    for (i, value) in values.iter_mut().enumerate() {
                        let i = 16 * group + i;
                        let nibble = low[i] >> (4 * (run / 2)) & 0xf;
                        let q = nibble | (high[i] >> (2 * run) & 3) << 4;
                        *value = s * (f32::from(q) - 32.0);
                    }
                }
            }
        }
    });
}

#[inline(always)]
pub(super) fn q4k(bytes: &[u8], out: &mut [f32]) {
    each(bytes, out, |block: &[u8; Q4K], values: &mut Block| {
        for (group, values) in values.as_chunks_mut::<32>().0.iter_mut().enumerate() {
            let (s, m) = scale_and_minimum(block, group);
            let nibbles = &block[16 + 32 * (group / 2)..][..32];
            for (value, &q) in values.iter_mut().zip(nibbles) {
                *value = s * f32::from(q >> (4 * (group % 2)) & 0xf) - m;
            }
        }
    });
}

#[inline(always)]
pub(super) fn q5k(bytes: &[u8], out: &mut [f32]) {
    each(bytes, out, |block: &[u8; Q5K], values: &mut Block| {
        let fifths = &block[16..48];
        for (group, values) in values.as_chunks_mut::<32>().0.iter_mut().enumerate() {
            let (s, m) = scale_and_minimum(block, group);
            let nibbles = &block[48 + 32 * (group / 2)..][..32];
            for ((value, &q), &fifth) in values.iter_mut().zip(nibbles).zip(fifths) {
                let q = q >> (4 * (group % 2)) & 0xf | (fifth >> group & 1) << 4;
                *value = s * f32::from(q) - m;
            }
        }
    });
}

/// Scale and minimum of one of eight groups. Both have six bits; the first four groups have a byte
/// each, and what is left of those bytes holds the upper bits of the other four.
#[inline(always)]
fn scale_and_minimum<const N: usize>(block: &[u8; N], group: usize) -> (f32, f32) {
    let packed = &block[4..16];
    let (s, m) = if group < 4 {
        (packed[group] & 63, packed[group + 4] & 63)
    } else {
        let nibbles = packed[group + 4];
        (
            nibbles & 0xf | packed[group - 4] >> 6 << 4,
            nibbles >> 4 | packed[group] >> 6 << 4,
        )
    };
    (
        half_at(block, 0) * f32::from(s),
        half_at(block, 2) * f32::from(m),
    )
}

#[inline(always)]
pub(super) fn q3k(bytes: &[u8], out: &mut [f32]) {
    each(bytes, out, |block: &[u8; Q3K], values: &mut Block| {
        let d = half_at(block, 108);
        let (thirds, pairs) = (&block[..32], &block[32..96]);
        for (group, values) in values.as_chunks_mut::<16>().0.iter_mut().enumerate() {
            let s = d * sixth_bits(&block[96..108], group);
            let (run, offset) = (group / 2, 16 * (group % 2));
            let pairs = &pairs[32 * (run / 4) + offset..][..16];
            let thirds = &thirds[offset..][..16];
            for ((value, &pair), &third) in values.iter_mut().zip(pairs).zip(thirds) {
                let q = pair >> (2 * (run % 4)) & 3 | (third >> run & 1) << 2;
                *value = s * (f32::from(q) - 4.0);
            }
        }
    });
}

/// The scale of one of sixteen groups: six bits less 32. Lower nibbles are in the first eight bytes,
/// upper pairs of bits in the last four.
#[inline(always)]
fn sixth_bits(packed: &[u8], group: usize) -> f32 {
    let low = packed[group % 8] >> (4 * (group / 8)) & 0xf;
    let high = packed[8 + group % 4] >> (2 * (group / 4)) & 3;
    f32::from(low | high << 4) - 32.0
}

#[inline(always)]
pub(super) fn q2k(bytes: &[u8], out: &mut [f32]) {
    each(bytes, out, |block: &[u8; Q2K], values: &mut Block| {
        let (d, d_min) = (half_at(block, 80), half_at(block, 82));
        for (group, values) in values.as_chunks_mut::<16>().0.iter_mut().enumerate() {
            let packed = block[group];
            let (s, m) = (d * f32::from(packed & 0xf), d_min * f32::from(packed >> 4));
            let run = group / 2;
            let pairs = &block[16 + 32 * (run / 4) + 16 * (group % 2)..][..16];
            for (value, &pair) in values.iter_mut().zip(pairs) {
                *value = s * f32::from(pair >> (2 * (run % 4)) & 3) - m;
            }
        }
    });
}
