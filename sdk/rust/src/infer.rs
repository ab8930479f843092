//! Models of the host's, run by their name.
//!
//! A plugin asks for each in its `plugin.toml`, with a reason that the user reads:
//!
//! ```toml
//! asks = [{ permission = "model:movenet-lightning", reason = "Finds the joints in a photograph." }]
//! ```
//!
//! Nothing is granted by itself: [`Trouble::Denied`] says what the user can do. In `cargo test`
//! there is no model; [`answer_with`] says what one answers.
//!
//! ```
//! use atelier_plugin::infer::{self, Tensor};
//!
//! fn brightness(grey: Vec<f32>) -> Result<f32, infer::Trouble> {
//!     let answer = infer::run("brightness", vec![Tensor::floats([1, 4], grey)])?;
//!     let numbers = answer.first().and_then(Tensor::as_floats);
//!     Ok(numbers.and_then(|n| n.first().copied()).unwrap_or_default())
//! }
//!
//! infer::answer_with(|model, inputs| {
//!     assert_eq!(model, "brightness");
//!     let sum: f32 = inputs[0].as_floats().unwrap_or_default().iter().sum();
//!     Ok(vec![Tensor::floats([1], vec![sum / 4.0])])
//! });
//! assert_eq!(brightness(vec![1.0, 2.0, 3.0, 6.0]), Ok(3.0));
//! ```

#[cfg(target_arch = "wasm32")]
use crate::component as backing;
#[cfg(not(target_arch = "wasm32"))]
use native as backing;

use crate::Failure;

/// Runs a model once.
///
/// Inputs go by their names, or by their order where the names are empty. Numbers are converted
/// to what the model takes where that loses nothing but precision.
///
/// # Errors
///
/// [`Trouble`], with a sentence that may be shown as it is; `?` makes a [`Failure`] of it.
pub fn run(model: &str, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, Trouble> {
    backing::run(model, inputs)
}

/// Numbers of one kind, row-major: the last dimension is the one whose numbers lie side by side.
#[derive(Clone, Debug, PartialEq)]
pub enum Numbers {
    /// 32 bits each.
    Floats(Vec<f32>),
    /// 32 bits each, signed.
    Integers(Vec<i32>),
    /// 8 bits each, not signed.
    Bytes(Vec<u8>),
}

impl Numbers {
    /// How many there are.
    pub fn count(&self) -> usize {
        match self {
            Self::Floats(numbers) => numbers.len(),
            Self::Integers(numbers) => numbers.len(),
            Self::Bytes(numbers) => numbers.len(),
        }
    }
}

/// What goes into a model and what comes out.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    /// The name of the model's input or output; for an input it may be empty.
    pub name: String,
    /// Its product is the count of the numbers.
    pub shape: Vec<u32>,
    /// The numbers.
    pub numbers: Numbers,
}

impl Tensor {
    /// A tensor of floats without a name.
    pub fn floats(shape: impl Into<Vec<u32>>, numbers: Vec<f32>) -> Self {
        Self::of(shape.into(), Numbers::Floats(numbers))
    }

    /// A tensor of integers without a name.
    pub fn integers(shape: impl Into<Vec<u32>>, numbers: Vec<i32>) -> Self {
        Self::of(shape.into(), Numbers::Integers(numbers))
    }

    /// A tensor of bytes without a name.
    pub fn bytes(shape: impl Into<Vec<u32>>, numbers: Vec<u8>) -> Self {
        Self::of(shape.into(), Numbers::Bytes(numbers))
    }

    /// The same with a name.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Its numbers where they are floats, which the outputs of most models are.
    pub fn as_floats(&self) -> Option<&[f32]> {
        match &self.numbers {
            Numbers::Floats(numbers) => Some(numbers),
            Numbers::Integers(_) | Numbers::Bytes(_) => None,
        }
    }

    fn of(shape: Vec<u32>, numbers: Numbers) -> Self {
        Self {
            name: String::new(),
            shape,
            numbers,
        }
    }
}

/// Why there is no answer. Each carries a sentence that may be shown as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Nobody granted this model, or the plugin did not ask for it.
    Denied(String),
    /// The host has no model of that name.
    Missing(String),
    /// The tensors are not what the model takes.
    Input(String),
    /// The model failed, or took longer or more than it may.
    Failed(String),
}

impl std::fmt::Display for Trouble {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Denied(sentence)
            | Self::Missing(sentence)
            | Self::Input(sentence)
            | Self::Failed(sentence) => formatter.write_str(sentence),
        }
    }
}

impl std::error::Error for Trouble {}

impl From<Trouble> for Failure {
    fn from(trouble: Trouble) -> Self {
        Self::Other(trouble.to_string())
    }
}

#[cfg(not(target_arch = "wasm32"))]
pub use native::answer_with;

/// Outside a component: what a test says that models answer.
#[cfg(not(target_arch = "wasm32"))]
mod native {
    use std::cell::RefCell;
    use std::rc::Rc;

    use super::{Tensor, Trouble};

    type Answer = Rc<dyn Fn(&str, Vec<Tensor>) -> Result<Vec<Tensor>, Trouble>>;

    thread_local! {
        static ANSWER: RefCell<Option<Answer>> = const { RefCell::new(None) };
    }

    /// Says what [`run`](super::run) answers on this thread from now on. Only in native tests,
    /// each of which has a thread of its own; before it is called, every model is denied.
    pub fn answer_with(
        answer: impl Fn(&str, Vec<Tensor>) -> Result<Vec<Tensor>, Trouble> + 'static,
    ) {
        ANSWER.with(|place| *place.borrow_mut() = Some(Rc::new(answer)));
    }

    pub(super) fn run(model: &str, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, Trouble> {
        let answer = ANSWER.with(|place| place.borrow().clone());
        let Some(answer) = answer else {
            return Err(Trouble::Denied(format!(
                "nobody granted the model {model}; in a test, infer::answer_with stands for it"
            )));
        };
        for (index, tensor) in inputs.iter().enumerate() {
            let product: u64 = tensor.shape.iter().map(|&side| u64::from(side)).product();
            let count = tensor.numbers.count();
            if product != count as u64 {
                let (position, shape) = (index + 1, &tensor.shape);
                return Err(Trouble::Input(format!(
                    "input {position} has {count} numbers, and its shape {shape:?} needs {product}"
                )));
            }
        }
        answer(model, inputs)
    }
}

#[cfg(test)]
mod tests {
    use super::{Tensor, Trouble, answer_with, run};

    #[test]
    fn nothing_is_granted_by_itself() {
        let denied = run("movenet", Vec::new());
        assert!(matches!(&denied, Err(Trouble::Denied(why)) if why.contains("movenet")));
        answer_with(|_, inputs| Ok(inputs));
        let same = vec![Tensor::bytes([2, 2], vec![1, 2, 3, 4]).named("grey")];
        assert_eq!(run("movenet", same.clone()), Ok(same));
    }

    #[test]
    fn a_shape_that_its_numbers_do_not_fill_is_refused() {
        answer_with(|_, inputs| Ok(inputs));
        let refused = run("movenet", vec![Tensor::integers([2, 3], vec![1; 5])]);
        let Err(Trouble::Input(why)) = refused else {
            panic!("not refused: {refused:?}");
        };
        assert_eq!(why, "input 1 has 5 numbers, and its shape [2, 3] needs 6");
    }
}
