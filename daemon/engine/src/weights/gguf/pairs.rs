//! The key/value pairs of a GGUF file: what the model is, and often its tokenizer.
//!
//! Values stay in the file and are decoded when somebody asks: a vocabulary that nobody needs costs
//! nothing, and a lying count has nothing to allocate.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use super::super::file::WeightFile;
use super::cursor::Cursor;

/// An array of arrays of arrays is as deep as anybody could mean.
const DEPTH_LIMIT: usize = 3;
/// Texts longer than this are no notes about a model but files embedded in it.
const TEXT_LIMIT: usize = 1 << 16;

/// The pairs of one file.
#[derive(Clone)]
pub(crate) struct Pairs {
    file: Arc<WeightFile>,
    values: BTreeMap<String, Value>,
}

/// Where a value lies in the file.
#[derive(Clone)]
struct Value {
    kind: Scalar,
    /// `None` for a single value.
    count: Option<u64>,
    bytes: Range<usize>,
}

/// The types of values, and of the elements of arrays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scalar {
    U8,
    I8,
    U16,
    I16,
    U32,
    I32,
    F32,
    Bool,
    String,
    Array,
    U64,
    I64,
    F64,
}

impl Scalar {
    fn of(number: u32) -> Result<Self, String> {
        Ok(match number {
            0 => Self::U8,
            1 => Self::I8,
            2 => Self::U16,
            3 => Self::I16,
            4 => Self::U32,
            5 => Self::I32,
            6 => Self::F32,
            7 => Self::Bool,
            8 => Self::String,
            9 => Self::Array,
            10 => Self::U64,
            11 => Self::I64,
            12 => Self::F64,
            _ => return Err(format!("has the unknown type {number}")),
        })
    }

    /// Bytes of a value; `None` where each says its own length.
    fn size(self) -> Option<usize> {
        match self {
            Self::U8 | Self::I8 | Self::Bool => Some(1),
            Self::U16 | Self::I16 => Some(2),
            Self::U32 | Self::I32 | Self::F32 => Some(4),
            Self::U64 | Self::I64 | Self::F64 => Some(8),
            Self::String | Self::Array => None,
        }
    }

    /// The whole number that `bytes`, one value of this type, stand for.
    fn integer(self, bytes: &[u8]) -> Option<i64> {
        let signed = matches!(self, Self::I8 | Self::I16 | Self::I32 | Self::I64);
        if !signed
            && !matches!(
                self,
                Self::U8 | Self::U16 | Self::U32 | Self::U64 | Self::Bool
            )
        {
            return None;
        }
        let negative = signed && bytes.last().is_some_and(|&byte| byte >= 0x80);
        let mut word = if negative { [0xff; 8] } else { [0; 8] };
        word.get_mut(..bytes.len())?.copy_from_slice(bytes);
        let value = i64::from_le_bytes(word);
        (signed || value >= 0).then_some(value)
    }

    fn float(self, bytes: &[u8]) -> Option<f64> {
        match self {
            Self::F32 => Some(f32::from_le_bytes(bytes.try_into().ok()?).into()),
            Self::F64 => Some(f64::from_le_bytes(bytes.try_into().ok()?)),
            _ => None,
        }
    }
}

impl Pairs {
    /// Walks over `count` pairs.
    pub(super) fn read(
        cursor: &mut Cursor<'_>,
        count: u64,
        file: &Arc<WeightFile>,
    ) -> Result<Self, String> {
        let mut values = BTreeMap::new();
        for _ in 0..count {
            let key = cursor.text()?.to_owned();
            let value = Value::read(cursor).map_err(|problem| format!("{key}: {problem}"))?;
            if values.contains_key(&key) {
                return Err(format!("{key:?} is there twice"));
            }
            values.insert(key, value);
        }
        Ok(Self {
            file: file.clone(),
            values,
        })
    }

    /// Whether there is a pair of this name.
    pub(crate) fn contains(&self, key: &str) -> bool {
        self.values.contains_key(key)
    }

    /// A whole number; a truth value counts as 0 or 1.
    pub(crate) fn integer(&self, key: &str) -> Option<i64> {
        let (value, bytes) = self.single(key)?;
        value.kind.integer(bytes)
    }

