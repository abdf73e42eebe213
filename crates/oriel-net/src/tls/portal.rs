//! TLS towards browsers and native clients: a certificate from files or one signed by itself,
//! swapped while the server runs.

use std::{
    fs,
    io::{self, Read},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use arc_swap::ArcSwap;
use jiff::Timestamp;
use rcgen::{DnType, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256};
use rustls::{
    Error, ServerConfig,
    crypto::ring::Ticketer,
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
    version::{TLS12, TLS13},
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use zeroize::Zeroizing;

use super::{Alpn, provider};
use crate::{
    authority::{alternative_name, params},
    fingerprint::Fingerprint,
    identity::{self, make_private_dir, write_private},
    supervise::ShutdownSignal,
};

/// How long a self-signed certificate is valid: the most that Apple's systems accept of a
/// certificate that an administrator has marked as trusted (825 days).
pub const SELF_SIGNED_LIFETIME: Duration = Duration::from_secs(825 * 86_400);

/// A self-signed certificate that ends sooner than this is replaced at the next start.
pub const SELF_SIGNED_RENEWAL: Duration = Duration::from_secs(30 * 86_400);

/// How often certificate files are looked at for a change: a renewal by certbot or the like is
/// in use within a minute.
pub const RELOAD_INTERVAL: Duration = Duration::from_secs(30);

/// The longest certificate or key file that is read, in bytes: ten times a long chain.
const MAX_FILE: u64 = 256 * 1024;

/// The file that holds a self-signed certificate and its key, within the node's data directory.
const SELF_SIGNED_FILE: &str = "portal-self-signed.pem";

/// The certificate that a public server shows at present.
pub struct PortalCertificate {
    current: ArcSwap<CertifiedKey>,
    files: Option<Files>,
}

struct Files {
    certificate: PathBuf,
    key: PathBuf,
}

/// Why a certificate cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// A file cannot be read or written.
    #[error("cannot use {path}: {error}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// The text holds no certificate.
    #[error("there is no certificate in it: expected PEM with the server's certificate first")]
    NoCertificate,
    /// The text holds no usable private key.
    #[error("there is no private key in it: expected PEM without a passphrase")]
    NoKey,
    /// Key and certificate do not belong together, or the key is of an unknown kind.
    #[error("the certificate and its private key cannot be used together: {0}")]
    Unusable(#[from] Error),
    /// A self-signed certificate could not be made.
    #[error("a self-signed certificate could not be made: {0}")]
    SelfSigned(String),
}

/// For public ports: TLS 1.2 and 1.3, HTTP/2 and HTTP/1.1, sessions resumed with sealed tickets so
/// that the server remembers nothing about its clients.
pub fn portal_server(certificate: &Arc<PortalCertificate>) -> Result<Arc<ServerConfig>, Error> {
    let mut config = ServerConfig::builder_with_provider(provider().clone())
        .with_protocol_versions(&[&TLS12, &TLS13])?
        .with_no_client_auth()
        .with_cert_resolver(certificate.clone());
    config.alpn_protocols = Alpn::H2AndHttp1.protocols();
    config.ticketer = Ticketer::new()?;
    Ok(Arc::new(config))
}

impl PortalCertificate {
    /// Uses PEM files: the certificate with its chain, and the key. They are read again when they
    /// change, see [`PortalCertificate::keep_fresh`].
    pub fn from_files(certificate: &Path, key: &Path) -> Result<Arc<Self>, CertificateError> {
        let files = Files { certificate: certificate.into(), key: key.into() };
        Self::new(files.read()?, Some(files))
    }

    /// Uses certificate and key from PEM text, as the broker hands them to a gateway.
    pub fn from_pem(chain_pem: &str, key_pem: &str) -> Result<Arc<Self>, CertificateError> {
        Self::new(parse(chain_pem, key_pem)?, None)
    }

    /// Uses the self-signed certificate in the node's data directory. It is made at the first
    /// start, for these DNS names and IP addresses, and again when it is about to end or the names
    /// have changed.
    pub fn self_signed(dir: &Path, names: &[String], now: Timestamp) -> Result<Arc<Self>, CertificateError> {
        let path = dir.join(SELF_SIGNED_FILE);
        if let Some(present) = present_self_signed(&path, names, now) {
            return Self::new(present, None);
        }
        let pem = make_self_signed(names, now)?;
        make_private_dir(dir)
            .and_then(|()| write_private(&path, pem.as_bytes()))
            .map_err(|error| CertificateError::Io { path, error })?;
        Self::new(parse(&pem, &pem)?, None)
    }

    /// Shows another certificate from the next handshake on.
    pub fn replace_pem(&self, chain_pem: &str, key_pem: &str) -> Result<(), CertificateError> {
        self.current.store(Arc::new(parse(chain_pem, key_pem)?));
        Ok(())
    }

    /// Reads the files again and says whether the certificate is another one. Without files it
    /// does nothing. After an error the previous certificate stays in use.
    pub fn reload(&self) -> Result<bool, CertificateError> {
        let Some(files) = &self.files else { return Ok(false) };
        let found = files.read()?;
        if found.cert == self.current.load().cert {
            return Ok(false);
        }
        self.current.store(Arc::new(found));
        Ok(true)
    }

    /// Reads the files again every [`RELOAD_INTERVAL`] until the signal. A task for
    /// [`Tasks`](crate::supervise::Tasks).
    pub async fn keep_fresh(self: Arc<Self>, signal: ShutdownSignal) {
        let mut complained = false;
        while !signal.is_given() {
            tokio::select! {
                () = signal.given() => return,
                () = tokio::time::sleep(RELOAD_INTERVAL) => {}
            }
            match self.reload() {
                Ok(true) => {
                    complained = false;
                    tracing::info!(certificate.sha256 = %self.fingerprint(), "took over the new server certificate");
                }
                Ok(false) => complained = false,
                Err(error) if !complained => {
                    complained = true; // once per fault, not twice a minute
                    tracing::error!(%error, "the changed server certificate cannot be used; the previous one stays in use");
                }
                Err(_) => {}
            }
        }
    }

    /// SHA-256 of the certificate shown at present.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&self.current.load().cert[0])
    }

    /// The certificate shown at present, without its chain.
    pub fn certificate(&self) -> CertificateDer<'static> {
        self.current.load().cert[0].clone()
    }

    fn new(key: CertifiedKey, files: Option<Files>) -> Result<Arc<Self>, CertificateError> {
        Ok(Arc::new(Self { current: ArcSwap::from_pointee(key), files }))
    }
}

