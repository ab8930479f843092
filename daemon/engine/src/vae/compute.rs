//! The stages on the processor, and the memory that they take.
//!
//! A stage runs on several parts of a picture at once, in step: they share the moments of the
//! normalisations and the widened weights. What a stage holds is written down twice, as code in
//! [`Stage::compute`] and as a sum in [`Stage::peak`]; a test compares the two.

use super::blocks::ResidualBlock;
use super::field::Field;
use super::shape::{Geometry, Shape, Span};
use super::stage::Stage;
use super::statistics::Norms;
use crate::cpu::picture::{Affine, attend, attention_bytes};
use crate::layers::{Convolution, GroupNorm};

impl Stage {
    /// Runs the stage on parts of one picture.
    pub(super) fn compute(&self, fields: Vec<Field>, norms: &mut Norms<'_>) -> Vec<Field> {
        match self {
            Self::Convolve(convolution) | Self::Double(convolution) | Self::Halve(convolution) => {
                convolve(convolution, self.geometry(), fields, None)
            }
            Self::Head { norm, out } => {
                let affine = normalise(norm, &fields, norms, true);
                convolve(out, self.geometry(), fields, Some(&affine))
            }
            Self::Residual(block) => block.compute(fields, norms),
            Self::Attend(attention) => {
                let affine = normalise(&attention.norm, &fields, norms, false);
                let heads = attention.heads();
                let mut fields = fields;
                for field in &mut fields {
                    attend(&mut field.values, attention.channels(), &affine, &heads);
                }
                fields
            }
        }
    }

    /// The most bytes that [`compute`](Self::compute) holds at once, with the fields that it is given.
    pub(super) fn peak(&self, inputs: &[Shape]) -> u64 {
        let bytes = |shapes: &[Shape]| shapes.iter().map(Shape::bytes).sum::<u64>();
        let given = bytes(inputs);
        match self {
            Self::Convolve(convolution)
            | Self::Double(convolution)
            | Self::Halve(convolution)
            | Self::Head {
                out: convolution, ..
            } => {
                let made: Vec<_> = inputs.iter().map(|input| self.made(input)).collect();
                given + bytes(&made) + convolution.scratch_bytes()
            }
            Self::Attend(attention) => {
                let pixels = inputs.iter().map(Shape::pixels).max().unwrap_or(0);
                let threads = rayon::current_num_threads();
                given + attention_bytes(pixels, attention.channels(), threads) as u64
            }
            Self::Residual(block) => {
                let inner: Vec<_> = inputs
                    .iter()
                    .map(|input| input.made(Geometry::Near(1), block.first.outputs()))
                    .collect();
                let made: Vec<_> = inputs.iter().map(|input| self.made(input)).collect();
                let first = given + bytes(&inner) + block.first.scratch_bytes();
                let second = bytes(&made) + bytes(&inner) + block.second.scratch_bytes();
                let between = block.shortcut.as_ref().map_or(0, |shortcut| {
                    let beside = if shortcut.outputs() <= shortcut.inputs() {
                        Field::pointwise_bytes(shortcut.outputs())
                    } else {
                        bytes(&made)
                    };
                    given + bytes(&inner) + beside + shortcut.scratch_bytes()
                });
                first.max(second).max(between)
            }
        }
    }

    /// About how many multiplications the stage takes to make a result of this shape, for choosing
    /// between ways to cut a picture.
    pub(super) fn work(&self, made: &Shape) -> u64 {
        let of = |convolution: &Convolution| {
            let (inputs, outputs) = (convolution.inputs(), convolution.outputs());
            // Winograd's products and transforms.
            (inputs * outputs * 9 / 4 + 16 * (inputs + outputs)) as u64
        };
        let pixel = match self {
            Self::Convolve(convolution)
            | Self::Double(convolution)
            | Self::Head {
                out: convolution, ..
            } => of(convolution),
            Self::Halve(convolution) => 4 * of(convolution),
            Self::Residual(block) => of(&block.first) + of(&block.second),
            Self::Attend(attention) => (2 * made.pixels() * attention.channels()) as u64,
        };
        pixel * made.pixels() as u64
    }
}

