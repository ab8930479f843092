//! Reads parameters with serde and says which one was wrong.
//!
//! serde_json alone says what was wrong and at which column of a text that the user never saw;
//! here the error carries the name of the parameter instead.

use std::fmt;

use serde::de::{DeserializeOwned, DeserializeSeed, Error as _, MapAccess, Visitor};
use serde::forward_to_deserialize_any;
use serde_json::{Map, Value};

use crate::Failure;

/// Reads a JSON object into `T`.
pub(crate) fn parse<T: DeserializeOwned>(json: &str) -> Result<T, Failure> {
    let values: Map<String, Value> = serde_json::from_str(json)
        .map_err(|error| Failure::parameter("", format!("not a JSON object: {error}")))?;
    T::deserialize(Parameters {
        values: values.into_iter(),
        current: None,
    })
    .map_err(|error| Failure::parameter(error.name, error.message))
}

/// The object's entries, on their way into a struct.
struct Parameters {
    values: serde_json::map::IntoIter,
    current: Option<(String, Value)>,
}

impl<'de> serde::Deserializer<'de> for Parameters {
    type Error = Wrong;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_map(self)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        unit unit_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

impl<'de> MapAccess<'de> for Parameters {
    type Error = Wrong;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Wrong> {
        let Some((name, value)) = self.values.next() else {
            self.current = None;
            return Ok(None);
        };
        let key = seed.deserialize(Value::String(name.clone()));
        let key = key.map_err(|error| Wrong::in_parameter(&name, &error))?;
        self.current = Some((name, value));
        Ok(Some(key))
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Wrong> {
        let (name, value) = self
            .current
            .take()
            .ok_or_else(|| Wrong::custom("a value was asked for before its name"))?;
        seed.deserialize(value)
            .map_err(|error| Wrong::in_parameter(&name, &error))
    }
}

/// A parameter's name, empty where none is to blame, and what is wrong with it.
#[derive(Debug)]
struct Wrong {
    name: String,
    message: String,
}

impl Wrong {
    fn in_parameter(name: &str, error: &serde_json::Error) -> Self {
        let message = error.to_string();
        let unknown = format!("unknown field `{name}`, ");
        Self {
            name: name.to_owned(),
            message: match message.strip_prefix(&unknown) {
                Some(known) => format!("there is no such parameter, {known}"),
                None => message,
            },
        }
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for Wrong {}

impl serde::de::Error for Wrong {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self {
            name: String::new(),
            message: message.to_string(),
        }
    }

    fn missing_field(field: &'static str) -> Self {
        Self {
            name: field.to_owned(),
            message: "is required".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::parse;
    use crate::Failure;

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Frame {
        width: u32,
        #[serde(default)]
        mode: Option<Mode>,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(rename_all = "lowercase")]
    enum Mode {
        Crop,
        Pad,
    }

    fn refused(json: &str) -> (String, String) {
        match parse::<Frame>(json) {
            Err(Failure::Parameter { name, message }) => (name, message),
            other => panic!("not refused: {other:?}"),
        }
    }

    #[test]
    fn good_parameters_are_read() {
        let expected = Frame {
            width: 5,
            mode: Some(Mode::Pad),
        };
        assert_eq!(parse(r#"{"mode":"pad","width":5}"#), Ok(expected));
    }

    #[test]
    fn a_wrong_type_names_its_parameter() {
        let (name, message) = refused(r#"{"width":"5"}"#);
        assert_eq!(name, "width");
        assert_eq!(message, "invalid type: string \"5\", expected u32");
    }

    #[test]
    fn a_wrong_choice_names_its_parameter_and_the_choices() {
        let (name, message) = refused(r#"{"width":5,"mode":"squash"}"#);
        assert_eq!(name, "mode");
        assert_eq!(
            message,
            "unknown variant `squash`, expected `crop` or `pad`"
        );
    }

    #[test]
    fn an_unknown_parameter_is_named_with_the_known_ones() {
        let (name, message) = refused(r#"{"width":5,"colour":"red"}"#);
        assert_eq!(name, "colour");
        assert_eq!(
            message,
            "there is no such parameter, expected `width` or `mode`"
        );
    }

    #[test]
    fn a_missing_parameter_is_named() {
        assert_eq!(refused("{}"), ("width".into(), "is required".into()));
    }

    #[test]
    fn what_is_no_object_is_refused_without_a_name() {
        let (name, message) = refused("[1]");
        assert_eq!(name, "");
        assert!(message.starts_with("not a JSON object: "), "{message}");
    }
}
