//! What can be wrong with a manifest, said so that a user can put it right and a script can act.
//!
//! A [`Problem`] has a stable [`Code`], the key it is about, its place, a sentence and usually a
//! hint. [`Problems`] is what the public functions return: never empty, ordered by place. No
//! message holds an absolute path, a user or a host name: only what the manifest itself says.

use std::fmt;

use serde::{Serialize, Serializer};

mod fault;
mod list;

pub(crate) use fault::{Fault, quoted};
pub use list::Problems;

use crate::place::Place;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)+) => {
        /// The kind of a problem. The text of each ([`Code::as_str`]) is stable: scripts and
        /// error files rely on it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Code {
            $($(#[$doc])* $name,)+
        }

        impl Code {
            /// Every code there is.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The code as it stands in error files: lower case words joined by hyphens.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)+
                }
            }
        }
    };
}

codes! {
    /// The text is not TOML: truncated, a quote missing, and the like.
    ManifestSyntax = "manifest-syntax",
    /// The manifest is of a version that this program does not know.
    ManifestVersion = "manifest-version",
    /// The manifest is larger than [`crate::MAX_MANIFEST_BYTES`].
    ManifestTooLarge = "manifest-too-large",
    /// The manifest is not UTF-8.
    ManifestEncoding = "manifest-encoding",
    /// A key that no manifest has.
    UnknownKey = "unknown-key",
    /// A key that must be there and is not.
    MissingKey = "missing-key",
    /// A key given twice.
    DuplicateKey = "duplicate-key",
    /// A value of another type than the key takes.
    WrongType = "wrong-type",
    /// A number outside its range.
    OutOfRange = "out-of-range",
    /// A value of the right type that cannot be used: an empty prompt, a name with a slash.
    InvalidValue = "invalid-value",
    /// More entries in a list than are possible.
    TooMany = "too-many",
    /// A path that leads out of the manifest's folder and the folders the config allows.
    PathEscapes = "path-escapes",
    /// A file that is not there.
    FileMissing = "file-missing",
    /// A file that is there and cannot be read.
    FileUnreadable = "file-unreadable",
    /// Something that is not a regular file: a folder, a pipe, a device.
    NotAFile = "not-a-file",
    /// A reference that is used as it is and is not a picture.
    NotAPicture = "not-a-picture",
    /// A mask of another size than the picture that it is laid over.
    MaskSize = "mask-size",
    /// No model is named and the config has no default.
    ModelUnset = "model-unset",
    /// A model of this name is not known.
    ModelUnknown = "model-unknown",
    /// The model is known and cannot be used.
    ModelUnusable = "model-unusable",
    /// A plugin of this name is not installed.
    PluginUnknown = "plugin-unknown",
    /// No such picture format.
    FormatUnknown = "format-unknown",
    /// A picture format that this build cannot write.
    FormatUnavailable = "format-unavailable",
    /// A template of this name is not there.
    TemplateUnknown = "template-unknown",
    /// The template is there and is itself wrong.
    TemplateInvalid = "template-invalid",
    /// A LoRA file that is there and cannot be used.
    LoraUnusable = "lora-unusable",
}

impl Code {
    /// Whether the problem is that something named does not exist (as opposed to bad input).
    #[must_use]
    pub const fn is_not_found(self) -> bool {
        matches!(self, Self::FileMissing | Self::ModelUnknown)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    key: Option<String>,
    place: Option<Place>,
    fault: Fault,
}

impl Problem {
    pub(crate) fn new(key: Option<String>, place: Option<Place>, fault: Fault) -> Self {
        Self { key, place, fault }
    }

    /// Its stable code.
    #[must_use]
    pub fn code(&self) -> Code {
        self.fault.code
    }

    /// The key it is about, as a path whose numbers count from 1 (`reference[2].path`), or the
    /// flag (`--width`) where the wishes came from a command line.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// Where it stands; none where the wishes came from a command line.
    #[must_use]
    pub fn place(&self) -> Option<Place> {
        self.place
    }

    /// The line, from 1.
    #[must_use]
    pub fn line(&self) -> Option<u32> {
        self.place.map(|place| place.line)
    }

    /// The column in characters, from 1.
    #[must_use]
    pub fn column(&self) -> Option<u32> {
        self.place.map(|place| place.column)
    }

    /// What is wrong, as a sentence.
    #[must_use]
    pub fn message(&self) -> String {
        self.fault.message(self.key.as_deref())
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<&str> {
        self.fault.hint.as_deref()
    }

    /// The same problem under another key: that of the flag which gave the value.
    pub(crate) fn rekeyed(mut self, key: impl FnOnce(&str) -> String) -> Self {
        self.key = self.key.map(|old| key(&old));
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(Place { line, column }) = self.place {
            write!(f, "{line}:{column}: ")?;
        }
        write!(f, "{} [{}]", self.message(), self.code())
    }
}

impl std::error::Error for Problem {}

impl Serialize for Problem {
    /// As in an error file: `code`, `key`, `line`, `column`, `message`, `hint`; what does not
    /// apply is left out.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Entry<'a> {
            code: Code,
            #[serde(skip_serializing_if = "Option::is_none")]
            key: Option<&'a str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            line: Option<u32>,
            #[serde(skip_serializing_if = "Option::is_none")]
            column: Option<u32>,
            message: String,
            #[serde(skip_serializing_if = "Option::is_none")]
            hint: Option<&'a str>,
        }
        Entry {
            code: self.code(),
            key: self.key(),
            line: self.line(),
            column: self.column(),
            message: self.message(),
            hint: self.hint(),
        }
        .serialize(serializer)
    }
}
