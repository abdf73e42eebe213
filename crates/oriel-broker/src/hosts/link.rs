//! The stream of one agent.

use std::{sync::Arc, time::Duration};

use oriel_model::{Id, host::Host, role::Role};
use oriel_wire::v1::{
    AgentHello, AgentMessage, BrokerMessage, EndedSession, HostReport, agent_link_server::AgentLink,
    agent_message,
};
use tokio::{sync::mpsc, time::timeout};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, Streaming};

use super::{
    HostSession, PENDING_MAX,
    host::{Attached, Report},
    reconcile,
};
use crate::{
    Broker,
    peer::{peer_in_role, remote},
};

/// How long a new stream may take to say who it is: it has all that at hand.
const HELLO_DEADLINE: Duration = Duration::from_secs(10);

/// A stream that is silent this long is closed. Agents report every second; nothing is placed on a host
/// after five silent ones, and twice that is no hiccup any more.
const SILENCE_MAX: Duration = Duration::from_secs(10);

/// Sessions of one report that are taken: the largest session limit a host can have.
const SESSIONS_MAX: usize = 10_000;

/// Longest text about itself that an agent gives, in characters.
const HELLO_TEXT_MAX: usize = 255;

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
        let remote = remote(request.extensions())
            .ok_or_else(|| Status::internal("the connection's address is unknown"))?;
        let mut inbound = request.into_inner();
        let hello = hello(&mut inbound).await?;
        let settings = reconcile::settings(&self.broker.farm.load(), host)
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

async fn hello(inbound: &mut Streaming<AgentMessage>) -> Result<AgentHello, Status> {
    let first = timeout(HELLO_DEADLINE, inbound.message())
        .await
        .map_err(|_| Status::deadline_exceeded("the first message did not come in time"))??;
    match first.and_then(|message| message.body) {
        Some(agent_message::Body::Hello(hello)) => Ok(bounded(hello)),
        _ => Err(Status::invalid_argument("the first message must be a hello")),
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
    }
}

/// Reads until the agent goes, falls silent or is replaced.
async fn read(
    broker: Arc<Broker>,
    host: Id<Host>,
    epoch: u64,
    mut inbound: Streaming<AgentMessage>,
    end: CancellationToken,
) {
    let why = loop {
        let message = tokio::select! {
            () = end.cancelled() => break "it was closed here".to_owned(),
            message = timeout(SILENCE_MAX, inbound.message()) => message,
        };
        match message {
            Err(_) => break format!("it was silent for {} seconds", SILENCE_MAX.as_secs()),
            Ok(Err(status)) => break status.to_string(),
            Ok(Ok(None)) => break "the agent closed it".to_owned(),
            Ok(Ok(Some(message))) => match message.body {
                Some(agent_message::Body::Report(report)) => take_report(&broker, host, epoch, report),
                Some(agent_message::Body::Reply(reply)) => {
                    broker.hosts.answered(&broker.farm.load(), host, epoch, reply);
                }
                // A second hello, or something newer than this version: no reason to part.
                Some(agent_message::Body::Hello(_)) | None => {}
            },
        }
    };
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
