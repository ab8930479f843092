//! What a file is, by its first bytes; never by its name, which anyone can write.

use std::io::{self, Read};

/// How many bytes are looked at.
const LOOKED_AT: u64 = 64;

/// What the first bytes of a file say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A picture that can be decoded here: PNG, JPEG, WebP or TIFF.
    Picture,
    /// A picture of a kind that cannot, by name.
    OtherPicture(&'static str),
    /// Text that begins like JSON: keypoints, most likely.
    Json,
    /// No bytes at all.
    Empty,
    /// Anything else.
    Unknown,
}

/// Reads the beginning and says what it is.
pub(crate) fn sniff(file: impl Read) -> io::Result<Kind> {
    let mut head = Vec::new();
    file.take(LOOKED_AT).read_to_end(&mut head)?;
    Ok(kind(&head))
}

fn kind(head: &[u8]) -> Kind {
    match head {
        [] => Kind::Empty,
        [0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, ..]
        | [0xff, 0xd8, 0xff, ..]
        | [
            b'R',
            b'I',
            b'F',
            b'F',
            _,
            _,
            _,
            _,
            b'W',
            b'E',
            b'B',
            b'P',
            ..,
        ]
        | [b'I', b'I', 42, 0, ..]
        | [b'M', b'M', 0, 42, ..] => Kind::Picture,
        [b'G', b'I', b'F', b'8', ..] => Kind::OtherPicture("GIF"),
        [b'B', b'M', ..] => Kind::OtherPicture("BMP"),
        [b'8', b'B', b'P', b'S', ..] => Kind::OtherPicture("Photoshop"),
        [0xff, 0x0a, ..] => Kind::OtherPicture("JPEG XL"),
        [_, _, _, _, b'f', b't', b'y', b'p', brand @ ..] => of_brand(brand),
        _ => {
            let mut rest = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
            while let [b' ' | b'\t' | b'\r' | b'\n', after @ ..] = rest {
                rest = after;
            }
            match rest {
                [b'{' | b'[', ..] => Kind::Json,
                _ => Kind::Unknown,
            }
        }
    }
}

/// ISO base media files say which kind they are by a brand.
fn of_brand(brand: &[u8]) -> Kind {
    if brand.starts_with(b"avi") {
        Kind::OtherPicture("AVIF")
    } else if [b"hei", b"hev", b"mif"]
        .iter()
        .any(|hei| brand.starts_with(*hei))
    {
        Kind::OtherPicture("HEIC")
    } else {
        Kind::Unknown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_by_their_first_bytes() {
        let cases: [(&[u8], Kind); 16] = [
            (b"\x89PNG\r\n\x1a\n....", Kind::Picture),
            (b"\xff\xd8\xff\xe0", Kind::Picture),
            (b"RIFF\0\0\0\0WEBPVP8 ", Kind::Picture),
            (b"II*\0\x08\0\0\0", Kind::Picture),
            (b"MM\0*\0\0\0\x08", Kind::Picture),
            (b"RIFF\0\0\0\0WAVEfmt ", Kind::Unknown),
            (b"GIF89a", Kind::OtherPicture("GIF")),
            (b"BM....", Kind::OtherPicture("BMP")),
            (b"\0\0\0\x1cftypavif", Kind::OtherPicture("AVIF")),
            (b"\0\0\0\x1cftypheic", Kind::OtherPicture("HEIC")),
            (b"\0\0\0\x1cftypisom", Kind::Unknown),
            (b"{\"people\": []}", Kind::Json),
            (b"\xef\xbb\xbf\r\n  [1]", Kind::Json),
            (b"", Kind::Empty),
            (b"\x89PN", Kind::Unknown),
            (b"hello", Kind::Unknown),
        ];
        for (head, expected) in cases {
            assert_eq!(kind(head), expected, "{head:?}");
        }
    }
}
