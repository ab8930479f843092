//! Attention between all pixels of a picture, in one head as wide as the channels.
//!
//! Scores are never written as a whole: for 2048² pixels they would take 17 GB. A block of queries meets
//! a block of keys after another, and what it has summed is scaled anew when a larger score turns up
//! (the online softmax of Milakov and Gimelshein, 2018). Keys and values are packed for the product as they
//! are projected; queries exist for a block only, and the picture is changed in place: beside it there
//! are just the keys and the values.

use rayon::prelude::*;

use pulp::{Arch, Simd, WithSimd};

use super::Columns;
use super::group_norm::Affine;
use super::panels::{self, Left, Out, ROWS};
use crate::cpu::exp::exp;

/// Queries in a block.
const QUERIES: usize = 8 * ROWS;

/// Keys in a block; whole panels on every processor.
const KEYS: usize = 32 * ROWS;

/// The four projections: packed weights `[channels, channels]`, and a bias each.
pub(crate) struct Heads<'a> {
    pub(crate) query: (Columns, &'a [f32]),
    pub(crate) key: (Columns, &'a [f32]),
    pub(crate) value: (Columns, &'a [f32]),
    pub(crate) out: (Columns, &'a [f32]),
}

/// Bytes that attention between so many pixels takes beside the picture: the keys and values, the packed
/// weights, and what each thread works in.
pub(crate) fn attention_bytes(pixels: usize, channels: usize, threads: usize) -> usize {
    let padded = channels.next_multiple_of(panels::panel_width());
    let packed = pixels.next_multiple_of(KEYS) * (channels + padded);
    let weights = 4 * channels * padded;
    let projecting = KEYS * (channels + padded);
    let attending = QUERIES * (channels + 2 * padded + KEYS);
    4 * (packed + weights + threads * projecting.max(attending))
}

/// `pixels += out(softmax(q·kᵀ/√channels)·v)`, with queries, keys and values projected from the
/// normalised pixels, `[pixels, channels]`.
pub(crate) fn attend(pixels: &mut [f32], channels: usize, norm: &Affine, heads: &Heads<'_>) {
    let arch = Arch::new();
    let padded = heads.key.0.padded_outputs();
    let count = pixels.len() / channels;
    let blocks = count.div_ceil(KEYS);
    let mut keys = vec![0.0; blocks * KEYS * channels];
    let mut values = vec![0.0; blocks * KEYS * padded];
    keys.par_chunks_mut(KEYS * channels)
        .zip(values.par_chunks_mut(KEYS * padded))
        .zip(pixels.par_chunks(KEYS * channels))
        .for_each_init(
            || [vec![0.0; KEYS * channels], vec![0.0; KEYS * padded]],
            |[normal, projected], ((keys, values), pixels)| {
                arch.dispatch(Pack {
                    pixels,
                    channels,
                    norm,
                    heads,
                    normal,
                    projected,
                    keys,
                    values,
                });
            },
        );
    pixels.par_chunks_mut(QUERIES * channels).for_each_init(
        || Scratch::new(channels, padded),
        |scratch, pixels| {
            arch.dispatch(Attend {
                pixels,
                channels,
                norm,
                heads,
                keys: &keys,
                values: &values,
                count,
                scratch,
            });
        },
    );
}

/// Projects and packs a block of keys and values.
struct Pack<'a, 'b> {
    pixels: &'a [f32],
    channels: usize,
    norm: &'a Affine,
    heads: &'a Heads<'a>,
    normal: &'b mut [f32],
    projected: &'b mut [f32],
    /// Panels of keys, `[channels, panel width]` each.
    keys: &'b mut [f32],
    /// Panels of channels, `[KEYS, panel width]` each.
    values: &'b mut [f32],
}

impl WithSimd for Pack<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let width = panels::width::<S>();
        let padded = self.heads.key.0.padded_outputs();
        let count = self.pixels.len() / self.channels;
        normalise(self.norm, self.pixels, self.channels, self.normal);
        let left = Left {
            values: self.normal,
            stride: self.channels,
            rows: count.next_multiple_of(ROWS),
            depth: self.channels,
        };
        let (key, bias) = &self.heads.key;
        let out = Out {
            values: self.projected,
            stride: padded,
            panel: width,
            add: false,
        };
        panels::multiply(simd, left, key.panels(), out);
        let panels_of_keys = self.keys.chunks_exact_mut(self.channels * width);
        for (panel, projected) in panels_of_keys.zip(self.projected.chunks(padded * width)) {
            for (lane, key) in projected.chunks_exact(padded).enumerate() {
                let rows = panel.chunks_exact_mut(width);
                for ((row, &number), bias) in rows.zip(key).zip(*bias) {
                    row[lane] = number + bias;
                }
            }
        }
        // The values' bias is added to what the queries take from them: weights sum to one.
        let out = Out {
            values: self.values,
            stride: width,
            panel: KEYS * width,
            add: false,
        };
        panels::multiply(simd, left, self.heads.value.0.panels(), out);
    }
}

/// What a thread works in, a row per query.
struct Scratch {
    normal: Vec<f32>,
    queries: Vec<f32>,
    scores: Vec<f32>,
    sums: Vec<f32>,
    /// The largest score so far, and the sum of the weights.
    largest: [f32; QUERIES],
    total: [f64; QUERIES],
}

impl Scratch {
    fn new(channels: usize, padded: usize) -> Self {
        Self {
            normal: vec![0.0; QUERIES * channels],
            queries: vec![0.0; QUERIES * padded],
            scores: vec![0.0; QUERIES * KEYS],
            sums: vec![0.0; QUERIES * padded],
            largest: [0.0; QUERIES],
            total: [0.0; QUERIES],
        }
    }
}

/// A block of queries against all keys.
struct Attend<'a, 'b> {
    pixels: &'b mut [f32],
    channels: usize,
    norm: &'a Affine,
    heads: &'a Heads<'a>,
    keys: &'a [f32],
    values: &'a [f32],
    /// How many keys there are; the last block may hold fewer than it has room for.
    count: usize,
    scratch: &'b mut Scratch,
}

impl WithSimd for Attend<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let width = panels::width::<S>();
        let channels = self.channels;
        let padded = self.heads.key.0.padded_outputs();
        let queries = self.pixels.len() / channels;
        let rows = queries.next_multiple_of(ROWS);
        let Scratch {
            normal,
            queries: projected,
            scores,
            sums,
            largest,
            total,
        } = self.scratch;
        normalise(self.norm, self.pixels, channels, normal);
        project(
            simd,
            [normal, projected],
            [rows, channels],
            channels,
            &self.heads.query.0,
        );
        #[allow(clippy::cast_precision_loss, reason = "channels are few")]
        let scale = 1.0 / (channels as f32).sqrt();
        for query in projected.chunks_exact_mut(padded).take(queries) {
            for (number, bias) in query.iter_mut().zip(self.heads.query.1) {
                *number = (*number + bias) * scale;
            }
        }
        largest.fill(f32::NEG_INFINITY);
        total.fill(0.0);
        sums.fill(0.0);
        let keys = self.keys.chunks_exact(KEYS * channels);
        let values = self.values.chunks_exact(KEYS * padded);
        for (number, (keys, values)) in keys.zip(values).enumerate() {
            let count = KEYS.min(self.count - number * KEYS);
            let left = Left {
                values: projected,
                stride: padded,
                rows,
                depth: channels,
            };
            let out = Out {
                values: scores,
                stride: KEYS,
                panel: width,
                add: false,
            };
            panels::multiply(simd, left, keys, out);
            for query in 0..queries {
                let scores = &mut scores[query * KEYS..][..KEYS];
                scores[count..].fill(f32::NEG_INFINITY);
                let found = largest[query].max(maximum(simd, scores));
                if found > largest[query] {
                    let again = exp(largest[query] - found);
                    for sum in &mut sums[query * padded..][..padded] {
                        *sum *= again;
                    }
                    total[query] *= f64::from(again);
                    largest[query] = found;
                }
                for score in scores[..count].iter_mut() {
                    *score = exp(*score - found);
                }
                scores[count..].fill(0.0);
                total[query] += f64::from(sum(simd, scores));
            }
            let left = Left {
                values: scores,
                stride: KEYS,
                rows,
                depth: KEYS,
            };
            let out = Out {
                values: sums,
                stride: padded,
                panel: width,
                add: true,
            };
            panels::multiply(simd, left, values, out);
        }
        for (sums, total) in sums.chunks_exact_mut(padded).zip(total).take(queries) {
            #[allow(clippy::cast_possible_truncation, reason = "rounding is meant")]
            let share = (1.0 / *total) as f32;
            for (sum, bias) in sums.iter_mut().zip(self.heads.value.1) {
                *sum = *sum * share + bias;
            }
        }
        project(
            simd,
            [sums, projected],
            [rows, padded],
            channels,
            &self.heads.out.0,
        );
        let pixels = self.pixels.chunks_exact_mut(channels);
        for (pixel, projected) in pixels.zip(projected.chunks_exact(padded)) {
            for ((x, out), bias) in pixel.iter_mut().zip(projected).zip(self.heads.out.1) {
                *x += out + bias;
            }
        }
    }
}

