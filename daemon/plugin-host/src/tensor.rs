//! What goes to a model of the host's and comes back. Who runs it is the caller's affair: this
//! crate checks the numbers and whether the plugin may.

use thiserror::Error;

/// The numbers of a tensor, row-major.
#[derive(Debug, Clone, PartialEq)]
pub enum Numbers {
    /// 32-bit floats.
    Floats(Vec<f32>),
    /// 32-bit signed integers.
    Integers(Vec<i32>),
    /// Bytes.
    Bytes(Vec<u8>),
}

/// A tensor of a model's input or output.
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor {
    /// The input's or output's name; empty for an input that its place names.
    pub name: String,
    /// Its dimensions; their product is the count of numbers.
    pub shape: Vec<u32>,
    /// Its numbers.
    pub numbers: Numbers,
}

/// The most dimensions that a tensor may have.
const MOST_DIMENSIONS: usize = 8;

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
}

impl Tensor {
    /// Whether shape and numbers agree; the error says how they do not.
    pub(crate) fn check(&self) -> Result<(), String> {
        let Self {
            name,
            shape,
            numbers,
        } = self;
        if shape.len() > MOST_DIMENSIONS {
            return Err(format!(
                "tensor {name:?} has {} dimensions; {MOST_DIMENSIONS} are allowed",
                shape.len()
            ));
        }
        let count = shape
            .iter()
            .try_fold(1_u64, |product, &side| product.checked_mul(u64::from(side)));
        if count != Some(numbers.len() as u64) {
            return Err(format!(
                "tensor {name:?} has {} numbers, and its shape is {shape:?}",
                numbers.len()
            ));
        }
        Ok(())
    }
}

/// Why a model gave nothing. Each carries a sentence that the plugin may pass on.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Trouble {
    /// The plugin may not run this model.
    #[error("{0}")]
    Denied(String),
    /// There is no such model.
    #[error("{0}")]
    Missing(String),
    /// The tensors are not what it takes.
    #[error("{0}")]
    Input(String),
    /// It failed, or was stopped.
    #[error("{0}")]
    Failed(String),
}

/// Runs models by name.
pub trait Inference: Send + Sync {
    /// Runs a model once. `stop` is to be asked between two layers: when it says yes the call is
    /// over, whatever comes back.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    fn run(
        &self,
        model: &str,
        inputs: Vec<Tensor>,
        stop: &dyn Fn() -> bool,
    ) -> Result<Vec<Tensor>, Trouble>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shape_and_numbers_must_agree() {
        let tensor = |shape: &[u32], count| Tensor {
            name: "x".to_owned(),
            shape: shape.to_vec(),
            numbers: Numbers::Bytes(vec![0; count]),
        };
        assert!(tensor(&[2, 3], 6).check().is_ok());
        assert!(tensor(&[], 1).check().is_ok());
        for (shape, count) in [
            (&[2, 3][..], 5),
            (&[u32::MAX; 4][..], 0),
            (&[1; 9][..], 1),
            (&[0, 5][..], 1),
        ] {
            assert!(tensor(shape, count).check().is_err(), "{shape:?} {count}");
        }
    }
}
