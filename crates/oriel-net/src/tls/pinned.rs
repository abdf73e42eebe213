//! TLS to session hosts. Their certificates are self-signed, often X.509 version 1, and name
//! nothing of use, so each host is known by the SHA-256 of its certificate or of its public key.

use std::sync::Arc;

use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, OtherError, PeerMisbehaved,
    SignatureScheme,
    client::{
        Resumption,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::verify_tls13_signature_with_raw_key,
    version::{TLS12, TLS13},
};
use rustls_pki_types::{CertificateDer, ServerName, SubjectPublicKeyInfoDer, UnixTime};

use super::{algorithms, provider};
use crate::{fingerprint::Fingerprint, identity};

/// How a host is recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pin {
    /// SHA-256 of the whole certificate's DER.
    Certificate(Fingerprint),
    /// SHA-256 of its subjectPublicKeyInfo: survives a new certificate for the same key.
    PublicKey(Fingerprint),
}

/// For dialling a server that is known by any one of these pins. Its dates, names and issuer are
/// not looked at, but it must prove in the handshake that it has the pinned key. Without a pin
/// nothing is accepted.
pub fn pinned_client(pins: impl Into<Vec<Pin>>) -> Result<Arc<ClientConfig>, Error> {
    let mut config = ClientConfig::builder_with_provider(provider().clone())
        .with_protocol_versions(&[&TLS12, &TLS13])?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(PinVerifier { pins: pins.into() }))
        .with_no_client_auth();
    // One configuration is made per host and connection: a cache would never be hit.
    config.resumption = Resumption::disabled();
    Ok(Arc::new(config))
}

#[derive(Debug)]
struct PinVerifier {
    pins: Vec<Pin>,
}

#[derive(Debug, thiserror::Error)]
#[error("the host's certificate (SHA-256 {0}) is not the pinned one")]
struct NotPinned(Fingerprint);

impl ServerCertVerifier for PinVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let certificate = Fingerprint::of(end_entity);
        let public_key = Fingerprint::of(&public_key(end_entity)?);
        let is_pinned = self.pins.iter().any(|pin| match pin {
            Pin::Certificate(pinned) => *pinned == certificate,
            Pin::PublicKey(pinned) => *pinned == public_key,
        });
        if is_pinned {
            return Ok(ServerCertVerified::assertion());
        }
        let refusal = OtherError(Arc::new(NotPinned(certificate)));
        Err(Error::InvalidCertificate(CertificateError::Other(refusal)))
    }

    /// Checks the signature against the bare key: webpki refuses to parse version 1 certificates.
    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let spki = public_key(cert)?;
        let key = webpki::RawPublicKeyEntity::try_from(&spki)
            .map_err(|_| Error::InvalidCertificate(CertificateError::BadEncoding))?;
        let supported = algorithms();
        let (_, candidates) = supported
            .mapping
            .iter()
            .find(|(scheme, _)| *scheme == dss.scheme)
            .ok_or(PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme)?;
        // In TLS 1.2 a scheme does not tell the curve, so each algorithm of the scheme is tried.
        if candidates.iter().any(|alg| key.verify_signature(*alg, message, dss.signature()).is_ok()) {
            return Ok(HandshakeSignatureValid::assertion());
        }
        Err(Error::InvalidCertificate(CertificateError::BadSignature))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature_with_raw_key(message, &public_key(cert)?, dss, &algorithms())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        algorithms().supported_schemes()
    }
}

fn public_key(certificate: &CertificateDer<'_>) -> Result<SubjectPublicKeyInfoDer<'static>, Error> {
    let parsed =
        identity::parse(certificate).map_err(|_| Error::InvalidCertificate(CertificateError::BadEncoding))?;
    Ok(SubjectPublicKeyInfoDer::from(parsed.public_key().raw.to_vec()))
}
