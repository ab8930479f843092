//! Versions, as of CUDA, of its run-time compiler, and of what a card can do.

use std::fmt;

use serde::{Serialize, Serializer};

/// A version of CUDA, or a compute capability.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// What changes interfaces.
    pub major: u32,
    /// What adds to them.
    pub minor: u32,
}

impl Version {
    /// A version by its parts.
    pub const fn new(major: u32, minor: u32) -> Self {
        Self { major, minor }
    }

    /// From CUDA's own number: 12040 is 12.4.
    pub(super) fn from_number(number: i32) -> Self {
        let number = number.unsigned_abs();
        Self::new(number / 1000, number % 1000 / 10)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}", self.major, self.minor)
    }
}

impl Serialize for Version {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_numbers_and_compared() {
        assert_eq!(Version::from_number(12_040), Version::new(12, 4));
        assert_eq!(Version::from_number(13_000).to_string(), "13.0");
        assert!(Version::new(12, 8) < Version::new(13, 0));
        assert!(Version::new(8, 9) < Version::new(12, 0));
    }
}
