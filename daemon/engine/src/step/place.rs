//! Where numbers lie, and how they are held.

/// How numbers are held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// 32-bit floats.
    F32,
    /// Brain floats.
    Bf16,
    /// 8-bit floats, e4m3fn.
    E4m3,
}

impl Kind {
    /// Bytes of a number.
    pub(crate) fn bytes(self) -> usize {
        match self {
            Self::F32 => 4,
            Self::Bf16 => 2,
            Self::E4m3 => 1,
        }
    }

    /// What products of operands of this kind give: their sums are f32 in any case.
    pub(crate) fn product(self) -> Self {
        match self {
            Self::F32 => Self::F32,
            Self::Bf16 | Self::E4m3 => Self::Bf16,
        }
    }
}

/// A stretch of memory that addresses count from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Space {
    /// What a step computes in.
    Arena,
    /// The weights of a group, see [`Bank`](super::bank::Bank).
    Weights(usize),
}

/// Where something begins, in bytes from the start of its space.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Address {
    pub(crate) space: Space,
    pub(crate) offset: usize,
}

impl Address {
    pub(crate) fn after(self, bytes: usize) -> Self {
        Self {
            offset: self.offset + bytes,
            ..self
        }
    }

    /// The number at `index` of numbers of f32 that begin here.
    pub(crate) fn f32(self, index: usize) -> Self {
        self.after(index * Kind::F32.bytes())
    }
}

/// Rows of numbers one after another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Matrix {
    pub(crate) at: Address,
    pub(crate) rows: usize,
    pub(crate) columns: usize,
    pub(crate) kind: Kind,
}

impl Matrix {
    pub(crate) fn bytes(&self) -> usize {
        self.rows * self.columns * self.kind.bytes()
    }

    /// `count` rows from `first` on.
    pub(crate) fn rows(self, first: usize, count: usize) -> Self {
        debug_assert!(first + count <= self.rows, "rows that there are");
        Self {
            at: self.at.after(first * self.columns * self.kind.bytes()),
            rows: count,
            ..self
        }
    }
}

/// What a product takes: numbers, and what each row of them is multiplied by where they are 8-bit floats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Operand {
    pub(crate) values: Matrix,
    pub(crate) scales: Option<Address>,
}

/// What a product gives. Where its operands were scaled, the numbers are not yet: whoever takes them multiplies
/// each by the scale of its row and the scale of its column, in f32, so that no product needs to know of scales.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Raw {
    pub(crate) values: Matrix,
    pub(crate) row_scales: Option<Address>,
    pub(crate) column_scales: Option<Address>,
}

/// Hands out an arena's bytes, each place aligned for whatever reads it.
#[derive(Debug, Default)]
pub(crate) struct Arena {
    bytes: usize,
}

/// What places are aligned to: the widest access of any kernel, and what cuBLASLt's fastest kernels ask for.
pub(crate) const ALIGNMENT: usize = 256;

impl Arena {
    /// Bytes handed out so far.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// A place for so many bytes.
    pub(crate) fn place(&mut self, bytes: usize) -> Address {
        let offset = self.bytes;
        self.bytes = (offset + bytes).next_multiple_of(ALIGNMENT);
        Address {
            space: Space::Arena,
            offset,
        }
    }

    pub(crate) fn matrix(&mut self, rows: usize, columns: usize, kind: Kind) -> Matrix {
        Matrix {
            at: self.place(rows * columns * kind.bytes()),
            rows,
            columns,
            kind,
        }
    }

    /// A place for so many numbers of f32.
    pub(crate) fn vector(&mut self, length: usize) -> Address {
        self.place(length * Kind::F32.bytes())
    }
}
