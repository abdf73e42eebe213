//! The broker as a service: bind, then run until told to stop.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, atomic::AtomicU64},
    time::{Duration, Instant},
};

use axum::{
    Router,
    extract::Request,
    middleware::{self, Next},
    response::Response,
};
use oriel_identity::{LocalDirectory, Passwords, SignIn};
use oriel_net::{
    identity::FILE_NAME,
    incoming::{AcceptLimits, ConnectInfo, Incoming},
    listener::Listener,
    serve,
    supervise::{Failure, ShutdownSignal, Tasks},
    tls::{Alpn, PortalCertificate, ReloadingIdentity, internal_server, portal_server},
};
use oriel_wire::{
    MESSAGE_BYTES_MAX,
    v1::{
        agent_link_server::AgentLinkServer, enrolment_server::EnrolmentServer,
        gateway_link_server::GatewayLinkServer,
    },
};
use tokio::sync::{Notify, Semaphore};
use tokio_util::sync::CancellationToken;
use tonic::server::NamedService;

use crate::{
    app::{
        administrators::{Enrolling, Leases, Messages, Presences},
        audit::{self, AuditLog},
        credential::FarmAccounts,
        documents::backup::{self, Backups},
        hours,
        icon::Icons,
        launch::LaunchTurns,
        refused_tokens::{self, RefusedTokens},
        sign_in::EndedSignIns,
        token_uses::TokenUses,
        user_state::UserStates,
    },
    bootstrap::{self, Farmed, StartError},
    certificates::NodeCertificates,
    config::BrokerConfig,
    connections::ConnectionEnds,
    directories::{self, Directories, EveryDirectory},
    enrolment::{self, EnrolmentService},
    gateways::{self, GatewayLinkService, Gateways, Logons},
    hosts::{self, AgentLinkService, Hosts},
    http::{self, PeerAddress},
    notifications::{self, Notifications},
    schedules::{self, Schedules},
    state::{Addresses, Broker},
    throttle::Throttle,
    ticket_keys,
};

/// Connections to one of the broker's ports from one address. An agent has one, a gateway a few: room for
/// a site of a thousand hosts behind one address that all come again before their old connections are
/// given up.
const CONNECTIONS_PER_ADDRESS_MAX: usize = 2_048;

/// How long requests that run may take once the broker is told to stop. Launches take a second.
const DRAIN: Duration = Duration::from_secs(5);

/// How long background work may take to stop: writing down what is buffered.
const SETTLE: Duration = Duration::from_secs(5);

/// How often the broker looks whether its own certificate is due.
const RENEWAL_CHECK: Duration = Duration::from_secs(60);

/// A broker that has its sockets and its farm, and does not serve yet.
pub struct Bound {
    broker: Arc<Broker>,
    identity: Arc<ReloadingIdentity>,
    certificate: Arc<PortalCertificate>,
    gateway: Listener,
    agent: Listener,
    management: Listener,
}

/// Takes the sockets, opens the store, and makes the farm if there is none. Port 0 takes any free port.
pub async fn bind(config: BrokerConfig) -> Result<Bound, StartError> {
    oriel_net::tls::install_crypto();
    let gateway = Listener::bind(config.gateway_listen, "gateway_listen")?;
    let agent = Listener::bind(config.agent_listen, "agent_listen")?;
    let management = Listener::bind(config.management_listen, "management_listen")?;
    let addresses = Addresses {
        gateway: config.reachable_addresses(gateway.local_addr()),
        agent: config.reachable_addresses(agent.local_addr()),
        management: config.reachable_addresses(management.local_addr()),
    };
    let farmed = bootstrap::start(&config, &addresses).await?;
    let identity = ReloadingIdentity::new(farmed.identity.clone())
        .map_err(|error| StartError::Tls(error.to_string()))?;
    // One file holds key and certificates; the management port reads it again when it is renewed.
    let file = config.data_dir.join(FILE_NAME);
    let certificate =
        PortalCertificate::from_files(&file, &file).map_err(|error| StartError::Tls(error.to_string()))?;
    let (broker, people) = assemble(config, addresses, farmed).await?;
    let broker = Arc::new(broker);
    people.belongs_to(&broker);
    Ok(Bound { broker, identity, certificate, gateway, agent, management })
}

