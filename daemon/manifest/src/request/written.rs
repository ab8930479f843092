//! Values that a flag writes in short: `pose:width=512,height=768` and `style.safetensors:0.8`.

use serde_json::{Map, Value};
use toml::de::DeValue;

use crate::document;
use crate::job::Extend;
use crate::limits;
use crate::manifest::{Lora, PreparationStep, nowhere};
use crate::problem::{Code, Fault, quoted};

/// `PLUGIN[:key=value,…]`. A value is a TOML one (`512`, `0.5`, `true`, `"a, b"`); what is none is
/// taken as a string as it stands.
pub(super) fn preparation(number: usize, written: &str) -> Result<PreparationStep, Fault> {
    let (plugin, rest) = written.split_once(':').unwrap_or((written, ""));
    let plugin = limits::naming(plugin.trim())?;
    let mut parameters = Map::new();
    for pair in pairs(rest) {
        let wrong = |what: &str| {
            let says = format!("is {}, and {} {what}", quoted(written), quoted(pair));
            Fault::of_key(Code::InvalidValue, says)
                .hint("for instance: --prepare pose:width=512,height=768")
        };
        let (key, value) = pair
            .split_once('=')
            .ok_or_else(|| wrong("is no key=value"))?;
        let key = key.trim();
        if key.is_empty() || key == "plugin" {
            return Err(wrong("names no parameter"));
        }
        if parameters
            .insert(key.to_owned(), parameter(value.trim()))
            .is_some()
        {
            return Err(wrong("is there twice"));
        }
    }
    Ok(PreparationStep {
        number,
        plugin,
        parameters,
    })
}

/// `FILE[:scale]`. What follows the last colon is a scale only if it is a number, so that a file
/// may have a colon in its name.
pub(super) fn lora(number: usize, written: &str) -> Result<Lora, Fault> {
    let scaled = written
        .rsplit_once(':')
        .and_then(|(path, scale)| Some((path, scale.trim().parse::<f64>().ok()?)));
    let (path, scale) = scaled.unwrap_or((written, 1.0));
    Ok(Lora {
        number,
        path: limits::naming(path)?.into(),
        scale: limits::lora_scale(scale)?,
    })
}

/// `SIDE=PIXELS,…` with the sides left, right, top and bottom.
pub(super) fn extend(written: &str) -> Result<Extend, Fault> {
    let mut extend = Extend::default();
    let mut seen: Vec<&str> = Vec::new();
    for pair in pairs(written) {
        let wrong = |what: &str| {
            let says = format!("is {}, and {} {what}", quoted(written), quoted(pair));
            Fault::of_key(Code::InvalidValue, says)
                .hint("for instance: --extend left=128,right=128")
        };
        let (side, pixels) = pair
            .split_once('=')
            .ok_or_else(|| wrong("is no side=pixels"))?;
        let side = side.trim();
        let place = match side {
            "left" => &mut extend.left,
            "right" => &mut extend.right,
            "top" => &mut extend.top,
            "bottom" => &mut extend.bottom,
            _ => return Err(wrong("names none of left, right, top and bottom")),
        };
        if seen.contains(&side) {
            return Err(wrong("is there twice"));
        }
        seen.push(side);
        let pixels = pixels
            .trim()
            .parse()
            .map_err(|_| wrong("gives no whole number"))?;
        *place = limits::extension(pixels)?;
    }
    if seen.is_empty() {
        Err(nowhere())
    } else {
        Ok(extend)
    }
}

/// The parts between commas, save commas in double quotes.
fn pairs(text: &str) -> Vec<&str> {
    if text.is_empty() {
        return Vec::new();
    }
    let mut quoted = false;
    text.split(|letter: char| {
        quoted ^= letter == '"';
        letter == ',' && !quoted
    })
    .collect()
}

fn parameter(text: &str) -> Value {
    let plain = || Value::from(text);
    let Ok(value) = DeValue::parse(text) else {
        return plain();
    };
    match value.get_ref() {
        DeValue::String(text) => Value::from(text.as_ref()),
        DeValue::Boolean(truth) => Value::from(*truth),
        DeValue::Integer(_) => {
            document::integer(value.get_ref()).map_or_else(|_| plain(), Value::from)
        }
        DeValue::Float(_) => document::number(value.get_ref())
            .ok()
            .and_then(serde_json::Number::from_f64)
            .map_or_else(plain, Value::Number),
        // Lists and tables have commas of their own; a manifest can say those.
        DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_) => plain(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use serde_json::json;

    use super::*;

    #[test]
    fn preparations_in_short() {
        let cases = [
            ("pose", "pose", json!({})),
            ("pose:", "pose", json!({})),
            (
                "pose:width=512,height=768",
                "pose",
                json!({ "width": 512, "height": 768 }),
            ),
            (
                "fit:mode=pad, colour=\"a, b\", by=0.5,on=true",
                "fit",
                json!({ "mode": "pad", "colour": "a, b", "by": 0.5, "on": true }),
            ),
            ("x:a==b,c=", "x", json!({ "a": "=b", "c": "" })),
            ("x:a=inf,b=[1", "x", json!({ "a": "inf", "b": "[1" })),
        ];
        for (written, plugin, parameters) in cases {
            let step = preparation(3, written).unwrap();
            assert_eq!(step.plugin, plugin, "{written}");
            assert_eq!(Value::Object(step.parameters), parameters, "{written}");
            assert_eq!(step.number, 3);
        }
    }

    #[test]
    fn preparations_that_mean_nothing() {
        for written in [
            "",
            ":a=1",
            "pose:a",
            "pose:=1",
            "pose:a=1,,b=2",
            "pose:a=1,a=2",
        ] {
            let fault = preparation(1, written).unwrap_err();
            assert_eq!(fault.code, Code::InvalidValue, "{written}");
        }
    }

    #[test]
    fn extensions_in_short() {
        let sides = |written| {
            extend(written).map(|extend| [extend.left, extend.right, extend.top, extend.bottom])
        };
        assert_eq!(sides("left=128, bottom = 7").unwrap(), [128, 0, 0, 7]);
        for written in [
            "",
            "128",
            "left",
            "left=",
            "up=3",
            "left=1,left=2",
            "left=-1",
            "left=1.5",
        ] {
            assert!(extend(written).is_err(), "{written}");
        }
    }

    #[test]
    fn loras_in_short() {
        let read = |written| lora(1, written).map(|lora| (lora.path, lora.scale));
        assert_eq!(
            read("a.safetensors").unwrap(),
            ("a.safetensors".into(), 1.0)
        );
        assert_eq!(
            read("a.safetensors:0.5").unwrap(),
            ("a.safetensors".into(), 0.5)
        );
        assert_eq!(read("a:b").unwrap(), ("a:b".into(), 1.0));
        assert_eq!(read("a:b:-2").unwrap(), ("a:b".into(), -2.0));
        assert!(read("a:11").is_err() && read(":1").is_err() && read("a:nan").is_err());
    }
}
