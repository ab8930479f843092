//! One run of a model, node by node: before each the caller is asked whether to stop, and after
//! each the size of what it made is looked at.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use thiserror::Error;
use tract_onnx::prelude::{TValue, TractResult};
use tract_onnx::tract_core::plan::{self, SimpleState};
use tract_onnx::tract_core::tract_data::TVec;

use crate::loaded::Loaded;
use crate::{Tensor, Trouble, outputs, trouble};

/// When to stop.
pub(crate) struct Until<'a> {
    pub(crate) stop: &'a dyn Fn() -> bool,
    pub(crate) deadline: Instant,
    /// How long the deadline was away at first, for the sentence.
    pub(crate) seconds: f64,
}

impl Until<'_> {
    fn halt(&self) -> Option<Halt> {
        if (self.stop)() {
            Some(Halt::Stopped)
        } else {
            (Instant::now() >= self.deadline).then_some(Halt::TooLong)
        }
    }

    /// Whether to go on.
    pub(crate) fn check(&self, model: &str) -> Result<(), Trouble> {
        match self.halt() {
            None => Ok(()),
            Some(halt) => Err(halt.trouble(model, self.seconds)),
        }
    }
}

/// Why a run ended early; it travels through tract as its cause.
#[derive(Clone, Copy, Debug, Error)]
enum Halt {
    #[error("stopped")]
    Stopped,
    #[error("too long")]
    TooLong,
    #[error("a tensor of {0} bytes, and at most {1} are allowed")]
    TooLarge(usize, u64),
}

impl Halt {
    fn trouble(self, model: &str, seconds: f64) -> Trouble {
        let model = model.to_owned();
        match self {
            Self::Stopped => Trouble::Stopped { model },
            Self::TooLong => Trouble::TooLong { model, seconds },
            Self::TooLarge(..) => Trouble::Failed {
                model,
                message: format!("it made {self}"),
            },
        }
    }
}

/// Runs a model on inputs that are what it takes, in its order.
///
/// # Errors
///
/// [`Trouble::Stopped`], [`Trouble::TooLong`] or [`Trouble::Failed`].
pub(crate) fn once(
    model: &Loaded,
    inputs: TVec<TValue>,
    until: &Until<'_>,
    most: u64,
) -> Result<Vec<Tensor>, Trouble> {
    until.check(&model.name)?;
    let failed = |message| Trouble::Failed {
        model: model.name.clone(),
        message,
    };
    // What tract leaves behind after a panic is dropped with the state.
    let made = catch_unwind(AssertUnwindSafe(|| computed(model, inputs, until, most)))
        .map_err(|panic| failed(trouble::of_panic(&*panic)))?;
    let made = made.map_err(|error| match error.downcast_ref::<Halt>() {
        Some(halt) => halt.trouble(&model.name, until.seconds),
        None => failed(trouble::sentence(&error)),
    })?;
    let named = model.gives.iter().zip(&made);
    named
        .map(|(name, value)| outputs::tensor(name, value))
        .collect::<Result<_, _>>()
        .map_err(failed)
}

fn computed(
    model: &Loaded,
    inputs: TVec<TValue>,
    until: &Until<'_>,
    most: u64,
) -> TractResult<TVec<TValue>> {
    let mut state = SimpleState::new(&model.plan)?;
    state.run_plan_with_eval(inputs, |context, state, node, inputs| {
        if let Some(halt) = until.halt() {
            return Err(halt.into());
        }
        let made = plan::eval(context, state, node, inputs)?;
        // What is packed for a product never is larger than what it was packed from.
        let plain = made.iter().filter(|value| value.is_plain_ram());
        let largest = plain.map(|value| value.as_bytes().len()).max();
        match largest {
            Some(bytes) if bytes as u64 > most => Err(Halt::TooLarge(bytes, most).into()),
            _ => TractResult::Ok(made),
        }
    })
}
