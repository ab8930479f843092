//! Whether what a plugin says of itself is what it does: its `plugin.toml`, the schema that forms are
//! made of, and the parameters that it reads.

use std::fmt::Debug;

use atelier_plugin::{Failure, Plugin};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

/// What is wrong with how a plugin refused a parameter, if so: it must name the parameter and say these
/// words.
pub fn not_refused<T>(made: &Result<T, Failure>, name: &str, words: &str) -> Option<String> {
    match made {
        Err(Failure::Parameter {
            name: named,
            message,
        }) if named == name && message.contains(words) => None,
        Err(failure) => Some(format!("not {name}, {words}: {failure}")),
        Ok(_) => Some(format!("{name} was taken, not refused: {words}")),
    }
}

/// Where a plugin's schema, its parameters `T` and the text of its `plugin.toml` contradict each
/// other: a sentence for each place.
pub fn contradictions<P: Plugin, T>(package: &str) -> Vec<String>
where
    T: DeserializeOwned + Default + PartialEq + Debug,
{
    let description = P::describe();
    let mut found = Vec::new();
    let said: toml::Table = match package.parse() {
        Ok(said) => said,
        Err(error) => return vec![format!("plugin.toml: {error}")],
    };
    for (key, ours) in [
        ("name", &description.name),
        ("version", &description.version),
        ("summary", &description.summary),
    ] {
        if said.get(key).and_then(toml::Value::as_str) != Some(ours) {
            found.push(format!("plugin.toml says another {key} than {ours:?}"));
        }
    }
    match serde_json::from_str::<Value>(&description.parameters) {
        Ok(schema) => found.extend(of_schema::<T>(&schema)),
        Err(error) => found.push(format!("the schema is no JSON: {error}")),
    }
    found
}

fn of_schema<T>(schema: &Value) -> Vec<String>
where
    T: DeserializeOwned + Default + PartialEq + Debug,
{
    let mut found = Vec::new();
    let mut defaults = Map::new();
    let properties = schema["properties"].as_object();
    for (name, property) in properties.into_iter().flatten() {
        for text in ["title", "description"] {
            if !property[text].is_string() {
                found.push(format!("{name} has no {text}"));
            }
        }
        if let Some(default) = property.get("default") {
            defaults.insert(name.clone(), default.clone());
        }
        found.extend(of_values::<T>(name, property));
    }
    match serde_json::from_value::<T>(defaults.into()) {
        Ok(stated) if stated == T::default() => {}
        Ok(stated) => found.push(format!(
            "the schema's defaults make {stated:?}, not {:?}",
            T::default()
        )),
        Err(error) => found.push(format!("the schema's defaults are refused: {error}")),
    }
    found
}

/// What a property allows must be taken, and what is just beyond refused.
fn of_values<T: DeserializeOwned>(name: &str, property: &Value) -> Vec<String> {
    let takes = |value: &Value| serde_json::from_value::<T>(json!({ name: value })).is_ok();
    let mut found = Vec::new();
    for choice in property["enum"].as_array().into_iter().flatten() {
        if !takes(choice) {
            found.push(format!("{name} does not take {choice}"));
        }
    }
    for (bound, step) in [("minimum", -1), ("maximum", 1)] {
        let Some(value) = property.get(bound) else {
            continue;
        };
        if !takes(value) {
            found.push(format!("{name} does not take its {bound}, {value}"));
        }
        let beyond = value.as_i64().map(|value| json!(value + step));
        if beyond.is_some_and(|beyond| takes(&beyond)) {
            found.push(format!("{name} takes more than its {bound}, {value}"));
        }
    }
    found
}
