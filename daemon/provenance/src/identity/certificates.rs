//! Makes keys and certificates, in memory: the C2PA certificate profile, and names without names.
//!
//! A subject is `Atelier local signer` and eight digits of the key's own digest. It carries no
//! user, host or place: whoever sees two pictures of one identity can tell that it is one, and
//! nothing more.

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384,
    PublicKeyData,
};
use sha2::{Digest, Sha256};
use time::{Duration, OffsetDateTime};
use zeroize::Zeroizing;

use super::loaded::Certificate;
use crate::ProvenanceError;

/// Clocks differ; a verifier's may be this much behind.
const CLOCK_SKEW: Duration = Duration::hours(1);
/// A leaf lives 365 days; with the skew it stays under the 366 that the C2PA program allows.
const LEAF_LIFE: Duration = Duration::days(365);
/// A root outlives the leaves that a machine will need.
const ROOT_LIFE: Duration = Duration::days(20 * 365);
/// `c2pa-kp-claimSigning`, the extended key usage of C2PA claim signers.
const CLAIM_SIGNING: [u64; 9] = [1, 3, 6, 1, 4, 1, 62558, 2, 1];

/// A new key with its certificate. The private key is wiped when this is dropped.
pub(super) struct Issued {
    /// The private key, PKCS#8 PEM.
    pub(super) key_pem: Zeroizing<String>,
    /// The certificate, PEM.
    pub(super) certificate_pem: String,
    /// The public key, DER (`SubjectPublicKeyInfo`).
    pub(super) public_key: Vec<u8>,
}

/// A new root: P-384, for signing certificates only.
pub(super) fn new_root(now: OffsetDateTime) -> Result<Issued, ProvenanceError> {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).map_err(generate)?;
    let mut params = CertificateParams::default();
    params.distinguished_name = root_name(&key);
    params.not_before = now - CLOCK_SKEW;
    params.not_after = now + ROOT_LIFE;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let certificate = params.self_signed(&key).map_err(generate)?;
    Ok(issued(&key, certificate.pem()))
}

/// A new leaf under `root`: P-256, for signing claims only, never outliving the root.
pub(super) fn new_leaf(
    root_key_pem: &str,
    root: &Certificate,
    now: OffsetDateTime,
) -> Result<Issued, ProvenanceError> {
    let root_key = KeyPair::from_pem(root_key_pem).map_err(generate)?;
    if root_key.subject_public_key_info() != root.public_key {
        return Err(ProvenanceError::Generate(
            "it is not the key of ca.pem".into(),
        ));
    }
    // The issuer's name and key identifier follow from its key alone, exactly as in `new_root`.
    let mut issuer = CertificateParams::default();
    issuer.distinguished_name = root_name(&root_key);
    issuer.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let issuer = Issuer::from_params(&issuer, &root_key);

    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(generate)?;
    let mut params = CertificateParams::default();
    params.distinguished_name = name("Atelier local signer", &key);
    params.not_before = now - CLOCK_SKEW;
    params.not_after = (now + LEAF_LIFE).min(root.not_after);
    // "Explicit" writes the subject key identifier, which the C2PA profile wants in a leaf too.
    params.is_ca = IsCa::ExplicitNoCa;
    params.use_authority_key_identifier_extension = true;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![
        ExtendedKeyUsagePurpose::EmailProtection,
        ExtendedKeyUsagePurpose::Other(CLAIM_SIGNING.to_vec()),
    ];
    let certificate = params.signed_by(&key, &issuer).map_err(generate)?;
    Ok(issued(&key, certificate.pem()))
}

fn issued(key: &KeyPair, certificate_pem: String) -> Issued {
    Issued {
        key_pem: Zeroizing::new(key.serialize_pem()),
        certificate_pem,
        public_key: key.subject_public_key_info(),
    }
}

fn root_name(key: &KeyPair) -> DistinguishedName {
    name("Atelier local root", key)
}

fn name(role: &str, key: &KeyPair) -> DistinguishedName {
    let digest = Sha256::digest(key.subject_public_key_info());
    let id: String = digest
        .iter()
        .take(4)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let mut name = DistinguishedName::new();
    name.push(DnType::OrganizationName, "Atelier (local identity)");
    name.push(DnType::CommonName, format!("{role} {id}"));
    name
}

fn generate(error: rcgen::Error) -> ProvenanceError {
    ProvenanceError::Generate(error.to_string())
}
