//! Why a model gave no answer.

use thiserror::Error;

/// Why a model gave no answer. Each is a sentence that may be shown as it is.
#[derive(Clone, Debug, Error, PartialEq)]
#[non_exhaustive]
pub enum Trouble {
    /// There is no model of that name, or no file where it should be.
    #[error("there is no model \"{model}\"")]
    Missing {
        /// The name that was asked for.
        model: String,
    },
    /// The tensors are not what the model takes.
    #[error("model \"{model}\": {message}")]
    Input {
        /// The model's name.
        model: String,
        /// Which input, what it takes and what came.
        message: String,
    },
    /// The file cannot be used: too large, damaged, no ONNX, or with operators that are not known.
    #[error("model \"{model}\" cannot be used: {message}")]
    Unusable {
        /// The model's name.
        model: String,
        /// What is wrong with the file.
        message: String,
    },
    /// The model failed while it ran.
    #[error("model \"{model}\" failed: {message}")]
    Failed {
        /// The model's name.
        model: String,
        /// What went wrong.
        message: String,
    },
    /// The model took longer than it may.
    #[error("model \"{model}\" was stopped: it may take {seconds} s and was not done by then")]
    TooLong {
        /// The model's name.
        model: String,
        /// The limit.
        seconds: f64,
    },
    /// The caller asked it to stop.
    #[error("model \"{model}\" was stopped, as it was asked to")]
    Stopped {
        /// The model's name.
        model: String,
    },
}

impl Trouble {
    /// A stable name in kebab case.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Missing { .. } => "model-missing",
            Self::Input { .. } => "model-input",
            Self::Unusable { .. } => "model-unusable",
            Self::Failed { .. } => "model-failed",
            Self::TooLong { .. } => "model-too-long",
            Self::Stopped { .. } => "model-stopped",
        }
    }

    /// What to do about it, where there is something.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Missing { .. } => Some(
                "put NAME.onnx into the home's models/, or name its file under [plugins.models] in \
                 the settings",
            ),
            Self::Unusable { .. } => Some(
                "check that the file is whole and is an ONNX model with its weights inside; if it \
                 is only too large, raise the limit in the settings",
            ),
            Self::TooLong { .. } => Some("try a smaller model, or raise the limit in the settings"),
            Self::Input { .. } => Some("this is for the plugin's author to mend"),
            Self::Failed { .. } | Self::Stopped { .. } => None,
        }
    }
}

/// A sentence out of tract's error, whose cause comes last and says most.
pub(crate) fn sentence(error: &tract_onnx::prelude::TractError) -> String {
    let mut links: Vec<_> = error
        .chain()
        .map(|link| one_line(&link.to_string()))
        .collect();
    let cause = links.pop().unwrap_or_default();
    match links.pop() {
        Some(context) => format!("{cause} ({context})"),
        None => cause,
    }
}

/// A sentence out of a panic: what tract does with some of what it does not expect.
pub(crate) fn of_panic(panic: &(dyn std::any::Any + Send)) -> String {
    let message = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied());
    one_line(message.unwrap_or("something that was not expected"))
}

/// A file can put anything into a message, of any length; and after its first line tract's may have a trace of
/// its own calls.
fn one_line(message: &str) -> String {
    const LONGEST: usize = 200;
    let visible = |c: char| if c.is_control() { ' ' } else { c };
    let message = message.lines().next().unwrap_or_default();
    let mut line: String = message.chars().take(LONGEST).map(visible).collect();
    if message.chars().nth(LONGEST).is_some() {
        line.push('…');
    }
    line
}
