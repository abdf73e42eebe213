//! TLS to servers of others, such as a syslog server: known by their name, and a certificate for it from an
//! authority that is given, or that this machine trusts.

use std::sync::Arc;

use rustls::{
    ClientConfig, RootCertStore,
    version::{TLS12, TLS13},
};
use rustls_pki_types::{CertificateDer, pem::PemObject};

use super::provider;

/// Where a Linux machine lists the authorities that it trusts.
const SYSTEM_AUTHORITIES: [&str; 3] =
    ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"];

/// For dialling a server whose certificate comes from one of these authorities (PEM), else from one that the
/// machine trusts, and is for the name that is dialled.
///
/// # Errors
/// A sentence: there is no authority.
pub fn authority_client(authorities_pem: Option<&str>) -> Result<Arc<ClientConfig>, String> {
    let system = || SYSTEM_AUTHORITIES.iter().find_map(|path| std::fs::read(path).ok());
    let pem = match authorities_pem {
        Some(pem) => pem.as_bytes().to_vec(),
        None => system().ok_or("this machine has no list of certificate authorities that it trusts")?,
    };
    let mut roots = RootCertStore::empty();
    // Lists of machines hold some that cannot be read; the others count.
    roots.add_parsable_certificates(CertificateDer::pem_slice_iter(&pem).filter_map(Result::ok));
    if roots.is_empty() {
        return Err("there is no certificate that can be read among the authorities".to_owned());
    }
    let config = ClientConfig::builder_with_provider(provider().clone())
        .with_protocol_versions(&[&TLS12, &TLS13])
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}
