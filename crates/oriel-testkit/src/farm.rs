//! A whole farm in this process: a real broker, real gateways joined by real invitations, simulated
//! agents, all on ports of loopback that the system chose, in a directory that goes away with it.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    sync::{
        Arc, Weak,
        atomic::{AtomicU16, Ordering},
    },
    time::Duration,
};

use anyhow::Context as _;
use oriel_broker::{Broker, BrokerConfig};
use oriel_gateway::{Gateway, GatewayConfig};
use oriel_model::role::Role;
use oriel_net::{clock::Clock, supervise::ShutdownHandle};
use oriel_wire::enrolment;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::task::JoinHandle;

use crate::{
    agent::{RdpListener, SimulatedAgent, SimulatedHost},
    clock::ShiftedClock,
    http::{AdminClient, PortalClient},
    observe, wait,
};

/// The password of every user that [`Farm::user`] makes. Tests look for it where it must not be.
pub const PASSWORD: &str = "correct-horse-7f3a";

/// The pool that every farm begins with.
pub const POOL: &str = "Office";

/// How long a part may take to stop.
const STOP_DEADLINE: Duration = Duration::from_secs(20);

/// A farm in this process.
pub struct Farm {
    directory: TempDir,
    /// The administrators' API, with the first administrator's token.
    pub admin: AdminClient,
    /// What the broker's clock shows.
    pub clock: ShiftedClock,
    /// The id of the pool [`POOL`].
    pub pool: String,
    broker: Option<Part>,
    broker_state: Weak<Broker>,
    addresses: BrokerPorts,
    gateways: Vec<GatewayPart>,
}

/// Where a broker listens.
#[derive(Debug, Clone, Copy)]
pub struct BrokerPorts {
    /// For gateways.
    pub gateway: SocketAddr,
    /// For agents.
    pub agent: SocketAddr,
    /// For administrators.
    pub management: SocketAddr,
}

/// A service that runs.
struct Part {
    shutdown: ShutdownHandle,
    task: JoinHandle<()>,
}

struct GatewayPart {
    part: Option<Part>,
    directory: PathBuf,
    address: SocketAddr,
}

/// A host with its agent. Dropping it switches the machine off.
#[must_use]
pub struct Host {
    /// Its id in the farm.
    pub id: String,
    /// The machine.
    pub machine: Arc<SimulatedHost>,
    /// Where its agent's identity is.
    pub directory: PathBuf,
    agent: Option<SimulatedAgent>,
}

impl Farm {
    /// A broker and one gateway that is attached to it.
    pub async fn start() -> Self {
        let mut farm = Self::broker_only().await;
        farm.add_gateway("gate-1").await;
        farm
    }

    /// A broker and no gateway.
    pub async fn broker_only() -> Self {
        Self::broker_with_clock(ShiftedClock::default()).await
    }

    /// A broker whose clock is `clock` from the beginning.
    pub async fn broker_with_clock(clock: ShiftedClock) -> Self {
        observe::begin();
        let directory = TempDir::with_prefix("oriel-farm-").unwrap();
        let any = SocketAddr::from((own_address(), 0));
        let ports = BrokerPorts { gateway: any, agent: any, management: any };
        let (part, broker_state, addresses) = run_broker(directory.path(), &clock, ports).await.unwrap();
        let admin = first_administrator(directory.path(), addresses.management);
        let pool = admin.create("pools", POOL, json!({})).await.unwrap();
        Self {
            directory,
            admin,
            clock,
            pool,
            broker: Some(part),
            broker_state,
            addresses,
            gateways: Vec::new(),
        }
    }

    /// The farm's folder.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// The inside of the broker, for what no API should give: its ticket keys.
    ///
    /// # Panics
    /// When the broker does not run.
    pub fn broker(&self) -> Arc<Broker> {
        self.broker_state.upgrade().expect("the broker runs")
    }

    /// The broker's ports.
    pub fn ports(&self) -> BrokerPorts {
        self.addresses
    }

    /// Where the first gateway is.
    pub fn gateway(&self) -> SocketAddr {
        self.gateways[0].address
    }

    /// Where all gateways are.
    pub fn gateways(&self) -> Vec<SocketAddr> {
        self.gateways.iter().map(|gateway| gateway.address).collect()
    }

