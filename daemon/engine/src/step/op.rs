//! The operations that a step is made of.
//!
//! Each is one kernel on a card and one function on the processor, the kernel's twin. They are cut where a card
//! must write to its memory anyway: what can be done to a number while it is in a register is part of the
//! operation that has it there. So a residual, the norm after it, its modulation and the rounding to the next
//! product's operand are one operation, and scales of 8-bit floats cost none.

pub(crate) mod picture;

use super::place::{Address, Matrix, Operand, Raw};
use picture::{Affine, Moments, Patches, Planes, Settle, Softmax};

/// One operation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Op {
    /// Adds to rows, then makes an operand of them.
    Norm(Norm),
    /// Joins attention's output and a gated feed-forward into an operand.
    Gated(Gated),
    /// Cuts a fused projection into queries, keys and values.
    Heads(Heads),
    /// Lets queries look at keys.
    Attend(Attend),
    /// Multiplies a weight by a vector, in f32.
    Vector(Vector),
    /// Widens a weight of 8-bit floats, without its scales, for a product in bf16.
    Decode {
        /// `[outputs, inputs]`, e4m3.
        weight: Matrix,
        /// The same in bf16.
        out: Matrix,
    },
    /// `out = a·bᵀ`, of rows of one kind; sums are f32.
    Product { a: Matrix, b: Matrix, out: Matrix },
    /// Lays out what a convolution multiplies.
    Patches(Patches),
    /// Takes the moments of channels.
    Moments(Moments),
    /// Makes of them what a group normalisation does to each channel.
    Affine(Affine),
    /// Adds to what a product of pixels gave.
    Settle(Settle),
    /// Gives channels a plane each.
    Planes(Planes),
    /// Makes weights of scores.
    Softmax(Softmax),
    /// Copies bytes.
    Copy { from: Matrix, to: Matrix },
    /// The weights of this group are read from here on.
    Enter(usize),
    /// And no longer.
    Leave(usize),
}

/// `x += gate·y`, then `x` normalised.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Norm {
    /// f32.
    pub(crate) x: Matrix,
    pub(crate) update: Option<Update>,
    pub(crate) then: Option<Normed>,
}

/// What is added to each row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Update {
    pub(crate) y: Raw,
    /// f32, as long as a row.
    pub(crate) gate: Option<Address>,
}

/// What becomes of each row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Normed {
    pub(crate) by: By,
    pub(crate) eps: f32,
    pub(crate) out: Operand,
    /// The scale of all rows of 8-bit floats, if it is not each row's own largest number over 448.
    pub(crate) fixed: Option<f32>,
}

/// Two ways of normalising.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum By {
    /// To mean 0 and variance 1, then `(1 + scale)·n + shift`.
    Layer { shift: Address, scale: Address },
    /// To mean square 1, then `weight·n`.
    Rms { weight: Address },
}

/// `[front | silu(gate)·value]`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Gated {
    /// Of the kind of a product's output, not scaled.
    pub(crate) front: Option<Matrix>,
    /// Where the gate's columns begin, and the value's, in a product's output, and how many each has.
    pub(crate) inner: Option<Inner>,
    pub(crate) out: Operand,
    /// As of [`Normed`].
    pub(crate) fixed: Option<f32>,
}

/// The inside of a feed-forward.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Inner {
    pub(crate) y: Raw,
    pub(crate) gate: usize,
    pub(crate) value: usize,
    pub(crate) width: usize,
}

/// Queries and keys are normalised over their head and turned to their place, values only scaled.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Heads {
    pub(crate) y: Raw,
    /// Heads of the queries; they begin at this column.
    pub(crate) queries: Option<Span>,
    pub(crate) keys: Option<Span>,
    /// As many heads as the keys.
    pub(crate) values: Option<Span>,
    pub(crate) width: usize,
    pub(crate) eps: f32,
    /// `[rows, width / 2]`, f32.
    pub(crate) cos: Address,
    pub(crate) sin: Address,
    /// Whether dimension i turns with i + width / 2, instead of 2i with 2i + 1.
    pub(crate) halves: bool,
}

/// Heads beside one another in a projection.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Span {
    pub(crate) column: usize,
    pub(crate) heads: usize,
    /// f32, as long as a head is wide.
    pub(crate) norm: Option<Address>,
    /// `[rows, heads · width]`, of the kind of a product's output.
    pub(crate) out: Matrix,
}

/// `softmax(scale·q·kᵀ)·v`, head by head.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Attend {
    /// `[queries, heads · width]`.
    pub(crate) query: Matrix,
    /// `[keys, shared heads · width]`.
    pub(crate) key: Matrix,
    pub(crate) value: Matrix,
    /// As the queries.
    pub(crate) out: Matrix,
    pub(crate) width: usize,
    /// Whether a query sees keys up to its own place only.
    pub(crate) causal: bool,
}

impl Attend {
    pub(crate) fn heads(&self) -> usize {
        self.query.columns / self.width
    }

    pub(crate) fn shared(&self) -> usize {
        self.key.columns / self.width
    }

    /// 1/√width.
    #[allow(clippy::cast_precision_loss, reason = "a head is far below 2^24 wide")]
    pub(crate) fn scale(&self) -> f32 {
        (self.width as f32).sqrt().recip()
    }
}

/// `out = W·f(x)`, or added to it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Vector {
    /// `[outputs, inputs]`.
    pub(crate) weight: Matrix,
    /// Of each row of the weight.
    pub(crate) scales: Option<Address>,
    pub(crate) x: Address,
    pub(crate) out: Address,
    /// Whether x goes through SiLU first.
    pub(crate) silu: bool,
    pub(crate) add: bool,
}
