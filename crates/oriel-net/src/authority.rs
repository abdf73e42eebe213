//! The farm's certificate authority: every broker, gateway and agent has a certificate from it.
//!
//! It answers one question, "is this key this component of this farm?", and issues for nothing
//! else. Deliberately absent: where the authority's key is kept (the broker's store), who may have
//! a certificate (invitations), and revocation: certificates live for days and are simply not
//! renewed, and a component that was removed is refused by name.

use std::time::Duration;

use jiff::Timestamp;
use oriel_model::role::Role;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, SanType,
    SerialNumber, string::Ia5String,
};
use ring::rand::{SecureRandom, SystemRandom};
use rustls_pki_types::{CertificateDer, pem::PemObject};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::{
    fingerprint::Fingerprint,
    identity::{self, PeerIdentity},
};

/// How long the authority's own certificate is valid: longer than an installation is expected to
/// live, since replacing it means joining every component again.
pub const AUTHORITY_LIFETIME: Duration = Duration::from_secs(20 * 31_556_952);

/// How far certificates are dated back, so that a component whose clock is a little behind still
/// accepts the one it has just been given.
pub const BACKDATE: Duration = Duration::from_secs(5 * 60);

/// The longest signing request that is parsed, in bytes of PEM. Ours have about 500.
pub const MAX_REQUEST: usize = 16 * 1024;

/// The most host names and addresses in one certificate: a node has a few of each.
pub const MAX_NAMES: usize = 64;

/// The farm's certificate authority with its private key.
pub struct Authority {
    farm: Uuid,
    certificate: CertificateDer<'static>,
    key: KeyPair,
}

/// What a certificate is issued for.
#[derive(Debug, Clone)]
pub struct Grant {
    /// The component. It must be of the authority's own farm.
    pub identity: PeerIdentity,
    /// DNS names and IP addresses that the component may be reached at.
    pub names: Vec<String>,
    /// How long from now the certificate is valid.
    pub lifetime: Duration,
}

/// Why an authority could not be made or read.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// The certificate is no certificate of a farm's authority.
    #[error("this is not the certificate of a farm's authority: {0}")]
    Certificate(String),
    /// The key cannot be read, or belongs to another certificate.
    #[error("the authority's private key does not fit: {0}")]
    Key(String),
    /// Signing or random numbers failed.
    #[error("the authority's certificate could not be made: {0}")]
    Crypto(String),
}

/// Why a certificate was not issued.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum IssueError {
    /// The signing request is malformed, not signed by its own key, or too long.
    #[error("the certificate signing request is not valid: {0}")]
    Request(String),
    /// Only ECDSA on P-256 is issued for.
    #[error("the certificate signing request has a key of the wrong kind: expected ECDSA P-256")]
    KeyKind,
    /// The identity belongs to another farm.
    #[error("the identity belongs to another farm")]
    OtherFarm,
    /// A DNS name or address cannot stand in a certificate.
    #[error("\"{0}\" is neither a host name nor an IP address")]
    Name(String),
    /// More than [`MAX_NAMES`] names.
    #[error("too many names for one certificate: at most {MAX_NAMES}")]
    TooManyNames,
    /// Signing or random numbers failed.
    #[error("the certificate could not be signed: {0}")]
    Crypto(String),
}

