//! The signing identity: a local certificate authority and the leaf certificate that signs.
//!
//! ```text
//! keys/              0700
//!   ca.pem           0644  the root; give this to those who shall trust your pictures
//!   ca.key           0600  the root's key, only used to issue a new leaf
//!   chain.pem        0644  what is written into every picture: the leaf (the root is left out)
//!   leaf-ID.key      0600  the leaf's key; ID is derived from the public key in chain.pem
//! ```
//!
//! The root's key stays beside the leaf so that a leaf can be renewed under the root that others
//! already trust. Whoever wants the root offline moves `ca.key` away: signing goes on, and
//! [`Identity::rotate`] says what is missing when the leaf nears its end.
//!
//! Each file appears whole, by a rename, and `chain.pem` comes last: after a `kill -9` at any
//! moment there is either no identity, and the next start makes one, or a complete one. A lock on
//! the folder keeps two starting programs apart.
//!
//! No key ever leaves this module: not in an error, not in `Debug`, not through a method.

mod certificates;
mod loaded;
mod signer;
mod store;
#[cfg(test)]
mod tests;

use std::{fmt, path::Path, sync::Arc};

use c2pa::Context;
use time::{Duration, OffsetDateTime};

pub use loaded::IdentitySummary;

use crate::ProvenanceError;
use signer::LeafSigner;
use store::{KeyFolder, Lock};

/// A leaf this near its end is renewed by [`Identity::open_or_create`].
const RENEW_WITHIN: Duration = Duration::days(30);

const ROOT_CERTIFICATE: &str = "ca.pem";
const ROOT_KEY: &str = "ca.key";
const CHAIN: &str = "chain.pem";

/// The local signing identity, loaded and ready to sign. Can be shared between threads.
pub struct Identity {
    signer: LeafSigner,
    root_pem: String,
    context: Arc<Context>,
    summary: IdentitySummary,
    validity: (OffsetDateTime, OffsetDateTime),
}

impl Identity {
    /// Opens the identity in `folder`, or makes one where there is none. A leaf that ends within
    /// 30 days is renewed, if the root's key is there.
    ///
    /// # Errors
    /// Where the folder cannot be used, a key file is exposed, or the identity is damaged.
    pub fn open_or_create(folder: &Path) -> Result<Self, ProvenanceError> {
        Self::open_or_create_at(folder, OffsetDateTime::now_utc())
    }

    fn open_or_create_at(folder: &Path, now: OffsetDateTime) -> Result<Self, ProvenanceError> {
        let folder = KeyFolder::open(folder, Lock::Exclusive)?;
        if !folder.contains(CHAIN)? {
            make(&folder, now)?;
            return Self::load(&folder);
        }
        let identity = Self::load(&folder)?;
        if identity.validity.1 - now < RENEW_WITHIN && folder.contains(ROOT_KEY)? {
            issue(&folder, now)?;
            return Self::load(&folder);
        }
        Ok(identity)
    }

    /// Opens the identity in `folder` and changes nothing.
    ///
    /// # Errors
    /// [`ProvenanceError::IdentityMissing`] where there is none; else as [`Self::open_or_create`].
    pub fn open(folder: &Path) -> Result<Self, ProvenanceError> {
        Self::load(&KeyFolder::open(folder, Lock::Shared)?)
    }

    /// Makes a new identity in `folder`, and the folder if need be.
    ///
    /// # Errors
    /// [`ProvenanceError::IdentityExists`] where there is one: nothing is ever overwritten.
    pub fn create(folder: &Path) -> Result<Self, ProvenanceError> {
        let folder = KeyFolder::open(folder, Lock::Exclusive)?;
        if folder.contains(CHAIN)? {
            return Err(ProvenanceError::IdentityExists(folder.path().into()));
        }
        make(&folder, OffsetDateTime::now_utc())?;
        Self::load(&folder)
    }

    /// Issues a new leaf key and certificate under the root in `folder`. The old leaf key is
    /// deleted; pictures that it signed stay as they are.
    ///
    /// # Errors
    /// [`ProvenanceError::IdentityMissing`] where there is no root,
    /// [`ProvenanceError::AuthorityKeyMissing`] where its key was moved away.
    pub fn rotate(folder: &Path) -> Result<Self, ProvenanceError> {
        if !folder.is_dir() {
            return Err(ProvenanceError::IdentityMissing(folder.into()));
        }
        let folder = KeyFolder::open(folder, Lock::Exclusive)?;
        issue(&folder, OffsetDateTime::now_utc())?;
        Self::load(&folder)
    }

    /// What may be shown about this identity; nothing in it is secret.
    #[must_use]
    pub fn summary(&self) -> IdentitySummary {
        self.summary.clone()
    }

    /// The root certificate, PEM: what a verifier needs to trust this identity's pictures.
    #[must_use]
    pub fn root_pem(&self) -> &str {
        &self.root_pem
    }

    /// Whole days until the leaf certificate ends; negative once it has.
    #[must_use]
    pub fn days_left(&self) -> i64 {
        (self.validity.1 - OffsetDateTime::now_utc()).whole_days()
    }

    /// Refuses to sign with a leaf that no verifier would accept at `now`.
    pub(crate) fn check_validity(&self, now: OffsetDateTime) -> Result<(), ProvenanceError> {
        if (self.validity.0..self.validity.1).contains(&now) {
            return Ok(());
        }
        Err(ProvenanceError::IdentityExpired {
            not_before: self.summary.not_before.clone(),
            not_after: self.summary.not_after.clone(),
        })
    }

    pub(crate) fn signer(&self) -> &LeafSigner {
        &self.signer
    }

    /// A C2PA context that trusts this identity's root and no other.
    pub(crate) fn context(&self) -> &Arc<Context> {
        &self.context
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity")
            .field("summary", &self.summary)
            .finish_non_exhaustive()
    }
}

/// Makes whatever is missing of an identity, the commit point last. A root that is there already
/// is used: it is what an interrupted start left, and nothing else makes one.
fn make(folder: &KeyFolder, now: OffsetDateTime) -> Result<(), ProvenanceError> {
    if !folder.contains(ROOT_CERTIFICATE)? {
        let root = certificates::new_root(now)?;
        folder.write(ROOT_KEY, root.key_pem.as_bytes(), store::SECRET)?;
        folder.write(
            ROOT_CERTIFICATE,
            root.certificate_pem.as_bytes(),
            store::PUBLIC,
        )?;
    }
    issue(folder, now)
}

/// Issues a leaf under the root in `folder` and makes it the current one.
fn issue(folder: &KeyFolder, now: OffsetDateTime) -> Result<(), ProvenanceError> {
    let Some(root_pem) = folder.read_public(ROOT_CERTIFICATE)? else {
        return Err(ProvenanceError::IdentityMissing(folder.path().into()));
    };
    let Some(root_key) = folder.read_secret(ROOT_KEY)? else {
        return Err(ProvenanceError::AuthorityKeyMissing(folder.path().into()));
    };
    let root = loaded::Certificate::from_pem(&root_pem)
        .map_err(|what| folder.broken(ROOT_CERTIFICATE, &what))?;
    let leaf = certificates::new_leaf(&root_key, &root, now)
        .map_err(|error| folder.broken(ROOT_KEY, &error.to_string()))?;
    let key_name = loaded::leaf_key_name(&leaf.public_key);
    folder.write(&key_name, leaf.key_pem.as_bytes(), store::SECRET)?;
    folder.write(CHAIN, leaf.certificate_pem.as_bytes(), store::PUBLIC)?;
    folder.remove_leaf_keys_but(&key_name)
}
