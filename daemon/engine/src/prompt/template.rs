//! The chat template: Jinja as transformers runs it.

use std::collections::BTreeMap;

use minijinja::{AutoEscape, Environment, Error, ErrorKind, Value, context};

use super::python;

/// The name the template has in error messages.
const NAME: &str = "chat_template.jinja";

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
        environment.add_template_owned(NAME, source)?;
        Ok(Self {
            environment,
            special_tokens,
        })
    }

    /// The template around one user message, ready for the assistant's answer, thinking off.
    pub(super) fn render(&self, prompt: &str) -> Result<String, Error> {
        self.environment.get_template(NAME)?.render(context! {
            messages => [context! { role => "user", content => prompt }],
            tools => (),
            documents => (),
            add_generation_prompt => true,
            enable_thinking => false,
            ..Value::from_serialize(&self.special_tokens),
        })
    }
}
