//! The chat template: Jinja as transformers runs it, but for the date.
//!
//! Mistral's templates ask for today's date, for a message of theirs that dev's own replaces. A
//! template that did print it would make another picture every day, so every day is the same here.

use std::collections::BTreeMap;

use minijinja::{AutoEscape, Environment, Error, ErrorKind, Value, context};

use super::{messages, python};
use crate::family::Family;

/// The name the template has in error messages.
const NAME: &str = "chat_template.jinja";

/// The day that a template is told it is.
const TODAY: [(&str, &str); 9] = [
    ("%Y", "2025"),
    ("%m", "11"),
    ("%d", "25"),
    ("%B", "November"),
    ("%b", "Nov"),
    ("%A", "Tuesday"),
    ("%H", "12"),
    ("%M", "00"),
    ("%S", "00"),
];

/// How a prompt is dressed.
pub(super) enum Template {
    /// By the model's own template.
    Chat(Box<ChatTemplate>),
    /// As the family has it, for models that come without a template.
    BuiltIn,
}

impl Template {
    /// The template around one message of the user.
    pub(super) fn render(&self, family: Family, prompt: &str) -> Result<String, Error> {
        match self {
            Self::Chat(template) => template.render(messages::conversation(family, prompt)),
            Self::BuiltIn => Ok(messages::dressed(family, prompt)),
        }
    }
}

/// A compiled chat template.
pub(super) struct ChatTemplate {
    environment: Environment<'static>,
    special_tokens: BTreeMap<String, String>,
}

impl ChatTemplate {
    /// Compiles `source` with the settings transformers gives jinja2: blocks take the newline after
    /// them and the blanks before them, nothing is escaped, and `raise_exception` and `tojson` are
    /// there. `special_tokens` (`eos_token` and so on) are visible to it.
    pub(super) fn compile(
        source: String,
        special_tokens: BTreeMap<String, String>,
    ) -> Result<Self, Error> {
        let mut environment = Environment::new();
        environment.set_trim_blocks(true);
        environment.set_lstrip_blocks(true);
        environment.set_auto_escape_callback(|_| AutoEscape::None);
        environment.set_unknown_method_callback(python::call_method);
        environment.add_filter("tojson", python::to_json);
        environment.add_function(
            "raise_exception",
            |message: String| -> Result<Value, Error> {
                Err(Error::new(ErrorKind::InvalidOperation, message))
            },
        );
        environment.add_function("strftime_now", |format: String| date(&format));
        environment.add_template_owned(NAME, source)?;
        Ok(Self {
            environment,
            special_tokens,
        })
    }

    fn render(&self, conversation: Value) -> Result<String, Error> {
        self.environment.get_template(NAME)?.render(context! {
            ..conversation,
            ..Value::from_serialize(&self.special_tokens),
        })
    }
}

/// The function `strftime_now`.
fn date(format: &str) -> String {
    let fill = |text: String, (directive, value): &(&str, &str)| text.replace(directive, value);
    TODAY.iter().fold(format.to_owned(), fill)
}
