//! The types of TOML values, in a user's words: what was expected, what was found, and how to
//! write it.

use std::num::IntErrorKind;

use toml::de::DeValue;

use crate::problem::{Code, Fault, quoted};

/// A string's text.
pub(crate) fn string<'t>(value: &'t DeValue<'t>) -> Result<&'t str, Fault> {
    value.as_str().ok_or_else(|| {
        let fault = wrong_type(value, "be a string");
        match scalar_text(value) {
            Some(text) => fault.hint(format!("put it in quotes: \"{text}\"")),
            None => fault,
        }
    })
}

/// A whole number, in any of TOML's notations, that fits 64 bits.
pub(crate) fn integer(value: &DeValue<'_>) -> Result<i64, Fault> {
    if let DeValue::Integer(integer) = value {
        let parsed = i64::from_str_radix(integer.as_str(), integer.radix());
        return parsed.map_err(|error| match error.kind() {
            IntErrorKind::PosOverflow | IntErrorKind::NegOverflow => {
                let says = format!("is {integer}, which is more than 64 bits hold");
                Fault::of_key(Code::OutOfRange, says)
            }
            // "0x" alone: the parser lets it through.
            _ => Fault::of_key(
                Code::ManifestSyntax,
                format!("is {integer}, which is no number"),
            ),
        });
    }
    let fault = wrong_type(value, "be a whole number");
    Err(match value {
        DeValue::String(text) if text.trim().parse::<i64>().is_ok() => without_quotes(fault, text),
        _ => fault,
    })
}

/// A number with or without a fraction; may be infinite or not a number, as TOML's may.
pub(crate) fn number(value: &DeValue<'_>) -> Result<f64, Fault> {
    match value {
        DeValue::Integer(_) => integer(value).map(|whole| whole as f64),
        DeValue::Float(float) => {
            (float.as_str().parse()).map_err(|_| wrong_type(value, "be a number"))
        }
        DeValue::String(text) if text.trim().parse::<f64>().is_ok() => {
            Err(without_quotes(wrong_type(value, "be a number"), text))
        }
        _ => Err(wrong_type(value, "be a number")),
    }
}

/// True or false.
pub(crate) fn boolean(value: &DeValue<'_>) -> Result<bool, Fault> {
    value.as_bool().ok_or_else(|| {
        let fault = wrong_type(value, "be true or false");
        match value.as_str() {
            Some(text @ ("true" | "false")) => without_quotes(fault, text),
            _ => fault,
        }
    })
}

/// "KEY is a list; it must MUST".
pub(crate) fn wrong_type(value: &DeValue<'_>, must: &str) -> Fault {
    let found = match value {
        DeValue::String(text) => format!("the string {}", quoted(text)),
        DeValue::Integer(number) => format!("the whole number {number}"),
        DeValue::Float(number) => format!("the number {number}"),
        DeValue::Boolean(truth) => truth.to_string(),
        DeValue::Datetime(date) => format!("the date or time {date}"),
        DeValue::Array(_) => "a list".to_owned(),
        DeValue::Table(_) => "a table".to_owned(),
    };
    Fault::must(Code::WrongType, found, must)
}

fn without_quotes(fault: Fault, text: &str) -> Fault {
    fault.hint(format!("write it without quotes: {}", text.trim()))
}

fn scalar_text(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::Integer(number) => Some(number.to_string()),
        DeValue::Float(number) => Some(number.to_string()),
        DeValue::Boolean(truth) => Some(truth.to_string()),
        DeValue::Datetime(date) => Some(date.to_string()),
        DeValue::String(_) | DeValue::Array(_) | DeValue::Table(_) => None,
    }
}
