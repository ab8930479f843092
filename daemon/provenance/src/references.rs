//! Looks at the manifests that references carry, before any of them reaches the signer.
//!
//! A reference is a file from anywhere. If it has provenance of its own, that is kept: whoever
//! made it signed it to be kept. If what it has cannot be read, the reference is bound by its
//! digest alone, and the manifest says so. No reference ever makes a job fail.

use std::{io::Cursor, sync::Arc};

use c2pa::{Context, Reader, ValidationState};

use crate::{Format, making::ReferenceFacts};

/// A reference whose own manifest could not be kept.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct LeftOut {
    /// The reference's number.
    pub number: u32,
    /// Why, in a few words.
    pub reason: String,
}

/// What a reference carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Carried {
    /// No manifest, or no bytes to look into.
    Nothing,
    /// A manifest that holds, whether its signer is known or not.
    Sound(Format),
    /// A manifest that can be read and does not hold: its certificate has run out, or the picture
    /// was changed since. It is kept with that finding, if the signer manages.
    Doubtful(Format),
    /// A manifest that cannot be kept.
    Unusable(String),
}

impl Carried {
    /// The format to read the file with, if its manifest is to be kept.
    pub(crate) fn kept(&self) -> Option<Format> {
        match self {
            Self::Sound(format) | Self::Doubtful(format) => Some(*format),
            Self::Nothing | Self::Unusable(_) => None,
        }
    }

    /// Why there is a manifest that is not kept.
    pub(crate) fn left_out(&self) -> Option<&str> {
        match self {
            Self::Unusable(reason) => Some(reason),
            Self::Nothing | Self::Sound(_) | Self::Doubtful(_) => None,
        }
    }
}

/// Finds out what a reference carries.
pub(crate) fn inspect(context: &Arc<Context>, facts: &ReferenceFacts) -> Carried {
    let Some((bytes, format)) = facts
        .bytes
        .as_deref()
        .and_then(|bytes| Some((bytes, Format::sniff(bytes)?)))
    else {
        return Carried::Nothing;
    };
    match Reader::from_shared_context(context).with_stream(format.mime(), Cursor::new(bytes)) {
        Ok(reader) if reader.active_manifest().is_none() => {
            Carried::Unusable("it names no active manifest".into())
        }
        Ok(reader) if reader.validation_state() == ValidationState::Invalid => {
            Carried::Doubtful(format)
        }
        Ok(_) => Carried::Sound(format),
        Err(c2pa::Error::JumbfNotFound | c2pa::Error::ProvenanceMissing) => Carried::Nothing,
        // A manifest elsewhere, by address: it is never fetched, and naming it would send
        // whoever verifies our picture there.
        Err(c2pa::Error::RemoteManifestUrl(_) | c2pa::Error::RemoteManifestFetch(_)) => {
            Carried::Unusable("it is not in the file".into())
        }
        // The library's message may quote the file; the manifest gets words of ours.
        Err(_) => Carried::Unusable("it cannot be read".into()),
    }
}
