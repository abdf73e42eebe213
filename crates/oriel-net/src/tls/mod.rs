//! The one place that makes TLS configurations.
//!
//! | Connection | Server side | Client side |
//! |---|---|---|
//! | component to broker | [`internal_server`] | [`internal_client`] |
//! | joining the farm | [`internal_server`] | [`joining_client`] |
//! | browser to gateway, management | [`portal_server`] | the browser |
//! | gateway to session host | the host's own | [`pinned_client`] |
//! | broker to a server of others | the server's own | [`authority_client`] |
//!
//! Components know each other by the farm's own authority or by a pin, never by a host name; only servers that
//! belong to others are known by their name and an authority.

mod authority;
mod explain;
mod internal;
mod pinned;
mod portal;
mod reloading;

use std::sync::{Arc, OnceLock};

use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms};

pub use authority::authority_client;
pub use explain::explain;
pub use internal::{Alpn, internal_client, internal_server, joining_client, peer_identity};
pub use pinned::{Pin, pinned_client};
pub use portal::{CertificateError, PortalCertificate, portal_server};
pub use reloading::{ReloadError, ReloadingIdentity};

/// Makes ring the process's one provider of cryptography, also for crates that ask rustls for the
/// default. Call it first in `main`; calling it again does nothing.
pub fn install_crypto() {
    // An error means that a provider is installed already: ours, from an earlier call.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// The provider of cryptography.
pub(crate) fn provider() -> &'static Arc<CryptoProvider> {
    static PROVIDER: OnceLock<Arc<CryptoProvider>> = OnceLock::new();
    PROVIDER.get_or_init(|| Arc::new(rustls::crypto::ring::default_provider()))
}

pub(crate) fn algorithms() -> WebPkiSupportedAlgorithms {
    provider().signature_verification_algorithms
}

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
