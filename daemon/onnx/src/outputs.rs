//! From what a model gives to the caller's tensors: all floats as those of 32 bits, all integers
//! as those of 32 bits if they fit, bytes and truths as bytes.

use tract_onnx::prelude::{DatumType, TValue};

use crate::{Numbers, Tensor};

/// An output under its name.
///
/// # Errors
///
/// A sentence, where its numbers cannot be given.
pub(crate) fn tensor(name: &str, value: &TValue) -> Result<Tensor, String> {
    let cannot = |why: &str| format!("output \"{}\" {why}", name.escape_debug());
    let kind = value.datum_type();
    let wanted = match kind {
        DatumType::Bool | DatumType::U8 => DatumType::U8,
        DatumType::F16 | DatumType::F32 | DatumType::F64 => DatumType::F32,
        // All of them go through the widest, so that what does not fit is found.
        kind if kind.is_integer() || kind.is_tdim() => DatumType::I64,
        _ => return Err(cannot("has no numbers that can be given")),
    };
    let given = value
        .cast_to_dt(wanted)
        .map_err(|error| cannot(&crate::trouble::sentence(&error)))?;
    let given = given
        .try_as_plain_ram()
        .map_err(|error| cannot(&crate::trouble::sentence(&error)))?;
    let unread = |error| cannot(&crate::trouble::sentence(&error));
    let numbers = match wanted {
        DatumType::U8 => Numbers::Bytes(given.as_slice::<u8>().map_err(unread)?.to_vec()),
        DatumType::F32 => Numbers::Floats(given.as_slice::<f32>().map_err(unread)?.to_vec()),
        _ => {
            let wide = given.as_slice::<i64>().map_err(unread)?.iter();
            let narrow = wide.map(|&number| i32::try_from(number));
            let narrow = narrow.collect::<Result<_, _>>();
            Numbers::Integers(narrow.map_err(|_| cannot("has integers of more than 32 bits"))?)
        }
    };
    let sides = value.shape().iter().map(|&side| u32::try_from(side));
    let shape = sides.collect::<Result<_, _>>();
    Ok(Tensor {
        name: name.to_owned(),
        shape: shape.map_err(|_| cannot("is too long"))?,
        numbers,
    })
}
