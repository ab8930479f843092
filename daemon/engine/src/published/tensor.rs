//! A tensor that is to be drawn.

/// A tensor's name and shape, and what its values are like.
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor {
    /// As the library that reads it names it.
    pub name: String,
    /// Outermost axis first.
    pub shape: Vec<usize>,
    /// What its values are like.
    pub like: Like,
}

/// What the values of a tensor are like.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Like {
    /// Normal, of this mean and standard deviation.
    Normal(f64, f64),
    /// Uniform between these.
    Uniform(f64, f64),
}

/// A matrix whose products keep about the scale of what they get, times `gain`.
pub(super) fn matrix(name: impl Into<String>, rows: usize, columns: usize, gain: f64) -> Tensor {
    Tensor {
        name: name.into(),
        shape: vec![rows, columns],
        like: Like::Normal(0.0, gain / (columns as f64).sqrt()),
    }
}

pub(super) fn vector(name: impl Into<String>, length: usize, mean: f64, deviation: f64) -> Tensor {
    Tensor {
        name: name.into(),
        shape: vec![length],
        like: Like::Normal(mean, deviation),
    }
}
