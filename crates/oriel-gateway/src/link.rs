//! The stream to one broker: up go hello, reports and the comings and goings of connections; down
//! come ticket keys, settings and withdrawals. When it breaks it is opened again; what happened
//! meanwhile is caught up on from the journal. Running connections do not depend on it.

use std::sync::Arc;

use oriel_model::{Id, session::EndReason};
use oriel_net::{
    backoff::Backoff, fingerprint::Fingerprint, supervise::ShutdownSignal, tls::PortalCertificate,
};
use oriel_wire::{
    MESSAGE_BYTES_MAX,
    failure::innermost,
    v1::{
        self, GatewayHello, GatewayMessage, GatewayReport, gateway_command, gateway_link_client,
        gateway_message,
    },
};
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, MissedTickBehavior, interval, sleep, timeout},
};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Status, Streaming};

use crate::{
    brokers::Broker,
    connections::{Ending, Event},
    limits::{
        ATTACH_TIMEOUT, CLOSING_GRACE, LINK_QUEUE, LINK_RETRY, LINK_RETRY_CAP, LOST_BROKER_KEY_GRACE,
        REPORT_INTERVAL,
    },
    processor::Processor,
    shared::Shared,
};

/// Keeps the link to one broker until the signal is given; then delivers what is left to say.
pub(crate) async fn keep(
    shared: Arc<Shared>,
    broker: Arc<Broker>,
    certificate: Arc<PortalCertificate>,
    signal: ShutdownSignal,
) {
    let processor = Processor::default();
    let mut link = Link { shared, broker, certificate, told: None, told_certificate: None, processor };
    let mut backoff = Backoff::new(LINK_RETRY, LINK_RETRY_CAP);
    let mut lost_since = Instant::now();
    while !signal.is_given() {
        let ended = link.attach(&signal).await;
        if link.broker.set_linked(false) {
            backoff.reset();
            lost_since = Instant::now();
        }
        match ended {
            Ok(()) => tracing::debug!(broker.address = %link.broker.address, "the broker ended the link"),
            // The first failure is news; that it goes on is not.
            Err(error) if backoff.failures() == 0 => {
                tracing::warn!(broker.address = %link.broker.address, error = %innermost(&error), "no link to this broker; trying again until it works");
            }
            Err(error) => {
                tracing::debug!(broker.address = %link.broker.address, error = %innermost(&error), "still no link to this broker");
            }
        }
        if lost_since.elapsed() > LOST_BROKER_KEY_GRACE {
            link.shared.keys.forget(link.broker.index);
        }
        tokio::select! {
            () = sleep(backoff.next_delay()) => {}
            () = signal.given() => {}
        }
    }
}

struct Link {
    shared: Arc<Shared>,
    broker: Arc<Broker>,
    /// The newest journal entry that this broker was told; none before the first link.
    told: Option<u64>,
    certificate: Arc<PortalCertificate>,
    /// The certificate that it was told on this link.
    told_certificate: Option<Fingerprint>,
    processor: Processor,
}

impl Link {
    /// Opens the stream and serves it until it ends or the signal is given.
    async fn attach(&mut self, signal: &ShutdownSignal) -> Result<(), Status> {
        let (up, queue) = mpsc::channel(LINK_QUEUE);
        let (connections, number) = self.shared.connections.snapshot();
        let hello = GatewayHello {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            machine_name: self.shared.machine_name.clone(),
            connections,
        };
        // There is room: the queue is new.
        let _ = up.try_send(message(gateway_message::Body::Hello(hello)));
        let mut client = gateway_link_client::GatewayLinkClient::new(self.broker.channel.clone())
            .max_decoding_message_size(MESSAGE_BYTES_MAX)
            .max_encoding_message_size(MESSAGE_BYTES_MAX);
        let opening = async {
            let mut down = client.attach(ReceiverStream::new(queue)).await?.into_inner();
            let first = down.message().await?;
            Ok::<_, Status>((down, first))
        };
        let (mut down, first) = tokio::select! {
            opened = timeout(ATTACH_TIMEOUT, opening) => {
                opened.map_err(|_| Status::deadline_exceeded("the broker did not answer"))??
            }
            () = signal.given() => return Ok(()),
        };
        let Some(gateway_command::Body::Settings(settings)) = first.and_then(|command| command.body) else {
            return Err(Status::failed_precondition("the broker did not begin with its settings"));
        };
        self.take_settings(settings);
        self.broker.set_linked(true);
        tracing::info!(broker.address = %self.broker.address, "linked to the broker");
        // The hello told the living; entries since the last link tell who ended meanwhile. A broker
        // that is new to this process has nobody to hear the end of.
        self.told.get_or_insert(number);
        self.serve(&mut down, up, signal).await
    }

