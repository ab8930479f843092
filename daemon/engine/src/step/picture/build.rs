//! From one half of the autoencoder and a picture's size to the operations.

mod attend;

use super::network::{Convolution, Network, Norm, Residual, Stage};
use super::padded;
use crate::step::Program;
use crate::step::floor::Floor;
use crate::step::op::Op;
use crate::step::op::picture::{Affine, Channels, Moments, Patches, Planes, Settle, Window};
use crate::step::place::{Kind, Matrix};

/// Bytes of what a convolution lays out at a time, and of what comes of it: large enough that a product fills any
/// card, little beside a picture of four megapixels at the large end, which is a GiB.
pub(super) const BAND: usize = 64 << 20;

/// A program, and where its picture goes in and comes out.
#[derive(Debug)]
pub(super) struct Laid {
    pub(super) program: Program,
    /// `[pixels, channels]`, channels in multiples of [`EACH`](super::EACH).
    pub(super) input: Matrix,
    /// f32 `[channels, pixels]`.
    pub(super) output: Matrix,
}

impl Laid {
    /// For a picture of this height and width, in bands of so many bytes.
    pub(super) fn new(network: &Network, size: [usize; 2], band: usize) -> Self {
        let mut floor = Floor::default();
        let pixels = size[0] * size[1];
        let input = floor.matrix(pixels, padded(network.inputs), network.numbers);
        let mut builder = Builder {
            network,
            floor,
            band,
            ops: vec![Op::Enter(network.group)],
        };
        let output = builder.build(Picture { rows: input, size });
        builder.ops.push(Op::Leave(network.group));
        Self {
            program: Program {
                ops: builder.ops,
                bytes: builder.floor.bytes(),
            },
            input,
            output,
        }
    }
}

/// Rows of channels, and the picture that they are.
#[derive(Debug, Clone, Copy)]
struct Picture {
    rows: Matrix,
    size: [usize; 2],
}

/// What becomes of a picture's numbers before they are laid out.
#[derive(Debug, Clone, Copy)]
struct Normal {
    channels: Channels,
    silu: bool,
}

/// Where a convolution's result goes.
#[derive(Debug, Clone, Copy)]
enum Sink {
    Rows(Matrix),
    /// To what is there.
    Added(Matrix),
    /// f32, a plane for each channel.
    Planes(Matrix),
}

struct Builder<'a> {
    network: &'a Network,
    floor: Floor,
    band: usize,
    ops: Vec<Op>,
}

