//! Reads an identity back from its files and checks that they belong together.

use std::path::PathBuf;

use rcgen::{KeyPair, PublicKeyData};
use serde::Serialize;
use sha2::{Digest, Sha256};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use x509_parser::prelude::{FromDer, Pem, X509Certificate};

use super::{CHAIN, Identity, LeafSigner, ROOT_CERTIFICATE, ROOT_KEY, store::KeyFolder};
use crate::{ProvenanceError, offline};

/// What may be shown about an identity: public facts only.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct IdentitySummary {
    /// Whose signature pictures carry, as a distinguished name.
    pub subject: String,
    /// Which root issued it, as a distinguished name.
    pub issuer: String,
    /// SHA-256 of the leaf certificate, hexadecimal.
    pub fingerprint_sha256: String,
    /// SHA-256 of the root certificate, hexadecimal.
    pub root_fingerprint_sha256: String,
    /// Start of the leaf's validity, RFC 3339.
    pub not_before: String,
    /// End of the leaf's validity, RFC 3339.
    pub not_after: String,
    /// Whether the root's key is there, so that a new leaf can be issued.
    pub can_rotate: bool,
    /// The keys folder.
    pub folder: PathBuf,
}

/// The facts of one certificate that this crate needs.
pub(super) struct Certificate {
    pub(super) der: Vec<u8>,
    /// The public key, DER (`SubjectPublicKeyInfo`).
    pub(super) public_key: Vec<u8>,
    pub(super) not_before: OffsetDateTime,
    pub(super) not_after: OffsetDateTime,
    subject: String,
    issuer: String,
}

impl Certificate {
    /// The first certificate of a PEM text. The error says what is wrong with it.
    pub(super) fn from_pem(pem: &str) -> Result<Self, String> {
        let (block, _) = Pem::read(std::io::Cursor::new(pem)).map_err(|error| error.to_string())?;
        if block.label != "CERTIFICATE" {
            return Err(format!("it holds a {}, not a CERTIFICATE", block.label));
        }
        let (_, x509) =
            X509Certificate::from_der(&block.contents).map_err(|error| error.to_string())?;
        Ok(Self {
            public_key: x509.public_key().raw.to_vec(),
            not_before: x509.validity().not_before.to_datetime(),
            not_after: x509.validity().not_after.to_datetime(),
            subject: x509.subject().to_string(),
            issuer: x509.issuer().to_string(),
            der: block.contents,
        })
    }

    fn fingerprint(&self) -> String {
        hex(&Sha256::digest(&self.der))
    }
}

/// The name of the file with the private key of a leaf with this public key (DER). Naming the
/// file after the key makes `chain.pem` alone say which key is current, so that one rename
/// changes both.
pub(super) fn leaf_key_name(public_key: &[u8]) -> String {
    format!("leaf-{}.key", &hex(&Sha256::digest(public_key))[..16])
}

impl Identity {
    /// Loads the identity that `chain.pem` names. The folder must be locked.
    pub(super) fn load(folder: &KeyFolder) -> Result<Self, ProvenanceError> {
        let Some(chain_pem) = folder.read_public(CHAIN)? else {
            return Err(ProvenanceError::IdentityMissing(folder.path().into()));
        };
        let Some(root_pem) = folder.read_public(ROOT_CERTIFICATE)? else {
            return Err(folder.broken(ROOT_CERTIFICATE, "it is missing"));
        };
        let leaf = Certificate::from_pem(&chain_pem).map_err(|what| folder.broken(CHAIN, &what))?;
        let root = Certificate::from_pem(&root_pem)
            .map_err(|what| folder.broken(ROOT_CERTIFICATE, &what))?;
        let key_name = leaf_key_name(&leaf.public_key);
        let Some(key_pem) = folder.read_secret(&key_name)? else {
            return Err(folder.broken(&key_name, "it is missing"));
        };
        let key = KeyPair::from_pem(&key_pem)
            .map_err(|error| folder.broken(&key_name, &error.to_string()))?;
        if key.subject_public_key_info() != leaf.public_key {
            return Err(folder.broken(&key_name, "it is not the key of chain.pem"));
        }
        let signer = LeafSigner::new(&chain_pem, &key_pem)
            .map_err(|error| folder.broken(CHAIN, &error.to_string()))?;
        let context = offline::context(&root_pem)
            .map_err(|error| folder.broken(ROOT_CERTIFICATE, &error.to_string()))?;
        Ok(Self {
            summary: IdentitySummary {
                fingerprint_sha256: leaf.fingerprint(),
                root_fingerprint_sha256: root.fingerprint(),
                not_before: rfc3339(leaf.not_before),
                not_after: rfc3339(leaf.not_after),
                can_rotate: folder.contains(ROOT_KEY)?,
                folder: folder.path().into(),
                subject: leaf.subject,
                issuer: leaf.issuer,
            },
            validity: (leaf.not_before, leaf.not_after),
            signer,
            root_pem,
            context,
        })
    }
}

fn rfc3339(time: OffsetDateTime) -> String {
    time.format(&Rfc3339).unwrap_or_else(|_| time.to_string())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