    /// Makes a gateway join and run.
    pub async fn add_gateway(&mut self, name: &str) {
        let directory = self.join(Role::Gateway, name).await.unwrap();
        let any = SocketAddr::new(self.addresses.gateway.ip(), 0);
        let (part, address, _) = self.run_gateway(&directory, any, |_| {}).unwrap();
        self.gateways.push(GatewayPart { part: Some(part), directory, address });
        self.gateways_attached().await;
    }

    /// Makes something join with a fresh invitation; gives the folder with its identity.
    pub async fn join(&self, role: Role, name: &str) -> anyhow::Result<PathBuf> {
        let invitation = self.invite(role).await?;
        let directory = self.directory.path().join(name);
        enrolment::join(&invitation.parse()?, role, name, &directory, self.clock.now()).await?;
        Ok(directory)
    }

    /// An invitation; for agents into [`POOL`].
    pub async fn invite(&self, role: Role) -> anyhow::Result<String> {
        let pool = (role == Role::Agent).then_some(&self.pool);
        let body = json!({ "role": role.as_str(), "pool": pool });
        let made = self.admin.post("/invitations", body).await?;
        Ok(made["string"].as_str().context("no invitation string")?.to_owned())
    }

    /// Stops a gateway in order and runs it again at the same port.
    pub async fn restart_gateway(&mut self, index: usize) {
        self.stop_gateway(index).await;
        self.start_gateway(index).await;
        self.gateways_attached().await;
    }

    /// Stops a gateway in order: it drains first.
    pub async fn stop_gateway(&mut self, index: usize) {
        if let Some(part) = self.gateways[index].part.take() {
            part.stop().await;
        }
    }

    /// Tells a gateway to stop, without waiting.
    pub fn begin_to_stop_gateway(&mut self, index: usize) -> impl Future<Output = ()> + use<> {
        let part = self.gateways[index].part.take();
        if let Some(part) = &part {
            part.shutdown.give();
        }
        async move {
            if let Some(part) = part {
                part.stop().await;
            }
        }
    }

    /// Runs a stopped gateway again.
    pub async fn start_gateway(&mut self, index: usize) {
        let GatewayPart { directory, address, .. } = &self.gateways[index];
        let (part, ..) = self.run_gateway(directory, *address, |_| {}).unwrap();
        self.gateways[index].part = Some(part);
    }

    /// Runs the gateway whose identity is in `directory`, with a node file of its own. Gives the
    /// address of its plain HTTP port, if it has one.
    pub fn add_gateway_with(
        &mut self,
        directory: PathBuf,
        change: impl FnOnce(&mut GatewayConfig),
    ) -> Option<SocketAddr> {
        let any = SocketAddr::new(self.addresses.gateway.ip(), 0);
        let (part, address, redirect) = self.run_gateway(&directory, any, change).unwrap();
        self.gateways.push(GatewayPart { part: Some(part), directory, address });
        redirect
    }

    /// Waits until every gateway that runs is attached to the broker.
    pub async fn gateways_attached(&self) {
        let running = self.gateways.iter().filter(|gateway| gateway.part.is_some()).count();
        wait::until("every gateway is attached", async || {
            let status = self.admin.get("/status").await.map_err(|error| error.to_string())?;
            let reachable = status["gateways"]["reachable"].as_u64().unwrap_or(0);
            for gateway in self.gateways.iter().filter(|gateway| gateway.part.is_some()) {
                // Its own word counts too: it has the keys only when its side of the link stands.
                let me = PortalClient::new(gateway.address).get("/me").await.map_err(|e| e.to_string())?;
                wait::ensure(me.status.as_u16() == 401, me.to_string())?;
            }
            wait::ensure(reachable as usize >= running, status.to_string())
        })
        .await;
    }

    /// Stops the broker in order.
    pub async fn stop_broker(&mut self) {
        if let Some(part) = self.broker.take() {
            part.stop().await;
        }
    }

    /// Runs the broker again at the same ports, with what it left in its folder.
    pub async fn start_broker(&mut self) {
        let (part, state, _) = run_broker(self.directory.path(), &self.clock, self.addresses).await.unwrap();
        (self.broker, self.broker_state) = (Some(part), state);
    }

    /// Stops the broker and runs it again.
    pub async fn restart_broker(&mut self) {
        self.stop_broker().await;
        self.start_broker().await;
    }

