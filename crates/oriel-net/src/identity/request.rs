//! A new key on its way to a certificate.

use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256};
use rustls_pki_types::{CertificateDer, pem::PemObject};
use zeroize::Zeroizing;

use super::{IdentityError, NodeIdentity, PeerIdentity, farm_of_authority, holds_key, parse};
use crate::fingerprint::Fingerprint;

/// A fresh private key that waits for its certificate. It never leaves the node; only the signing
/// request does. Made once when joining and again at every renewal.
pub struct KeyRequest {
    key: KeyPair,
}

/// Why the certificate that came back was not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CompleteError {
    /// Not PEM, or not a certificate.
    #[error("the broker's answer holds no certificate: {0}")]
    Pem(String),
    /// The authority's certificate is not the one with the expected fingerprint.
    #[error(
        "the broker answered with another farm's authority: its fingerprint is {found}, expected {expected}"
    )]
    OtherAuthority {
        /// What the invitation or the node's present certificate says.
        expected: Fingerprint,
        /// What came.
        found: Fingerprint,
    },
    /// The certificate is not signed by the authority.
    #[error("the certificate is not signed by the farm's authority")]
    Signature,
    /// The certificate is for another key.
    #[error("the certificate is for another key than was asked for")]
    OtherKey,
    /// The certificate does not name a component of the authority's farm.
    #[error("the certificate does not name this component")]
    Identity(#[from] IdentityError),
    /// The certificate and the authority name different farms.
    #[error("the certificate names another farm than its authority")]
    OtherFarm,
    /// The dates cannot be represented.
    #[error("the certificate's dates are out of range")]
    Dates,
}

impl KeyRequest {
    /// Makes a new ECDSA P-256 key.
    ///
    /// # Errors
    /// The machine gives no random numbers.
    pub fn generate() -> Result<Self, rcgen::Error> {
        Ok(Self { key: KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)? })
    }

    /// The signing request, as PEM. It asks for no name: the broker knows whom it invited.
    ///
    /// # Errors
    /// Signing failed.
    pub fn csr_pem(&self) -> Result<String, rcgen::Error> {
        let mut params = CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.serialize_request(&self.key)?.pem()
    }

    /// Joins the key with the certificate that came back.
    ///
    /// `authority` is the fingerprint of the farm's authority: from the invitation when joining,
    /// from the present identity when renewing.
    pub fn complete(
        self,
        certificate_pem: &str,
        authority_pem: &str,
        authority: Fingerprint,
    ) -> Result<NodeIdentity, CompleteError> {
        let read = |pem: &str| {
            CertificateDer::from_pem_slice(pem.as_bytes())
                .map_err(|error| CompleteError::Pem(error.to_string()))
        };
        let found = read(authority_pem)?;
        if Fingerprint::of(&found) != authority {
            let found = Fingerprint::of(&found);
            return Err(CompleteError::OtherAuthority { expected: authority, found });
        }
        let certificate = read(certificate_pem)?;
        if !holds_key(&certificate, self.key.public_key_raw()) {
            return Err(CompleteError::OtherKey);
        }
        NodeIdentity::from_parts(Zeroizing::new(self.key.serialize_pem()), certificate, found)
    }
}

/// Checks that the certificate is a component's of the authority's farm and signed by it.
pub(super) fn check_signed(
    certificate: &CertificateDer<'_>,
    authority: &CertificateDer<'_>,
) -> Result<PeerIdentity, CompleteError> {
    let peer = PeerIdentity::from_certificate(certificate)?;
    let farm = farm_of_authority(authority)?;
    let issuer = parse(authority)?;
    parse(certificate)?.verify_signature(Some(issuer.public_key())).map_err(|_| CompleteError::Signature)?;
    if peer.farm != farm {
        return Err(CompleteError::OtherFarm);
    }
    Ok(peer)
}

impl std::fmt::Debug for KeyRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KeyRequest(..)")
    }
}
