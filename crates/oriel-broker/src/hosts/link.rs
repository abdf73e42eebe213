//! The stream of one agent.

use std::{sync::Arc, time::Duration};

use oriel_model::{Id, host::Host, role::Role};
use oriel_wire::v1::{
    AgentHello, AgentMessage, BrokerMessage, EndedSession, HostReport, agent_link_server::AgentLink,
    agent_message,
};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, Streaming};

use super::{
    HostSession, PENDING_MAX,
    host::{Attached, Report},
    reconcile,
};
use crate::{
    Broker, inbound,
    peer::{note_certificate, peer_in_role, remote},
};

/// A stream that is silent this long is closed. Agents report every second; nothing is placed on a host
/// after five silent ones, and twice that is no hiccup any more.
const SILENCE_MAX: Duration = Duration::from_secs(10);

/// Sessions of one report that are taken: the largest session limit a host can have.
const SESSIONS_MAX: usize = 10_000;

/// Longest text about itself that an agent gives, in characters.
const HELLO_TEXT_MAX: usize = 255;
/// Most network interfaces of a host that are worth remembering.
const MAC_ADDRESSES_MAX: usize = 16;

/// Messages that wait to be sent to one agent: every request that may be pending, and settings.
const OUTBOUND_MAX: usize = PENDING_MAX + 16;

/// The service that agents dial.
pub struct AgentLinkService {
    broker: Arc<Broker>,
}

impl AgentLinkService {
    /// The service over this broker's state.
    pub fn new(broker: Arc<Broker>) -> Self {
        Self { broker }
    }
}

#[tonic::async_trait]
impl AgentLink for AgentLinkService {
    type AttachStream = ReceiverStream<Result<BrokerMessage, Status>>;

    async fn attach(
        &self,
        request: Request<Streaming<AgentMessage>>,
    ) -> Result<Response<Self::AttachStream>, Status> {
        let host: Id<Host> = peer_in_role(&self.broker, request.extensions(), Role::Agent)?.cast();
        note_certificate(&self.broker, request.extensions(), Role::Agent, host.cast());
        let remote = remote(request.extensions())
            .ok_or_else(|| Status::internal("the connection's address is unknown"))?;
        let mut inbound = request.into_inner();
        let hello = inbound::first(&mut inbound, |message: AgentMessage| match message.body {
            Some(agent_message::Body::Hello(hello)) => Some(bounded(hello)),
            _ => None,
        });
        let hello = hello.await?;
        let settings = reconcile::settings(&self.broker.hosts, &self.broker.farm.load(), host)
            .ok_or_else(|| Status::permission_denied("this host was removed from the farm"))?;
        tracing::info!(
            host.id = %host, version = hello.version, software = hello.session_software,
            rdp_address = hello.rdp_address, %remote, "an agent connected"
        );
        let (sender, outbound) = mpsc::channel(OUTBOUND_MAX);
        let end = CancellationToken::new();
        let attached = Attached { hello, remote, settings, sender, ends: end.clone().drop_guard() };
        let epoch = self.broker.hosts.attach(host, attached);
        tokio::spawn(read(self.broker.clone(), host, epoch, inbound, end));
        Ok(Response::new(ReceiverStream::new(outbound)))
    }
}

fn bounded(hello: AgentHello) -> AgentHello {
    let clip = |text: String| text.chars().filter(|c| !c.is_control()).take(HELLO_TEXT_MAX).collect();
    AgentHello {
        version: clip(hello.version),
        operating_system: clip(hello.operating_system),
        session_software: clip(hello.session_software),
        machine_name: clip(hello.machine_name),
        rdp_address: clip(hello.rdp_address),
        rdp_certificate_sha256: hello.rdp_certificate_sha256.into_iter().take(32).collect(),
        mac_addresses: hello
            .mac_addresses
            .into_iter()
            .filter(|address| address.len() == 6)
            .take(MAC_ADDRESSES_MAX)
            .collect(),
        can_reboot: hello.can_reboot,
        can_stop: hello.can_stop,
    }
}

/// Reads until the agent goes, falls silent or is replaced.
async fn read(
    broker: Arc<Broker>,
    host: Id<Host>,
    epoch: u64,
    inbound: Streaming<AgentMessage>,
    end: CancellationToken,
) {
    let take = |message: AgentMessage| match message.body {
        Some(agent_message::Body::Report(report)) => take_report(&broker, host, epoch, report),
        Some(agent_message::Body::Reply(reply)) => {
            broker.hosts.answered(&broker.farm.load(), host, epoch, reply);
        }
        // A second hello, or something newer than this version: no reason to part.
        Some(agent_message::Body::Hello(_)) | None => {}
    };
    let why = inbound::read(inbound, end, SILENCE_MAX, take).await;
    broker.hosts.detach(host, epoch);
    tracing::info!(host.id = %host, why, "an agent's connection ended");
}

fn take_report(broker: &Broker, host: Id<Host>, epoch: u64, mut report: HostReport) {
    let ended = std::mem::take(&mut report.ended);
    report.sessions.truncate(SESSIONS_MAX);
    let sessions = report
        .sessions
        .iter()
        .filter_map(|session| HostSession::from_report(host, session.clone(), &broker.session_proof_key))
        .collect();
    if broker.hosts.reported(host, epoch, Report { report, sessions }, broker.now()) {
        for ended in &ended {
            let EndedSession { session_id, user_id, resource_id, proof, .. } = ended;
            let owner = broker.session_proof_key.owner(host, session_id, user_id, resource_id, proof);
            broker.connections.ended_on_host(ended, owner, broker.now());
        }
    }
}
