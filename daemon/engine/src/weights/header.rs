//! The header of one safetensors file, parsed and validated.
//!
//! The format: eight bytes of little-endian length, that many bytes of JSON, then the data, which
//! the tensors' ranges must cover without overlap and without a hole. Once [`parse`] has returned,
//! every entry's range lies inside the file and is exactly as long as its shape and type say; nobody
//! has to check again.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::path::Path;

use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, Visitor};

use super::encoding::Encoding;
use super::file::{Contents, Entry, Kind, elements_of};
use super::{Dtype, WeightsError};

/// Bytes of the length before the JSON.
pub(super) const LENGTH_BYTES: usize = 8;
/// The format's own limit on the JSON; without it a lying length could ask for any amount of work.
const JSON_LIMIT: usize = 100_000_000;

/// One tensor as the JSON states it.
#[derive(Deserialize)]
struct Claim {
    dtype: String,
    shape: Vec<usize>,
    data_offsets: (usize, usize),
}

/// The JSON's members in file order; a name that comes twice is an error.
struct Claims {
    tensors: Vec<(String, Claim)>,
    metadata: BTreeMap<String, String>,
}

impl<'de> Deserialize<'de> for Claims {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Claims;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object of tensors")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Claims, A::Error> {
                let mut claims = Claims {
                    tensors: Vec::new(),
                    metadata: BTreeMap::new(),
                };
                let mut seen = HashSet::new();
                while let Some(name) = map.next_key::<String>()? {
                    if !seen.insert(name.clone()) {
                        return Err(A::Error::custom(format!("{name:?} is there twice")));
                    }
                    if name == "__metadata__" {
                        // `null` is what some writers leave where they have nothing to say.
                        let notes: Option<BTreeMap<String, String>> = map.next_value()?;
                        claims.metadata = notes.unwrap_or_default();
                    } else {
                        claims.tensors.push((name, map.next_value()?));
                    }
                }
                Ok(claims)
            }
        }
        deserializer.deserialize_map(Members)
    }
}

/// Reads the header at the start of `file` and checks it against the file's length.
pub(super) fn parse(path: &Path, file: &[u8]) -> Result<Contents, WeightsError> {
    let malformed = |problem: String| WeightsError::Malformed {
        path: path.to_owned(),
        problem,
    };
    let (length, rest) = file
        .split_first_chunk::<LENGTH_BYTES>()
        .ok_or_else(|| malformed("it is too short for a header".into()))?;
    let length = u64::from_le_bytes(*length);
    let json = usize::try_from(length)
        .ok()
        .filter(|&length| length <= JSON_LIMIT)
        .and_then(|length| rest.get(..length))
        .ok_or_else(|| {
            malformed(format!(
                "its header claims {length} bytes, more than there are"
            ))
        })?;
    let claims: Claims = serde_json::from_slice(json)
        .map_err(|error| malformed(format!("its header is not valid: {error}")))?;

    let data_start = LENGTH_BYTES + json.len();
    let data_length = file.len() - data_start;
    check_layout(path, &claims.tensors, data_length)?;
    let mut entries = BTreeMap::new();
    for (name, claim) in claims.tensors {
        let entry =
            claim
                .into_entry(data_start)
                .map_err(|problem| WeightsError::TensorMalformed {
                    path: path.to_owned(),
                    tensor: name.clone(),
                    problem,
                })?;
        entries.insert(name, entry);
    }
    Ok(Contents {
        entries,
        metadata: claims.metadata,
        pairs: None,
    })
}

/// Checks that the ranges cover the data from its first byte to its last, each byte once.
fn check_layout(
    path: &Path,
    claims: &[(String, Claim)],
    data_length: usize,
) -> Result<(), WeightsError> {
    let tensor_malformed = |tensor: &str, problem: String| WeightsError::TensorMalformed {
        path: path.to_owned(),
        tensor: tensor.to_owned(),
        problem,
    };
    let mut ranges: Vec<_> = claims
        .iter()
        .map(|(name, claim)| (claim.data_offsets, name))
        .collect();
    ranges.sort_unstable();
    let mut reached = 0;
    for ((begin, end), name) in ranges {
        if end < begin {
            return Err(tensor_malformed(
                name,
                format!("claims to end at {end}, before it begins at {begin}"),
            ));
        }
        if end > data_length {
            return Err(WeightsError::Truncated {
                path: path.to_owned(),
                tensor: name.clone(),
                expected: end as u64,
                found: data_length as u64,
            });
        }
        if begin < reached {
            return Err(tensor_malformed(
                name,
                "overlaps the tensor before it".into(),
            ));
        }
        if begin > reached {
            return Err(tensor_malformed(
                name,
                format!("leaves {} bytes before it unclaimed", begin - reached),
            ));
        }
        reached = end;
    }
    if reached < data_length {
        return Err(WeightsError::Malformed {
            path: path.to_owned(),
            problem: format!(
                "{} bytes at its end belong to no tensor",
                data_length - reached
            ),
        });
    }
    Ok(())
}

impl Claim {
    fn into_entry(self, data_start: usize) -> Result<Entry, String> {
        let dtype = Dtype::from_name(&self.dtype)
            .ok_or_else(|| format!("has the unknown element type {:?}", self.dtype))?;
        let (begin, end) = self.data_offsets;
        let needed = elements_of(&self.shape).and_then(|count| dtype.bytes_of(count));
        if needed != Some(end - begin) {
            return Err(format!(
                "of shape {:?} and type {dtype} does not fit the {} bytes claimed for it",
                self.shape,
                end - begin
            ));
        }
        Ok(Entry {
            kind: Encoding::of(dtype).map_or(Kind::Other(dtype), Kind::Weight),
            shape: self.shape,
            range: data_start + begin..data_start + end,
        })
    }
}