impl ResolvesServerCert for PortalCertificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current.load_full())
    }
}

impl std::fmt::Debug for PortalCertificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("PortalCertificate").field(&self.fingerprint()).finish()
    }
}

impl Files {
    fn read(&self) -> Result<CertifiedKey, CertificateError> {
        parse(&read(&self.certificate)?, &read(&self.key)?)
    }
}

fn read(path: &Path) -> Result<Zeroizing<String>, CertificateError> {
    let mut text = Zeroizing::new(String::new());
    fs::File::open(path)
        .and_then(|file| file.take(MAX_FILE).read_to_string(&mut text))
        .map_err(|error| CertificateError::Io { path: path.into(), error })?;
    Ok(text)
}

/// The result has at least one certificate, and its key belongs to the first.
fn parse(chain_pem: &str, key_pem: &str) -> Result<CertifiedKey, CertificateError> {
    let chain: Vec<_> = CertificateDer::pem_slice_iter(chain_pem.as_bytes())
        .collect::<Result<_, _>>()
        .map_err(|_| CertificateError::NoCertificate)?;
    if chain.is_empty() {
        return Err(CertificateError::NoCertificate);
    }
    let key = PrivateKeyDer::from_pem_slice(key_pem.as_bytes()).map_err(|_| CertificateError::NoKey)?;
    Ok(CertifiedKey::from_der(chain, key, provider())?)
}

/// The self-signed certificate that is there already, if it can still be used for these names.
fn present_self_signed(path: &Path, names: &[String], now: Timestamp) -> Option<CertifiedKey> {
    let pem = read(path).ok()?;
    let key = parse(&pem, &pem).ok()?;
    let certificate = identity::parse(&key.cert[0]).ok()?;
    let ends = Timestamp::from_second(certificate.validity().not_after.timestamp()).ok()?;
    let is_fresh = ends.duration_since(now) > SELF_SIGNED_RENEWAL.try_into().ok()?;
    // The names it was made for are kept as its subject's organisational unit, as a digest:
    // comparing that is simpler and stricter than comparing parsed SANs.
    let made_for: Vec<_> =
        certificate.subject().iter_organizational_unit().filter_map(|name| name.as_str().ok()).collect();
    (is_fresh && made_for == [digest_of(names)]).then_some(key)
}

fn make_self_signed(names: &[String], now: Timestamp) -> Result<Zeroizing<String>, CertificateError> {
    let failed = |error: &dyn std::fmt::Display| CertificateError::SelfSigned(error.to_string());
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(|e| failed(&e))?;
    let mut params = params(now, SELF_SIGNED_LIFETIME).ok_or_else(|| failed(&"no random numbers"))?;
    params.distinguished_name.push(DnType::CommonName, "Oriel (self-signed)");
    params.distinguished_name.push(DnType::OrganizationalUnitName, digest_of(names));
    for name in names {
        params.subject_alt_names.push(alternative_name(name).map_err(|e| failed(&e))?);
    }
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let certificate = params.self_signed(&key).map_err(|e| failed(&e))?;
    Ok(Zeroizing::new(certificate.pem() + &key.serialize_pem()))
}

/// A short text that changes with the list of names.
fn digest_of(names: &[String]) -> String {
    Fingerprint::of(names.join("\n").as_bytes()).to_string()[..32].to_owned()
}