async fn assemble(
    config: BrokerConfig,
    addresses: Addresses,
    farmed: Farmed,
) -> Result<(Broker, Arc<EveryDirectory>), StartError> {
    let Farmed {
        store,
        farm,
        farm_id,
        broker_id,
        authority,
        ticket_keys,
        sign_in_key,
        session_proof_key,
        recovery_key,
        identity: _,
    } = farmed;
    let (farm, clock) = (Arc::new(farm), config.clock.clone());
    let passwords = tokio::task::spawn_blocking(Passwords::new).await;
    let passwords = Arc::new(passwords.map_err(|error| StartError::Crypto(error.to_string()))?);
    let accounts = FarmAccounts { farm: farm.clone(), store: store.clone(), clock: clock.clone() };
    let own = LocalDirectory::new(Arc::new(accounts), passwords.clone());
    let people = Arc::new(EveryDirectory::new(own, farm.clone()));
    let broker = Broker {
        token_uses: TokenUses::load_from(&*store).await?,
        ended_sign_ins: EndedSignIns::load_from(&*store, clock.now()).await?,
        store,
        farm,
        hosts: Hosts::default(),
        gateways: Gateways::default(),
        logons: Logons::default(),
        audit: AuditLog::default(),
        connections: ConnectionEnds::default(),
        passwords,
        directories: Directories::default(),
        people: SignIn::new(people.clone()),
        sign_in_key,
        refused_tokens: RefusedTokens::default(),
        presences: Presences::default(),
        load_history: Default::default(),
        messages: Messages::default(),
        leases: Leases::default(),
        enrolling: Enrolling::default(),
        user_states: UserStates::default(),
        large_calls: Arc::new(Semaphore::new(1)),
        backups: Backups::default(),
        icons: Icons::default(),
        ticket_keys,
        session_proof_key,
        recovery_key,
        last_recovery: Mutex::default(),
        throttle: Throttle::new(config.limits),
        launch_turns: LaunchTurns::default(),
        uses: Arc::default(),
        schedules: Schedules::default(),
        notifications: Notifications::default(),
        hours_changed: Notify::new(),
        turns: AtomicU64::new(0),
        ending: CancellationToken::new(),
        started_at: Instant::now(),
        authority: Arc::new(authority),
        node_certificates: NodeCertificates::default(),
        farm_id,
        broker_id,
        clock,
        config,
        addresses,
    };
    Ok((broker, people))
}

impl Bound {
    /// The broker's state: for tests, and for commands that run in the same process.
    pub fn broker(&self) -> &Arc<Broker> {
        &self.broker
    }

    /// Where gateways are listened for.
    pub fn gateway_addr(&self) -> SocketAddr {
        self.gateway.local_addr()
    }

    /// Where agents are listened for.
    pub fn agent_addr(&self) -> SocketAddr {
        self.agent.local_addr()
    }

    /// Where administrators are listened for.
    pub fn management_addr(&self) -> SocketAddr {
        self.management.local_addr()
    }

