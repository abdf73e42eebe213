//! The service: prepares the session software, runs its links, and stops in order.

use std::{path::PathBuf, sync::Arc, time::Duration};

use oriel_model::role::Role;
use oriel_net::{
    clock::SystemClock,
    connect,
    identity::{LoadError, NodeIdentity},
    supervise::{ShutdownHandle, ShutdownSignal, Tasks},
    tls::{self, ReloadingIdentity, internal_client},
};
use oriel_wire::enrolment::{Membership, Renewal};

use crate::{
    config::AgentConfig,
    cpu,
    host::SessionHost,
    link::Link,
    service::Service,
    xrdp::{Xrdp, XrdpConfig},
};

/// How long links and reports may take to end: they have nothing to finish.
const STOP_TIMEOUT: Duration = Duration::from_secs(3);
/// How long brokers have to hear of the sessions that ended last: several times what a report takes.
const LAST_REPORT: Duration = Duration::from_millis(300);

/// The agent service.
pub struct Agent;

/// An agent that is ready to run.
pub struct Bound {
    host: Arc<dyn SessionHost>,
    service: Arc<Service>,
    renewal: Renewal,
    /// Where CPU optimisation notes what it has lowered.
    lowered: PathBuf,
    links: Vec<Link>,
    stop_host_software: bool,
}

/// Why an agent cannot start. A sentence for the person who starts it.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// It has not joined a farm, or what it has of it is damaged.
    #[error(transparent)]
    Identity(#[from] LoadError),
    /// What it has joined as is another kind of component.
    #[error(
        "{data_dir} holds the identity of a {found}, not of an agent: use a data directory of the agent's own"
    )]
    OtherRole {
        /// Where.
        data_dir: PathBuf,
        /// What it is.
        found: Role,
    },
    /// No broker is named.
    #[error("no broker is named, and what was learnt when joining cannot be read: {0}")]
    NoBroker(std::io::Error),
    /// A broker's address is malformed.
    #[error(transparent)]
    BrokerAddress(std::io::Error),
    /// TLS cannot be set up.
    #[error("TLS cannot be set up: {0}")]
    Tls(#[from] rustls::Error),
    /// Sessions are not possible on this machine as it is.
    #[error("{0}")]
    Host(String),
}

impl Agent {
    /// Reads the identity, configures the session software and finds or starts it. Sessions of an earlier
    /// agent are known from here on; brokers are not told yet.
    ///
    /// # Errors
    /// See [`BindError`].
    pub async fn bind(config: AgentConfig) -> Result<Bound, BindError> {
        tls::install_crypto();
        let identity = NodeIdentity::load(&config.data_dir)?;
        if identity.peer().role != Role::Agent {
            return Err(BindError::OtherRole { found: identity.peer().role, data_dir: config.data_dir });
        }
        let brokers = if config.brokers.is_empty() {
            Membership::load(&config.data_dir).map_err(BindError::NoBroker)?.broker_addresses
        } else {
            config.brokers.clone()
        };
        for address in &brokers {
            connect::server_name(address).map_err(BindError::BrokerAddress)?;
        }
        let identity = ReloadingIdentity::new(identity)?;
        let tls = internal_client(&identity, Role::Broker)?;
        let xrdp = XrdpConfig {
            data_dir: config.data_dir.clone(),
            listen: config.rdp_listen,
            machine_name: config.machine_name.clone(),
            executable: config.executable,
            desktop_command: config.desktop_command,
            power: config.power,
        };
        let host = Xrdp::start(xrdp, Arc::new(SystemClock)).await.map_err(BindError::Host)?;
        let host: Arc<dyn SessionHost> = Arc::new(host);
        let service = Service::new(Arc::clone(&host), config.machine_name, &config.data_dir);
        let lowered = config.data_dir.join("cpu-lowered.json");
        let renewal = Renewal {
            identity,
            directory: config.data_dir,
            brokers: brokers.clone(),
            clock: Arc::new(SystemClock),
        };
        let links = brokers.into_iter().map(|broker| Link {
            service: Arc::clone(&service),
            channel: connect::channel(vec![broker.clone()], tls.clone()),
            broker,
            rdp_listen: config.rdp_listen,
            own_address: config.address.clone(),
        });
        Ok(Bound {
            links: links.collect(),
            host,
            service,
            renewal,
            lowered,
            stop_host_software: config.stop_host_software,
        })
    }
}

impl Bound {
    /// What runs sessions here.
    pub fn host(&self) -> &Arc<dyn SessionHost> {
        &self.host
    }

    /// Works until the signal is given. Then, in this order: if it was so configured, sessions and their
    /// software end, else they go on; brokers, who have heard of that, hear nothing more.
    pub async fn run(self, signal: ShutdownSignal) {
        let software = self.host.describe();
        tracing::info!(software = software.name, address = %software.rdp_address, "the session host is open");
        let tasks = Tasks::new(&ShutdownHandle::new().signal());
        for link in self.links {
            tasks.spawn(format!("link to {}", link.broker), |signal| done(link.keep(signal)));
        }
        let service = self.service;
        let (host, settings) = (Arc::clone(&self.host), service.cpu_settings());
        tasks.spawn("CPU optimisation", |signal| done(cpu::keep(host, settings, self.lowered, signal)));
        tasks.spawn("reports", |signal| done(service.keep_reporting(signal)));
        let renewal = self.renewal;
        tasks.spawn("renewal", |signal| done(renewal.keep(signal)));
        tokio::select! {
            () = signal.given() => {}
            () = tasks.ending() => {}
        }
        if self.stop_host_software {
            tracing::info!("ending sessions and their software");
            self.host.shut_down(true).await;
            tokio::time::sleep(LAST_REPORT).await;
        }
        tasks.shutdown(STOP_TIMEOUT).await;
        if !self.stop_host_software {
            self.host.shut_down(false).await;
        }
    }
}

async fn done(work: impl Future<Output = ()>) -> Result<(), std::convert::Infallible> {
    work.await;
    Ok(())
}