impl Builder<'_> {
    fn build(&mut self, mut x: Picture) -> Matrix {
        let network = self.network;
        let Some((last, stages)) = network.stages.split_last() else {
            return x.rows;
        };
        for stage in stages {
            x = self.stage(stage, x);
        }
        let (normal, convolution) = match last {
            Stage::Head(norm, convolution) => (Some(self.norm(&x, *norm, true)), convolution),
            Stage::Convolve(convolution) => (None, convolution),
            // Neither half ends so.
            Stage::Residual(_) | Stage::Attend(_) => return x.rows,
        };
        let size = convolution.window.made(x.size);
        let out = self
            .floor
            .matrix(network.outputs, size[0] * size[1], Kind::F32);
        self.convolve(&x, convolution, normal, Sink::Planes(out));
        out
    }

    /// Whatever a stage is given is given back, or is its result.
    fn stage(&mut self, stage: &Stage, x: Picture) -> Picture {
        match stage {
            Stage::Convolve(convolution) => self.made_by(x, convolution, None),
            Stage::Head(norm, convolution) => {
                let normal = self.norm(&x, *norm, true);
                self.made_by(x, convolution, Some(normal))
            }
            Stage::Residual(block) => self.residual(block, x),
            Stage::Attend(attention) => {
                self.attend(attention, &x);
                x
            }
        }
    }

    fn made_by(&mut self, x: Picture, by: &Convolution, normal: Option<Normal>) -> Picture {
        let made = self.room(&x, by);
        self.convolve(&x, by, normal, Sink::Rows(made.rows));
        self.floor.give_matrix(x.rows);
        made
    }

    /// A place for what a convolution makes of a picture.
    fn room(&mut self, x: &Picture, by: &Convolution) -> Picture {
        let size = by.window.made(x.size);
        let (pixels, outputs) = (size[0] * size[1], by.weight.rows);
        Picture {
            rows: self.floor.matrix(pixels, outputs, self.network.numbers),
            size,
        }
    }

    /// The second convolution is added to what the block was given, or to its shortcut, in place: only the inner
    /// picture is held beside it.
    fn residual(&mut self, block: &Residual, x: Picture) -> Picture {
        let normal = self.norm(&x, block.first_norm, true);
        let inner = self.room(&x, &block.first);
        self.convolve(&x, &block.first, Some(normal), Sink::Rows(inner.rows));
        let out = match &block.shortcut {
            None => x,
            Some(shortcut) => self.made_by(x, shortcut, None),
        };
        let normal = self.norm(&inner, block.second_norm, true);
        self.convolve(&inner, &block.second, Some(normal), Sink::Added(out.rows));
        self.floor.give_matrix(inner.rows);
        out
    }

    /// What a group normalisation does to a picture's channels; [`convolve`](Self::convolve) gives its places back.
    fn norm(&mut self, x: &Picture, norm: Norm, silu: bool) -> Normal {
        let x = x.rows;
        let slice = Moments::slice_of(x.rows);
        let slices = x.rows.div_ceil(slice);
        let moments = self.floor.matrix(2 * slices, x.columns, Kind::F32);
        let channels = Channels {
            scale: self.floor.matrix(1, x.columns, Kind::F32).at,
            shift: self.floor.matrix(1, x.columns, Kind::F32).at,
        };
        self.ops.push(Op::Moments(Moments {
            x,
            slice,
            out: moments,
        }));
        self.ops.push(Op::Affine(Affine {
            moments,
            rows: x.rows,
            slice,
            groups: self.network.groups,
            eps: self.network.eps,
            weight: norm.weight,
            bias: norm.bias,
            out: channels,
        }));
        self.floor.give_matrix(moments);
        Normal { channels, silu }
    }

    fn give_normal(&mut self, normal: Normal, channels: usize) {
        for at in [normal.channels.scale, normal.channels.shift] {
            self.floor.give(at, channels * Kind::F32.bytes());
        }
    }

    /// A convolution, band after band. What is read of one pixel alone and as it is need not be laid out.
    fn convolve(&mut self, x: &Picture, by: &Convolution, normal: Option<Normal>, sink: Sink) {
        let [height, width] = by.window.made(x.size);
        let (outputs, columns) = (by.weight.rows, by.weight.columns);
        let numbers = self.network.numbers;
        let gathers = by.window != Window::Point || normal.is_some();
        let laid_out = usize::from(gathers) * columns * numbers.bytes();
        let most = self.band / (width * (laid_out + outputs * Kind::F32.bytes()));
        let bands = bands(height, most);
        let rows = bands.first().map_or(0, |band| band.count) * width;
        let patches = gathers.then(|| self.floor.matrix(rows, columns, numbers));
        let product = self.floor.matrix(rows, outputs, Kind::F32);
        for band in bands {
            let (first, count) = (band.first * width, band.count * width);
            let a = match patches {
                None => x.rows.rows(first, count),
                Some(patches) => {
                    let out = patches.rows(0, count);
                    self.ops.push(Op::Patches(Patches {
                        from: x.rows,
                        size: x.size,
                        affine: normal.map(|normal| normal.channels),
                        silu: normal.is_some_and(|normal| normal.silu),
                        window: by.window,
                        first: band.first,
                        width,
                        out,
                    }));
                    out
                }
            };
            let y = product.rows(0, count);
            self.ops.push(Op::Product {
                a,
                b: by.weight,
                out: y,
            });
            self.settle(y, by, sink, first);
        }
        self.floor.give_matrix(product);
        if let Some(patches) = patches {
            self.floor.give_matrix(patches);
        }
        if let Some(normal) = normal {
            self.give_normal(normal, x.rows.columns);
        }
    }

    /// Takes a product to where it belongs; its first row is this one there.
    fn settle(&mut self, y: Matrix, by: &Convolution, sink: Sink, first: usize) {
        let bias = by.bias;
        self.ops.push(match sink {
            Sink::Planes(out) => Op::Planes(Planes {
                y,
                bias,
                first,
                out,
            }),
            Sink::Rows(out) | Sink::Added(out) => {
                let out = out.rows(first, y.rows);
                let add = matches!(sink, Sink::Added(_)).then_some(out);
                Op::Settle(Settle { y, bias, add, out })
            }
        });
    }
}

/// Some of a picture's rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Band {
    first: usize,
    count: usize,
}

/// So many rows in bands of at most so many, of one size but for the last: each size of a product is one that a
/// kernel has to be chosen for.
fn bands(rows: usize, most: usize) -> Vec<Band> {
    let count = rows.div_ceil(most.clamp(1, rows.max(1)));
    let each = rows.div_ceil(count.max(1)).max(1);
    let starts = (0..rows).step_by(each);
    let of = |first| Band {
        first,
        count: each.min(rows - first),
    };
    starts.map(of).collect()
}
