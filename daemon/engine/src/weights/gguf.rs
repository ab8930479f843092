//! The header of a GGUF file, parsed and validated.
//!
//! The format, all of it little-endian: the magic, a version (2 and 3 differ in nothing that matters
//! here), how many tensors and how many key/value pairs follow, the pairs, an entry per tensor, and
//! from the next multiple of the alignment on the data. Sides are stated innermost first, the reverse
//! of ours. Once [`parse`] has returned, every tensor lies inside the file, overlaps no other, and is
//! whole rows of whole blocks.
//!
//! Nothing a header claims is believed before it is found: a count allocates nothing, a string's
//! length is held against what is left of the file, and the header as a whole has a limit, so a lying
//! file costs a moment and an error.
//!
//! - [`cursor`]: reading the file from front to back; [`pairs`]: the key/value pairs;
//!   [`types`]: the numbers that stand for element types

mod cursor;
mod pairs;
mod types;

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use super::WeightsError;
use super::file::{Contents, Entry, Kind, WeightFile, elements_of};
use cursor::Cursor;
pub(crate) use pairs::Pairs;
use types::Type;

/// How a GGUF file begins.
pub(super) const MAGIC: [u8; 4] = *b"GGUF";
/// More tensors and more pairs than this no model has; FLUX.2 \[dev\] has 400.
const COUNT_LIMIT: u64 = 1 << 16;
/// The format's limit on axes.
const AXIS_LIMIT: u32 = 4;
/// Where no pair states another alignment.
const ALIGNMENT: u64 = 32;
/// The pair that states one.
const ALIGNMENT_KEY: &str = "general.alignment";

/// A tensor's entry, of which nothing is believed yet.
struct Claim {
    name: String,
    /// Outermost axis first.
    shape: Vec<u64>,
    kind: u32,
    /// From the start of the data.
    offset: u64,
}

/// Reads the header of `file` and checks it against the file's length.
pub(super) fn parse(file: &Arc<WeightFile>) -> Result<Contents, WeightsError> {
    let path = &file.path;
    let malformed = |problem: String| WeightsError::Malformed {
        path: path.clone(),
        problem,
    };
    let mut cursor = Cursor::new(&file.map);
    let (pairs, claims) = read(&mut cursor, file).map_err(malformed)?;
    let alignment = alignment(&pairs).map_err(malformed)?;
    let data = cursor.position().next_multiple_of(alignment);
    let mut entries = BTreeMap::new();
    for claim in claims {
        let name = claim.name.clone();
        let entry = settle(path, claim, data, alignment, file.map.len())?;
        if entries.insert(name.clone(), entry).is_some() {
            return Err(malformed(format!("the tensor {name} is there twice")));
        }
    }
    check_layout(path, &entries, data..file.map.len(), alignment)?;
    Ok(Contents {
        entries,
        metadata: pairs.texts(),
        pairs: Some(pairs),
    })
}

fn read(cursor: &mut Cursor<'_>, file: &Arc<WeightFile>) -> Result<(Pairs, Vec<Claim>), String> {
    cursor.bytes(MAGIC.len())?;
    match cursor.u32()? {
        2 | 3 => {}
        version if matches!(version.swap_bytes(), 1..=3) => {
            return Err("it is a GGUF file for big-endian machines".into());
        }
        version => {
            return Err(format!(
                "it is GGUF version {version}, of which 2 and 3 are known"
            ));
        }
    }
    let mut count = |what: &str| match cursor.u64()? {
        count if count <= COUNT_LIMIT => Ok(count),
        count => Err(format!("it claims to hold {count} {what}")),
    };
    let (tensors, keys) = (count("tensors")?, count("key/value pairs")?);
    let pairs = Pairs::read(cursor, keys, file)?;
    let mut claims = Vec::new();
    for number in 0..tensors {
        let claim = Claim::read(cursor);
        claims.push(claim.map_err(|problem| format!("tensor number {number}: {problem}"))?);
    }
    Ok((pairs, claims))
}

impl Claim {
    fn read(cursor: &mut Cursor<'_>) -> Result<Self, String> {
        let name = cursor.text()?.to_owned();
        let axes = cursor.u32()?;
        if axes > AXIS_LIMIT {
            return Err(format!("{name} claims {axes} axes"));
        }
        let mut shape = (0..axes)
            .map(|_| cursor.u64())
            .collect::<Result<Vec<_>, _>>()?;
        shape.reverse();
        Ok(Self {
            name,
            shape,
            kind: cursor.u32()?,
            offset: cursor.u64()?,
        })
    }
}

