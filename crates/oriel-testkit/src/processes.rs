//! The same farm as processes of the built program, for what cannot be done to a part of one's own
//! process: killing it, and weighing it. Agents are simulated and live here.

use std::{
    fs::{self, File},
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use anyhow::Context as _;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    agent::{RdpListener, SimulatedAgent},
    farm::{BrokerPorts, PASSWORD},
    http::{AdminClient, PortalClient},
    observe,
    rdp::{ClientOptions, RdpClient, RdpHost},
    wait,
};

/// A broker and a gateway as processes. Dropping it kills them.
pub struct ProcessFarm {
    directory: TempDir,
    program: PathBuf,
    /// The administrators' API.
    pub admin: AdminClient,
    /// The id of the pool of all hosts.
    pub pool: String,
    /// Where the broker listens.
    pub ports: BrokerPorts,
    /// Where the gateway listens.
    pub gateway: SocketAddr,
    running: [Option<Child>; 2],
}

/// A user who works at a desktop: see [`ProcessFarm::at_work`].
pub struct AtWork {
    /// The RDP server of the host.
    pub rdp: RdpHost,
    /// The host's agent.
    pub agent: SimulatedAgent,
    /// The id of the desktop.
    pub desktop: String,
    /// The user's browser.
    pub portal: PortalClient,
    /// What the broker answered to the launch.
    pub launch: Value,
    /// The client, which has seen a picture.
    pub client: RdpClient,
}

/// A broker's node file that says where its data is and where it listens.
pub fn broker_file(data: &Path, ports: BrokerPorts) -> String {
    let line = |key: &str, value: &dyn std::fmt::Display| format!("{key} = \"{value}\"\n");
    line("data_dir", &data.display())
        + &line("gateway_listen", &ports.gateway)
        + &line("agent_listen", &ports.agent)
        + &line("management_listen", &ports.management)
}

/// One of the processes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// The broker.
    Broker,
    /// The gateway.
    Gateway,
}

/// The built program, next to the test's own executable.
///
/// # Errors
/// A sentence that says how to build it.
pub fn program() -> anyhow::Result<PathBuf> {
    let own = std::env::current_exe()?;
    let folders = own.ancestors().skip(1).take(2);
    folders.map(|folder| folder.join("oriel")).find(|path| path.is_file()).with_context(|| {
        format!("the program oriel is not next to {}: build it with `cargo build -p oriel`", own.display())
    })
}

impl ProcessFarm {
    /// Starts a broker, lets a gateway join with the program's own command, and starts that.
    pub async fn start() -> anyhow::Result<Self> {
        Self::start_with_pages(None).await
    }

    /// The same with a broker that serves these pages to administrators.
    pub async fn start_with_pages(pages: Option<&Path>) -> anyhow::Result<Self> {
        observe::begin();
        let program = program()?;
        let directory = TempDir::with_prefix("oriel-processes-")?;
        let [gateway, to_gateways, to_agents, management] = free_ports()?;
        let ports = BrokerPorts { gateway: to_gateways, agent: to_agents, management };
        let root = directory.path();
        let line = |key: &str, value: &dyn std::fmt::Display| format!("{key} = \"{value}\"\n");
        let file = |service: Service, text: String| fs::write(root.join(service.node_file()), text);
        let web_root = root.join("web");
        fs::create_dir_all(&web_root)?;
        fs::write(web_root.join("index.html"), "<!doctype html><title>Portal</title>")?;
        let pages = pages.map(|pages| line("web_root", &pages.display())).unwrap_or_default();
        file(Service::Broker, broker_file(&root.join("broker"), ports) + &pages)?;
        file(
            Service::Gateway,
            line("data_dir", &root.join("gateway").display())
                + &line("listen", &gateway)
                + &line("web_root", &web_root.display()),
        )?;

        let broker = spawn(&program, root, Service::Broker)?;
        let token = root.join("broker/admin.token");
        let admin = wait::until("the broker answers", async || {
            let token = fs::read_to_string(&token).map_err(|error| error.to_string())?;
            let admin = AdminClient::new(ports.management, token.trim());
            admin.get("/status").await.map_err(|error| format!("{error:#}"))?;
            Ok::<_, String>(admin)
        })
        .await;
        let pool = admin.create("pools", crate::farm::POOL, json!({})).await?;
        let mut farm =
            Self { directory, program, admin, pool, ports, gateway, running: [Some(broker), None] };
        farm.join_gateway().await?;
        farm.start_service(Service::Gateway)?;
        farm.gateway_attached().await;
        Ok(farm)
    }

