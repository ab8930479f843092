//! What the fuzz targets share.
//!
//! A target may panic only where a reader broke a promise. That a file is refused is no finding,
//! but a refusal must have a code and a message.

use std::fmt::Display;
use std::fs::File;
use std::io::Write;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};

use atelier_flux::inspect_file;
use rustix::fs::{MemfdFlags, ftruncate, memfd_create};

/// The longest run of zeros at the end of a file.
const MOST_ZEROS: u64 = 1 << 40;

/// A file that lies in memory and has no name that could be left behind.
pub struct Memory(File);

impl Memory {
    /// A file that holds `parts` one after another, and then `zeros` zeros that take no memory until
    /// they are read.
    pub fn new(parts: &[&[u8]], zeros: u64) -> Self {
        let handle = memfd_create("fuzzed", MemfdFlags::CLOEXEC).expect("memory for a file");
        let mut file = File::from(handle);
        for part in parts {
            file.write_all(part).expect("memory for a file's contents");
        }
        let length = parts.iter().map(|part| part.len() as u64).sum::<u64>();
        ftruncate(&file, length + zeros.min(MOST_ZEROS)).expect("a file can have holes");
        Self(file)
    }

    /// A path that opens it.
    pub fn path(&self) -> PathBuf {
        PathBuf::from(format!("/proc/self/fd/{}", self.0.as_raw_fd()))
    }
}

/// Splits an input that begins with `~`, a number in hexadecimal and a line's end: a header and how
/// many zeros come after it. So a file of many gigabytes is an input of a few kilobytes.
pub fn hollow(input: &[u8]) -> Option<(&[u8], u64)> {
    let rest = input.strip_prefix(b"~")?;
    let end = rest.iter().position(|&byte| byte == b'\n')?;
    let number = std::str::from_utf8(&rest[..end]).ok()?;
    Some((&rest[end + 1..], u64::from_str_radix(number, 16).ok()?))
}

/// Lets the engine conclude from a file's header which parts of a model it holds, and what they are.
pub fn identify(path: &Path) {
    if let Err(error) = inspect_file(path) {
        assert_explained(error.code(), &error);
    }
}

/// Fails unless a refusal says what it should.
pub fn assert_explained(code: &str, message: impl Display) {
    assert!(!code.is_empty());
    assert!(!message.to_string().is_empty());
}
