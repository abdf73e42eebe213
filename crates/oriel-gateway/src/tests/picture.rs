//! A gateway that runs, with a farm around it.

use std::{sync::Arc, time::Duration};

use oriel_model::{Timestamp, policy::Direction, role::Role};
use oriel_net::{
    authority::{Authority, Grant},
    identity::{KeyRequest, NodeIdentity, PeerIdentity},
    supervise::ShutdownHandle,
    tls::{PortalCertificate, ReloadingIdentity},
};
use oriel_wire::{
    ticket::{self, Claims, TicketKey},
    v1,
};
use tokio::{task::JoinHandle, time::timeout};
use uuid::Uuid;

use super::{
    browser::{Browser, Door, SOON},
    host::{Attached, FakeHost},
};
use crate::{
    Gateway, GatewayConfig,
    shared::Shared,
    testing::{self, Scratch},
};

/// The farm's authority.
#[derive(Clone)]
pub(super) struct Farm {
    authority: Arc<Authority>,
}

impl Farm {
    pub(super) fn new() -> Self {
        oriel_net::tls::install_crypto();
        let authority = Authority::create("Test", Timestamp::now()).expect("an authority");
        Self { authority: Arc::new(authority) }
    }

    pub(super) fn node(&self, role: Role) -> NodeIdentity {
        self.node_for(role, Duration::from_secs(3_600))
    }

    pub(super) fn node_for(&self, role: Role, lifetime: Duration) -> NodeIdentity {
        let request = KeyRequest::generate().expect("a key");
        let csr = request.csr_pem().expect("a request");
        let certificate = self.issue(&csr, role, lifetime);
        request.complete(&certificate, &self.authority_pem(), self.authority.fingerprint()).expect("complete")
    }

    pub(super) fn issue(&self, csr: &str, role: Role, lifetime: Duration) -> String {
        let identity = PeerIdentity { farm: self.authority.farm(), role, id: Uuid::from_u128(7) };
        let grant = Grant { identity, names: Vec::new(), lifetime };
        self.authority.issue(csr, &grant, Timestamp::now()).expect("issued")
    }

    pub(super) fn authority_pem(&self) -> String {
        self.authority.certificate_pem()
    }

    pub(super) fn reloading(&self, role: Role) -> Arc<ReloadingIdentity> {
        ReloadingIdentity::new(self.node(role)).expect("usable")
    }
}

pub(super) struct Picture {
    pub(super) door: Door,
    pub(super) shared: Arc<Shared>,
    pub(super) certificate: Arc<PortalCertificate>,
    pub(super) key: TicketKey,
    pub(super) stop: ShutdownHandle,
    running: JoinHandle<()>,
    pub(super) folder: Scratch,
}

impl Picture {
    /// A gateway without a broker that answers, but with a ticket key.
    pub(super) async fn alone() -> Self {
        let picture = Self::start(&Farm::new(), vec!["127.0.0.1:1".into()], Duration::ZERO);
        picture.shared.keys.replace(99, vec![picture.wire_key()]);
        picture
    }

    pub(super) fn start(farm: &Farm, brokers: Vec<String>, drain_deadline: Duration) -> Self {
        Self::start_as(farm.node(Role::Gateway), brokers, drain_deadline)
    }

    pub(super) fn start_as(identity: NodeIdentity, brokers: Vec<String>, drain_deadline: Duration) -> Self {
        let folder = Scratch::new();
        identity.save(&folder.path().join("data")).expect("saved");
        folder.write("web/index.html", "<html>portal");
        let listen = "127.0.0.1:0".parse().expect("an address");
        let mut config =
            GatewayConfig::new(listen, folder.path().join("data"), brokers, folder.path().join("web"));
        config.drain_deadline = drain_deadline;
        let bound = Gateway::bind(config).expect("bound");
        let door = Door { address: bound.local_addr(), certificate: bound.certificate_fingerprint() };
        let (shared, certificate) = (bound.shared().clone(), bound.certificate().clone());
        let stop = ShutdownHandle::new();
        let running = tokio::spawn(bound.run(stop.signal()));
        Self { door, shared, certificate, key: testing::ticket_key(1), stop, running, folder }
    }

    pub(super) fn wire_key(&self) -> v1::TicketKey {
        v1::TicketKey { key_id: self.key.id(), secret: self.key.secret().to_vec() }
    }

    pub(super) fn ticket(&self, claims: &Claims) -> String {
        ticket::seal(claims, &self.key).expect("random")
    }

    /// A session that runs: the browser's side and the host's.
    pub(super) async fn session(&self, host: &FakeHost, claims: &Claims) -> (Browser, Attached) {
        let (mut browser, mut attached) = self.connected(host, claims).await;
        let has_clipboard = claims.channels.clipboard && claims.clipboard.direction != Direction::None;
        attached.sequence(&mut browser, has_clipboard).await;
        (browser, attached)
    }

    /// Both sides before the connection sequence.
    pub(super) async fn connected(&self, host: &FakeHost, claims: &Claims) -> (Browser, Attached) {
        let mut browser = self.door.open().await;
        let ticket = self.ticket(claims);
        let (answer, attached) = tokio::join!(browser.knock(&ticket), host.accept());
        assert!(
            matches!(answer, ironrdp_rdcleanpath::RDCleanPath::Response { .. }),
            "connected, not {answer:?}"
        );
        (browser, attached)
    }

    /// Stops the gateway and waits for it.
    pub(super) async fn stopped(self) {
        self.stop.give();
        timeout(Duration::from_secs(20), self.running).await.expect("stops in time").expect("no panic");
    }

    /// Waits until something is so.
    pub(super) async fn until(&self, what: &str, is_so: impl Fn(&Shared) -> bool) {
        let waiting = async {
            while !is_so(&self.shared) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(SOON, waiting).await.unwrap_or_else(|_| panic!("{what}"));
    }
}

/// A ticket's content for this host that forbids the clipboard.
pub(super) fn claims_for(host: &FakeHost) -> Claims {
    let mut claims = testing::claims();
    claims.host_address = host.address.clone();
    claims.host_certificate_sha256 = host.certificate.to_string();
    claims.channels.clipboard = false;
    claims
}
