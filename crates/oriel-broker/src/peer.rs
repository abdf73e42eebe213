//! Who is at the other end of an internal connection: the name in its certificate, and whether the
//! farm still has such a component.

use oriel_model::{Id, role::Role};
use oriel_net::incoming::ConnectInfo;
use serde_json::Value;
use tonic::{Code, Status};

use crate::{Broker, farm::FarmView};

/// A component that proved who it is and that the farm still has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Peer {
    /// Its role.
    pub role: Role,
    /// Its id: that of its settings object.
    pub id: Id<Value>,
}

/// Why a peer is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PeerRefusal {
    /// No certificate.
    #[error("a certificate of the farm is needed here: join the farm first")]
    NoCertificate,
    /// Another role than is served here.
    #[error("a certificate for the role {expected} is needed here, not one for {found}")]
    Role { expected: Role, found: Role },
    /// Its object was deleted.
    #[error("this {0} was removed from the farm; join it again with a new invitation")]
    Removed(Role),
}

/// Notes until when the certificate of a component is valid that attaches.
pub(crate) fn note_certificate(broker: &Broker, extensions: &http::Extensions, role: Role, id: Id<Value>) {
    if let Some(valid) = extensions.get::<ConnectInfo>().and_then(|info| info.valid) {
        broker.node_certificates.note(role, id, valid);
    }
}

/// Who sent a request, given its extensions.
pub(crate) fn peer(broker: &Broker, extensions: &http::Extensions) -> Result<Peer, PeerRefusal> {
    let info = extensions.get::<ConnectInfo>().ok_or(PeerRefusal::NoCertificate)?;
    let identity = info.peer.ok_or(PeerRefusal::NoCertificate)?;
    let peer = Peer { role: identity.role, id: identity.id.into() };
    if identity.farm != broker.farm_id.uuid() || !exists(&broker.farm.load(), peer) {
        return Err(PeerRefusal::Removed(peer.role));
    }
    Ok(peer)
}

/// As [`peer`], and only in this role.
pub(crate) fn peer_in_role(
    broker: &Broker,
    extensions: &http::Extensions,
    expected: Role,
) -> Result<Id<Value>, PeerRefusal> {
    let peer = peer(broker, extensions)?;
    match peer.role {
        found if found == expected => Ok(peer.id),
        found => Err(PeerRefusal::Role { expected, found }),
    }
}

/// The address that a request came from.
pub(crate) fn remote(extensions: &http::Extensions) -> Option<std::net::IpAddr> {
    extensions.get::<ConnectInfo>().map(|info| info.remote.ip().to_canonical())
}

fn exists(view: &FarmView, peer: Peer) -> bool {
    match peer.role {
        Role::Broker => view.brokers.get(peer.id.cast()).is_some(),
        Role::Gateway => view.gateways.get(peer.id.cast()).is_some(),
        Role::Agent => view.hosts.get(peer.id.cast()).is_some(),
    }
}

impl From<PeerRefusal> for Status {
    fn from(refusal: PeerRefusal) -> Self {
        let code = match refusal {
            PeerRefusal::NoCertificate => Code::Unauthenticated,
            PeerRefusal::Role { .. } | PeerRefusal::Removed(_) => Code::PermissionDenied,
        };
        Status::new(code, refusal.to_string())
    }
}
