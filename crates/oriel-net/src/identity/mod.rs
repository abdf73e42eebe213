//! Who a component is: the name in its certificate, and the key and certificate it keeps on disk.
//!
//! Deliberately absent: issuing (see [`crate::authority`]) and what a component may do.

mod node;
mod request;

use std::{fmt, str::FromStr};

use base64::{Engine, engine::general_purpose::STANDARD};
use oriel_model::{
    Timestamp,
    role::{Role, UnknownRole},
};
use rustls_pki_types::{CertificateDer, pem::PemObject};
use uuid::Uuid;
use x509_parser::{certificate::X509Certificate, extensions::GeneralName};

pub use node::{FILE_NAME, LoadError, NodeIdentity};
pub(crate) use node::{make_private_dir, write_private};
pub use request::{CompleteError, KeyRequest};

/// A component of a farm, as its certificate names it. Written `oriel:<farm>/<role>/<id>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PeerIdentity {
    /// The farm's id.
    pub farm: Uuid,
    /// The part that the component plays.
    pub role: Role,
    /// The component's id: that of its settings object.
    pub id: Uuid,
}

/// From when until when a certificate is valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    /// From when.
    pub not_before: Timestamp,
    /// Until when.
    pub not_after: Timestamp,
}

impl Validity {
    /// Reads it from a certificate; none: it is none, or its times are no times.
    pub fn of_certificate(der: &CertificateDer<'_>) -> Option<Self> {
        let parsed = parse(der).ok()?;
        let moment = |seconds| Timestamp::from_second(seconds).ok();
        Some(Self {
            not_before: moment(parsed.validity().not_before.timestamp())?,
            not_after: moment(parsed.validity().not_after.timestamp())?,
        })
    }

    /// Reads it from a certificate in PEM.
    pub fn of_pem(pem: &str) -> Option<Self> {
        Self::of_certificate(&CertificateDer::from_pem_slice(pem.as_bytes()).ok()?)
    }
}

/// Why a certificate does not say who its holder is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// Not an X.509 certificate.
    #[error("the certificate cannot be parsed")]
    Malformed,
    /// No SAN URI of ours.
    #[error("the certificate names no component of a farm")]
    Unnamed,
    /// More than one SAN URI of ours.
    #[error("the certificate names more than one component")]
    Ambiguous,
    /// The URI is not `oriel:<farm>/<role>/<id>`.
    #[error("\"{0}\" does not name a component: expected oriel:<farm>/<role>/<id>")]
    Name(String),
    /// The URI has a role that this version does not know.
    #[error(transparent)]
    Role(#[from] UnknownRole),
}

impl PeerIdentity {
    /// Reads the identity from a certificate. Says nothing about whether the certificate is
    /// genuine: that is for whoever verified its chain.
    pub fn from_certificate(der: &CertificateDer<'_>) -> Result<Self, IdentityError> {
        farm_uri(&parse(der)?)?.parse()
    }
}

impl fmt::Display for PeerIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "oriel:{}/{}/{}", self.farm, self.role, self.id)
    }
}

impl FromStr for PeerIdentity {
    type Err = IdentityError;

    fn from_str(text: &str) -> Result<Self, IdentityError> {
        let bad = || IdentityError::Name(text.chars().take(160).collect());
        let rest = text.strip_prefix("oriel:").ok_or_else(bad)?;
        let mut parts = rest.split('/');
        let (Some(farm), Some(role), Some(id), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(bad());
        };
        let uuid = |text: &str| Uuid::try_parse(text).map_err(|_| bad());
        Ok(Self { farm: uuid(farm)?, role: role.parse()?, id: uuid(id)? })
    }
}

/// The farm that a certificate of an authority speaks for: its SAN URI is `oriel:<farm>`.
pub(crate) fn farm_of_authority(der: &CertificateDer<'_>) -> Result<Uuid, IdentityError> {
    let certificate = parse(der)?;
    let uri = farm_uri(&certificate)?;
    if !certificate.is_ca() {
        return Err(IdentityError::Name("not an authority".into()));
    }
    uri.strip_prefix("oriel:")
        .and_then(|farm| Uuid::try_parse(farm).ok())
        .ok_or_else(|| IdentityError::Name(uri.chars().take(160).collect()))
}

/// Whether the certificate is for this public key (the bits of its subjectPublicKey).
pub(crate) fn holds_key(der: &CertificateDer<'_>, public_key: &[u8]) -> bool {
    parse(der).is_ok_and(|certificate| *certificate.public_key().subject_public_key.data == *public_key)
}

/// The certificate as PEM.
pub(crate) fn certificate_pem(der: &CertificateDer<'_>) -> String {
    pem("CERTIFICATE", der)
}

/// DER under a PEM label (RFC 7468).
pub(crate) fn pem(label: &str, der: &[u8]) -> String {
    let mut text = format!("-----BEGIN {label}-----\n");
    // 48 bytes are one line of 64 characters.
    for line in der.chunks(48) {
        STANDARD.encode_string(line, &mut text);
        text.push('\n');
    }
    text + "-----END " + label + "-----\n"
}

pub(crate) fn parse<'a>(der: &'a CertificateDer<'_>) -> Result<X509Certificate<'a>, IdentityError> {
    match x509_parser::parse_x509_certificate(der) {
        Ok(([], certificate)) => Ok(certificate),
        _ => Err(IdentityError::Malformed),
    }
}

/// The one SAN URI with our scheme.
fn farm_uri<'a>(certificate: &X509Certificate<'a>) -> Result<&'a str, IdentityError> {
    let names = certificate
        .subject_alternative_name()
        .map_err(|_| IdentityError::Malformed)?
        .ok_or(IdentityError::Unnamed)?;
    let mut uris = names.value.general_names.iter().filter_map(|name| match name {
        GeneralName::URI(uri) if uri.starts_with("oriel:") => Some(*uri),
        _ => None,
    });
    let uri = uris.next().ok_or(IdentityError::Unnamed)?;
    if uris.next().is_some() {
        return Err(IdentityError::Ambiguous);
    }
    Ok(uri)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identities_round_trip_and_other_names_are_refused() {
        let (farm, id) = (Uuid::from_u128(1), Uuid::from_u128(2));
        for role in [Role::Broker, Role::Gateway, Role::Agent] {
            let identity = PeerIdentity { farm, role, id };
            assert_eq!(identity.to_string().parse(), Ok(identity));
        }
        let refused = |text: String| text.parse::<PeerIdentity>().unwrap_err();
        assert!(matches!(refused(format!("oriel:{farm}/king/{id}")), IdentityError::Role(_)));
        for text in [
            String::new(),
            format!("oriel:{farm}"),
            format!("oriel:{farm}/broker"),
            format!("oriel:{farm}/broker/{id}/more"),
            format!("oriel:x/broker/{id}"),
            format!("spiffe:{farm}/broker/{id}"),
        ] {
            assert!(matches!(refused(text), IdentityError::Name(_)));
        }
    }

    #[test]
    fn pem_is_what_others_read() {
        use rustls_pki_types::pem::PemObject;
        for length in 0..200 {
            let der: Vec<u8> = (0..length).map(|n| n as u8).collect();
            let text = pem("CERTIFICATE", &der);
            let back = CertificateDer::from_pem_slice(text.as_bytes()).unwrap();
            assert_eq!(back.as_ref(), der, "{text}");
        }
    }
}
