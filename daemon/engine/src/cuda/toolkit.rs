//! CUDA's run-time compiler and headers: what kernels are compiled with on the user's machine.

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

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

/// Where CUDA is installed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Toolkit {
    /// The folder with `include/`, or where it would be.
    pub root: PathBuf,
    /// Whether the headers that kernels include are there.
    pub headers: bool,
}

/// One that every kernel in bf16 includes, and that only the toolkit brings.
const HEADER: &str = "include/cuda_bf16.h";

impl Toolkit {
    /// In the places where the backend looks, in its order, so that what is found here is what is used:
    /// `CUDA_PATH`, `/usr/local/cuda`, `/opt/cuda`, and `/usr`, where distributions put it.
    pub(super) fn find() -> Self {
        Self::within(std::env::var_os("CUDA_PATH"), Path::new("/"))
    }

    fn within(stated: Option<OsString>, root: &Path) -> Self {
        let places = || ["usr/local/cuda", "opt/cuda"].map(|place| root.join(place));
        let found = match stated {
            Some(path) => PathBuf::from(path),
            None => match places().into_iter().find(|place| place.exists()) {
                Some(place) => place,
                None if root.join("usr/bin/nvcc").exists() => root.join("usr"),
                None => root.join("usr/local/cuda"),
            },
        };
        Self {
            headers: found.join(HEADER).is_file(),
            root: found,
        }
    }

    /// The header that was looked for.
    pub(super) fn header(&self) -> PathBuf {
        self.root.join(HEADER)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::fs;

    use super::*;

    fn install(root: &Path, files: &[&str]) {
        for file in files {
            let path = root.join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
    }

    #[test]
    fn the_first_place_that_is_there_is_taken() {
        let root = tempfile::tempdir().unwrap();
        let found = |stated: Option<&str>| Toolkit::within(stated.map(OsString::from), root.path());
        assert_eq!(found(None).root, root.path().join("usr/local/cuda"));
        assert!(!found(None).headers);

        install(root.path(), &["usr/bin/nvcc", "usr/include/cuda_bf16.h"]);
        assert_eq!(found(None).root, root.path().join("usr"));
        assert!(found(None).headers);

        install(root.path(), &["opt/cuda/bin/nvcc"]);
        assert_eq!(found(None).root, root.path().join("opt/cuda"));
        // As the backend, which takes a folder that is there for one that has the headers.
        assert!(!found(None).headers);

        let stated = root.path().join("usr");
        let by_name = found(stated.to_str());
        assert_eq!((by_name.root, by_name.headers), (stated, true));
    }

    #[test]
    fn versions_are_read_from_numbers_and_compared() {
        assert_eq!(Version::from_number(12_040), Version::new(12, 4));
        assert_eq!(Version::from_number(13_000).to_string(), "13.0");
        assert!(Version::new(12, 8) < Version::new(13, 0));
        assert!(Version::new(8, 9) < Version::new(12, 0));
    }
}