    /// A fraction.
    pub(crate) fn float(&self, key: &str) -> Option<f64> {
        let (value, bytes) = self.single(key)?;
        value.kind.float(bytes)
    }

    /// A text. Bytes that are no UTF-8 are replaced.
    pub(crate) fn string(&self, key: &str) -> Option<String> {
        let (value, bytes) = self.single(key)?;
        let text = Cursor::new(bytes).string().ok()?;
        (value.kind == Scalar::String).then(|| String::from_utf8_lossy(text).into_owned())
    }

    /// An array of texts, such as a vocabulary. Bytes that are no UTF-8 are replaced.
    pub(crate) fn strings(&self, key: &str) -> Option<Vec<String>> {
        let (count, bytes) = self.array(key, |kind| kind == Scalar::String)?.1;
        let mut cursor = Cursor::new(bytes);
        let texts = (0..count).map(|_| cursor.string().map(String::from_utf8_lossy));
        texts.map(|text| Some(text.ok()?.into_owned())).collect()
    }

    /// An array of whole numbers, such as the kinds of tokens.
    pub(crate) fn integers(&self, key: &str) -> Option<Vec<i64>> {
        let (kind, (_, bytes)) = self.array(key, |kind| kind.size().is_some())?;
        let values = bytes.chunks_exact(kind.size()?);
        values.map(|value| kind.integer(value)).collect()
    }

    /// All single values as text, for messages and for looking up names.
    pub(super) fn texts(&self) -> BTreeMap<String, String> {
        let text = |key: &str, value: &Value| match value.kind {
            Scalar::String if value.bytes.len() > TEXT_LIMIT => None,
            Scalar::String => self.string(key),
            Scalar::Bool => Some((self.integer(key)? != 0).to_string()),
            _ => self
                .integer(key)
                .map(|number| number.to_string())
                .or_else(|| Some(self.float(key)?.to_string())),
        };
        let texts = self.values.iter();
        texts
            .filter_map(|(key, value)| Some((key.clone(), text(key, value)?)))
            .collect()
    }

    fn single(&self, key: &str) -> Option<(&Value, &[u8])> {
        let value = self.values.get(key).filter(|value| value.count.is_none())?;
        Some((value, &self.file.map[value.bytes.clone()]))
    }

    fn array(
        &self,
        key: &str,
        is_kind: impl FnOnce(Scalar) -> bool,
    ) -> Option<(Scalar, (u64, &[u8]))> {
        let value = self.values.get(key).filter(|value| is_kind(value.kind))?;
        let bytes = &self.file.map[value.bytes.clone()];
        Some((value.kind, (value.count?, bytes)))
    }
}

impl Value {
    fn read(cursor: &mut Cursor<'_>) -> Result<Self, String> {
        match Scalar::of(cursor.u32()?)? {
            Scalar::Array => Self::read_array(cursor, DEPTH_LIMIT),
            kind => {
                let start = cursor.position();
                pass(cursor, kind, 1)?;
                Ok(Self {
                    kind,
                    count: None,
                    bytes: start..cursor.position(),
                })
            }
        }
    }

    fn read_array(cursor: &mut Cursor<'_>, depth: usize) -> Result<Self, String> {
        let kind = Scalar::of(cursor.u32()?)?;
        let count = cursor.u64()?;
        let start = cursor.position();
        if kind != Scalar::Array {
            pass(cursor, kind, count)?;
        } else if depth == 0 {
            return Err("is an array in too many arrays".into());
        } else {
            for _ in 0..count {
                Self::read_array(cursor, depth - 1)?;
            }
        }
        Ok(Self {
            kind,
            count: Some(count),
            bytes: start..cursor.position(),
        })
    }
}

/// Passes over `count` values. Each takes at least a byte, so a lying count ends with the header.
fn pass(cursor: &mut Cursor<'_>, kind: Scalar, count: u64) -> Result<(), String> {
    let Some(size) = kind.size() else {
        for _ in 0..count {
            cursor.string()?;
        }
        return Ok(());
    };
    let bytes = usize::try_from(count)
        .ok()
        .and_then(|count| count.checked_mul(size));
    cursor.bytes(bytes.unwrap_or(usize::MAX)).map(|_| ())
}
