//! What chat templates expect of Python: methods of its strings, and its way to write JSON.

use std::io;

use minijinja::value::{Rest, ValueKind, from_args};
use minijinja::{Error, ErrorKind, State, Value};
use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};

/// Calls a method that templates use on strings and that Jinja itself does not define.
pub(super) fn call_method(
    _: &State<'_, '_>,
    value: &Value,
    method: &str,
    args: &[Value],
) -> Result<Value, Error> {
    let unknown = || Error::from(ErrorKind::UnknownMethod);
    if value.kind() == ValueKind::Map && method == "get" {
        let (key, default): (Value, Option<Value>) = from_args(args)?;
        let found = value.get_item(&key)?;
        return Ok(if found.is_undefined() {
            default.unwrap_or(Value::from(()))
        } else {
            found
        });
    }
    let text = value.as_str().ok_or_else(unknown)?;
    Ok(match method {
        "startswith" => affixes(args)?
            .iter()
            .any(|affix| text.starts_with(affix))
            .into(),
        "endswith" => affixes(args)?
            .iter()
            .any(|affix| text.ends_with(affix))
            .into(),
        "strip" => text.trim_matches(stripped(args)?).into(),
        "lstrip" => text.trim_start_matches(stripped(args)?).into(),
        "rstrip" => text.trim_end_matches(stripped(args)?).into(),
        "split" => split(text, args)?,
        "replace" => {
            let (from, to): (&str, &str) = from_args(args)?;
            text.replace(from, to).into()
        }
        "lower" => none(args).map(|()| text.to_lowercase())?.into(),
        "upper" => none(args).map(|()| text.to_uppercase())?.into(),
        _ => return Err(unknown()),
    })
}

/// No arguments.
fn none(args: &[Value]) -> Result<(), Error> {
    from_args::<()>(args)
}

/// The argument of `startswith` and `endswith`: one string, or several of which one must fit.
fn affixes(args: &[Value]) -> Result<Vec<String>, Error> {
    let (affix,): (Value,) = from_args(args)?;
    if let Some(affix) = affix.as_str() {
        return Ok(vec![affix.to_owned()]);
    }
    let text = |affix: Value| affix.as_str().map(str::to_owned);
    let not_text = || {
        Error::new(
            ErrorKind::InvalidOperation,
            "a prefix or suffix must be a string",
        )
    };
    affix
        .try_iter()?
        .map(text)
        .collect::<Option<_>>()
        .ok_or_else(not_text)
}

/// The characters that the `strip` methods take away: those given, else Python's white space.
fn stripped(args: &[Value]) -> Result<impl Fn(char) -> bool + Copy, Error> {
    let (set,): (Option<&str>,) = from_args(args)?;
    Ok(move |c: char| set.map_or_else(|| is_space(c), |set| set.contains(c)))
}

/// `split()` by runs of white space, or `split(separator, at_most)`.
fn split(text: &str, args: &[Value]) -> Result<Value, Error> {
    let (separator, at_most): (Option<&str>, Option<i64>) = from_args(args)?;
    let at_most = at_most.and_then(|most| usize::try_from(most).ok());
    let Some(separator) = separator else {
        if at_most.is_some() {
            return Err(Error::new(
                ErrorKind::InvalidOperation,
                "split by white space takes no limit",
            ));
        }
        return Ok(text
            .split(is_space)
            .filter(|part| !part.is_empty())
            .map(Value::from)
            .collect());
    };
    if separator.is_empty() {
        return Err(Error::new(ErrorKind::InvalidOperation, "empty separator"));
    }
    Ok(match at_most {
        Some(most) => text
            .splitn(most.saturating_add(1), separator)
            .map(Value::from)
            .collect(),
        None => text.split(separator).map(Value::from).collect(),
    })
}

/// Python's white space: Unicode's, and the four information separators.
fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}

/// The filter `tojson`: one line, with a space after each comma and colon.
pub(super) fn to_json(value: &Value, _layout: Rest<Value>) -> Result<String, Error> {
    let mut json = Vec::new();
    let bad =
        |error: &dyn std::fmt::Display| Error::new(ErrorKind::BadSerialization, error.to_string());
    value
        .serialize(&mut Serializer::with_formatter(&mut json, OneLine))
        .map_err(|error| bad(&error))?;
    String::from_utf8(json).map_err(|error| bad(&error))
}

/// The separators of Python's `json.dumps`.
struct OneLine;

impl Formatter for OneLine {
    fn begin_array_value<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        if first {
            Ok(())
        } else {
            writer.write_all(b", ")
        }
    }

    fn begin_object_key<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        if first {
            Ok(())
        } else {
            writer.write_all(b", ")
        }
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b": ")
    }
}