    async fn join_gateway(&self) -> anyhow::Result<()> {
        let made = self.admin.post("/invitations", json!({ "role": "gateway" })).await?;
        let invitation = self.directory.path().join("invitation");
        fs::write(&invitation, made["string"].as_str().context("no invitation")?)?;
        let mut command = Command::new(&self.program);
        command
            .args(["gateway", "join", "-", "--data"])
            .arg(self.directory.path().join("gateway"))
            .stdin(File::open(&invitation)?);
        let output = tokio::task::spawn_blocking(move || command.output()).await??;
        anyhow::ensure!(
            output.status.success(),
            "oriel gateway join: {}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(())
    }

    /// Kills a process with SIGKILL and waits until it is gone.
    pub fn kill(&mut self, service: Service) {
        if let Some(mut child) = self.running[service as usize].take() {
            // An error means that it has ended already.
            let _ = child.kill();
            child.wait().unwrap();
        }
    }

    /// Starts a process that was killed.
    pub fn start_service(&mut self, service: Service) -> anyhow::Result<()> {
        self.running[service as usize] = Some(spawn(&self.program, self.directory.path(), service)?);
        Ok(())
    }

    /// The process's id; none if it does not run.
    pub fn process_id(&self, service: Service) -> Option<u32> {
        self.running[service as usize].as_ref().map(Child::id)
    }

    /// Waits until the gateway passes calls on to the broker and has its keys.
    pub async fn gateway_attached(&self) {
        wait::until("the gateway is attached", async || {
            let me = PortalClient::new(self.gateway).get("/me").await.map_err(|e| format!("{e:#}"))?;
            wait::ensure(me.status.as_u16() == 401, me.to_string())?;
            let status = self.admin.get("/status").await.map_err(|e| format!("{e:#}"))?;
            wait::ensure(status["gateways"]["reachable"] == 1, status.to_string())
        })
        .await;
    }

    /// A simulated host in the pool, once it is reachable.
    pub async fn add_host(&self, name: &str, listener: RdpListener) -> anyhow::Result<SimulatedAgent> {
        let body = json!({ "role": "agent", "pool": self.pool });
        let made = self.admin.post("/invitations", body).await?;
        let invitation = made["string"].as_str().context("no invitation")?;
        let agent =
            SimulatedAgent::start(invitation, name, &self.directory.path().join(name), listener).await?;
        self.host_reachable(name).await;
        Ok(agent)
    }

    /// Waits until the broker says that a host is reachable.
    pub async fn host_reachable(&self, name: &str) {
        wait::until("the host is reachable", async || {
            let list = self.admin.get("/hosts").await.map_err(|e| format!("{e:#}"))?;
            let hosts = list["items"].as_array().cloned().unwrap_or_default();
            let reachable = hosts
                .iter()
                .any(|host| host["name"] == name && crate::farm::runtime(host)["reachable"] == true);
            wait::ensure(reachable, list.to_string())
        })
        .await;
    }

    /// A desktop on a simulated host, at which a user works. Gives the host's machine back when it is dropped.
    pub async fn at_work(&self, user: &str) -> anyhow::Result<AtWork> {
        let rdp = RdpHost::start().await?;
        let agent = self.add_host("h1", rdp.listener()).await?;
        rdp.serve(agent.host().clone());
        let desktop = self.user_and_desktop(user).await?;
        let portal = self.signed_in(user).await?;
        let launch = portal.launch(&desktop).await?;
        let ticket = launch["ticket"].as_str().context("no ticket")?;
        let mut client = RdpClient::connect(self.gateway, ticket, ClientOptions::default()).await?;
        client.frame().await?;
        Ok(AtWork { rdp, agent, desktop, portal, launch, client })
    }

    /// A user with the usual password, and a desktop that everybody sees. Gives the desktop's id.
    pub async fn user_and_desktop(&self, user: &str) -> anyhow::Result<String> {
        self.admin.post("/users", json!({ "name": user, "password": PASSWORD, "spec": {} })).await?;
        let source = json!({ "from": "pools", "pools": [self.pool] });
        self.admin
            .create("resources", "Desktop", json!({ "target": { "kind": "desktop", "source": source } }))
            .await
    }

    /// A browser in which a user is signed in.
    pub async fn signed_in(&self, user: &str) -> anyhow::Result<PortalClient> {
        let portal = PortalClient::new(self.gateway);
        portal.sign_in(user, PASSWORD).await?;
        Ok(portal)
    }

    /// The farm's folder: the services' node files, and their data directories.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// What the processes have logged.
    pub fn log(&self, service: Service) -> String {
        fs::read_to_string(self.directory.path().join(service.log_file())).unwrap_or_default()
    }
}

impl Drop for ProcessFarm {
    fn drop(&mut self) {
        self.kill(Service::Gateway);
        self.kill(Service::Broker);
        if std::thread::panicking() {
            for service in [Service::Broker, Service::Gateway] {
                eprintln!("--- log of the {service:?}\n{}", self.log(service));
            }
        }
    }
}

impl Service {
    fn word(self) -> &'static str {
        match self {
            Service::Broker => "broker",
            Service::Gateway => "gateway",
        }
    }

    fn node_file(self) -> String {
        format!("{}.toml", self.word())
    }

    fn log_file(self) -> String {
        format!("{}.log", self.word())
    }
}

fn spawn(program: &Path, root: &Path, service: Service) -> anyhow::Result<Child> {
    let log = File::options().create(true).append(true).open(root.join(service.log_file()))?;
    Command::new(program)
        .args([service.word(), "run", "--parent-stdin", "--config"])
        .arg(root.join(service.node_file()))
        .stdin(Stdio::piped())
        .stdout(log.try_clone()?)
        .stderr(log)
        .spawn()
        .with_context(|| format!("starting {}", program.display()))
}

/// Ports that nobody has, at an address that nobody else uses.
fn free_ports<const N: usize>() -> anyhow::Result<[SocketAddr; N]> {
    let own = crate::farm::own_address();
    let listeners: Vec<TcpListener> =
        (0..N).map(|_| TcpListener::bind((own, 0))).collect::<Result<_, _>>()?;
    let addresses: Vec<SocketAddr> =
        listeners.iter().map(TcpListener::local_addr).collect::<Result<_, _>>()?;
    Ok(addresses.try_into().expect("as many as were asked for"))
}
