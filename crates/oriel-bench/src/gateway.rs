//! The gateway under measurement: a process of its own, and sessions through it.

use std::{
    io::{Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::Path,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use rustls::ClientConfig;
use tokio::runtime::Runtime;

use crate::{
    process::Process,
    rdp::{
        client::{self, Session},
        host::{Behaviour, Opening, ScriptedHost},
        tls::{self, Certificate},
    },
    ticket_broker::TicketBroker,
};

/// How long a gateway may take to be ready.
const READY_DEADLINE: Duration = Duration::from_secs(20);

/// A gateway, its broker and the certificate of its hosts.
pub struct GatewayUnderTest {
    pub process: Process,
    address: SocketAddr,
    broker: TicketBroker,
    certificate: Arc<Certificate>,
    config: Arc<ClientConfig>,
}

impl GatewayUnderTest {
    /// Starts a gateway with its files in `directory`, on `core` alone if one is given. The broker's
    /// part works in `runtime`.
    pub fn start(
        runtime: &Runtime,
        oriel: &Path,
        directory: &Path,
        certificate: &Arc<Certificate>,
        core: Option<usize>,
    ) -> anyhow::Result<Self> {
        let _entered = runtime.enter();
        let broker = TicketBroker::start()?;
        let data = directory.join("gateway");
        std::fs::create_dir_all(&data)?;
        broker.enrol_gateway(&data)?;
        let address = free_address()?;
        let file = directory.join("gateway.toml");
        std::fs::write(
            &file,
            format!(
                "data_dir = \"{0}\"\nweb_root = \"{0}/web\"\nlisten = \"{address}\"\nbrokers = [\"{1}\"]\ndrain_secs = 0\n",
                data.display(),
                broker.address
            ),
        )?;
        let arguments = ["gateway", "run", "--config"].map(str::to_owned);
        let arguments = [&arguments[..], &[file.display().to_string()]].concat();
        let mut process = Process::start("gateway", oriel, &arguments, directory, core)?;
        let config = tls::client_config(true)?;
        wait_until_ready(&mut process, address, &config)?;
        Ok(Self { process, address, broker, certificate: certificate.clone(), config })
    }

    /// Opens a session on `host`.
    pub fn open(&self, host: &ScriptedHost) -> anyhow::Result<Session> {
        let ticket = self.broker.ticket(host.address, &self.certificate.sha256)?;
        client::open_session(self.address, &self.config, &ticket)
    }

    /// Starts a host that it can reach.
    pub fn host(&self, behaviour: Behaviour) -> anyhow::Result<ScriptedHost> {
        ScriptedHost::start(&self.certificate, Opening::Rdp, behaviour)
    }
}

fn wait_until_ready(
    process: &mut Process,
    address: SocketAddr,
    config: &Arc<ClientConfig>,
) -> anyhow::Result<()> {
    let started = Instant::now();
    while !is_ready(address, config) {
        process.check()?;
        ensure!(started.elapsed() < READY_DEADLINE, "the gateway was not ready in time");
        thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

/// Whether it says so at `/healthz`.
fn is_ready(address: SocketAddr, config: &Arc<ClientConfig>) -> bool {
    let ask = || -> anyhow::Result<bool> {
        let mut tls = client::open_tls(address, config)?;
        write!(tls, "GET /healthz HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n")?;
        let mut status = [0; 12];
        tls.read_exact(&mut status)?;
        Ok(status == *b"HTTP/1.1 200")
    };
    ask().unwrap_or(false)
}

/// A port of loopback that nobody listens on now.
pub fn free_address() -> anyhow::Result<SocketAddr> {
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no free port")?;
    Ok(taken.local_addr()?)
}
