//! The weights of a step, in groups, as a device wants them.
//!
//! A group is what is brought to a device at once and may leave it at once: one block's weights, or those that
//! every step needs whatever else is there. Its weights lie in one stretch of bytes, so that a transfer is one
//! copy. Bytes are made from the mapped file when they are asked for, in the precision in which they are
//! multiplied; what a file holds in that precision goes as it lies there, and never through f32.

mod taps;

use rayon::prelude::*;

use super::place::{ALIGNMENT, Address, Kind, Matrix, Space};
use crate::lora::{Fitted, Merge};
use crate::quantize::e4m3;
use crate::weights::{Encoding, Stored};

pub(crate) use taps::Taps;

/// Numbers that one thread converts at once.
const AT_ONCE: usize = 1 << 16;

/// All weights, by group.
#[derive(Debug, Default)]
pub(crate) struct Bank {
    groups: Vec<Group>,
}

#[derive(Debug, Default)]
struct Group {
    bytes: usize,
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    source: Stored,
    /// What is added to it, and the first row of each.
    adapters: Vec<(usize, Fitted)>,
    /// Where its rows lie otherwise than in the file; nothing adapts those.
    taps: Option<Taps>,
    weight: Weight,
}

/// A weight in its group.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Weight {
    /// `[outputs, inputs]`.
    pub(crate) values: Matrix,
    /// Of each row, f32, where the numbers are 8-bit floats.
    pub(crate) scales: Option<Address>,
    /// What its file wants its input to be divided by, where it says so.
    pub(crate) input_scale: Option<f32>,
    /// Whether it loses too much in 8-bit floats: then only the weight itself is held so.
    pub(crate) full_precision: bool,
}

impl Bank {
    /// A new group, without weights.
    pub(crate) fn group(&mut self) -> usize {
        self.groups.push(Group::default());
        self.groups.len() - 1
    }

    /// How many groups there are.
    pub(crate) fn groups(&self) -> usize {
        self.groups.len()
    }

    /// Bytes of a group.
    pub(crate) fn bytes(&self, group: usize) -> usize {
        self.groups[group].bytes
    }

    /// Bytes of all groups.
    pub(crate) fn total(&self) -> usize {
        self.groups.iter().map(|group| group.bytes).sum()
    }

    /// Adds a weight to a group.
    pub(crate) fn add(
        &mut self,
        group: usize,
        source: Stored,
        adapters: Vec<(usize, Fitted)>,
        kind: Kind,
    ) -> Weight {
        self.place(group, source, adapters, None, kind)
    }

    /// Adds a weight whose rows are laid out anew, in f32 or bf16.
    pub(crate) fn add_taps(
        &mut self,
        group: usize,
        source: Stored,
        taps: Taps,
        kind: Kind,
    ) -> Weight {
        debug_assert!(kind != Kind::E4m3, "there are no scales of such rows");
        self.place(group, source, Vec::new(), Some(taps), kind)
    }

    fn place(
        &mut self,
        group: usize,
        source: Stored,
        adapters: Vec<(usize, Fitted)>,
        taps: Option<Taps>,
        kind: Kind,
    ) -> Weight {
        let hints = source.hints();
        let (rows, columns) = match taps {
            None => (source.rows(), source.row_length()),
            Some(taps) => (taps.rows, taps.columns()),
        };
        let owner = &mut self.groups[group];
        let mut place = |bytes: usize| {
            let offset = owner.bytes;
            owner.bytes = (offset + bytes).next_multiple_of(ALIGNMENT);
            Address {
                space: Space::Weights(group),
                offset,
            }
        };
        let weight = Weight {
            values: Matrix {
                at: place(rows * columns * kind.bytes()),
                rows,
                columns,
                kind,
            },
            scales: (kind == Kind::E4m3).then(|| place(rows * Kind::F32.bytes())),
            input_scale: hints.input_scale,
            full_precision: hints.full_precision,
        };
        owner.entries.push(Entry {
            source,
            adapters,
            taps,
            weight,
        });
        weight
    }

