//! Whom mail servers and webhooks are believed: the authorities that this machine trusts, and those that an
//! administrator names besides.

use std::path::PathBuf;

use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};

/// Where systems keep the authorities that they trust: Debian and its kin, Red Hat's, and SUSE.
const FILES: &[&str] =
    &["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem"];

/// Every authority that is believed. What the machine has and nobody can read is left out.
///
/// # Errors
/// What was named besides is no certificate.
pub(super) async fn authorities(named: Option<&str>) -> Result<Vec<CertificateDer<'static>>, String> {
    let mut found: Vec<_> = of_machine().await.into_iter().filter(is_usable).collect();
    if let Some(pem) = named {
        let before = found.len();
        for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
            let certificate = certificate.map_err(|_| "trusted_certificates is not PEM".to_owned())?;
            if !is_usable(&certificate) {
                return Err("one of trusted_certificates cannot be read".into());
            }
            found.push(certificate);
        }
        if found.len() == before {
            return Err("trusted_certificates has no certificate".into());
        }
    }
    Ok(found)
}

fn is_usable(certificate: &CertificateDer<'static>) -> bool {
    RootCertStore::empty().add(certificate.clone()).is_ok()
}

async fn of_machine() -> Vec<CertificateDer<'static>> {
    let said = std::env::var_os("SSL_CERT_FILE").map(PathBuf::from);
    for file in said.into_iter().chain(FILES.iter().map(PathBuf::from)) {
        if let Ok(pem) = tokio::fs::read(&file).await {
            return CertificateDer::pem_slice_iter(&pem).filter_map(Result::ok).collect();
        }
    }
    Vec::new()
}
