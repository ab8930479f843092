//! A part of a picture in this process's memory, channels beside one another.

use rayon::current_num_threads;

use super::shape::{Region, Shape, Span};
use crate::cpu::picture::{Affine, Moments, Source, Target, moments};
use crate::layers::{Convolution, Prepared};

/// Numbers of part of a picture, `[rows, columns, channels]` of its region.
#[derive(Debug, Clone)]
pub(super) struct Field {
    pub(super) shape: Shape,
    /// Whose pixels count for statistics, where parts overlap; else all.
    pub(super) own: Option<Region>,
    pub(super) values: Vec<f32>,
}

/// Pixels that are convolved at once where the result replaces them, per thread.
const IN_PLACE: usize = 1024;

impl Field {
    /// Zeros.
    pub(super) fn zeros(shape: Shape, own: Option<Region>) -> Self {
        Self {
            shape,
            own,
            values: vec![0.0; shape.pixels() * shape.channels],
        }
    }

    /// A whole picture, from `[channels, height, width]`.
    pub(super) fn from_planes(planes: &[f32], whole: [usize; 2], channels: usize) -> Self {
        let mut field = Self::zeros(Shape::of_whole(whole, channels), None);
        let pixels = field.shape.pixels().max(1);
        for (channel, plane) in planes.chunks_exact(pixels).enumerate() {
            let places = field.values.iter_mut().skip(channel).step_by(channels);
            places.zip(plane).for_each(|(place, value)| *place = *value);
        }
        field
    }

    /// `[channels, height, width]`.
    pub(super) fn into_planes(self) -> Vec<f32> {
        let mut planes = Vec::with_capacity(self.values.len());
        for channel in 0..self.shape.channels {
            planes.extend(
                self.values
                    .iter()
                    .skip(channel)
                    .step_by(self.shape.channels),
            );
        }
        planes
    }

    /// What a convolution reads of it.
    pub(super) fn source<'a>(&'a self, affine: Option<&'a Affine>, doubled: bool) -> Source<'a> {
        let [height, width] = self.shape.size();
        Source {
            values: &self.values,
            height,
            width,
            channels: self.shape.channels,
            affine,
            doubled,
        }
    }

    /// What a convolution writes, whose first pixel reads `origin`.
    pub(super) fn target<'a>(
        &'a mut self,
        origin: [usize; 2],
        bias: &'a [f32],
        add: bool,
    ) -> Target<'a> {
        let [height, width] = self.shape.size();
        Target {
            values: &mut self.values,
            height,
            width,
            origin,
            bias,
            add,
        }
    }

    /// A copy of some of it; the region must lie within its own.
    pub(super) fn part(&self, region: Region) -> Self {
        let shape = Shape {
            region,
            ..self.shape
        };
        let mut part = Self::zeros(shape, None);
        let length = region[1].len() * self.shape.channels;
        if length > 0 {
            let rows = part.values.chunks_exact_mut(length);
            for (row, out) in (region[0].start..).zip(rows) {
                out.copy_from_slice(self.row(row, region[1]));
            }
        }
        part
    }

    /// Keeps some of it only; the region must lie within its own.
    pub(super) fn crop(&mut self, region: Region) {
        if region == self.shape.region {
            return;
        }
        let length = region[1].len() * self.shape.channels;
        for (number, row) in (region[0].start..region[0].end).enumerate() {
            let from = self.place(row, region[1].start);
            self.values
                .copy_within(from..from + length, number * length);
        }
        self.shape.region = region;
        self.values
            .truncate(self.shape.pixels() * self.shape.channels);
        self.values.shrink_to_fit();
    }

    /// Writes what lies in both from another part of the same picture.
    pub(super) fn paste(&mut self, part: &Self, region: Region) {
        let [rows, columns] = region;
        for row in rows.start..rows.end {
            let place = self.place(row, columns.start);
            let from = part.row(row, columns);
            self.values[place..place + from.len()].copy_from_slice(from);
        }
    }

    /// A 1×1 convolution in the place of what it reads, if it gives no more channels than it takes.
    pub(super) fn convolve_pointwise(&mut self, convolution: &Convolution, kernel: &Prepared) {
        let (inputs, outputs) = (convolution.inputs(), convolution.outputs());
        let count = self.shape.pixels();
        let at_once = IN_PLACE * current_num_threads();
        let mut results = vec![0.0; at_once.min(count) * outputs];
        for first in (0..count).step_by(at_once) {
            let pixels = at_once.min(count - first);
            let results = &mut results[..pixels * outputs];
            let source = Source {
                values: &self.values[first * inputs..][..pixels * inputs],
                height: 1,
                width: pixels,
                channels: inputs,
                affine: None,
                doubled: false,
            };
            let target = Target {
                values: results,
                height: 1,
                width: pixels,
                origin: [0, 0],
                bias: convolution.bias(),
                add: false,
            };
            kernel.apply(source, target);
            self.values[first * outputs..][..results.len()].copy_from_slice(results);
        }
        self.shape.channels = outputs;
        self.values.truncate(count * outputs);
        self.values.shrink_to_fit();
    }

    /// Bytes that [`convolve_pointwise`](Self::convolve_pointwise) takes beside the field.
    pub(super) fn pointwise_bytes(outputs: usize) -> u64 {
        4 * (IN_PLACE * current_num_threads() * outputs) as u64
    }

    /// Moments of groups of channels over the fields' own pixels.
    pub(super) fn moments(fields: &[Self], groups: usize) -> Vec<Moments> {
        let channels = fields.first().map_or(1, |field| field.shape.channels);
        moments(fields.iter().flat_map(Self::runs), channels, groups)
    }

    /// Its own pixels, in runs.
    fn runs(&self) -> Vec<&[f32]> {
        match self.own {
            None => vec![&self.values],
            Some([rows, columns]) => {
                let columns = columns.within(self.shape.region[1]);
                let rows = rows.within(self.shape.region[0]);
                (rows.start..rows.end)
                    .map(|row| self.row(row, columns))
                    .collect()
            }
        }
    }

    fn row(&self, row: usize, columns: Span) -> &[f32] {
        let place = self.place(row, columns.start);
        &self.values[place..place + columns.len() * self.shape.channels]
    }

    fn place(&self, row: usize, column: usize) -> usize {
        let [rows, columns] = self.shape.region;
        ((row - rows.start) * columns.len() + column - columns.start) * self.shape.channels
    }
}
