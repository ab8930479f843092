//! From the caller's tensors to what a model takes: matched by name or order, of the right shape,
//! converted where that loses nothing but precision. Each refusal is a sentence with the input's
//! name, what it takes and what came.

use tract_onnx::prelude::{DatumType, IntoTValue, TDim, TValue, Tensor as Value};
use tract_onnx::tract_core::internal::f16;
use tract_onnx::tract_core::tract_data::TVec;

use crate::loaded::{Input, Loaded};
use crate::tensor::{count, shown};
use crate::{Numbers, Tensor, Trouble};

/// The inputs in the model's order.
///
/// # Errors
///
/// [`Trouble::Input`].
pub(crate) fn for_model(
    model: &Loaded,
    given: Vec<Tensor>,
    most: u64,
) -> Result<TVec<TValue>, Trouble> {
    let refused = |message| Trouble::Input {
        model: model.name.clone(),
        message,
    };
    let ordered = ordered(&model.takes, given).map_err(refused)?;
    let pairs = model.takes.iter().zip(ordered);
    pairs
        .map(|(input, tensor)| value(input, tensor, most))
        .collect::<Result<_, _>>()
        .map_err(refused)
}

fn ordered(takes: &[Input], given: Vec<Tensor>) -> Result<Vec<Tensor>, String> {
    let names = || {
        let names: Vec<_> = takes
            .iter()
            .map(|input| format!("\"{}\"", input.name))
            .collect();
        names.join(", ")
    };
    if given.len() != takes.len() {
        let (most, came) = (takes.len(), given.len());
        let noun = if most == 1 { "input" } else { "inputs" };
        return Err(format!(
            "it takes {most} {noun} ({}), and {came} came",
            names()
        ));
    }
    let mut places: Vec<Option<Tensor>> = takes.iter().map(|_| None).collect();
    for (index, tensor) in given.into_iter().enumerate() {
        let place = if tensor.name.is_empty() {
            index
        } else {
            let found = takes.iter().position(|input| input.name == tensor.name);
            found.ok_or_else(|| {
                let name = tensor.name.escape_debug();
                format!("it has no input \"{name}\"; its inputs are {}", names())
            })?
        };
        if places[place].is_some() {
            return Err(format!("input \"{}\" came twice", takes[place].name));
        }
        places[place] = Some(tensor);
    }
    // As many came as there are places, and none came twice.
    Ok(places.into_iter().flatten().collect())
}

fn value(input: &Input, tensor: Tensor, most: u64) -> Result<TValue, String> {
    let name = &input.name;
    let fits = input.shape.len() == tensor.shape.len()
        && input
            .shape
            .iter()
            .zip(&tensor.shape)
            .all(|(takes, &came)| side_fits(takes, came));
    if !fits {
        let (takes, came) = (shown(&input.shape), shown(&tensor.shape));
        return Err(format!("input \"{name}\" takes {takes}, and {came} came"));
    }
    let numbers = count(tensor.shape.iter().map(|&side| side.into()));
    let came = tensor.numbers.len();
    if numbers != Some(came as u64) {
        let (shape, numbers) = (shown(&tensor.shape), numbers.unwrap_or(u64::MAX));
        return Err(format!(
            "input \"{name}\" of {shape} has {numbers} numbers, and {came} came"
        ));
    }
    let bytes = came as u64 * input.kind.size_of() as u64;
    if bytes > most {
        return Err(format!(
            "input \"{name}\" has {bytes} bytes, and at most {most} are allowed"
        ));
    }
    if let Some(why) = loss(input.kind, &tensor.numbers) {
        return Err(format!(
            "input \"{name}\" takes {}, and {why}",
            kind(input.kind)
        ));
    }
    let shape: Vec<usize> = tensor.shape.iter().map(|&side| side as usize).collect();
    let made = match tensor.numbers {
        Numbers::Floats(numbers) => Value::from_shape(&shape, &numbers),
        Numbers::Integers(numbers) => Value::from_shape(&shape, &numbers),
        Numbers::Bytes(numbers) => Value::from_shape(&shape, &numbers),
    };
    let made = made.and_then(|made| {
        if made.datum_type() == input.kind {
            Ok(made)
        } else {
            made.cast_to_dt(input.kind).map(|made| made.into_owned())
        }
    });
    made.map(IntoTValue::into_tvalue)
        .map_err(|error| format!("input \"{name}\": {}", crate::trouble::sentence(&error)))
}

/// A side that the model leaves open takes any, but none of nothing.
fn side_fits(takes: &TDim, came: u32) -> bool {
    match takes.to_i64() {
        Ok(takes) => takes == i64::from(came),
        Err(_) => came > 0,
    }
}

/// What would be lost besides precision, where something would.
fn loss(kind: DatumType, numbers: &Numbers) -> Option<String> {
    let came = numbers.kind();
    match numbers {
        Numbers::Floats(floats) => match kind {
            DatumType::F32 | DatumType::F64 => None,
            DatumType::F16 => {
                let lost =
                    |number: &&f32| number.is_finite() && !f16::from_f32(**number).is_finite();
                let number = floats.iter().find(lost)?;
                Some(format!("{number} is too large for that"))
            }
            _ => Some(format!("{came} came")),
        },
        Numbers::Integers(integers) => {
            let range = range(kind).ok_or_else(|| format!("{came} came"));
            let outside = |(low, high): (i64, i64)| {
                let lost = |n: &&i32| !(low..=high).contains(&i64::from(**n));
                integers
                    .iter()
                    .find(lost)
                    .map(|n| format!("{n} does not fit into that"))
            };
            range.map_or_else(Some, outside)
        }
        Numbers::Bytes(bytes) => {
            let range = range(kind).ok_or_else(|| format!("{came} came"));
            let outside = |(_, high): (i64, i64)| {
                let lost = |n: &&u8| i64::from(**n) > high;
                bytes
                    .iter()
                    .find(lost)
                    .map(|n| format!("{n} does not fit into that"))
            };
            range.map_or_else(Some, outside)
        }
    }
}

/// The whole numbers that a type can hold, at least roughly; none where it holds no numbers.
fn range(kind: DatumType) -> Option<(i64, i64)> {
    match kind {
        DatumType::Bool => Some((0, 1)),
        DatumType::U8 => Some((0, u8::MAX.into())),
        DatumType::U16 => Some((0, u16::MAX.into())),
        DatumType::U32 => Some((0, u32::MAX.into())),
        DatumType::U64 => Some((0, i64::MAX)),
        DatumType::I8 => Some((i8::MIN.into(), i8::MAX.into())),
        DatumType::I16 => Some((i16::MIN.into(), i16::MAX.into())),
        DatumType::F16 => Some((-65504, 65504)),
        DatumType::I32 | DatumType::I64 | DatumType::F32 | DatumType::F64 => {
            Some((i64::MIN, i64::MAX))
        }
        _ => None,
    }
}

/// What a model takes, as a sentence says it.
fn kind(kind: DatumType) -> String {
    match kind {
        DatumType::F16 | DatumType::F32 | DatumType::F64 => "floats".to_owned(),
        DatumType::Bool => "truths (bytes of 0 and 1)".to_owned(),
        DatumType::U8 => "bytes".to_owned(),
        kind if kind.is_integer() => format!("integers ({kind:?})").to_lowercase(),
        kind => format!("{kind:?}"),
    }
}