    /// Serves until the signal, then stops in order: no new connections, the streams of agents and
    /// gateways end (they go to another broker or come again), requests that run have [`DRAIN`], and
    /// last the background work writes down what it has buffered.
    pub async fn run(self, signal: ShutdownSignal) -> Result<(), Failure> {
        let Bound { broker, identity, certificate, gateway, agent, management } = self;
        let tls = internal_server(&identity, Alpn::H2).map_err(|error| failure("internal ports", &error))?;
        let portal = portal_server(&certificate).map_err(|error| failure("management port", &error))?;
        tracing::info!(
            broker.id = %broker.broker_id, gateway = %gateway.local_addr(), agent = %agent.local_addr(),
            management = %management.local_addr(), "the broker serves"
        );

        // Not ended by the signal itself: they outlive the requests that use them.
        let background = Tasks::new(&oriel_net::supervise::ShutdownHandle::new().signal());
        start_background(&background, &broker, &identity, &certificate);

        let serving = Tasks::new(&signal);
        let limits =
            AcceptLimits { connections_per_address: CONNECTIONS_PER_ADDRESS_MAX, ..AcceptLimits::default() };
        let ports = [
            ("gateway port", Incoming::tls(gateway, tls.clone(), limits), gateway_routes(&broker)),
            ("agent port", Incoming::tls(agent, tls, limits), agent_routes(&broker)),
            ("management port", Incoming::tls(management, portal, limits), management_routes(&broker)),
        ];
        for (name, incoming, routes) in ports {
            serving.spawn(name, move |signal| async move {
                serve::serve(incoming, routes, signal, DRAIN).await;
                Ok::<_, Failure>(())
            });
        }
        tokio::select! {
            () = serving.ending() => {}
            () = background.ending() => {}
        }
        broker.ending.cancel();
        broker.hosts.hang_up();
        broker.gateways.hang_up();
        let served = serving.shutdown(DRAIN + Duration::from_secs(1)).await;
        let settled = background.shutdown(SETTLE).await;
        tracing::info!(broker.id = %broker.broker_id, "the broker has stopped");
        served.failure.or(settled.failure).map_or(Ok(()), Err)
    }
}

fn failure(task: &str, error: &dyn std::fmt::Display) -> Failure {
    Failure { task: task.to_owned(), reason: error.to_string() }
}

fn start_background(
    tasks: &Tasks,
    broker: &Arc<Broker>,
    identity: &Arc<ReloadingIdentity>,
    certificate: &Arc<PortalCertificate>,
) {
    let spawn = |name: &str, run: std::pin::Pin<Box<dyn Future<Output = ()> + Send>>| {
        tasks.spawn(name, move |_| async move {
            run.await;
            Ok::<_, Failure>(())
        });
    };
    let signal = tasks.signal();
    let (b, s) = (broker.clone(), signal.clone());
    spawn("settings feed", Box::pin(async move { b.farm.follow(&*b.store, &s).await }));
    spawn("host settings", Box::pin(hosts::reconcile::run(broker.clone(), signal.clone())));
    spawn("gateway settings", Box::pin(gateways::reconcile::run(broker.clone(), signal.clone())));
    let (b, s) = (broker.clone(), signal.clone());
    spawn("ticket keys", Box::pin(async move { ticket_keys::rotate(&b, s).await }));
    let (b, s) = (broker.clone(), signal.clone());
    spawn(
        "ended sign-ins",
        Box::pin(async move { b.ended_sign_ins.write_behind(&*b.store, &*b.clock, s).await }),
    );
    let (b, s) = (broker.clone(), signal.clone());
    spawn("user state", Box::pin(async move { b.user_states.write_behind(&*b.store, s).await }));
    let (b, s) = (broker.clone(), signal.clone());
    let write_people = async move { b.farm.load().people.write_behind(&*b.store, &*b.clock, s).await };
    spawn("people of directories", Box::pin(write_people));
    spawn("directories", Box::pin(directories::run(broker.clone(), signal.clone())));
    spawn("load history", Box::pin(hosts::history::run(broker.clone(), signal.clone())));
    let (b, s) = (broker.clone(), signal.clone());
    spawn("log", Box::pin(async move { b.audit.write_behind(&*b.store, s).await }));
    spawn("log's length", Box::pin(audit::retention::run(broker.clone(), signal.clone())));
    spawn("syslog", Box::pin(audit::syslog::run(broker.clone(), signal.clone())));
    let (b, s) = (broker.clone(), signal.clone());
    spawn("token uses", Box::pin(async move { b.token_uses.write_behind(&*b.store, &b.farm, s).await }));
    spawn("refused tokens", Box::pin(refused_tokens::run(broker.clone(), signal.clone())));
    spawn("schedules", Box::pin(schedules::run(broker.clone(), signal.clone())));
    spawn("notifications", Box::pin(notifications::watch(broker.clone(), signal.clone())));
    spawn("outbox", Box::pin(notifications::send(broker.clone(), signal.clone())));
    spawn("hours", Box::pin(hours::run(broker.clone(), signal.clone())));
    spawn("backups", Box::pin(backup::run(broker.clone(), signal.clone())));
    spawn("own certificate", Box::pin(renew(broker.clone(), identity.clone(), certificate.clone(), signal)));
}

