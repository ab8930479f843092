//! What can go wrong with keys, signing and verifying, each with a stable code and a way out.

use std::path::PathBuf;

use thiserror::Error;

/// Every failure of this crate. No message ever holds key material.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ProvenanceError {
    /// The keys folder, or a file in it, could not be read or written.
    #[error("{}: {source}", path.display())]
    Keys {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },

    /// There is no signing identity in the folder.
    #[error("there is no signing identity in {}", .0.display())]
    IdentityMissing(PathBuf),

    /// There is a signing identity already, and creating one never overwrites.
    #[error("there is a signing identity in {} already", .0.display())]
    IdentityExists(PathBuf),

    /// The files of the identity do not fit together, or one of them is damaged.
    #[error("the signing identity in {} is damaged: {what}", path.display())]
    IdentityBroken {
        /// The keys folder.
        path: PathBuf,
        /// Which part, and how.
        what: String,
    },

    /// The leaf certificate is past its end, or not yet valid.
    #[error("the signing certificate is valid from {not_before} to {not_after}, not now")]
    IdentityExpired {
        /// Start of validity, RFC 3339.
        not_before: String,
        /// End of validity, RFC 3339.
        not_after: String,
    },

    /// A new leaf certificate is wanted, and the authority's key is not in the folder.
    #[error("{} holds no ca.key to issue a certificate with", .0.display())]
    AuthorityKeyMissing(PathBuf),

    /// A key file, or its folder, is open to other users, belongs to one, or is not a plain file.
    #[error("{}: {what}", path.display())]
    KeyExposed {
        /// The file or folder.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },

    /// A key or a certificate could not be generated.
    #[error("could not make a key or certificate: {0}")]
    Generate(String),

    /// The format cannot be signed.
    #[error("a picture in the format {0} cannot be signed")]
    FormatUnsupported(&'static str),

    /// The encoded bytes are not in the format they are said to be in.
    #[error("the picture to sign is not {wanted}, it looks like {found}")]
    FormatMismatch {
        /// The MIME type that the caller named.
        wanted: &'static str,
        /// The MIME type that the first bytes show, or "nothing known".
        found: &'static str,
    },

    /// The facts of the making contradict themselves.
    #[error("the facts of the making are wrong: {0}")]
    Making(String),

    /// The manifest could not be built or signed.
    #[error("signing failed: {0}")]
    Sign(String),

    /// The picture was signed, and reading it back did not give a trusted manifest.
    #[error("the signed picture did not verify: {}", codes.join(", "))]
    SelfCheck {
        /// The C2PA status codes that failed; "state …" where none did and the state was wrong.
        codes: Vec<String>,
    },

    /// The bytes are in no picture format that can hold a manifest.
    #[error("this is no picture in a format that can hold provenance")]
    FormatUnknown,

    /// The file is cut short or damaged, so that not even a manifest can be looked for.
    #[error("the picture cannot be read: {0}")]
    Unreadable(String),

    /// One of the trusted roots is not a PEM certificate.
    #[error("a trusted root is not a PEM certificate: {0}")]
    TrustRoots(String),
}

impl ProvenanceError {
    /// The stable code of this error, for `NAME.error.toml` and scripts.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Keys { .. } => "keys-io",
            Self::IdentityMissing(_) => "identity-missing",
            Self::IdentityExists(_) => "identity-exists",
            Self::IdentityBroken { .. } => "identity-broken",
            Self::IdentityExpired { .. } => "identity-expired",
            Self::AuthorityKeyMissing(_) => "authority-key-missing",
            Self::KeyExposed { .. } => "key-exposed",
            Self::Generate(_) => "key-generation-failed",
            Self::FormatUnsupported(_) => "format-unsupported",
            Self::FormatMismatch { .. } => "format-mismatch",
            Self::Making(_) => "making-invalid",
            Self::Sign(_) => "sign-failed",
            Self::SelfCheck { .. } => "sign-self-check-failed",
            Self::FormatUnknown => "format-unknown",
            Self::Unreadable(_) => "picture-unreadable",
            Self::TrustRoots(_) => "trust-roots-invalid",
        }
    }

    /// What the user can do about it, where there is something to do.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Keys { path, .. } => Some(format!(
                "the daemon's user must be able to read and write {}",
                path.display()
            )),
            Self::IdentityMissing(_) => Some("`atelier keys init` makes one".into()),
            Self::IdentityExists(_) => {
                Some("`atelier keys rotate` issues a new certificate under the same root".into())
            }
            Self::IdentityBroken { path, .. } => Some(format!(
                "restore {} from a backup, or move it away: the next start makes a new identity",
                path.display()
            )),
            Self::IdentityExpired { .. } => Some(
                "check the clock of this machine, then `atelier keys rotate` issues a new certificate"
                    .into(),
            ),
            Self::AuthorityKeyMissing(path) => Some(format!(
                "put ca.key back beside {}, or move ca.pem and chain.pem away to start with a new root",
                path.join("ca.pem").display()
            )),
            Self::KeyExposed { path, .. } => Some(format!(
                "make {} a plain file or folder of the daemon's user, readable by no one else \
                 (chmod go-rwx); if others could read a key, start with a new root",
                path.display()
            )),
            Self::FormatUnsupported(_) => Some("choose png, jpeg, webp or tiff".into()),
            Self::FormatUnknown => {
                Some("PNG, JPEG, WebP, TIFF, AVIF, HEIF, GIF and JPEG XL can be verified".into())
            }
            Self::TrustRoots(_) => {
                Some("give a file with one or more BEGIN CERTIFICATE blocks".into())
            }
            Self::Generate(_)
            | Self::FormatMismatch { .. }
            | Self::Making(_)
            | Self::Sign(_)
            | Self::SelfCheck { .. }
            | Self::Unreadable(_) => None,
        }
    }
}
