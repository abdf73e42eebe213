//! The service: binds its ports, runs its parts, and stops in order.

use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use http::HeaderValue;
use oriel_model::{role::Role, session::EndReason};
use oriel_net::{
    clock::{Clock, SystemClock},
    fingerprint::Fingerprint,
    identity::{LoadError, NodeIdentity},
    incoming::{AcceptLimits, Incoming},
    listener::{self, Listener},
    serve::serve,
    supervise::{ShutdownHandle, ShutdownSignal, Tasks},
    tls::{self, CertificateError, PortalCertificate, ReloadingIdentity, internal_client, portal_server},
};
use oriel_wire::enrolment::Renewal;
use rustls::ServerConfig;
use tokio::time::timeout;

use crate::{
    brokers::Brokers, config::GatewayConfig, connections::Ending, limits::CLOSING_GRACE, link,
    shared::Shared, web,
};

/// The gateway service.
pub struct Gateway;

/// A gateway that has its ports and can be run.
pub struct Bound {
    shared: Arc<Shared>,
    renewal: Renewal,
    certificate: Arc<PortalCertificate>,
    server_tls: Arc<ServerConfig>,
    listener: Listener,
    redirect: Option<Listener>,
    web_root: PathBuf,
    public_address: Option<String>,
    drain_deadline: Duration,
}

