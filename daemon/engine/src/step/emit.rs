//! What the programs of both networks are put together with.
//!
//! A residual stream, and around it the same few moves: normalise rows to an operand, multiply it by a weight, add
//! what came of it. The additions wait until the rows are read next, and become part of that operation.

use super::bank::Weight;
use super::network::Arithmetic;
use super::op::{By, Gated, Inner, Norm, Normed, Op, Update};
use super::place::{Address, Arena, Kind, Matrix, Operand, Raw, Space};

/// Rows of tokens that are treated alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rows {
    pub(super) first: usize,
    pub(super) count: usize,
}

impl Rows {
    fn end(self) -> usize {
        self.first + self.count
    }

    /// What lies in both.
    fn common(self, other: Self) -> Option<Self> {
        let first = self.first.max(other.first);
        let end = self.end().min(other.end());
        (first < end).then(|| Self {
            first,
            count: end - first,
        })
    }
}

/// A block leaves one update for each of two streams, which the next block adds before it leaves its own.
const OUTLIVING: usize = 4;

/// The places that every block uses anew.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bench {
    /// The residual stream, f32 `[tokens, hidden width]`.
    pub(super) x: Matrix,
    operand: Address,
    scales: [Address; 2],
    product: Address,
    scratch: Option<Address>,
    /// For scales of columns that outlive their group, in turn: f32, as long as a row of x.
    outliving: [Address; OUTLIVING],
    /// The widest kind of operands and products. Rows begin where they would in it, whatever they are of: those of
    /// one stream never reach those of another.
    numbers: Kind,
}

/// What makes an operand. Each has scales of its own: it reads the other's while it writes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Maker {
    Norm,
    Gated,
}

impl Bench {
    /// For so many tokens of this width, operands and products of at most so many columns, and weights that are
    /// widened into so many bytes.
    pub(super) fn new(
        arena: &mut Arena,
        [tokens, hidden]: [usize; 2],
        operand: usize,
        product: usize,
        numbers: Kind,
        scratch: usize,
    ) -> Self {
        Self {
            x: arena.matrix(tokens, hidden, Kind::F32),
            operand: arena.place(numbers.bytes() * operand * tokens),
            scales: [arena.vector(tokens), arena.vector(tokens)],
            product: arena.place(numbers.bytes() * product * tokens),
            scratch: (scratch > 0).then(|| arena.place(scratch)),
            outliving: std::array::from_fn(|_| arena.vector(hidden)),
            numbers,
        }
    }

    fn rows(self, at: Address, columns: usize, kind: Kind, rows: Rows) -> Matrix {
        debug_assert!(
            kind.bytes() <= self.numbers.bytes(),
            "no wider than planned"
        );
        Matrix {
            at: at.after(rows.first * columns * self.numbers.bytes()),
            rows: rows.count,
            columns,
            kind,
        }
    }
}

/// A program in the making.
#[derive(Debug)]
pub(super) struct Emitter {
    pub(super) ops: Vec<Op>,
    bench: Bench,
    arithmetic: Arithmetic,
    eps: f32,
    /// What is still to be added to rows of x.
    pending: Vec<(Rows, Update)>,
    /// How many scales outlived their groups so far.
    outlived: usize,
}

impl Emitter {
    #[allow(clippy::cast_possible_truncation, reason = "rounding to f32 is meant")]
    pub(super) fn new(bench: Bench, arithmetic: Arithmetic, eps: f64) -> Self {
        Self {
            ops: Vec::new(),
            bench,
            arithmetic,
            eps: eps as f32,
            pending: Vec::new(),
            outlived: 0,
        }
    }

    /// Rows of x, normalised, as a weight's operand, with what waits to be added to them.
    pub(super) fn normed(&mut self, rows: Rows, by: By, weight: Weight) -> Operand {
        let out = self.operand(rows, weight, Maker::Norm);
        let fixed = fixed(out, weight);
        for (piece, update) in self.take(rows) {
            let own = out.rows(piece.first - rows.first, piece.count);
            self.ops.push(Op::Norm(Norm {
                x: self.bench.x.rows(piece.first, piece.count),
                update,
                then: Some(Normed {
                    by,
                    eps: self.eps,
                    out: own,
                    fixed,
                }),
            }));
        }
        out
    }

    /// Adds what waits to be added to these rows.
    pub(super) fn settle(&mut self, rows: Rows) {
        for (piece, update) in self.take(rows) {
            if update.is_some() {
                self.ops.push(Op::Norm(Norm {
                    x: self.bench.x.rows(piece.first, piece.count),
                    update,
                    then: None,
                }));
            }
        }
    }

    /// The rows in pieces, each with the one thing that waits for it, if anything does. What waits for other rows
    /// goes on waiting.
    fn take(&mut self, rows: Rows) -> Vec<(Rows, Option<Update>)> {
        let mut pieces = Vec::new();
        let mut next = rows.first;
        let mut waiting = std::mem::take(&mut self.pending);
        waiting.sort_by_key(|(own, _)| own.first);
        for (own, update) in waiting {
            let Some(common) = own.common(rows) else {
                self.pending.push((own, update));
                continue;
            };
            if next < common.first {
                let count = common.first - next;
                pieces.push((Rows { first: next, count }, None));
            }
            let part = |rows: Rows| (rows, update.rows(rows.first - own.first, rows.count));
            let (rows_here, here) = part(common);
            pieces.push((rows_here, Some(here)));
            next = common.end();
            let around = [(own.first, common.first), (common.end(), own.end())];
            let around = around.into_iter().filter(|(first, end)| first < end);
            let around = around.map(|(first, end)| Rows {
                first,
                count: end - first,
            });
            self.pending.extend(around.map(part));
        }
        if next < rows.end() {
            let count = rows.end() - next;
            pieces.push((Rows { first: next, count }, None));
        }
        pieces
    }

