//! The picture formats that can hold a manifest, told apart by their first bytes.
//!
//! File names are never asked: what a file claims to be is no evidence of what it is.

use serde::Serialize;

/// A picture format that can hold a C2PA manifest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Format {
    /// Portable Network Graphics.
    Png,
    /// JPEG (JFIF or Exif).
    Jpeg,
    /// WebP, lossy or lossless.
    Webp,
    /// TIFF, classic or BigTIFF.
    Tiff,
    /// AVIF. Read only.
    Avif,
    /// HEIC or HEIF. Read only.
    Heif,
    /// GIF. Read only.
    Gif,
    /// JPEG XL in its container form. Read only.
    Jxl,
}

impl Format {
    /// The MIME type.
    #[must_use]
    pub const fn mime(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::Webp => "image/webp",
            Self::Tiff => "image/tiff",
            Self::Avif => "image/avif",
            Self::Heif => "image/heif",
            Self::Gif => "image/gif",
            Self::Jxl => "image/jxl",
        }
    }

    /// The format of a MIME type, if it is one of these.
    #[must_use]
    pub fn from_mime(mime: &str) -> Option<Self> {
        Some(match mime.to_ascii_lowercase().as_str() {
            "image/png" => Self::Png,
            "image/jpeg" | "image/jpg" => Self::Jpeg,
            "image/webp" => Self::Webp,
            "image/tiff" => Self::Tiff,
            "image/avif" => Self::Avif,
            "image/heif" | "image/heic" => Self::Heif,
            "image/gif" => Self::Gif,
            "image/jxl" => Self::Jxl,
            _ => return None,
        })
    }

    /// The format that the first bytes of a file show, if it is one of these. Needs 16 bytes.
    #[must_use]
    pub fn sniff(bytes: &[u8]) -> Option<Self> {
        const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";
        const JXL: &[u8] = b"\0\0\0\x0cJXL \r\n\x87\n";
        let head = bytes.get(..16)?;
        if head.starts_with(PNG) {
            Some(Self::Png)
        } else if head.starts_with(b"\xff\xd8\xff") {
            Some(Self::Jpeg)
        } else if head.starts_with(b"RIFF") && &head[8..12] == b"WEBP" {
            Some(Self::Webp)
        } else if [b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"]
            .iter()
            .any(|m| head.starts_with(*m))
        {
            Some(Self::Tiff)
        } else if &head[4..8] == b"ftyp" {
            match &head[8..12] {
                b"avif" | b"avis" => Some(Self::Avif),
                b"heic" | b"heix" | b"hevc" | b"mif1" | b"msf1" => Some(Self::Heif),
                _ => None,
            }
        } else if head.starts_with(b"GIF8") {
            Some(Self::Gif)
        } else if head.starts_with(JXL) {
            Some(Self::Jxl)
        } else {
            None
        }
    }

    /// Whether [`sign()`](crate::sign()) takes this format: those whose signed form the tests check.
    #[must_use]
    pub const fn can_sign(self) -> bool {
        matches!(self, Self::Png | Self::Jpeg | Self::Webp | Self::Tiff)
    }
}

#[cfg(test)]
mod tests {
    use super::Format;

    #[test]
    fn the_first_bytes_tell_the_format() {
        let cases: [(&[u8], Option<Format>); 9] = [
            (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", Some(Format::Png)),
            (
                b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x01\0\0\x01",
                Some(Format::Jpeg),
            ),
            (b"RIFF\x24\0\0\0WEBPVP8L", Some(Format::Webp)),
            (b"RIFF\x24\0\0\0WAVEfmt ", None),
            (b"II*\0\x08\0\0\0\0\0\0\0\0\0\0\0", Some(Format::Tiff)),
            (b"\0\0\0\x20ftypavif\0\0\0\0", Some(Format::Avif)),
            (b"\0\0\0\x20ftypheic\0\0\0\0", Some(Format::Heif)),
            (b"{\"people\": [1,2]}", None),
            (b"\x89PNG\r\n", None),
        ];
        for (bytes, expected) in cases {
            assert_eq!(Format::sniff(bytes), expected, "{bytes:?}");
        }
    }

    #[test]
    fn every_format_is_found_again_by_its_mime_type() {
        for format in [
            Format::Png,
            Format::Jpeg,
            Format::Webp,
            Format::Tiff,
            Format::Avif,
            Format::Heif,
            Format::Gif,
            Format::Jxl,
        ] {
            assert_eq!(Format::from_mime(format.mime()), Some(format));
        }
        assert_eq!(Format::from_mime("IMAGE/PNG"), Some(Format::Png));
        assert_eq!(Format::from_mime("application/json"), None);
    }
}
