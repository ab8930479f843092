//! From an open file to the manifest's text.
//!
//! The caller opens (and so decides which file, and that a link is not followed); this module
//! never opens anything, and never reads more than the limit: a user may drop a disk image.

use std::fs::File;
use std::io::{self, Read};

use crate::limits::MAX_MANIFEST_BYTES;
use crate::paths;
use crate::place::{Place, Ruler};
use crate::problem::{Code, Fault, Problem, Problems};

/// The text of an open manifest, without its byte order mark if it has one.
///
/// # Errors
///
/// `not-a-file` for anything but a regular file, `file-unreadable`, `manifest-too-large` over
/// [`MAX_MANIFEST_BYTES`], and `manifest-encoding` with the place of the first byte that is not
/// UTF-8.
pub fn read(file: &mut File) -> Result<String, Problems> {
    let bytes = read_bytes(file).map_err(|fault| Problem::new(None, None, fault))?;
    text(bytes).map_err(Problems::from)
}

/// The text of a manifest's bytes, without its byte order mark if it has one.
///
/// # Errors
///
/// `manifest-too-large` over [`MAX_MANIFEST_BYTES`], and `manifest-encoding` with the place of the
/// first byte that is not UTF-8.
pub fn decode(bytes: Vec<u8>) -> Result<String, Problems> {
    if bytes.len() > MAX_MANIFEST_BYTES {
        return Err(Problem::new(None, None, too_large()).into());
    }
    text(bytes).map_err(Problems::from)
}

fn read_bytes(file: &mut File) -> Result<Vec<u8>, Fault> {
    let unreadable = |error: io::Error| {
        Fault::whole(
            Code::FileUnreadable,
            format!("the manifest cannot be read: {}", error.kind()),
        )
    };
    let kind = file.metadata().map_err(unreadable)?.file_type();
    if !kind.is_file() {
        return Err(Fault::whole(
            Code::NotAFile,
            format!(
                "the manifest is {}, not a regular file",
                paths::describe(kind)
            ),
        ));
    }
    let mut bytes = Vec::new();
    // One byte more than allowed tells "exactly the limit" from "over it", whatever size the file
    // had when it was asked: it may grow.
    let most = MAX_MANIFEST_BYTES as u64 + 1;
    file.take(most)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    if bytes.len() > MAX_MANIFEST_BYTES {
        return Err(too_large());
    }
    Ok(bytes)
}

pub(crate) fn too_large() -> Fault {
    Fault::whole(
        Code::ManifestTooLarge,
        format!("the manifest is larger than {MAX_MANIFEST_BYTES} bytes"),
    )
    .hint("a manifest is a short text; pictures lie beside it and are named by path")
}

fn text(bytes: Vec<u8>) -> Result<String, Problem> {
    let wide = bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]);
    match String::from_utf8(bytes) {
        Ok(text) => Ok(match text.strip_prefix(BYTE_ORDER_MARK) {
            Some(rest) => rest.to_owned(),
            None => text,
        }),
        Err(error) => {
            let at = error.utf8_error().valid_up_to();
            let place = place_of(error.as_bytes(), at);
            let says = if wide {
                "the manifest is UTF-16; it must be UTF-8"
            } else {
                "the manifest is not UTF-8 here"
            };
            let fault =
                Fault::whole(Code::ManifestEncoding, says).hint("save it as UTF-8 in the editor");
            Err(Problem::new(None, Some(place), fault))
        }
    }
}

/// U+FEFF, which some editors put first; it is no part of the text.
pub(crate) const BYTE_ORDER_MARK: char = '\u{feff}';

/// The place of a byte; a byte order mark takes no column.
fn place_of(bytes: &[u8], at: usize) -> Place {
    match bytes.strip_prefix(b"\xef\xbb\xbf") {
        Some(rest) => Ruler::over(rest).place(at.saturating_sub(3)),
        None => Ruler::over(bytes).place(at),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::io::{Seek, SeekFrom, Write};

    use super::*;

    fn read_of(bytes: &[u8]) -> Result<String, Problems> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        file.seek(SeekFrom::Start(0)).unwrap();
        read(&mut file)
    }

    fn refusal(bytes: &[u8]) -> (&'static str, Option<u32>, Option<u32>) {
        let problems = read_of(bytes).unwrap_err();
        let first = problems.first();
        (problems.code(), first.line(), first.column())
    }

    #[test]
    fn text_comes_without_its_mark() {
        assert_eq!(read_of(b"manifest = 1\n").unwrap(), "manifest = 1\n");
        assert_eq!(read_of(b"\xef\xbb\xbfa = 1").unwrap(), "a = 1");
        assert_eq!(read_of(b"").unwrap(), "");
    }

    #[test]
    fn the_first_bad_byte_is_placed() {
        assert_eq!(
            refusal(b"a = 1\nb = \"\xc3\xa4\xff\"\n"),
            ("manifest-encoding", Some(2), Some(7))
        );
        assert_eq!(
            refusal(b"\xff\xfem\0a\0"),
            ("manifest-encoding", Some(1), Some(1))
        );
        assert_eq!(
            refusal(b"\xef\xbb\xbfab\xff"),
            ("manifest-encoding", Some(1), Some(3))
        );
    }

    #[test]
    fn the_limit_is_kept_exactly() {
        assert!(read_of(&vec![b'#'; MAX_MANIFEST_BYTES]).is_ok());
        assert_eq!(
            refusal(&vec![b'#'; MAX_MANIFEST_BYTES + 1]).0,
            "manifest-too-large"
        );
    }

    #[test]
    fn only_regular_files_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let problems = read(&mut File::open(folder.path()).unwrap()).unwrap_err();
        assert_eq!(problems.code(), "not-a-file");
        let problems = read(&mut File::open("/dev/zero").unwrap()).unwrap_err();
        assert_eq!(problems.code(), "not-a-file");
        assert_eq!(
            problems.first().message(),
            "the manifest is a device, not a regular file"
        );
    }
}