/// The alignment as bytes, at least 1.
fn alignment(pairs: &Pairs) -> Result<usize, String> {
    let stated = match pairs.integer(ALIGNMENT_KEY) {
        Some(stated) => u64::try_from(stated).unwrap_or(0),
        None if pairs.contains(ALIGNMENT_KEY) => 0,
        None => ALIGNMENT,
    };
    let alignment = usize::try_from(stated).ok().filter(|bytes| {
        // Far more than a page would only serve to overflow.
        bytes.is_power_of_two() && *bytes <= 1 << 20
    });
    alignment.ok_or_else(|| format!("its {ALIGNMENT_KEY} is no power of two"))
}

/// Turns a claim into an entry inside a file of `length` bytes whose data begins at `data`.
fn settle(
    path: &Path,
    claim: Claim,
    data: usize,
    alignment: usize,
    length: usize,
) -> Result<Entry, WeightsError> {
    let Claim {
        name,
        shape: claimed,
        kind: number,
        offset,
    } = claim;
    let malformed = |problem: String| WeightsError::TensorMalformed {
        path: path.to_owned(),
        tensor: name.clone(),
        problem,
    };
    let kind = match Type::of(number) {
        Type::Known(kind) => kind,
        Type::Named(format) => {
            return Err(WeightsError::QuantisationUnknown {
                path: path.to_owned(),
                tensor: name.clone(),
                format: format.into(),
            });
        }
        Type::Unknown => {
            return Err(malformed(format!("has the unknown element type {number}")));
        }
    };
    let sides = claimed.iter().map(|&side| usize::try_from(side).ok());
    let shape: Option<Vec<usize>> = sides.collect();
    let counted = shape.and_then(|shape| Some((elements_of(&shape)?, shape)));
    let Some((elements, shape)) = counted else {
        return Err(malformed(format!("claims the shape {claimed:?}")));
    };
    if let Kind::Weight(encoding) = kind {
        // Of a vector, each element is a row, so a vector cannot be in blocks.
        let row = shape
            .last()
            .filter(|_| shape.len() > 1)
            .copied()
            .unwrap_or(1);
        if !row.is_multiple_of(encoding.block()) {
            return Err(malformed(format!(
                "has rows of {row} elements, and {encoding} comes in blocks of {}",
                encoding.block()
            )));
        }
    }
    let size = match kind {
        Kind::Weight(encoding) => encoding.checked_bytes_of(elements),
        Kind::Other(dtype) => dtype.bytes_of(elements),
    };
    let start = usize::try_from(offset)
        .ok()
        .filter(|offset| offset.is_multiple_of(alignment))
        .and_then(|offset| data.checked_add(offset));
    let end = start
        .zip(size)
        .and_then(|(start, size)| start.checked_add(size));
    let Some((start, end)) = start.zip(end) else {
        return Err(malformed(format!(
            "of shape {shape:?} cannot lie at the offset {offset}"
        )));
    };
    if end > length {
        return Err(WeightsError::Truncated {
            path: path.to_owned(),
            tensor: name,
            expected: (end - data) as u64,
            found: length.saturating_sub(data) as u64,
        });
    }
    Ok(Entry {
        kind,
        shape,
        range: start..end,
    })
}

/// Checks that no two tensors overlap and that nothing but padding lies between them.
fn check_layout(
    path: &Path,
    entries: &BTreeMap<String, Entry>,
    data: Range<usize>,
    alignment: usize,
) -> Result<(), WeightsError> {
    let mut ranges: Vec<_> = entries
        .iter()
        .map(|(name, entry)| (entry.range.start, entry.range.end, name))
        .collect();
    ranges.sort_unstable();
    let mut reached = data.start;
    for (start, end, name) in ranges {
        let problem = if start < reached {
            "overlaps the tensor before it".to_owned()
        } else if start - reached >= alignment {
            format!("leaves {} bytes before it unclaimed", start - reached)
        } else {
            reached = end;
            continue;
        };
        return Err(WeightsError::TensorMalformed {
            path: path.to_owned(),
            tensor: name.clone(),
            problem,
        });
    }
    if data.end.saturating_sub(reached) >= alignment {
        return Err(WeightsError::Malformed {
            path: path.to_owned(),
            problem: format!(
                "{} bytes at its end belong to no tensor",
                data.end - reached
            ),
        });
    }
    Ok(())
}
