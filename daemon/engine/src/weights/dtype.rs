//! Element types of safetensors files.

use std::fmt;

/// The element type of a tensor, as the safetensors format names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names are the format's own")]
pub enum Dtype {
    Bool,
    F4,
    F6E2M3,
    F6E3M2,
    F8E4M3,
    F8E5M2,
    F8E8M0,
    F8E4M3Fnuz,
    F8E5M2Fnuz,
    U8,
    I8,
    U16,
    I16,
    F16,
    Bf16,
    U32,
    I32,
    F32,
    U64,
    I64,
    F64,
    C64,
}

/// Each type with its name in a header and its size in bits.
const TABLE: [(Dtype, &str, usize); 22] = [
    (Dtype::Bool, "BOOL", 8),
    (Dtype::F4, "F4", 4),
    (Dtype::F6E2M3, "F6_E2M3", 6),
    (Dtype::F6E3M2, "F6_E3M2", 6),
    (Dtype::F8E4M3, "F8_E4M3", 8),
    (Dtype::F8E5M2, "F8_E5M2", 8),
    (Dtype::F8E8M0, "F8_E8M0", 8),
    (Dtype::F8E4M3Fnuz, "F8_E4M3FNUZ", 8),
    (Dtype::F8E5M2Fnuz, "F8_E5M2FNUZ", 8),
    (Dtype::U8, "U8", 8),
    (Dtype::I8, "I8", 8),
    (Dtype::U16, "U16", 16),
    (Dtype::I16, "I16", 16),
    (Dtype::F16, "F16", 16),
    (Dtype::Bf16, "BF16", 16),
    (Dtype::U32, "U32", 32),
    (Dtype::I32, "I32", 32),
    (Dtype::F32, "F32", 32),
    (Dtype::U64, "U64", 64),
    (Dtype::I64, "I64", 64),
    (Dtype::F64, "F64", 64),
    (Dtype::C64, "C64", 64),
];

impl Dtype {
    /// The type of this name, if the format knows one.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        TABLE.iter().find(|row| row.1 == name).map(|row| row.0)
    }

    /// Bytes that `count` elements take; `None` if that is no whole number of bytes or overflows.
    pub(crate) fn bytes_of(self, count: usize) -> Option<usize> {
        let bits = TABLE.iter().find(|row| row.0 == self).map(|row| row.2)?;
        let bits = count.checked_mul(bits)?;
        bits.is_multiple_of(8).then_some(bits / 8)
    }
}

impl fmt::Display for Dtype {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = TABLE
            .iter()
            .find(|row| row.0 == *self)
            .map_or("?", |row| row.1);
        formatter.write_str(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_is_in_the_table_once() {
        for (dtype, name, _) in TABLE {
            assert_eq!(Dtype::from_name(name), Some(dtype));
            assert_eq!(dtype.to_string(), name);
        }
        assert_eq!(Dtype::from_name("FLOAT"), None);
    }

    #[test]
    fn sizes_are_whole_bytes_or_nothing() {
        assert_eq!(Dtype::F4.bytes_of(2), Some(1));
        assert_eq!(Dtype::F4.bytes_of(3), None);
        assert_eq!(Dtype::F64.bytes_of(usize::MAX / 8), None);
    }
}