/// Renews the broker's own certificate at two thirds of its life.
async fn renew(
    broker: Arc<Broker>,
    identity: Arc<ReloadingIdentity>,
    certificate: Arc<PortalCertificate>,
    signal: ShutdownSignal,
) {
    while !signal.is_given() {
        let wait = identity.identity().renew_after(broker.now()).min(RENEWAL_CHECK);
        // A clock that was set forward is noticed at the next look, so none is longer than that.
        tokio::select! {
            () = signal.given() => return,
            () = tokio::time::sleep(wait.max(Duration::from_secs(1))) => {}
        }
        if identity.identity().renew_after(broker.now()) > Duration::ZERO {
            continue;
        }
        if let Err(error) = renew_once(&broker, &identity, &certificate) {
            tracing::error!(error, "the broker's own certificate could not be renewed; trying again");
            tokio::time::sleep(Duration::from_secs(10)).await;
        }
    }
}

fn renew_once(
    broker: &Broker,
    identity: &ReloadingIdentity,
    certificate: &PortalCertificate,
) -> Result<(), String> {
    let names = bootstrap::own_names(&broker.config, &broker.addresses);
    let lifetime = bootstrap::certificate_lifetime(&broker.farm.load());
    let fresh = bootstrap::issue_own(&broker.authority, broker.broker_id, &names, lifetime, broker.now())
        .map_err(|error| error.to_string())?;
    fresh.save(&broker.config.data_dir).map_err(|error| error.to_string())?;
    identity.replace(fresh).map_err(|error| error.to_string())?;
    certificate.reload().map_err(|error| error.to_string())?;
    tracing::info!(broker.id = %broker.broker_id, "the broker renewed its certificate");
    Ok(())
}

/// The port that gateways dial: gRPC, and the portal's API on the same connections.
fn gateway_routes(broker: &Arc<Broker>) -> Router {
    let link = GatewayLinkServer::new(GatewayLinkService::new(broker.clone()))
        .max_decoding_message_size(MESSAGE_BYTES_MAX)
        .max_encoding_message_size(MESSAGE_BYTES_MAX);
    grpc(http::portal::router(broker.clone()), link).merge(enrolment_routes(broker))
}

/// The port that agents dial.
fn agent_routes(broker: &Arc<Broker>) -> Router {
    let link = AgentLinkServer::new(AgentLinkService::new(broker.clone()))
        .max_decoding_message_size(MESSAGE_BYTES_MAX)
        .max_encoding_message_size(MESSAGE_BYTES_MAX);
    grpc(enrolment_routes(broker), link)
}

fn enrolment_routes(broker: &Arc<Broker>) -> Router {
    let service = EnrolmentServer::new(EnrolmentService::new(broker.clone()))
        .max_decoding_message_size(enrolment::MESSAGE_BYTES_MAX);
    grpc(Router::new(), service)
}

fn management_routes(broker: &Arc<Broker>) -> Router {
    http::admin::router(broker.clone()).layer(middleware::from_fn(peer_address))
}

/// Adds a gRPC service beside other routes.
fn grpc<S>(router: Router, service: S) -> Router
where
    S: tower::Service<Request, Error = std::convert::Infallible>
        + NamedService
        + Clone
        + Send
        + Sync
        + 'static,
    S::Response: axum::response::IntoResponse,
    S::Future: Send + 'static,
{
    router.route_service(&format!("/{}/{{*method}}", S::NAME), service)
}

/// Handlers know the peer by [`PeerAddress`], not by how the connection was accepted.
async fn peer_address(mut request: Request, next: Next) -> Response {
    if let Some(info) = request.extensions().get::<ConnectInfo>() {
        let peer = PeerAddress(info.remote);
        request.extensions_mut().insert(peer);
    }
    next.run(request).await
}

#[cfg(test)]
mod tests;
