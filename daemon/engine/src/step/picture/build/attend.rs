//! The attention of the smallest level.

use super::{Builder, Picture, Sink, bands};
use crate::step::op::Op;
use crate::step::op::picture::{Patches, Softmax, Window};
use crate::step::picture::network::{Attention, Convolution};
use crate::step::picture::padded;
use crate::step::place::{Kind, Matrix};

/// Rows of a product that its kernels make at once: bands of attention are multiples of it where they can be.
const TILE: usize = 128;

impl Builder<'_> {
    /// Attention between all pixels, in one head as wide as the channels, added to them. Scores are made of some
    /// queries with all keys at a time; values are made lying, a row for each channel, as the product with the
    /// weights of a score wants them. A value's bias is added to what comes of it: weights add up to 1.
    pub(super) fn attend(&mut self, attention: &Attention, x: &Picture) {
        let numbers = self.network.numbers;
        let ([_, width], channels) = (x.size, x.rows.columns);
        let tokens = x.rows.rows;
        // Products want keys in multiples of eight; those that are no pixels are zeros, and weigh nothing.
        let keys = padded(tokens);
        let normal = self.norm(x, attention.norm, false);
        let normed = self
            .floor
            .matrix(keys.next_multiple_of(width), channels, numbers);
        self.ops.push(Op::Patches(Patches {
            from: x.rows,
            size: x.size,
            affine: Some(normal.channels),
            silu: normal.silu,
            window: Window::Point,
            first: 0,
            width,
            out: normed,
        }));
        self.give_normal(normal, channels);
        let query = self.floor.matrix(tokens, channels, numbers);
        self.linear(normed.rows(0, tokens), &attention.query, Sink::Rows(query));
        let key = self.floor.matrix(keys, channels, numbers);
        self.linear(normed.rows(0, keys), &attention.key, Sink::Rows(key));
        let value = self.floor.matrix(channels, keys, numbers);
        self.ops.push(Op::Product {
            a: attention.value.weight,
            b: normed.rows(0, keys),
            out: value,
        });
        self.floor.give_matrix(normed);
        self.look(query, key, value, tokens, attention);
        self.floor.give_matrix(key);
        self.floor.give_matrix(value);
        self.linear(query, &attention.out, Sink::Added(x.rows));
        self.floor.give_matrix(query);
    }

    /// What queries see takes their place.
    fn look(&mut self, query: Matrix, key: Matrix, value: Matrix, tokens: usize, by: &Attention) {
        let numbers = self.network.numbers;
        let (keys, channels) = (key.rows, key.columns);
        let each = keys * (Kind::F32.bytes() + numbers.bytes()) + channels * Kind::F32.bytes();
        let most = match self.band / each {
            few @ 0..TILE => few,
            many => many / TILE * TILE,
        };
        let bands = bands(tokens, most);
        let rows = bands.first().map_or(0, |band| band.count);
        let scores = self.floor.matrix(rows, keys, Kind::F32);
        let weights = self.floor.matrix(rows, keys, numbers);
        let seen = self.floor.matrix(rows, channels, Kind::F32);
        #[allow(clippy::cast_precision_loss, reason = "channels are far below 2^24")]
        let factor = (channels as f32).sqrt().recip();
        for band in bands {
            let cut = |all: Matrix| all.rows(0, band.count);
            let (scores, weights, seen) = (cut(scores), cut(weights), cut(seen));
            self.ops.push(Op::Product {
                a: query.rows(band.first, band.count),
                b: key,
                out: scores,
            });
            self.ops.push(Op::Softmax(Softmax {
                scores,
                keys: tokens,
                factor,
                out: weights,
            }));
            self.ops.push(Op::Product {
                a: weights,
                b: value,
                out: seen,
            });
            self.settle(seen, &by.value, Sink::Rows(query), band.first);
        }
        self.floor.give_matrix(scores);
        self.floor.give_matrix(weights);
        self.floor.give_matrix(seen);
    }

    /// A linear layer on rows.
    fn linear(&mut self, x: Matrix, by: &Convolution, sink: Sink) {
        let rows = Picture {
            rows: x,
            size: [x.rows, 1],
        };
        self.convolve(&rows, by, None, sink);
    }
}