/// `to = from · weight` for `rows` of `from`, one every `stride`.
#[inline(always)]
fn project<S: Simd>(
    simd: S,
    [from, to]: [&mut [f32]; 2],
    [rows, stride]: [usize; 2],
    channels: usize,
    weight: &Columns,
) {
    let left = Left {
        values: from,
        stride,
        rows,
        depth: channels,
    };
    let out = Out {
        values: to,
        stride: weight.padded_outputs(),
        panel: panels::width::<S>(),
        add: false,
    };
    panels::multiply(simd, left, weight.panels(), out);
}

#[inline(always)]
fn normalise(norm: &Affine, pixels: &[f32], channels: usize, out: &mut [f32]) {
    let out = out.chunks_exact_mut(channels);
    for (pixel, out) in pixels.chunks_exact(channels).zip(out) {
        norm.apply(pixel, out);
    }
}

/// The largest of some numbers, which fill whole vectors.
#[inline(always)]
fn maximum<S: Simd>(simd: S, values: &[f32]) -> f32 {
    let vectors = S::as_simd_f32s(values).0.iter();
    let least = simd.splat_f32s(f32::NEG_INFINITY);
    simd.reduce_max_f32s(vectors.fold(least, |most, &x| simd.max_f32s(most, x)))
}

/// The sum of some numbers, which fill whole vectors.
#[inline(always)]
fn sum<S: Simd>(simd: S, values: &[f32]) -> f32 {
    let vectors = S::as_simd_f32s(values).0.iter();
    let zero = simd.splat_f32s(0.0);
    simd.reduce_sum_f32s(vectors.fold(zero, |sum, &x| simd.add_f32s(sum, x)))
}
