//! A plugin's parameters against the JSON Schema that it gives for them: the parts of a schema that a
//! form is made of (types, bounds, choices, what is known and what must be there). What a schema says
//! beyond that, the plugin itself judges when it runs.

use serde_json::{Map, Value};

/// The first parameter that the schema does not allow, and what is wrong with it.
pub(super) fn problem(
    schema: &Map<String, Value>,
    parameters: &Map<String, Value>,
) -> Option<(String, String)> {
    let none = Map::new();
    let known = schema
        .get("properties")
        .and_then(Value::as_object)
        .unwrap_or(&none);
    let closed = schema.get("additionalProperties") == Some(&Value::Bool(false));
    for (name, value) in parameters {
        match known.get(name) {
            None if closed => {
                let mut names: Vec<&str> = known.keys().map(String::as_str).collect();
                names.sort_unstable();
                let known = match names.len() {
                    0 => "it takes none".to_owned(),
                    _ => format!("there are {}", names.join(", ")),
                };
                return Some((name.clone(), format!("is no parameter of it; {known}")));
            }
            None => {}
            Some(rule) => {
                if let Some(problem) = value_problem(rule, value) {
                    return Some((name.clone(), problem));
                }
            }
        }
    }
    let required = schema.get("required").and_then(Value::as_array);
    required
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .find(|name| !parameters.contains_key(*name))
        .map(|name| (name.to_owned(), "is missing".to_owned()))
}

fn value_problem(rule: &Value, value: &Value) -> Option<String> {
    if let Some(choices) = rule.get("enum").and_then(Value::as_array)
        && !choices.contains(value)
    {
        let choices: Vec<String> = choices.iter().map(Value::to_string).collect();
        return Some(format!(
            "is {value}, and must be one of {}",
            choices.join(", ")
        ));
    }
    if let Some(wanted) = rule.get("type").and_then(Value::as_str)
        && !is_of(wanted, value)
    {
        return Some(format!("is {value}, and must be of type {wanted}"));
    }
    let number = value.as_f64()?;
    let bound = |key: &str| rule.get(key).and_then(Value::as_f64);
    let low = bound("minimum").filter(|&low| number < low);
    let high = bound("maximum").filter(|&high| number > high);
    match (low, high) {
        (Some(low), _) => Some(format!("is {value}, and must be at least {low}")),
        (_, Some(high)) => Some(format!("is {value}, and must be at most {high}")),
        _ => None,
    }
}

fn is_of(wanted: &str, value: &Value) -> bool {
    match wanted {
        "integer" => value.as_f64().is_some_and(|number| number.fract() == 0.0),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        "null" => value.is_null(),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use serde_json::json;

    use super::*;

    fn object(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn each_way_to_be_wrong_is_told() {
        let schema = object(json!({
            "properties": {
                "width": { "type": "integer", "minimum": 64, "maximum": 4096 },
                "mode": { "enum": ["crop", "pad"] },
                "face": { "type": "boolean" },
            },
            "required": ["mode"],
            "additionalProperties": false,
        }));
        for (parameters, expected) in [
            (json!({ "mode": "crop", "width": 64, "face": true }), None),
            (
                json!({ "mode": "sideways" }),
                Some("must be one of \"crop\", \"pad\""),
            ),
            (json!({ "mode": "pad", "width": 63 }), Some("at least 64")),
            (
                json!({ "mode": "pad", "width": 5000 }),
                Some("at most 4096"),
            ),
            (
                json!({ "mode": "pad", "width": 64.5 }),
                Some("of type integer"),
            ),
            (
                json!({ "mode": "pad", "face": "yes" }),
                Some("of type boolean"),
            ),
            (
                json!({ "mode": "pad", "breadth": 64 }),
                Some("there are face, mode, width"),
            ),
            (json!({}), Some("is missing")),
        ] {
            let found = problem(&schema, &object(parameters.clone()));
            match expected {
                None => assert_eq!(found, None, "{parameters}"),
                Some(words) => {
                    let (_, problem) = found.unwrap();
                    assert!(problem.contains(words), "{parameters}: {problem}");
                }
            }
        }
    }

    #[test]
    fn a_schema_that_says_nothing_allows_everything() {
        let parameters = object(json!({ "anything": [1] }));
        assert_eq!(problem(&Map::new(), &parameters), None);
    }
}
