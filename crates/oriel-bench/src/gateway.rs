//! The gateway under measurement: a process of its own, and sessions through it.

use std::{
    io::{Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use oriel_gateway::{Gateway, GatewayConfig};
use oriel_net::supervise::{ShutdownHandle, asked_to_stop};
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
        let arguments = [
            "gateway-process".to_owned(),
            format!("--data={}", data.display()),
            format!("--listen={address}"),
            format!("--broker={}", broker.address),
        ];
        let program = std::env::current_exe()?;
        let mut process = Process::start("gateway", &program, &arguments, directory, core)?;
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

/// The process itself: a gateway as `oriel gateway run` starts it, but without a file of settings.
pub async fn run(data: PathBuf, listen: SocketAddr, broker: String) -> anyhow::Result<()> {
    let config = GatewayConfig {
        drain_deadline: Duration::ZERO,
        ..GatewayConfig::new(listen, &data, vec![broker], data.join("web"))
    };
    let gateway = Gateway::bind(config)?;
    let stop = ShutdownHandle::new();
    let signal = stop.signal();
    tokio::spawn(async move {
        if let Err(error) = asked_to_stop().await {
            eprintln!("cannot wait for signals: {error}");
        }
        stop.give();
    });
    gateway.run(signal).await;
    Ok(())
}
