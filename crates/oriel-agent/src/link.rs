//! The stream to one broker: up go the hello, reports and answers; down come settings and requests. When it
//! breaks, it is dialled again; sessions do not depend on it.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use oriel_net::{backoff::Backoff, supervise::ShutdownSignal};
use oriel_wire::{
    AGENT_RETRY_MAX, MESSAGE_BYTES_MAX,
    failure::innermost,
    v1::{self, AgentMessage, agent_link_client::AgentLinkClient, agent_message, broker_message},
};
use tokio::{
    net::UdpSocket,
    sync::{Semaphore, mpsc},
    time::timeout,
};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Status, Streaming, transport::Channel};

use crate::service::Service;

/// How long after the first failure it is tried again: a restart of the broker is hardly noticed.
const RETRY: Duration = Duration::from_millis(500);
/// How long a broker may take to open the stream and send its settings.
const ATTACH_TIMEOUT: Duration = Duration::from_secs(15);
/// Requests of one broker carried out at a time; more are refused. Most take milliseconds, so this many
/// means that something hangs.
const REQUESTS_MAX: usize = 256;
/// Messages that wait to be sent.
const QUEUE: usize = 16;
/// A stream that stood this long worked: the next attempt after it is made soon.
const WORKED: Duration = Duration::from_secs(10);

/// One broker.
pub(crate) struct Link {
    pub(crate) service: Arc<Service>,
    pub(crate) channel: Channel,
    /// Its address, `host:port`.
    pub(crate) broker: String,
    pub(crate) rdp_listen: SocketAddr,
    /// Name or address under which gateways reach this machine, if it was configured.
    pub(crate) own_address: Option<String>,
}

impl Link {
    /// Keeps the stream open until the signal.
    pub(crate) async fn keep(self, signal: ShutdownSignal) {
        let mut backoff = Backoff::new(RETRY, AGENT_RETRY_MAX);
        let link = Arc::new(self);
        while !signal.is_given() {
            let began = tokio::time::Instant::now();
            let outcome = tokio::select! {
                outcome = Arc::clone(&link).attach() => outcome,
                () = signal.given() => return,
            };
            if began.elapsed() > WORKED {
                backoff.reset();
            }
            let why =
                outcome.err().map_or_else(|| "the broker ended it".to_owned(), |error| innermost(&error));
            // The first failure is news; that it goes on is not.
            if backoff.failures() == 0 {
                tracing::warn!(
                    broker.address = link.broker,
                    why,
                    "no link to this broker; trying again until it works"
                );
            } else {
                tracing::debug!(broker.address = link.broker, why, "still no link to this broker");
            }
            tokio::select! {
                () = tokio::time::sleep(backoff.next_delay()) => {}
                () = signal.given() => return,
            }
        }
    }

    /// Opens the stream and serves it until it ends.
    async fn attach(self: Arc<Self>) -> Result<(), Status> {
        let rdp_address = self.rdp_address().await;
        let (up, queue) = mpsc::channel(QUEUE);
        let hello = agent_message::Body::Hello(self.service.hello(rdp_address.clone()));
        // There is room: the queue is new.
        let _ = up.try_send(AgentMessage { body: Some(hello) });
        let mut client = AgentLinkClient::new(self.channel.clone())
            .max_decoding_message_size(MESSAGE_BYTES_MAX)
            .max_encoding_message_size(MESSAGE_BYTES_MAX);
        let opening = async {
            let mut down = client.attach(ReceiverStream::new(queue)).await?.into_inner();
            let first = down.message().await?;
            Ok::<_, Status>((down, first))
        };
        let opened = timeout(ATTACH_TIMEOUT, opening).await;
        let (down, first) = opened.map_err(|_| Status::deadline_exceeded("the broker did not answer"))??;
        let Some(broker_message::Body::Settings(settings)) = first.and_then(|message| message.body) else {
            return Err(Status::failed_precondition("the broker did not begin with the host's settings"));
        };
        self.service.apply(&settings);
        tracing::info!(broker.address = self.broker, rdp_address, "linked to the broker");
        self.serve(down, up, rdp_address).await
    }

