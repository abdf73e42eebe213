//! A node's identity that can be renewed while configurations made from it are in use.

use std::sync::Arc;

use arc_swap::ArcSwap;
use rustls::{
    SignatureScheme,
    client::ResolvesClientCert,
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};

use crate::identity::NodeIdentity;

/// The node's present identity. Server and client configurations hold it and ask it at every
/// handshake, so a renewal takes effect for the next connection; those that stand are not touched.
pub struct ReloadingIdentity {
    current: ArcSwap<Current>,
}

struct Current {
    identity: Arc<NodeIdentity>,
    key: Arc<CertifiedKey>,
}

/// Why an identity was not taken over.
#[derive(Debug, thiserror::Error)]
pub enum ReloadError {
    /// The key cannot be used.
    #[error("the identity cannot be used: {0}")]
    Unusable(#[from] rustls::Error),
    /// Configurations in use trust the present authority; another one needs a restart.
    #[error("the new certificate belongs to another component or farm")]
    OtherIdentity,
}

impl ReloadingIdentity {
    /// Starts with this identity.
    ///
    /// # Errors
    /// Its key does not fit its certificate.
    pub fn new(identity: NodeIdentity) -> Result<Arc<Self>, rustls::Error> {
        Ok(Arc::new(Self { current: ArcSwap::from_pointee(Current::new(identity)?) }))
    }

    /// Takes over a renewed identity of the same component of the same farm.
    pub fn replace(&self, identity: NodeIdentity) -> Result<(), ReloadError> {
        let present = self.identity();
        if identity.peer() != present.peer() || identity.authority() != present.authority() {
            return Err(ReloadError::OtherIdentity);
        }
        self.current.store(Arc::new(Current::new(identity)?));
        Ok(())
    }

    /// The present identity.
    pub fn identity(&self) -> Arc<NodeIdentity> {
        self.current.load().identity.clone()
    }

    fn key(&self) -> Arc<CertifiedKey> {
        self.current.load().key.clone()
    }
}

impl Current {
    fn new(identity: NodeIdentity) -> Result<Self, rustls::Error> {
        Ok(Self { key: Arc::new(identity.certified_key()?), identity: Arc::new(identity) })
    }
}

impl ResolvesServerCert for ReloadingIdentity {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.key())
    }
}

impl ResolvesClientCert for ReloadingIdentity {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(self.key())
    }

    fn has_certs(&self) -> bool {
        true
    }
}

impl std::fmt::Debug for ReloadingIdentity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("ReloadingIdentity").field(&self.identity()).finish()
    }
}