/// Why a gateway cannot start. A sentence for the person who starts it.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// It has not joined a farm, or what it has of it is damaged.
    #[error(transparent)]
    Identity(#[from] LoadError),
    /// What it has joined as is another kind of component.
    #[error(
        "{data_dir} holds the identity of a {found}, not of a gateway: use a data directory of the gateway's own"
    )]
    OtherRole {
        /// Where.
        data_dir: PathBuf,
        /// What it is.
        found: Role,
    },
    /// No broker is named.
    #[error("no broker is named: the gateway needs the address of at least one")]
    NoBroker,
    /// A broker's address is malformed.
    #[error(transparent)]
    BrokerAddress(std::io::Error),
    /// The certificate for browsers cannot be used.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// A port cannot be had.
    #[error(transparent)]
    Listen(#[from] listener::BindError),
    /// TLS cannot be set up.
    #[error("TLS cannot be set up: {0}")]
    Tls(#[from] rustls::Error),
}

impl Gateway {
    /// Reads the identity, takes the ports, and prepares everything; nothing runs yet. Must be
    /// called within a tokio runtime.
    ///
    /// # Errors
    /// See [`BindError`].
    pub fn bind(config: GatewayConfig) -> Result<Bound, BindError> {
        Self::bind_with_clock(config, Arc::new(SystemClock))
    }

    /// As [`Gateway::bind`], with a clock that decides whether a ticket has expired.
    ///
    /// # Errors
    /// See [`BindError`].
    pub fn bind_with_clock(config: GatewayConfig, clock: Arc<dyn Clock>) -> Result<Bound, BindError> {
        tls::install_crypto();
        let identity = NodeIdentity::load(&config.data_dir)?;
        let peer = identity.peer();
        if peer.role != Role::Gateway {
            return Err(BindError::OtherRole { data_dir: config.data_dir, found: peer.role });
        }
        if config.brokers.is_empty() {
            return Err(BindError::NoBroker);
        }
        for address in &config.brokers {
            oriel_net::connect::server_name(address).map_err(BindError::BrokerAddress)?;
        }
        let certificate = match &config.certificate {
            Some(files) => PortalCertificate::from_files(&files.chain, &files.key)?,
            None => {
                let names = config.certificate_names();
                PortalCertificate::self_signed(&config.data_dir, &names, clock.now())?
            }
        };
        if !config.web_root.join("index.html").is_file() {
            tracing::warn!(web_root = %config.web_root.display(), "there is no index.html in the web root: users will not see the portal");
        }
        let identity = ReloadingIdentity::new(identity)?;
        let brokers = Brokers::new(&config.brokers, &internal_client(&identity, Role::Broker)?);
        let renewal =
            Renewal { identity, directory: config.data_dir, brokers: config.brokers, clock: clock.clone() };
        let gateway_id = HeaderValue::from_str(&peer.id.to_string())
            .expect("a UUID has only characters that a header may have");
        Ok(Bound {
            server_tls: portal_server(&certificate)?,
            listener: Listener::bind(config.listen, "listen")?,
            redirect: config
                .redirect_listen
                .map(|address| Listener::bind(address, "redirect_listen"))
                .transpose()?,
            shared: Shared::new(
                gateway_id,
                config.machine_name,
                config.public_address.clone(),
                brokers,
                clock,
            ),
            renewal,
            certificate,
            web_root: config.web_root,
            public_address: config.public_address,
            drain_deadline: config.drain_deadline,
        })
    }
}

impl Bound {
    /// Where users connect.
    pub fn local_addr(&self) -> SocketAddr {
        self.listener.local_addr()
    }

    /// Where plain HTTP is answered, if anywhere.
    pub fn redirect_addr(&self) -> Option<SocketAddr> {
        self.redirect.as_ref().map(Listener::local_addr)
    }

    /// SHA-256 of the certificate that browsers see.
    pub fn certificate_fingerprint(&self) -> Fingerprint {
        self.certificate.fingerprint()
    }

    /// Works until the signal is given, then stops in this order:
    ///
    /// 1. Nobody new comes in; load balancers see it at `/healthz`, brokers in a report. Pages and
    ///    the portal's API go on, since people still work.
    /// 2. The connections have until the drain's deadline to end by themselves.
    /// 3. The rest is ended; the users are told, and so are the brokers.
    /// 4. The ports are closed.
    pub async fn run(self, signal: ShutdownSignal) {
        let shared = self.shared;
        tracing::info!(address = %self.listener.local_addr(), certificate.sha256 = %self.certificate.fingerprint(), "the gateway is open");

        // Not children of the caller's signal: these stop last.
        let stop = ShutdownHandle::new();
        let ports = Tasks::new(&stop.signal());
        let port = self.listener.local_addr().port();
        let incoming = Incoming::tls(self.listener, self.server_tls, AcceptLimits::default());
        let router = web::router(&shared, &self.web_root);
        ports.spawn("https", |signal| served(serve(incoming, router, signal, CLOSING_GRACE)));
        if let Some(listener) = self.redirect {
            let incoming = Incoming::plain(listener, AcceptLimits::default());
            let router = web::redirect::router(self.public_address, port);
            ports.spawn("redirect", |signal| served(serve(incoming, router, signal, CLOSING_GRACE)));
        }

        let links = Tasks::new(&stop.signal());
        for broker in shared.brokers.all() {
            let (shared, broker, certificate) = (shared.clone(), broker.clone(), self.certificate.clone());
            links.spawn(format!("link to {}", broker.address), |signal| {
                served(link::keep(shared, broker, certificate, signal))
            });
        }
        let upkeep = Tasks::new(&signal);
        let renewal = self.renewal;
        upkeep.spawn("renewal", |signal| served(renewal.keep(signal)));
        let certificate = self.certificate;
        upkeep.spawn("certificate", |signal| served(certificate.keep_fresh(signal)));

        tokio::select! {
            () = signal.given() => {}
            // A task that panicked: closing in order is the best that is left.
            () = ports.ending() => {}
            () = links.ending() => {}
            () = upkeep.ending() => {}
        }

        shared.drain();
        let living = shared.connections.count();
        tracing::info!(
            connections = living,
            deadline_secs = self.drain_deadline.as_secs(),
            "the gateway is closing"
        );
        if timeout(self.drain_deadline, shared.connections.none_left()).await.is_err() {
            let ending = Ending::new(EndReason::GatewayClosing, "the gateway is being closed");
            let ended = shared.connections.end_all(&ending);
            tracing::info!(connections = ended, "ending the connections that are left");
        }
        shared.sessions.close();
        if timeout(CLOSING_GRACE, shared.sessions.wait()).await.is_err() {
            tracing::warn!(connections = shared.sessions.len(), "connections did not end in time");
        }
        upkeep.shutdown(CLOSING_GRACE).await;
        // The links last longer than their own deadline only if they are stuck.
        links.shutdown(CLOSING_GRACE + Duration::from_secs(1)).await;
        ports.shutdown(CLOSING_GRACE + Duration::from_secs(1)).await;
        tracing::info!("the gateway is closed");
    }

    #[cfg(test)]
    pub(crate) fn certificate(&self) -> &Arc<PortalCertificate> {
        &self.certificate
    }

    #[cfg(test)]
    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }
}

/// A task that cannot fail, as [`Tasks`] wants it.
async fn served(task: impl Future<Output = ()>) -> Result<(), std::convert::Infallible> {
    task.await;
    Ok(())
}