    /// A host in [`POOL`] that nobody will dial.
    pub async fn add_host(&self, name: &str) -> Host {
        self.add_host_with(name, &self.pool, RdpListener::nowhere()).await
    }

    /// A host in a pool, with an RDP listener. Returns when it is reachable.
    pub async fn add_host_with(&self, name: &str, pool: &str, listener: RdpListener) -> Host {
        let body = json!({ "role": "agent", "pool": pool });
        let made = self.admin.post("/invitations", body).await.unwrap();
        let directory = self.directory.path().join(name);
        let invitation = made["string"].as_str().unwrap();
        let agent = SimulatedAgent::start(invitation, name, &directory, listener).await.unwrap();
        let id = self.id_of("hosts", name).await.unwrap();
        let host = Host { id, machine: agent.host().clone(), directory, agent: Some(agent) };
        self.host_reports(&host, true).await;
        host
    }

    /// Waits until the broker says that the host is reachable, or that it is not, and, when it is,
    /// that it has reported the same number of sessions that it has.
    pub async fn host_reports(&self, host: &Host, reachable: bool) {
        wait::until("the host's state is known", async || {
            let view = self.admin.get(&format!("/hosts/{}", host.id)).await.map_err(|e| e.to_string())?;
            let state = runtime(&view);
            let sessions = state["sessions"].as_u64() == Some(host.machine.sessions().len() as u64);
            let is_reachable = state["reachable"] == json!(reachable);
            let has_reported = !state["last_report"].is_null();
            wait::ensure(is_reachable && (!reachable || (sessions && has_reported)), view.to_string())
        })
        .await;
    }

    /// Waits until the broker knows these CPU loads of hosts.
    pub async fn loads_known(&self, loads: &[(&Host, f32)]) {
        wait::until("the loads are known", async || {
            for (host, cpu) in loads {
                let path = format!("/hosts/{}", host.id);
                let view = self.admin.get(&path).await.map_err(|error| error.to_string())?;
                let known = runtime(&view)["cpu_load"].as_f64().unwrap_or(-1.0);
                wait::ensure((known - f64::from(*cpu)).abs() < 0.001, view.to_string())?;
            }
            Ok::<_, String>(())
        })
        .await;
    }

    /// The id of an object by its name.
    pub async fn id_of(&self, kind: &str, name: &str) -> anyhow::Result<String> {
        let list = self.admin.get(&format!("/{kind}?name={name}&exact=true")).await?;
        let id = list["items"][0]["id"].as_str();
        Ok(id.with_context(|| format!("there is no {name} among the {kind}: {list}"))?.to_owned())
    }

    /// A group.
    pub async fn group(&self, name: &str) -> String {
        self.admin.create("groups", name, json!({})).await.unwrap()
    }

    /// A user with the password [`PASSWORD`].
    pub async fn user(&self, name: &str, groups: &[&str]) -> String {
        let body = json!({ "name": name, "password": PASSWORD, "spec": { "groups": groups } });
        let made = self.admin.post("/users", body).await.unwrap();
        made["id"].as_str().unwrap().to_owned()
    }

    /// A desktop of [`POOL`] that everybody sees.
    pub async fn desktop(&self, name: &str) -> String {
        self.resource(name, json!({ "target": { "kind": "desktop", "source": self.source() } })).await
    }

    /// An application of [`POOL`] that everybody sees.
    pub async fn application(&self, name: &str) -> String {
        let target = json!({ "kind": "application", "source": self.source(), "program": "/usr/bin/editor" });
        self.resource(name, json!({ "target": target })).await
    }

    /// A published resource.
    pub async fn resource(&self, name: &str, spec: Value) -> String {
        self.admin.create("resources", name, spec).await.unwrap()
    }

    /// Where resources of [`POOL`] run, as their spec says it.
    pub fn source(&self) -> Value {
        json!({ "from": "pools", "pools": [self.pool] })
    }

    /// A browser at the first gateway; nobody is signed in.
    pub fn portal(&self) -> PortalClient {
        PortalClient::new(self.gateway())
    }

    /// A browser in which a user of [`Farm::user`] is signed in.
    pub async fn signed_in(&self, name: &str) -> PortalClient {
        let portal = self.portal();
        portal.sign_in(name, PASSWORD).await.unwrap();
        portal
    }