    /// Attention's output and a feed-forward's inside, whichever there are, as an operand, times a weight.
    pub(super) fn gated(
        &mut self,
        rows: Rows,
        front: Option<Matrix>,
        inner: Option<Inner>,
        weight: Weight,
    ) -> Raw {
        let out = self.operand(rows, weight, Maker::Gated);
        self.ops.push(Op::Gated(Gated {
            front,
            inner,
            out,
            fixed: fixed(out, weight),
        }));
        self.product(rows, out, weight)
    }

    /// The product of some rows' operand and a weight.
    pub(super) fn product(&mut self, rows: Rows, operand: Operand, weight: Weight) -> Raw {
        let mut b = weight.values;
        if let (Kind::E4m3, Kind::Bf16, Some(at)) =
            (b.kind, operand.values.kind, self.bench.scratch)
        {
            let kind = Kind::Bf16;
            let out = Matrix { at, kind, ..b };
            self.ops.push(Op::Decode { weight: b, out });
            b = out;
        }
        let kind = operand.values.kind;
        let out = self
            .bench
            .rows(self.bench.product, b.rows, kind.product(), rows);
        let a = operand.values;
        self.ops.push(Op::Product { a, b, out });
        Raw {
            values: out,
            row_scales: operand.scales,
            column_scales: weight.scales,
        }
    }

    /// `gate·y` is added to x when its rows are read next.
    pub(super) fn later(&mut self, rows: Rows, y: Raw, gate: Option<Address>) {
        self.pending.push((rows, Update { y, gate }));
    }

    /// The end of a group, whose place may be another's from then on. What waits to be added reads the scales of its
    /// weights later, so those come along.
    pub(super) fn leave(&mut self, group: usize) {
        let mut came: Vec<(Address, Address)> = Vec::new();
        for (_, update) in &mut self.pending {
            let scales = &mut update.y.column_scales;
            let Some(from) = scales.filter(|at| at.space == Space::Weights(group)) else {
                continue;
            };
            let known = came.iter().find(|(own, _)| *own == from);
            let to = known.map_or_else(
                || {
                    let to = self.bench.outliving[self.outlived % OUTLIVING];
                    self.outlived += 1;
                    let row = |at| Matrix {
                        at,
                        rows: 1,
                        columns: update.y.values.columns,
                        kind: Kind::F32,
                    };
                    let (from, to) = (row(from), row(to));
                    self.ops.push(Op::Copy { from, to });
                    to.at
                },
                |(_, to)| *to,
            );
            came.push((from, to));
            *scales = Some(to);
        }
        self.ops.push(Op::Leave(group));
    }

    fn operand(&self, rows: Rows, weight: Weight, maker: Maker) -> Operand {
        let kind = self.arithmetic.operand_of(&weight);
        let columns = weight.values.columns;
        let scales = self.bench.scales[maker as usize].f32(rows.first);
        Operand {
            values: self.bench.rows(self.bench.operand, columns, kind, rows),
            scales: (kind == Kind::E4m3).then_some(scales),
        }
    }
}

fn fixed(operand: Operand, weight: Weight) -> Option<f32> {
    weight.input_scale.filter(|_| operand.scales.is_some())
}

impl Update {
    fn rows(self, first: usize, count: usize) -> Self {
        Self {
            y: Raw {
                values: self.y.values.rows(first, count),
                row_scales: self.y.row_scales.map(|scales| scales.f32(first)),
                column_scales: self.y.column_scales,
            },
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What waits for rows is added when those are read, once, and to no others.
    #[test]
    fn what_waits_for_rows_that_are_not_read_goes_on_waiting() {
        let arithmetic = Arithmetic {
            weights: Kind::Bf16,
            multiplies_e4m3: true,
        };
        let mut arena = Arena::default();
        let bench = Bench::new(&mut arena, [10, 16], 16, 16, Kind::Bf16, 0);
        let mut emitter = Emitter::new(bench, arithmetic, 1e-6);
        let rows = |first, count| Rows { first, count };
        let y = Raw {
            values: Matrix {
                at: Address {
                    space: Space::Arena,
                    offset: 1 << 20,
                },
                rows: 10,
                columns: 16,
                kind: Kind::Bf16,
            },
            row_scales: None,
            column_scales: None,
        };
        emitter.later(rows(0, 10), y, None);
        let taken = |emitter: &mut Emitter, rows| -> Vec<_> {
            let pieces = emitter.take(rows).into_iter();
            pieces
                .map(|(rows, update)| {
                    let row = |update: Update| (update.y.values.at.offset - (1 << 20)) / 32;
                    (rows.first, rows.count, update.map(row))
                })
                .collect()
        };
        assert_eq!(taken(&mut emitter, rows(3, 2)), [(3, 2, Some(3))]);
        assert_eq!(
            taken(&mut emitter, rows(2, 4)),
            [(2, 1, Some(2)), (3, 2, None), (5, 1, Some(5))]
        );
        assert_eq!(taken(&mut emitter, rows(2, 4)), [(2, 4, None)]);
        assert_eq!(taken(&mut emitter, rows(0, 2)), [(0, 2, Some(0))]);
        assert_eq!(taken(&mut emitter, rows(6, 4)), [(6, 4, Some(6))]);
    }
}