    async fn serve(
        &mut self,
        down: &mut Streaming<v1::GatewayCommand>,
        up: mpsc::Sender<GatewayMessage>,
        signal: &ShutdownSignal,
    ) -> Result<(), Status> {
        self.told_certificate = None;
        let mut newest = self.shared.connections.newest();
        let mut draining = self.shared.draining();
        let mut reports = interval(REPORT_INTERVAL);
        reports.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let is_behind = self.told < Some(*newest.borrow_and_update());
            tokio::select! {
                command = down.message() => match command? {
                    Some(command) => self.obey(command),
                    None => return Ok(()),
                },
                place = up.reserve(), if is_behind => {
                    let Ok(place) = place else { return Ok(()) };
                    if let Some(event) = self.next_event() {
                        place.send(event);
                    }
                }
                Ok(()) = newest.changed(), if !is_behind => {}
                _ = reports.tick() => {
                    // If the queue is full, the broker is told enough.
                    let _ = up.try_send(self.report());
                    self.tell_certificate(&up);
                }
                Ok(()) = draining.changed() => {
                    let _ = up.try_send(self.report());
                }
                () = signal.given() => break,
            }
        }
        if timeout(CLOSING_GRACE, self.say_the_rest(up, down, &newest)).await.is_err() {
            tracing::warn!(broker.address = %self.broker.address, "the broker may not have heard how the last connections ended");
        }
        Ok(())
    }

    /// Tells what the journal still holds, closes the upper half, and waits until the broker has read
    /// it, which it says by closing the lower half.
    async fn say_the_rest(
        &mut self,
        up: mpsc::Sender<GatewayMessage>,
        down: &mut Streaming<v1::GatewayCommand>,
        newest: &watch::Receiver<u64>,
    ) {
        while self.told < Some(*newest.borrow()) {
            let Ok(place) = up.reserve().await else { return };
            if let Some(event) = self.next_event() {
                place.send(event);
            }
        }
        drop(up);
        while let Ok(Some(_)) = down.message().await {}
    }

    fn next_event(&mut self) -> Option<GatewayMessage> {
        let (number, event) = self.shared.connections.after(self.told.unwrap_or(0))?;
        self.told = Some(number);
        Some(message(match event {
            Event::Opened(opened) => gateway_message::Body::Opened(opened),
            Event::Closed(closed) => gateway_message::Body::Closed(closed),
        }))
    }

    /// Tells which certificate browsers are shown, if that is another than was told. If the queue is full, it
    /// is told with the next report.
    fn tell_certificate(&mut self, up: &mpsc::Sender<GatewayMessage>) {
        let fingerprint = self.certificate.fingerprint();
        if self.told_certificate == Some(fingerprint) {
            return;
        }
        let shown = v1::PortalCertificate { der: self.certificate.certificate().to_vec() };
        if up.try_send(message(gateway_message::Body::Certificate(shown))).is_ok() {
            self.told_certificate = Some(fingerprint);
        }
    }

    fn report(&mut self) -> GatewayMessage {
        message(gateway_message::Body::Report(GatewayReport {
            connections: u32::try_from(self.shared.connections.count()).unwrap_or(u32::MAX),
            draining: *self.shared.draining().borrow(),
            cpu_load: self.processor.load(),
        }))
    }

    fn obey(&self, command: v1::GatewayCommand) {
        match command.body {
            Some(gateway_command::Body::Settings(settings)) => self.take_settings(settings),
            Some(gateway_command::Body::Withdraw(withdraw)) => self.withdraw(&withdraw),
            None => tracing::debug!("a broker sent a command that this version does not know"),
        }
    }

    fn take_settings(&self, settings: v1::GatewaySettings) {
        let named = settings.ticket_keys.len();
        let usable = self.shared.keys.replace(self.broker.index, settings.ticket_keys);
        if usable < named {
            tracing::error!(broker.address = %self.broker.address, named, usable, "the broker named ticket keys that cannot be used");
        }
        self.shared.set_enabled(settings.enabled);
        self.shared.set_public_address(settings.public_address);
        self.shared.elsewhere.set(settings.farm_addresses);
    }

    fn withdraw(&self, withdraw: &v1::Withdraw) {
        let session = withdraw.session_id.parse().ok();
        let connection: Option<Id<_>> = withdraw.connection_id.parse().ok();
        if connection.is_none() && (session.is_none() || !withdraw.connection_id.is_empty()) {
            tracing::warn!(broker.address = %self.broker.address, "a withdrawal names neither session nor connection");
            return;
        }
        let reason = EndReason::parse(&withdraw.reason).unwrap_or(EndReason::RightWithdrawn);
        if let Some(connection) = connection {
            self.shared.replay.withdraw(connection, self.shared.clock.now());
        }
        let ending = Ending::new(reason, &withdraw.detail);
        let ended = self.shared.connections.withdraw(session, connection, &ending);
        tracing::info!(
            session.id = withdraw.session_id,
            connection.id = withdraw.connection_id,
            reason = reason.as_str(),
            ended,
            "a broker withdrew connections"
        );
    }
}

fn message(body: gateway_message::Body) -> GatewayMessage {
    GatewayMessage { body: Some(body) }
}