    /// Waits until the administrators' list of sessions fulfils a condition.
    pub async fn sessions_until(&self, what: &str, holds: impl Fn(&[Value]) -> bool) -> Vec<Value> {
        wait::until(what, async || {
            let list = self.admin.get("/sessions?limit=1000").await.map_err(|error| error.to_string())?;
            let sessions = list["items"].as_array().cloned().unwrap_or_default();
            if holds(&sessions) { Ok(sessions) } else { Err(list.to_string()) }
        })
        .await
    }

    fn run_gateway(
        &self,
        directory: &Path,
        listen: SocketAddr,
        change: impl FnOnce(&mut GatewayConfig),
    ) -> anyhow::Result<(Part, SocketAddr, Option<SocketAddr>)> {
        let web_root = self.directory.path().join("web");
        std::fs::create_dir_all(&web_root)?;
        std::fs::write(web_root.join("index.html"), "<!doctype html><title>Portal</title>")?;
        let mut config =
            GatewayConfig::new(listen, directory, vec![self.addresses.gateway.to_string()], web_root);
        config.drain_deadline = Duration::from_secs(2);
        change(&mut config);
        let bound = Gateway::bind_with_clock(config, Arc::new(self.clock.clone()))?;
        let (address, redirect) = (bound.local_addr(), bound.redirect_addr());
        Ok((Part::spawn(|signal| bound.run(signal)), address, redirect))
    }
}

impl Host {
    /// The machine vanishes, with all its sessions' clients still thinking that they run.
    pub fn lose_agent(&mut self) {
        self.agent = None;
    }

    /// An agent attaches again to the same machine, whose sessions went on.
    pub fn resume_agent(&mut self) {
        self.agent = Some(SimulatedAgent::attach(self.machine.clone(), &self.directory).unwrap());
    }
}

impl Part {
    fn spawn<F, R>(run: F) -> Self
    where
        F: FnOnce(oriel_net::supervise::ShutdownSignal) -> R,
        R: Future<Output = ()> + Send + 'static,
    {
        let shutdown = ShutdownHandle::new();
        let task = tokio::spawn(run(shutdown.signal()));
        Self { shutdown, task }
    }

    async fn stop(self) {
        self.shutdown.give();
        tokio::time::timeout(STOP_DEADLINE, self.task).await.expect("it stops in time").unwrap();
    }
}

fn first_administrator(directory: &Path, management: SocketAddr) -> AdminClient {
    let token = std::fs::read_to_string(directory.join("broker/admin.token")).unwrap();
    AdminClient::new(management, token.trim())
}

async fn run_broker(
    directory: &Path,
    clock: &ShiftedClock,
    ports: BrokerPorts,
) -> anyhow::Result<(Part, Weak<Broker>, BrokerPorts)> {
    let mut config = BrokerConfig::new(directory.join("broker"), ports.management.ip(), "broker-1");
    config.clock = Arc::new(clock.clone());
    config.gateway_listen = ports.gateway;
    config.agent_listen = ports.agent;
    config.management_listen = ports.management;
    let bound = oriel_broker::bind(config).await?;
    let broker = Arc::downgrade(bound.broker());
    let addresses = bound.broker().addresses.clone();
    let only =
        |list: &[String]| -> anyhow::Result<SocketAddr> { Ok(list.first().context("no address")?.parse()?) };
    let ports = BrokerPorts {
        gateway: only(&addresses.gateway)?,
        agent: only(&addresses.agent)?,
        management: only(&addresses.management)?,
    };
    let part = Part::spawn(|signal| async move {
        if let Err(error) = bound.run(signal).await {
            tracing::error!(error = format!("{error:#}"), "the broker failed");
        }
    });
    Ok((part, broker, ports))
}

/// An address of loopback that no other farm has: a part that is stopped finds its port free when it
/// comes back, whatever other tests do meanwhile.
pub(crate) fn own_address() -> Ipv4Addr {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let [high, low] = NEXT.fetch_add(1, Ordering::Relaxed).to_be_bytes();
    // Test binaries that run at the same time differ in the second byte, most likely.
    let process = (std::process::id() % 250) as u8 + 1;
    Ipv4Addr::new(127, process, high, low.wrapping_add(1).max(1))
}

/// What the API says of a host's state at run time.
pub fn runtime(host: &Value) -> &Value {
    &host["state"]
}