impl Authority {
    /// Makes the authority of a new farm, with a new farm id and an ECDSA P-256 key.
    /// `farm_name` is only for people who look at the certificate.
    pub fn create(farm_name: &str, now: Timestamp) -> Result<Self, AuthorityError> {
        let seconds = now.as_second().max(0).unsigned_abs();
        let farm = Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, seconds, 0));
        Self::create_for(farm, farm_name, now)
    }

    /// As [`Authority::create`], for a farm that has its id already.
    pub fn create_for(farm: Uuid, farm_name: &str, now: Timestamp) -> Result<Self, AuthorityError> {
        let crypto = |error: rcgen::Error| AuthorityError::Crypto(error.to_string());
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(crypto)?;
        let mut params = params(now, AUTHORITY_LIFETIME)
            .ok_or_else(|| AuthorityError::Crypto("no random numbers".into()))?;
        // 64 characters is what X.520 allows a common name (ub-common-name).
        let name: String = farm_name.chars().take(40).collect();
        params.distinguished_name.push(DnType::CommonName, format!("{name} (Oriel farm)"));
        // The farm id makes the subject unique: two farms of one name must not look alike.
        params.distinguished_name.push(DnType::OrganizationName, farm.to_string());
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.subject_alt_names.push(uri(format!("oriel:{farm}")));
        let certificate = params.self_signed(&key).map_err(crypto)?;
        Ok(Self { farm, certificate: certificate.der().clone(), key })
    }

    /// Reads the authority back from what [`Authority::certificate_pem`] and
    /// [`Authority::key_pem`] gave.
    pub fn from_pem(certificate_pem: &str, key_pem: &str) -> Result<Self, AuthorityError> {
        let certificate = CertificateDer::from_pem_slice(certificate_pem.as_bytes())
            .map_err(|error| AuthorityError::Certificate(error.to_string()))?;
        let farm = identity::farm_of_authority(&certificate)
            .map_err(|error| AuthorityError::Certificate(error.to_string()))?;
        let key = KeyPair::from_pem(key_pem).map_err(|error| AuthorityError::Key(error.to_string()))?;
        if !identity::holds_key(&certificate, key.public_key_raw()) {
            return Err(AuthorityError::Key("it belongs to another certificate".into()));
        }
        Ok(Self { farm, certificate, key })
    }

    /// The farm that this authority speaks for.
    pub fn farm(&self) -> Uuid {
        self.farm
    }

    /// The authority's certificate.
    pub fn certificate(&self) -> &CertificateDer<'static> {
        &self.certificate
    }

    /// The authority's certificate as PEM. Public.
    pub fn certificate_pem(&self) -> String {
        identity::certificate_pem(&self.certificate)
    }

    /// The private key as PEM (PKCS #8). Whoever has it can pose as any component of the farm.
    pub fn key_pem(&self) -> Zeroizing<String> {
        Zeroizing::new(self.key.serialize_pem())
    }

    /// SHA-256 of the certificate's DER: what invitations carry.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&self.certificate)
    }

    /// Issues a certificate for the key in a signing request and returns it as PEM.
    ///
    /// The request proves that its sender has the key; what else it asks for is ignored. The
    /// certificate names the component as SAN URI `oriel:<farm>/<role>/<id>`, is good for both ends
    /// of a TLS connection, and is dated back by [`BACKDATE`].
    pub fn issue(&self, request_pem: &str, grant: &Grant, now: Timestamp) -> Result<String, IssueError> {
        if request_pem.len() > MAX_REQUEST {
            return Err(IssueError::Request(format!("longer than {MAX_REQUEST} bytes")));
        }
        if grant.identity.farm != self.farm {
            return Err(IssueError::OtherFarm);
        }
        if grant.names.len() > MAX_NAMES {
            return Err(IssueError::TooManyNames);
        }
        // Checks the request's signature by its own key.
        let request = CertificateSigningRequestParams::from_pem(request_pem)
            .map_err(|error| IssueError::Request(error.to_string()))?;
        if request.public_key.algorithm() != &PKCS_ECDSA_P256_SHA256 {
            return Err(IssueError::KeyKind);
        }
        let mut params =
            params(now, grant.lifetime).ok_or_else(|| IssueError::Crypto("no random numbers".into()))?;
        let PeerIdentity { role, id, .. } = grant.identity;
        params.distinguished_name.push(DnType::CommonName, common_name(role, id));
        params.subject_alt_names.push(uri(grant.identity.to_string()));
        for name in &grant.names {
            params.subject_alt_names.push(alternative_name(name)?);
        }
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        params.use_authority_key_identifier_extension = true;
        let crypto = |error: rcgen::Error| IssueError::Crypto(error.to_string());
        let issuer = Issuer::from_ca_cert_der(&self.certificate, &self.key).map_err(crypto)?;
        let certificate = params.signed_by(&request.public_key, &issuer).map_err(crypto)?;
        Ok(identity::certificate_pem(certificate.der()))
    }
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authority").field("farm", &self.farm).finish_non_exhaustive()
    }
}

/// What all our certificates have in common: their dates, a random serial number, no name yet.
/// `None` if the machine gives no random numbers.
pub(crate) fn params(now: Timestamp, lifetime: Duration) -> Option<CertificateParams> {
    let mut serial = [0; 16];
    SystemRandom::new().fill(&mut serial).ok()?;
    serial[0] &= 0x7f; // a serial number is positive (RFC 5280, 4.1.2.2)
    // rcgen counts in its own type of time, which is reached from its epoch.
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    let now = Duration::from_secs(now.as_second().max(0).unsigned_abs());
    let mut params = CertificateParams::default();
    params.not_before = epoch + now.saturating_sub(BACKDATE);
    params.not_after = epoch + now.saturating_add(lifetime);
    params.serial_number = Some(SerialNumber::from_slice(&serial));
    params.distinguished_name = DistinguishedName::new();
    Some(params)
}

