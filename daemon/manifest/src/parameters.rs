//! A plugin's parameters: TOML values as JSON.
//!
//! Which parameters a plugin takes is the plugin's business (it checks them when it runs); here
//! they only change form. What JSON cannot say is refused rather than bent: a date, an infinite
//! number.

use serde_json::{Map, Value};
use toml::de::DeValue;

use crate::document::{self, Entry, Section, join};
use crate::problem::{Code, Fault};

/// How deep lists and tables may nest in a parameter; deeper ones would only serve to exhaust the
/// stack of whoever reads them.
const MAX_DEPTH: usize = 16;

/// The entries of `section` that nobody else asked for, as a JSON object. What cannot be said in
/// JSON is reported and left out.
pub(crate) fn read(section: &mut Section<'_, '_>) -> Map<String, Value> {
    let mut parameters = Map::new();
    for (name, entry) in section.others() {
        if let Some(value) = json(section, &entry, MAX_DEPTH) {
            parameters.insert(name, value);
        }
    }
    parameters
}

fn json(section: &mut Section<'_, '_>, entry: &Entry<'_>, depth: usize) -> Option<Value> {
    section.saw(entry);
    let converted = match entry.value {
        DeValue::String(text) => Ok(Value::from(text.as_ref())),
        DeValue::Boolean(truth) => Ok(Value::from(*truth)),
        DeValue::Integer(_) => document::integer(entry.value).map(Value::from),
        DeValue::Float(_) => document::number(entry.value).and_then(|number| {
            serde_json::Number::from_f64(number)
                .map(Value::Number)
                .ok_or_else(|| Fault::must(Code::OutOfRange, number, "be a finite number"))
        }),
        DeValue::Datetime(date) => Err(document::wrong_type(entry.value, "be no date or time")
            .hint(format!("put it in quotes: \"{date}\""))),
        DeValue::Array(_) | DeValue::Table(_) if depth == 0 => {
            let says = format!("nests deeper than {MAX_DEPTH} lists and tables");
            Err(Fault::of_key(Code::InvalidValue, says))
        }
        DeValue::Array(array) => {
            let elements = array.iter().enumerate().map(|(index, element)| Entry {
                key: format!("{}[{}]", entry.key, index + 1),
                offset: element.span().start,
                value: element.get_ref(),
            });
            let elements: Vec<_> = elements
                .map(|element| json(section, &element, depth - 1))
                .collect();
            return elements
                .into_iter()
                .collect::<Option<Vec<_>>>()
                .map(Value::Array);
        }
        DeValue::Table(table) => {
            let mut object = Map::new();
            let mut whole = true;
            for (key, value) in table {
                let inner = Entry {
                    key: join(&entry.key, key.get_ref()),
                    offset: value.span().start,
                    value: value.get_ref(),
                };
                match json(section, &inner, depth - 1) {
                    Some(value) => {
                        object.insert(key.get_ref().to_string(), value);
                    }
                    None => whole = false,
                }
            }
            return whole.then_some(Value::Object(object));
        }
    };
    converted.map_err(|fault| section.report(entry, fault)).ok()
}
