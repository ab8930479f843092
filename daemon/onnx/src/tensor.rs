//! Tensors as callers give and get them.

/// Numbers with a shape and a name.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    /// The name of the model's input or output. For an input it may be empty, and then the order
    /// counts.
    pub name: String,
    /// The sides; the last is the one whose numbers lie side by side. None for a single number.
    pub shape: Vec<u32>,
    /// As many numbers as the product of the shape.
    pub numbers: Numbers,
}

/// The numbers of a tensor.
#[derive(Clone, Debug, PartialEq)]
pub enum Numbers {
    /// Floats of 32 bits.
    Floats(Vec<f32>),
    /// Integers of 32 bits.
    Integers(Vec<i32>),
    /// Integers from 0 to 255; also truths, as 0 and 1.
    Bytes(Vec<u8>),
}

impl Numbers {
    /// How many there are.
    pub fn len(&self) -> usize {
        match self {
            Self::Floats(numbers) => numbers.len(),
            Self::Integers(numbers) => numbers.len(),
            Self::Bytes(numbers) => numbers.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What they are, in the plural.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Floats(_) => "floats",
            Self::Integers(_) => "integers",
            Self::Bytes(_) => "bytes",
        }
    }
}

/// A shape as a sentence shows it.
pub(crate) fn shown<Side: std::fmt::Display>(shape: &[Side]) -> String {
    if shape.is_empty() {
        return "a single number".to_owned();
    }
    let sides: Vec<_> = shape.iter().map(Side::to_string).collect();
    sides.join(" × ")
}

/// How many numbers a shape has, where that can be counted.
pub(crate) fn count(shape: impl IntoIterator<Item = u64>) -> Option<u64> {
    shape.into_iter().try_fold(1, u64::checked_mul)
}
