//! What is done to pictures.

use super::{Twin, silu};
use crate::step::op::picture::{Affine, Moments, Patches, Planes, Settle, Softmax};

impl Twin {
    pub(super) fn patches(&mut self, patches: &Patches) {
        let (window, [height, width]) = (patches.window, patches.size);
        let channels = patches.from.columns;
        let (side, stride, each) = (window.side(), window.stride(), window.each());
        // Rows of the picture that the neighbourhoods reach.
        let reached = patches.first * stride..(patches.first + patches.rows() - 1) * stride + side;
        let row = |at: usize| at.saturating_sub(window.before()) / each;
        let (start, end) = (
            row(reached.start).min(height),
            height.min(row(reached.end - 1) + 1),
        );
        let mut from = self.read(&patches.from.rows(start * width, (end - start) * width));
        if let Some(affine) = patches.affine {
            let [scale, shift] =
                [affine.scale, affine.shift].map(|at| self.vector_at(at, channels));
            for pixel in from.chunks_exact_mut(channels) {
                for (x, (scale, shift)) in pixel.iter_mut().zip(scale.iter().zip(&shift)) {
                    *x = *x * scale + shift;
                }
            }
        }
        if patches.silu {
            from.iter_mut().for_each(|x| *x = silu(*x));
        }
        // The place in the picture, if it is not beyond it.
        let place = |at: usize, tap: usize, length: usize| {
            let place = (at * stride + tap).checked_sub(window.before())?;
            (place < length * each).then_some(place / each)
        };
        let mut out = vec![0.0; patches.out.rows * patches.out.columns];
        let neighbourhoods = out.chunks_exact_mut(patches.out.columns);
        for (pixel, neighbourhood) in neighbourhoods.enumerate() {
            let (y, x) = (patches.first + pixel / patches.width, pixel % patches.width);
            for (tap, out) in neighbourhood.chunks_exact_mut(channels).enumerate() {
                let places = place(y, tap / side, height).zip(place(x, tap % side, width));
                if let Some((y, x)) = places {
                    let at = ((y - start) * width + x) * channels;
                    out.copy_from_slice(&from[at..at + channels]);
                }
            }
        }
        self.write(&patches.out, &out);
    }

    pub(super) fn moments(&mut self, moments: &Moments) {
        let channels = moments.x.columns;
        let mut out = Vec::with_capacity(moments.out.rows * channels);
        for first in (0..moments.x.rows).step_by(moments.slice) {
            let count = moments.slice.min(moments.x.rows - first);
            let x = self.read(&moments.x.rows(first, count));
            let mut means = vec![0.0_f64; channels];
            let mut squares = means.clone();
            for row in x.chunks_exact(channels) {
                means
                    .iter_mut()
                    .zip(row)
                    .for_each(|(sum, x)| *sum += f64::from(*x));
            }
            means.iter_mut().for_each(|sum| *sum /= count as f64);
            for row in x.chunks_exact(channels) {
                for ((sum, x), mean) in squares.iter_mut().zip(row).zip(&means) {
                    *sum += (f64::from(*x) - mean).powi(2);
                }
            }
            out.extend(means.into_iter().chain(squares).map(|x| x as f32));
        }
        self.write(&moments.out, &out);
    }

    pub(super) fn affine(&mut self, affine: &Affine) {
        let channels = affine.moments.columns;
        let each = channels / affine.groups;
        let moments = self.read(&affine.moments);
        let [weight, bias] = [affine.weight, affine.bias].map(|at| self.vector_at(at, channels));
        let (mut scale, mut shift) = (vec![0.0; channels], vec![0.0; channels]);
        let slices = || moments.chunks_exact(2 * channels).enumerate();
        let count = |slice: usize| {
            let count = affine.slice.min(affine.rows - slice * affine.slice);
            count as f64
        };
        for group in 0..affine.groups {
            let own = group * each..(group + 1) * each;
            // Each moment of a slice counts for as many numbers as it is of.
            let all = affine.rows as f64 * each as f64;
            let sums = slices().flat_map(|(slice, moments)| {
                let means = &moments[own.clone()];
                means
                    .iter()
                    .map(move |mean| f64::from(*mean) * count(slice))
            });
            let mean = sums.sum::<f64>() / all;
            let squares = slices().flat_map(|(slice, moments)| {
                let (means, squares) = moments.split_at(channels);
                let both = means[own.clone()].iter().zip(&squares[own.clone()]);
                both.map(move |(own, square)| {
                    f64::from(*square) + count(slice) * (f64::from(*own) - mean).powi(2)
                })
            });
            let variance = squares.sum::<f64>() / all;
            let inverse = (variance + f64::from(affine.eps)).sqrt().recip();
            for channel in own.clone() {
                let factor = f64::from(weight[channel]) * inverse;
                scale[channel] = factor as f32;
                shift[channel] = (f64::from(bias[channel]) - mean * factor) as f32;
            }
        }
        self.write_vector(affine.out.scale, &scale);
        self.write_vector(affine.out.shift, &shift);
    }

    pub(super) fn settle(&mut self, settle: &Settle) {
        let mut out = self.read(&settle.y);
        let columns = settle.y.columns;
        let bias = self.vector_at(settle.bias, columns);
        for row in out.chunks_exact_mut(columns) {
            row.iter_mut().zip(&bias).for_each(|(x, bias)| *x += bias);
        }
        if let Some(add) = &settle.add {
            let add = self.read(add);
            out.iter_mut().zip(add).for_each(|(x, add)| *x += add);
        }
        self.write(&settle.out, &out);
    }

    pub(super) fn planes(&mut self, planes: &Planes) {
        let y = self.read(&planes.y);
        let length = planes.out.columns;
        let bias = self.vector_at(planes.bias, planes.out.rows);
        for (plane, bias) in bias.into_iter().enumerate() {
            let column = y.iter().skip(plane).step_by(planes.y.columns);
            let values: Vec<_> = column.map(|y| y + bias).collect();
            self.write_vector(planes.out.at.f32(plane * length + planes.first), &values);
        }
    }

    pub(super) fn softmax(&mut self, softmax: &Softmax) {
        let mut rows = self.read(&softmax.scores);
        for row in rows.chunks_exact_mut(softmax.scores.columns) {
            let (seen, rest) = row.split_at_mut(softmax.keys);
            seen.iter_mut().for_each(|score| *score *= softmax.factor);
            let most = seen.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            seen.iter_mut()
                .for_each(|score| *score = (*score - most).exp());
            let sum: f64 = seen.iter().copied().map(f64::from).sum();
            seen.iter_mut().for_each(|weight| *weight /= sum as f32);
            rest.fill(0.0);
        }
        self.write(&softmax.out, &rows);
    }
}