/// A host name or an address as it stands in a certificate.
pub(crate) fn alternative_name(name: &str) -> Result<SanType, IssueError> {
    if let Ok(address) = name.parse() {
        return Ok(SanType::IpAddress(address));
    }
    let refused = || IssueError::Name(name.chars().take(80).collect());
    rustls_pki_types::DnsName::try_from(name.strip_prefix("*.").unwrap_or(name)).map_err(|_| refused())?;
    Ok(SanType::DnsName(Ia5String::try_from(name.to_owned()).map_err(|_| refused())?))
}

fn common_name(role: Role, id: Uuid) -> String {
    format!("{role} {id}")
}

fn uri(text: String) -> SanType {
    SanType::URI(Ia5String::try_from(text).expect("our URIs are plain ASCII"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::KeyRequest;

    fn now() -> Timestamp {
        Timestamp::from_second(1_800_000_000).unwrap()
    }

    fn grant(farm: Uuid) -> Grant {
        Grant {
            identity: PeerIdentity { farm, role: Role::Agent, id: Uuid::from_u128(7) },
            names: vec!["host1.example".into(), "10.0.0.7".into()],
            lifetime: Duration::from_secs(3600),
        }
    }

    #[test]
    fn an_authority_survives_its_pem_and_issues_what_was_granted() {
        let authority = Authority::create("Acme", now()).unwrap();
        let again = Authority::from_pem(&authority.certificate_pem(), &authority.key_pem()).unwrap();
        assert_eq!(again.farm(), authority.farm());
        assert_eq!(again.fingerprint(), authority.fingerprint());

        let request = KeyRequest::generate().unwrap();
        let pem = again.issue(&request.csr_pem().unwrap(), &grant(again.farm()), now()).unwrap();
        let der = CertificateDer::from_pem_slice(pem.as_bytes()).unwrap();
        assert_eq!(PeerIdentity::from_certificate(&der).unwrap(), grant(again.farm()).identity);
        let (_, parsed) = x509_parser::parse_x509_certificate(&der).unwrap();
        assert_eq!(parsed.validity().not_before.timestamp(), 1_800_000_000 - 300);
        assert_eq!(parsed.validity().not_after.timestamp(), 1_800_000_000 + 3600);
        let names = &parsed.subject_alternative_name().unwrap().unwrap().value.general_names;
        assert_eq!(names.len(), 3);
        let usage = parsed.extended_key_usage().unwrap().unwrap().value;
        assert!(usage.client_auth && usage.server_auth);
    }

    #[test]
    fn an_authority_refuses_keys_farms_and_names_that_are_not_its_own() {
        let one = Authority::create("One", now()).unwrap();
        let two = Authority::create("Two", now()).unwrap();
        assert!(matches!(
            Authority::from_pem(&one.certificate_pem(), &two.key_pem()),
            Err(AuthorityError::Key(_))
        ));
        let csr = KeyRequest::generate().unwrap().csr_pem().unwrap();
        assert_eq!(one.issue(&csr, &grant(two.farm()), now()), Err(IssueError::OtherFarm));
        assert!(matches!(one.issue("rubbish", &grant(one.farm()), now()), Err(IssueError::Request(_))));
        let mut bad = grant(one.farm());
        bad.names.push("not a name".into());
        assert!(matches!(one.issue(&csr, &bad, now()), Err(IssueError::Name(_))));
    }

    #[test]
    fn a_request_that_was_tampered_with_is_refused() {
        let one = Authority::create("One", now()).unwrap();
        let pem = KeyRequest::generate().unwrap().csr_pem().unwrap();
        let der = rustls_pki_types::CertificateSigningRequestDer::from_pem_slice(pem.as_bytes()).unwrap();
        let mut bytes = der.to_vec();
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        let tampered = identity::pem("CERTIFICATE REQUEST", &bytes);
        assert!(matches!(one.issue(&tampered, &grant(one.farm()), now()), Err(IssueError::Request(_))));
    }

    #[test]
    fn a_name_asked_for_in_the_request_is_ignored() {
        let one = Authority::create("One", now()).unwrap();
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
        let wish = PeerIdentity { role: Role::Broker, ..grant(one.farm()).identity };
        let mut params = CertificateParams::new(vec!["broker.example".to_owned()]).unwrap();
        params.subject_alt_names.push(uri(wish.to_string()));
        let csr = params.serialize_request(&key).unwrap().pem().unwrap();
        let pem = one.issue(&csr, &grant(one.farm()), now()).unwrap();
        let der = CertificateDer::from_pem_slice(pem.as_bytes()).unwrap();
        assert_eq!(PeerIdentity::from_certificate(&der).unwrap().role, Role::Agent);
        assert!(!String::from_utf8_lossy(&der).contains("broker.example"));
    }
}
