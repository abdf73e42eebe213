//! Stands in for a broker where only the gateway is measured: it lets one gateway into a farm of its
//! own, hands it ticket keys over the real protocol, and seals tickets. The gateway cannot tell the
//! difference; five thousand users and launches need not exist.

use std::{net::SocketAddr, path::Path, time::Duration};

use anyhow::Context as _;
use oriel_model::{
    Id, Timestamp,
    logon::LaunchTimes,
    policy::{Clipboard, Direction, Quality},
    role::Role,
    session::ChannelPolicy,
};
use oriel_net::{
    authority::{Authority, Grant},
    identity::{KeyRequest, NodeIdentity, PeerIdentity},
    incoming::{AcceptLimits, Incoming},
    listener::Listener,
    serve::serve,
    supervise::ShutdownHandle,
    tls::{Alpn, ReloadingIdentity, internal_server},
};
use oriel_wire::{
    ticket::{self, Claims, LIFETIME_SECS, Logon, TicketKey},
    v1::{
        self, GatewayCommand, GatewayMessage, GatewaySettings, gateway_command,
        gateway_link_server::{GatewayLink, GatewayLinkServer},
    },
};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming, service::Routes};

use crate::rdp::script::{LOGON_NAME, LOGON_SECRET};

/// How long certificates and connections last: longer than any run.
const LIFETIME: Duration = Duration::from_secs(24 * 3_600);

/// The broker of a farm that has one gateway.
pub struct TicketBroker {
    /// Where the gateway finds it.
    pub address: SocketAddr,
    authority: Authority,
    key: TicketKey,
    _stop: ShutdownHandle,
}

impl TicketBroker {
    /// Starts one. Must be called within a tokio runtime, in which it works until it is dropped.
    pub fn start() -> anyhow::Result<Self> {
        let authority = Authority::create("Bench", Timestamp::now())?;
        let key = TicketKey::generate(1)?;
        let identity = ReloadingIdentity::new(issue(&authority, Role::Broker)?)?;
        let listener = Listener::bind((std::net::Ipv4Addr::LOCALHOST, 0).into(), "gateway_listen")?;
        let address = listener.local_addr();
        let limits = AcceptLimits::default();
        let incoming = Incoming::tls(listener, internal_server(&identity, Alpn::H2)?, limits);
        let router = Routes::new(GatewayLinkServer::new(Link { key: key.clone() })).into_axum_router();
        let stop = ShutdownHandle::new();
        tokio::spawn(serve(incoming, router, stop.signal(), Duration::ZERO));
        Ok(Self { address, authority, key, _stop: stop })
    }

    /// Makes `directory` the data directory of a gateway that has joined.
    pub fn enrol_gateway(&self, directory: &Path) -> anyhow::Result<()> {
        issue(&self.authority, Role::Gateway)?.save(directory)?;
        Ok(())
    }

    /// A ticket for one connection to a host.
    pub fn ticket(&self, host: SocketAddr, certificate_sha256: &[u8; 32]) -> anyhow::Result<String> {
        let now = Timestamp::now();
        let claims = Claims {
            connection: Id::generate(now),
            session: Id::generate(now),
            user: Id::generate(now),
            user_name: "bench".into(),
            resource: Id::generate(now),
            host: Id::generate(now),
            host_address: host.to_string(),
            host_certificate_sha256: certificate_sha256.iter().map(|byte| format!("{byte:02x}")).collect(),
            logon: Logon {
                name: LOGON_NAME.into(),
                domain: String::new(),
                secret: LOGON_SECRET.to_owned().into(),
            },
            alternate_shell: String::new(),
            working_directory: String::new(),
            client_name: "bench".into(),
            keyboard_layout: 0x407,
            channels: ChannelPolicy::default(),
            clipboard: Clipboard::default(),
            drives: Direction::Both,
            quality: Quality::Automatic,
            max_kbits: None,
            times: LaunchTimes::default(),
            expires_at: now + Duration::from_secs(LIFETIME_SECS.unsigned_abs()),
            connected_until: now + LIFETIME,
        };
        Ok(ticket::seal(&claims, &self.key)?)
    }
}

fn issue(authority: &Authority, role: Role) -> anyhow::Result<NodeIdentity> {
    let now = Timestamp::now();
    let key = KeyRequest::generate()?;
    let id = Id::<serde_json::Value>::generate(now).uuid();
    let grant = Grant {
        identity: PeerIdentity { farm: authority.farm(), role, id },
        names: vec!["127.0.0.1".into()],
        lifetime: LIFETIME,
    };
    let certificate = authority.issue(&key.csr_pem()?, &grant, now)?;
    key.complete(&certificate, &authority.certificate_pem(), authority.fingerprint())
        .context("the certificate that was just issued")
}

struct Link {
    key: TicketKey,
}

#[tonic::async_trait]
impl GatewayLink for Link {
    type AttachStream = ReceiverStream<Result<GatewayCommand, Status>>;

    async fn attach(
        &self,
        request: Request<Streaming<GatewayMessage>>,
    ) -> Result<Response<Self::AttachStream>, Status> {
        let (down, commands) = mpsc::channel(1);
        let ticket_keys = vec![v1::TicketKey { key_id: self.key.id(), secret: self.key.secret().to_vec() }];
        let settings = GatewaySettings { ticket_keys, enabled: true, ..GatewaySettings::default() };
        let first = GatewayCommand { body: Some(gateway_command::Body::Settings(settings)) };
        // There is room: the queue is new.
        let _ = down.try_send(Ok(first));
        let mut inbound = request.into_inner();
        tokio::spawn(async move {
            // What connections come and go is nobody's business here, but must be read.
            while let Ok(Some(_)) = inbound.message().await {}
            drop(down);
        });
        Ok(Response::new(ReceiverStream::new(commands)))
    }
}
