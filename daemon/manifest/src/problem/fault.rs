//! What is wrong with a value, before it is known where the value came from.
//!
//! The rules in `limits` and `paths` serve a manifest and a command line alike, so they speak of
//! the value only; the key and the place are put to it by whoever asked.

use std::fmt;

use super::Code;

/// A fault in some value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) code: Code,
    says: Says,
    pub(crate) hint: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Says {
    /// The rest of a sentence that starts with the key: "is 1000; it must …".
    OfKey(String),
    /// A whole sentence.
    Whole(String),
}

impl Fault {
    /// A fault told as the rest of a sentence that starts with the key.
    pub(crate) fn of_key(code: Code, says: impl Into<String>) -> Self {
        Self {
            code,
            says: Says::OfKey(says.into()),
            hint: None,
        }
    }

    /// A fault told as a whole sentence.
    pub(crate) fn whole(code: Code, says: impl Into<String>) -> Self {
        Self {
            code,
            says: Says::Whole(says.into()),
            hint: None,
        }
    }

    /// "KEY is VALUE; it must MUST".
    pub(crate) fn must(code: Code, value: impl fmt::Display, must: impl fmt::Display) -> Self {
        Self::of_key(code, format!("is {value}; it must {must}"))
    }

    /// The same with advice.
    pub(crate) fn hint(self, hint: impl Into<String>) -> Self {
        Self {
            hint: Some(hint.into()),
            ..self
        }
    }

    /// The same with advice where there is some.
    pub(crate) fn maybe_hint(self, hint: Option<String>) -> Self {
        Self { hint, ..self }
    }

    /// The sentence, about this key.
    pub(crate) fn message(&self, key: Option<&str>) -> String {
        match &self.says {
            Says::Whole(sentence) => sentence.clone(),
            Says::OfKey(rest) => format!("{} {rest}", key.unwrap_or("the value")),
        }
    }
}

/// A user's string in quotes, safe to print: control characters are escaped (a terminal must not
/// obey a manifest) and what is long is cut.
pub(crate) fn quoted(text: &str) -> String {
    const MOST: usize = 80;
    match text.char_indices().nth(MOST) {
        None => format!("{text:?}"),
        Some((end, _)) => {
            let start = format!("{:?}", &text[..end]);
            format!("{}…\"", start.strip_suffix('"').unwrap_or(&start))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoting_escapes_and_cuts() {
        assert_eq!(quoted("a\u{1b}[31m\n"), r#""a\u{1b}[31m\n""#);
        assert_eq!(quoted("größe"), "\"größe\"");
        let long = quoted(&"ß".repeat(81));
        assert!(long.ends_with("ß…\""), "{long}");
        assert_eq!(long.chars().count(), 83);
    }
}