    async fn serve(
        self: Arc<Self>,
        mut down: Streaming<v1::BrokerMessage>,
        up: mpsc::Sender<AgentMessage>,
        rdp_address: String,
    ) -> Result<(), Status> {
        let room = Arc::new(Semaphore::new(REQUESTS_MAX));
        let mut reports = self.service.reports();
        // The report of this moment goes up at once.
        reports.mark_changed();
        loop {
            tokio::select! {
                message = down.message() => match message?.map(|message| message.body) {
                    Some(Some(broker_message::Body::Settings(settings))) => self.service.apply(&settings),
                    Some(Some(broker_message::Body::Request(request))) => {
                        let (link, up, room) = (Arc::clone(&self), up.clone(), Arc::clone(&room));
                        let rdp_address = rdp_address.clone();
                        let permit = room.try_acquire_owned();
                        tokio::spawn(async move {
                            let reply = match &permit {
                                Ok(_) => link.service.answer(request, &rdp_address).await,
                                Err(_) => Service::too_many(request.request_id),
                            };
                            let _ = up.send(AgentMessage { body: Some(agent_message::Body::Reply(reply)) }).await;
                            drop(permit);
                        });
                    }
                    // Something newer than this version.
                    Some(None) => {}
                    None => return Ok(()),
                },
                // Only when there is room: a slow broker gets the newest report, not all.
                place = ready(&mut reports, &up) => {
                    let Some(place) = place else { return Ok(()) };
                    let report = v1::HostReport::clone(&reports.borrow_and_update());
                    place.send(AgentMessage { body: Some(agent_message::Body::Report(report)) });
                }
            }
        }
    }

    /// Where gateways reach the RDP listener. When it listens on all addresses and none was configured, it
    /// is the one that leads to the broker.
    async fn rdp_address(&self) -> String {
        let port = self.rdp_listen.port();
        if let Some(own) = &self.own_address {
            return join(own, port);
        }
        if !self.rdp_listen.ip().is_unspecified() {
            return self.rdp_listen.to_string();
        }
        match address_towards(&self.broker).await {
            Some(address) => SocketAddr::new(address, port).to_string(),
            None => self.rdp_listen.to_string(),
        }
    }
}

/// Waits for a new report, then for room to send it.
async fn ready<'a>(
    reports: &mut tokio::sync::watch::Receiver<Arc<v1::HostReport>>,
    up: &'a mpsc::Sender<AgentMessage>,
) -> Option<mpsc::Permit<'a, AgentMessage>> {
    reports.changed().await.ok()?;
    // Should this wait be given up, the report counts as new again.
    reports.mark_changed();
    up.reserve().await.ok()
}

/// The own address from which packets would go to `target`. Connecting a datagram socket sends nothing.
async fn address_towards(target: &str) -> Option<IpAddr> {
    for unspecified in ["0.0.0.0:0", "[::]:0"] {
        let socket = UdpSocket::bind(unspecified).await.ok()?;
        if socket.connect(target).await.is_ok() {
            return socket.local_addr().ok().map(|address| address.ip());
        }
    }
    None
}

fn join(host: &str, port: u16) -> String {
    match host.parse::<IpAddr>() {
        Ok(address) => SocketAddr::new(address, port).to_string(),
        Err(_) => format!("{host}:{port}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_join_names_and_addresses() {
        for (host, expected) in [
            ("host.example", "host.example:3389"),
            ("10.0.0.7", "10.0.0.7:3389"),
            ("2001:db8::7", "[2001:db8::7]:3389"),
        ] {
            assert_eq!(join(host, 3389), expected);
        }
    }

    #[tokio::test]
    async fn the_address_towards_loopback_is_loopback() {
        assert_eq!(address_towards("127.0.0.1:9").await, Some([127, 0, 0, 1].into()));
        assert_eq!(address_towards("not an address").await, None);
    }
}
