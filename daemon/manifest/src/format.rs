//! The picture formats that a manifest can ask for.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::problem::{Code, Fault, quoted};
use crate::suggest;

/// A picture format. Which of them this build can write, a [`crate::World`] says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Format {
    /// Lossless, 8 bits a channel; quality has no meaning.
    #[default]
    Png,
    /// Lossy, no transparency.
    Jpeg,
    /// WebP.
    Webp,
    /// AVIF.
    Avif,
    /// Lossless, for print; quality has no meaning.
    Tiff,
}

impl Format {
    /// Every format there is a name for.
    pub const ALL: [Self; 5] = [Self::Png, Self::Jpeg, Self::Webp, Self::Avif, Self::Tiff];

    /// Its name in a manifest, which is also the extension of its files: `poster.jpeg`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Png => "png",
            Self::Jpeg => "jpeg",
            Self::Webp => "webp",
            Self::Avif => "avif",
            Self::Tiff => "tiff",
        }
    }

    /// The format that a file's extension stands for, in either case; knows `jpg` and `tif` too.
    #[must_use]
    pub fn from_extension(extension: &str) -> Option<Self> {
        match extension.to_ascii_lowercase().as_str() {
            "jpg" => Some(Self::Jpeg),
            "tif" => Some(Self::Tiff),
            name => Self::ALL.into_iter().find(|format| format.name() == name),
        }
    }

    /// The format of this exact name.
    pub(crate) fn named(name: &str) -> Result<Self, Fault> {
        if let Some(format) = Self::ALL.into_iter().find(|format| format.name() == name) {
            return Ok(format);
        }
        let meant = match Self::from_extension(name) {
            Some(format) => Some(format!("did you mean {:?}?", format.name())),
            None => suggest::advice(name, &Self::ALL.map(|format| format.name().to_owned())),
        };
        Err(Fault::of_key(
            Code::FormatUnknown,
            format!("is {}, which is no format known here", quoted(name)),
        )
        .maybe_hint(meant))
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn names_and_extensions() {
        for format in Format::ALL {
            assert_eq!(Format::named(format.name()), Ok(format));
            assert_eq!(Format::from_extension(format.name()), Some(format));
            let json = serde_json::to_string(&format).unwrap();
            assert_eq!(json, format!("\"{format}\""));
        }
        assert_eq!(Format::from_extension("JPG"), Some(Format::Jpeg));
        assert_eq!(Format::from_extension("gif"), None);
    }

    #[test]
    fn a_near_name_is_suggested() {
        let hint = |name| Format::named(name).unwrap_err().hint.unwrap();
        assert_eq!(hint("jpg"), "did you mean \"jpeg\"?");
        assert_eq!(hint("PNG"), "did you mean \"png\"?");
        assert!(hint("gif").starts_with("there is \"png\""));
    }
}
