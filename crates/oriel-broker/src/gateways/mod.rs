//! The gateways that hold a stream to this broker, and the connections they carry.

mod link;
pub mod reconcile;

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use oriel_model::{
    Id, Timestamp,
    gateway::Gateway,
    session::{Connection, EndReason, Session},
    user::User,
};
use oriel_wire::v1::{
    ConnectionOpened, GatewayCommand, GatewayHello, GatewayReport, GatewaySettings, Withdraw, gateway_command,
};
use tokio::sync::mpsc;
use tokio_util::sync::DropGuard;
use tonic::Status;

pub use link::GatewayLinkService;

use crate::{certificates::Certificate, hosts::lock};

/// Connections of one gateway that are kept track of: its own limit is lower.
pub const CONNECTIONS_MAX: usize = 50_000;

/// Commands that wait to be sent to one gateway. A gateway that does not take a thousand commands off
/// its stream is gone; it is dropped, and says what it carries when it comes again.
pub(crate) const OUTBOUND_MAX: usize = 1_024;

/// A connection as its gateway reports it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveConnection {
    /// Which.
    pub id: Id<Connection>,
    /// The session it is attached to.
    pub session: Id<Session>,
    /// Whose it is.
    pub user: Id<User>,
    /// Where the client is.
    pub client_address: String,
    /// Since when.
    pub opened_at: Timestamp,
    /// The gateway that carries it.
    pub gateway: Id<Gateway>,
}

/// What is known of a gateway at run time.
#[derive(Debug, Clone)]
pub struct LiveGateway {
    /// Which.
    pub id: Id<Gateway>,
    /// Version of its software.
    pub version: String,
    /// Name of its machine.
    pub machine_name: String,
    /// Connections it carries.
    pub connections: usize,
    /// Whether it is being closed.
    pub draining: bool,
    /// Share of its CPUs in use, 0 to 1.
    pub cpu_load: f32,
    /// When it last gave a sign of life.
    pub last_report: Timestamp,
    /// The certificate that it shows; none: it has not said, or what it said is none.
    pub certificate: Option<Certificate>,
}

/// The registry of live gateways.
#[derive(Debug, Default)]
pub struct Gateways {
    gateways: Mutex<HashMap<Id<Gateway>, GatewayState>>,
    next_epoch: AtomicU64,
}

#[derive(Debug)]
struct GatewayState {
    epoch: u64,
    sender: mpsc::Sender<Result<GatewayCommand, Status>>,
    hello: GatewayHello,
    report: GatewayReport,
    last_report: Timestamp,
    certificate: Option<Certificate>,
    connections: HashMap<Id<Connection>, LiveConnection>,
    told: Option<Arc<GatewaySettings>>,
    _ends: DropGuard,
}

/// A new stream.
pub(crate) struct Attached {
    pub hello: GatewayHello,
    pub settings: GatewaySettings,
    pub sender: mpsc::Sender<Result<GatewayCommand, Status>>,
    pub ends: DropGuard,
}

impl Gateways {
    /// Ends the connections of a session (or one of them), at whichever gateway they are, with a reason
    /// that the user sees.
    pub fn withdraw(
        &self,
        session: Id<Session>,
        connection: Option<Id<Connection>>,
        reason: EndReason,
        detail: &str,
    ) {
        let command = GatewayCommand {
            body: Some(gateway_command::Body::Withdraw(Withdraw {
                session_id: session.to_string(),
                connection_id: connection.map(|id| id.to_string()).unwrap_or_default(),
                reason: reason.as_str().to_owned(),
                detail: detail.to_owned(),
            })),
        };
        // To all of them: a connection may be so young that its gateway has not yet reported it.
        lock(&self.gateways).retain(|id, gateway| gateway.send(*id, command.clone()));
    }

    /// What is known of all gateways that are connected.
    pub fn all(&self) -> Vec<LiveGateway> {
        lock(&self.gateways).iter().map(|(id, gateway)| gateway.live(*id)).collect()
    }

    /// What is known of a gateway; none: it is not connected.
    pub fn live(&self, id: Id<Gateway>) -> Option<LiveGateway> {
        lock(&self.gateways).get(&id).map(|gateway| gateway.live(id))
    }

    /// Every connection that gateways report as open.
    pub fn connections(&self) -> Vec<LiveConnection> {
        lock(&self.gateways).values().flat_map(|gateway| gateway.connections.values().cloned()).collect()
    }

    pub(crate) fn attach(&self, id: Id<Gateway>, attached: Attached, now: Timestamp) -> u64 {
        let epoch = self.next_epoch.fetch_add(1, Ordering::Relaxed) + 1;
        let Attached { mut hello, settings, sender, ends } = attached;
        let connections = std::mem::take(&mut hello.connections);
        let mut state = GatewayState {
            epoch,
            sender,
            hello,
            report: GatewayReport::default(),
            last_report: now,
            certificate: None,
            connections: HashMap::new(),
            told: None,
            _ends: ends,
        };
        for connection in connections {
            state.opened(id, &connection);
        }
        state.tell(id, Arc::new(settings));
        lock(&self.gateways).insert(id, state);
        epoch
    }

    /// A stream has ended. Returns the connections of which nobody tells any more, until the gateway is back.
    pub(crate) fn detach(&self, id: Id<Gateway>, epoch: u64) -> Vec<Id<Connection>> {
        let mut gateways = lock(&self.gateways);
        match gateways.get(&id) {
            Some(gateway) if gateway.epoch == epoch => {}
            _ => return Vec::new(),
        }
        let lost = gateways.remove(&id);
        lost.into_iter().flat_map(|gateway| gateway.connections.into_values()).map(|open| open.id).collect()
    }

