//! The signer that the C2PA library calls: the leaf key, with no more room than it needs.

use c2pa::{BoxedSigner, Signer, SigningAlg, create_signer};

/// Room kept in every picture for the signature, beside the certificates themselves: 64 bytes of
/// ECDSA signature, the COSE headers, and the padding, of which the library wants at least 263.
/// Its own signers keep 11 KB, nearly all of it for a time-stamp that is not made here.
const SIGNATURE_ROOM: usize = 512;

/// Signs claims with ES256. Holds the private key; shows it to no one.
pub(crate) struct LeafSigner {
    inner: BoxedSigner,
    room: usize,
}

impl LeafSigner {
    /// A signer from the certificates, leaf first, and the leaf's PKCS#8 key, both PEM.
    pub(super) fn new(chain_pem: &str, key_pem: &str) -> c2pa::Result<Self> {
        let inner = create_signer::from_keys(
            chain_pem.as_bytes(),
            key_pem.as_bytes(),
            SigningAlg::Es256,
            None,
        )?;
        let room = SIGNATURE_ROOM + inner.certs()?.iter().map(Vec::len).sum::<usize>();
        Ok(Self { inner, room })
    }
}

impl Signer for LeafSigner {
    fn sign(&self, data: &[u8]) -> c2pa::Result<Vec<u8>> {
        self.inner.sign(data)
    }

    fn alg(&self) -> SigningAlg {
        self.inner.alg()
    }

    fn certs(&self) -> c2pa::Result<Vec<Vec<u8>>> {
        self.inner.certs()
    }

    fn reserve_size(&self) -> usize {
        self.room
    }
}