impl ResidualBlock {
    /// The second convolution is added to what the block was given, or to its shortcut, in place: only
    /// the inner picture is held beside it.
    fn compute(&self, fields: Vec<Field>, norms: &mut Norms<'_>) -> Vec<Field> {
        let affine = normalise(&self.first_norm, &fields, norms, true);
        let kernel = self.first.prepare();
        let inner: Vec<Field> = fields
            .iter()
            .map(|field| {
                let shape = field.shape.made(Geometry::Near(1), self.first.outputs());
                let mut inner = Field::zeros(shape, field.own);
                let origin = origin(field, &inner);
                let target = inner.target(origin, self.first.bias(), false);
                kernel.apply(field.source(Some(&affine), false), target);
                inner
            })
            .collect();
        drop(kernel);
        let shortcut = self
            .shortcut
            .as_ref()
            .map(|shortcut| (shortcut, shortcut.prepare()));
        let mut outs: Vec<Field> = fields
            .into_iter()
            .map(|mut field| {
                let made = field.shape.made(Geometry::Near(2), self.second.outputs());
                field.crop(made.region);
                match &shortcut {
                    None => field,
                    Some((shortcut, kernel)) if shortcut.outputs() <= shortcut.inputs() => {
                        field.convolve_pointwise(shortcut, kernel);
                        field
                    }
                    Some((shortcut, kernel)) => {
                        let mut out = Field::zeros(made, field.own);
                        let target = out.target([0, 0], shortcut.bias(), false);
                        kernel.apply(field.source(None, false), target);
                        out
                    }
                }
            })
            .collect();
        drop(shortcut);
        let affine = normalise(&self.second_norm, &inner, norms, true);
        let kernel = self.second.prepare();
        for (out, inner) in outs.iter_mut().zip(inner) {
            let origin = origin(&inner, out);
            let target = out.target(origin, self.second.bias(), true);
            kernel.apply(inner.source(Some(&affine), false), target);
        }
        outs
    }
}

/// How far into one field another's first pixel lies.
fn origin(from: &Field, to: &Field) -> [usize; 2] {
    let axis = |axis: usize| to.shape.region[axis].start - from.shape.region[axis].start;
    [axis(0), axis(1)]
}

/// What the normalisation does to each channel, SiLU included if it follows.
fn normalise(norm: &GroupNorm, fields: &[Field], norms: &mut Norms<'_>, silu: bool) -> Affine {
    norm.affine(&norms.next(fields, norm.groups()), silu)
}

/// A convolution of each field into a new one.
fn convolve(
    convolution: &Convolution,
    geometry: Geometry,
    fields: Vec<Field>,
    affine: Option<&Affine>,
) -> Vec<Field> {
    let kernel = convolution.prepare();
    let doubled = geometry == Geometry::Doubled;
    fields
        .into_iter()
        .map(|field| {
            let shape = field.shape.made(geometry, convolution.outputs());
            let own = field.own.map(|own| own.map(|span| scaled(span, geometry)));
            let mut out = Field::zeros(shape, own);
            let axis = |axis: usize| {
                let (from, to) = (field.shape.region[axis].start, shape.region[axis].start);
                match geometry {
                    Geometry::Doubled => to - 2 * from,
                    Geometry::Halved => 2 * to - from,
                    Geometry::Near(_) | Geometry::Everything => to - from,
                }
            };
            let target = out.target([axis(0), axis(1)], convolution.bias(), false);
            kernel.apply(field.source(affine, doubled), target);
            out
        })
        .collect()
}

/// The rows that these rows become.
fn scaled(span: Span, geometry: Geometry) -> Span {
    match geometry {
        Geometry::Near(_) | Geometry::Everything => span,
        Geometry::Doubled => Span {
            start: 2 * span.start,
            end: 2 * span.end,
        },
        Geometry::Halved => Span {
            start: span.start.div_ceil(2),
            end: span.end.div_ceil(2),
        },
    }
}
