//! The stream of one gateway.

use std::{sync::Arc, time::Duration};

use oriel_model::{Id, gateway::Gateway, logon::LaunchTimes, role::Role};
use oriel_wire::v1::{
    ConnectionOpened, GatewayCommand, GatewayMessage, gateway_link_server::GatewayLink, gateway_message,
};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, Streaming};

use super::{Attached, LiveConnection, OUTBOUND_MAX, reconcile};
use crate::{
    Broker,
    certificates::Certificate,
    inbound,
    peer::{note_certificate, peer_in_role},
};

/// A stream that is silent this long is closed. Gateways report every few seconds.
const SILENCE_MAX: Duration = Duration::from_secs(30);

/// The service that gateways dial.
pub struct GatewayLinkService {
    broker: Arc<Broker>,
}

impl GatewayLinkService {
    /// The service over this broker's state.
    pub fn new(broker: Arc<Broker>) -> Self {
        Self { broker }
    }
}

#[tonic::async_trait]
impl GatewayLink for GatewayLinkService {
    type AttachStream = ReceiverStream<Result<GatewayCommand, Status>>;

    async fn attach(
        &self,
        request: Request<Streaming<GatewayMessage>>,
    ) -> Result<Response<Self::AttachStream>, Status> {
        let gateway: Id<Gateway> = peer_in_role(&self.broker, request.extensions(), Role::Gateway)?.cast();
        note_certificate(&self.broker, request.extensions(), Role::Gateway, gateway.cast());
        let mut inbound = request.into_inner();
        let hello = inbound::first(&mut inbound, |message: GatewayMessage| match message.body {
            Some(gateway_message::Body::Hello(hello)) => Some(hello),
            _ => None,
        });
        let hello = hello.await?;
        tracing::info!(gateway.id = %gateway, version = hello.version, connections = hello.connections.len(), "a gateway connected");
        for connection in &hello.connections {
            note_opened(&self.broker, gateway, connection);
        }
        let settings = reconcile::settings(&self.broker, &self.broker.farm.load(), gateway)
            .ok_or_else(|| Status::permission_denied("this gateway was removed from the farm"))?;
        let (sender, outbound) = mpsc::channel(OUTBOUND_MAX);
        let end = CancellationToken::new();
        let attached = Attached { hello, settings, sender, ends: end.clone().drop_guard() };
        let epoch = self.broker.gateways.attach(gateway, attached, self.broker.now());
        tokio::spawn(read(self.broker.clone(), gateway, epoch, inbound, end));
        Ok(Response::new(ReceiverStream::new(outbound)))
    }
}

/// Reads until the gateway goes, falls silent or is replaced.
async fn read(
    broker: Arc<Broker>,
    gateway: Id<Gateway>,
    epoch: u64,
    inbound: Streaming<GatewayMessage>,
    end: CancellationToken,
) {
    let take = |message| take(&broker, gateway, epoch, message);
    let why = inbound::read(inbound, end, SILENCE_MAX, take).await;
    broker.connections.gateway_lost(broker.gateways.detach(gateway, epoch));
    tracing::info!(gateway.id = %gateway, why, "a gateway's connection ended");
}

fn take(broker: &Broker, gateway: Id<Gateway>, epoch: u64, message: GatewayMessage) {
    match message.body {
        Some(gateway_message::Body::Report(report)) => {
            broker.gateways.reported(gateway, epoch, report, broker.now());
        }
        Some(gateway_message::Body::Opened(opened)) => {
            note_opened(broker, gateway, &opened);
            broker.gateways.opened(gateway, epoch, &opened);
        }
        Some(gateway_message::Body::Closed(closed)) => {
            tracing::info!(
                target: "audit", event = "connection_closed", gateway.id = %gateway,
                connection.id = closed.connection_id, session.id = closed.session_id, reason = closed.reason,
                bytes_to_host = closed.bytes_to_host, bytes_to_client = closed.bytes_to_client
            );
            broker.gateways.closed(gateway, epoch, &closed.connection_id);
            broker.connections.closed_at_gateway(&closed);
            broker.notifications.tally.connection_closed(gateway, &closed.reason, broker.now());
        }
        Some(gateway_message::Body::Certificate(shown)) => {
            let certificate = Certificate::read(&shown.der);
            if certificate.is_none() {
                tracing::warn!(gateway.id = %gateway, "the certificate that a gateway shows cannot be read");
            }
            broker.gateways.shows(gateway, epoch, certificate);
        }
        Some(gateway_message::Body::Measures(measures)) => {
            for measures in &measures.connections {
                if let Some((session, connection)) = broker.gateways.measured(gateway, epoch, measures) {
                    broker.logons.measured(session, connection, measures);
                }
            }
        }
        // A second hello, or something newer than this version: no reason to part.
        Some(gateway_message::Body::Hello(_)) | None => {}
    }
}

fn note_opened(broker: &Broker, gateway: Id<Gateway>, opened: &ConnectionOpened) {
    let Some(connection) = LiveConnection::read(gateway, opened) else { return };
    broker.connections.opened(connection.id, connection.session, connection.user);
    // Brokers round up: without a time there, whoever sealed the ticket did not take it.
    let ConnectionOpened { brokering_ms, prepare_ms, .. } = *opened;
    let launch = (prepare_ms > 0).then_some(LaunchTimes { brokering_ms, prepare_ms });
    broker.logons.opened(&connection, launch);
}