    pub(crate) fn forget(&self, id: Id<Gateway>) {
        lock(&self.gateways).remove(&id);
    }

    /// Ends every stream: the broker is being closed.
    pub(crate) fn hang_up(&self) {
        lock(&self.gateways).clear();
    }

    pub(crate) fn reported(&self, id: Id<Gateway>, epoch: u64, report: GatewayReport, now: Timestamp) {
        self.with(id, epoch, |gateway| {
            gateway.report = report;
            gateway.last_report = now;
        });
    }

    pub(crate) fn shows(&self, id: Id<Gateway>, epoch: u64, certificate: Option<Certificate>) {
        self.with(id, epoch, |gateway| gateway.certificate = certificate);
    }

    pub(crate) fn opened(&self, id: Id<Gateway>, epoch: u64, opened: &ConnectionOpened) {
        self.with(id, epoch, |gateway| gateway.opened(id, opened));
    }

    pub(crate) fn closed(&self, id: Id<Gateway>, epoch: u64, connection: &str) {
        if let Ok(connection) = connection.parse() {
            self.with(id, epoch, |gateway| {
                gateway.connections.remove(&connection);
            });
        }
    }

    /// Tells a gateway its settings if they are not what it was told last.
    pub(crate) fn tell(&self, id: Id<Gateway>, settings: Arc<GatewaySettings>) {
        let mut gateways = lock(&self.gateways);
        if let Some(gateway) = gateways.get_mut(&id)
            && !gateway.tell(id, settings)
        {
            gateways.remove(&id);
        }
    }

    fn with(&self, id: Id<Gateway>, epoch: u64, change: impl FnOnce(&mut GatewayState)) {
        if let Some(gateway) = lock(&self.gateways).get_mut(&id).filter(|gateway| gateway.epoch == epoch) {
            change(gateway);
        }
    }
}

impl GatewayState {
    /// False when the gateway does not take its commands and is to be dropped.
    fn send(&mut self, id: Id<Gateway>, command: GatewayCommand) -> bool {
        let sent = self.sender.try_send(Ok(command)).is_ok();
        if !sent {
            tracing::warn!(gateway.id = %id, "a gateway does not take its commands; its connection is closed");
        }
        sent
    }

    fn tell(&mut self, id: Id<Gateway>, settings: Arc<GatewaySettings>) -> bool {
        if self.told.as_deref() == Some(&*settings) {
            return true;
        }
        let command = GatewayCommand { body: Some(gateway_command::Body::Settings((*settings).clone())) };
        self.told = Some(settings);
        self.send(id, command)
    }

    fn opened(&mut self, gateway: Id<Gateway>, opened: &ConnectionOpened) {
        let ids = (opened.connection_id.parse(), opened.session_id.parse(), opened.user_id.parse());
        let (Ok(id), Ok(session), Ok(user)) = ids else { return };
        if self.connections.len() >= CONNECTIONS_MAX {
            return;
        }
        let connection = LiveConnection {
            id,
            session,
            user,
            client_address: opened.client_address.chars().take(64).collect(),
            opened_at: oriel_wire::convert::moment(opened.opened_at_ms),
            gateway,
        };
        self.connections.insert(id, connection);
    }

    fn live(&self, id: Id<Gateway>) -> LiveGateway {
        LiveGateway {
            id,
            version: self.hello.version.clone(),
            machine_name: self.hello.machine_name.clone(),
            connections: self.connections.len(),
            draining: self.report.draining,
            cpu_load: self.report.cpu_load,
            last_report: self.last_report,
            certificate: self.certificate.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio_util::sync::CancellationToken;

    fn attached(sender: mpsc::Sender<Result<GatewayCommand, Status>>) -> (Attached, CancellationToken) {
        let end = CancellationToken::new();
        let attached = Attached {
            hello: GatewayHello::default(),
            settings: GatewaySettings::default(),
            sender,
            ends: end.clone().drop_guard(),
        };
        (attached, end)
    }

    #[tokio::test]
    async fn settings_come_first_then_withdrawals_and_a_stuck_gateway_is_dropped() {
        let gateways = Gateways::default();
        let now = Timestamp::UNIX_EPOCH;
        let id = Id::generate(now);
        let (sender, mut commands) = mpsc::channel(2);
        let (attached, end) = attached(sender);
        gateways.attach(id, attached, now);
        gateways.withdraw(Id::generate(now), None, EndReason::Reset, "x");
        let body = |command: Option<Result<GatewayCommand, Status>>| {
            command.and_then(Result::ok).and_then(|c| c.body)
        };
        assert!(matches!(body(commands.recv().await), Some(gateway_command::Body::Settings(_))));
        assert!(matches!(body(commands.recv().await), Some(gateway_command::Body::Withdraw(_))));
        for _ in 0..3 {
            gateways.withdraw(Id::generate(now), None, EndReason::Reset, "x");
        }
        assert!(gateways.live(id).is_none());
        assert!(end.is_cancelled());
    }

    #[tokio::test]
    async fn an_earlier_stream_says_nothing_any_more() {
        let gateways = Gateways::default();
        let now = Timestamp::UNIX_EPOCH;
        let id = Id::generate(now);
        let (sender, _keep) = mpsc::channel(8);
        let (one, first_end) = attached(sender.clone());
        let first = gateways.attach(id, one, now);
        let (two, _second_end) = attached(sender);
        gateways.attach(id, two, now);
        assert!(first_end.is_cancelled());
        gateways.reported(id, first, GatewayReport { draining: true, ..Default::default() }, now);
        assert_eq!(gateways.live(id).map(|gateway| gateway.draining), Some(false));
        gateways.detach(id, first);
        assert!(gateways.live(id).is_some());
    }
}