    /// Writes a group's bytes; `out` is as long as [`bytes`](Self::bytes) says.
    pub(crate) fn fill(&self, group: usize, out: &mut [u8]) {
        for entry in &self.groups[group].entries {
            entry.fill(out);
        }
    }
}

impl Entry {
    fn fill(&self, image: &mut [u8]) {
        if let Some(taps) = &self.taps {
            let values = self.weight.values;
            let out = &mut image[values.at.offset..][..values.bytes()];
            return taps.fill(&self.source, values, out);
        }
        let adapters = self.adapters.iter();
        let merges: Vec<_> = adapters
            .map(|(first, fitted)| Merge::of(*first, fitted))
            .collect();
        let values = self.weight.values;
        let bytes = values.at.offset..values.at.offset + values.bytes();
        match (values.kind, self.weight.scales) {
            (Kind::E4m3, Some(scales)) => {
                let scales = scales.offset..scales.offset + values.rows * Kind::F32.bytes();
                // Scales lie behind the numbers that they are of.
                let (front, back) = image.split_at_mut(scales.start);
                self.fill_e4m3(&merges, &mut front[bytes], &mut back[..scales.len()]);
            }
            (Kind::Bf16, _) => self.fill_bf16(&merges, &mut image[bytes]),
            _ => self.by_rows(&merges, &mut image[bytes], |values, out| {
                for (value, out) in values.iter().zip(out.chunks_exact_mut(4)) {
                    out.copy_from_slice(&value.to_le_bytes());
                }
            }),
        }
    }

    fn fill_e4m3(&self, merges: &[Merge], out: &mut [u8], scales: &mut [u8]) {
        if merges.is_empty()
            && self.source.is_all(Encoding::E4M3)
            && let Some(given) = self.source.row_scales()
        {
            self.source.copy_bytes(out);
            for (scale, out) in given.iter().zip(scales.chunks_exact_mut(4)) {
                out.copy_from_slice(&scale.to_le_bytes());
            }
            return;
        }
        let length = self.source.row_length();
        let rows = out.chunks_exact_mut(length);
        let rows: Vec<_> = rows.zip(scales.chunks_exact_mut(4)).collect();
        rows.into_par_iter()
            .enumerate()
            .for_each_init(Vec::new, |values, (row, (out, scale))| {
                self.widen(merges, row, 1, values);
                let largest = values.iter().fold(0.0_f32, |most, x| most.max(x.abs()));
                let own = e4m3::scale(largest);
                scale.copy_from_slice(&own.to_le_bytes());
                for (value, out) in values.iter().zip(out) {
                    *out = e4m3::encode(value / own);
                }
            });
    }

    fn fill_bf16(&self, merges: &[Merge], out: &mut [u8]) {
        let is_plain = self
            .source
            .row_scales()
            .is_some_and(|scales| scales.is_empty());
        if merges.is_empty() && is_plain {
            self.source.copy_bytes(out);
            return;
        }
        self.by_rows(merges, out, |values, out| {
            for (value, out) in values.iter().zip(out.chunks_exact_mut(2)) {
                out.copy_from_slice(&half::bf16::from_f32(*value).to_le_bytes());
            }
        });
    }

    fn by_rows(&self, merges: &[Merge], out: &mut [u8], write: impl Fn(&[f32], &mut [u8]) + Sync) {
        let length = self.source.row_length();
        let each = (AT_ONCE / length.max(1)).max(1);
        let row_bytes = out.len() / self.source.rows().max(1);
        out.par_chunks_mut(each * row_bytes.max(1))
            .enumerate()
            .for_each_init(Vec::new, |values, (number, out)| {
                self.widen(merges, number * each, out.len() / row_bytes, values);
                write(values, out);
            });
    }

    /// Some rows as f32, with what adapters add to them.
    fn widen(&self, merges: &[Merge], first: usize, rows: usize, values: &mut Vec<f32>) {
        let length = self.source.row_length();
        values.resize(rows * length, 0.0);
        self.source.widen_rows(first, values);
        for merge in merges {
            merge.add(first, length, values);
        }
    }
}
