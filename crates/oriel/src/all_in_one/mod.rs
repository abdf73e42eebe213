//! `oriel all-in-one`: a farm on one machine. Broker, gateway and agent run as processes of their own
//! and talk over the wire with certificates, exactly as they would on three machines; this process
//! only starts them, lets them join, starts again what dies, and stops them in order.
//!
//! Deliberately absent: any shortcut past the farm's own doors. What joins, joins with an invitation.

mod child;
mod doors;
mod layout;
mod member;
mod user;

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use anyhow::{Context, bail};
use clap::Args;
use oriel_net::supervise::{self, ShutdownHandle, Tasks};
use tokio::time::timeout;

use crate::{
    admin,
    failure::{Failure, Outcome},
    log::{self, LogOptions},
    node,
};
use child::{Child, Fate};
use layout::Layout;
use user::ServiceUser;

/// How long the broker may take until it answers at the first start; making keys takes a second.
const READY_DEADLINE: Duration = Duration::from_secs(60);
/// How long a service that ends again and again ends everything: later it ran before and may again, now
/// whoever starts the farm is waiting for it.
const STARTING: Duration = Duration::from_secs(60);
/// A service that has ended this often in a row does not start.
const FAILURES_MAX: u32 = 3;
/// How long the agent may take to stop; ending sessions in order takes the longest.
const AGENT_STOP: Duration = Duration::from_secs(40);
/// How long the gateway may take to stop, drain included.
const GATEWAY_STOP: Duration = Duration::from_secs(20);
/// How long the broker may take to stop: twice what it gives its own requests.
const BROKER_STOP: Duration = Duration::from_secs(15);

/// `oriel all-in-one`
#[derive(Debug, Args)]
pub struct Options {
    /// Everything is kept here: settings, keys, the session software's configuration
    #[arg(long, value_name = "DIR")]
    pub data: PathBuf,
    /// Name of the farm, when it is made
    #[arg(long, value_name = "NAME", default_value = "Oriel")]
    pub farm_name: String,
    /// Address on which users reach the portal
    #[arg(long, value_name = "IP", default_value_t = IpAddr::V4(Ipv4Addr::UNSPECIFIED))]
    pub gateway_address: IpAddr,
    /// Port on which users reach the portal
    #[arg(long, value_name = "PORT", default_value_t = 443)]
    pub gateway_port: u16,
    /// Address of the management API
    #[arg(long, value_name = "IP", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    pub management_address: IpAddr,
    /// Port of the management API
    #[arg(long, value_name = "PORT", default_value_t = 20443)]
    pub management_port: u16,
    /// Loopback port between gateway and broker
    #[arg(long, value_name = "PORT", default_value_t = 20002)]
    pub broker_gateway_port: u16,
    /// Loopback port between agent and broker
    #[arg(long, value_name = "PORT", default_value_t = 20003)]
    pub broker_agent_port: u16,
    /// Loopback port of the session host's RDP listener
    #[arg(long, value_name = "PORT", default_value_t = 3389)]
    pub rdp_port: u16,
    /// The name under which users reach the portal, with the port if it is not 443
    #[arg(long, value_name = "ADDRESS")]
    pub public_address: Option<String>,
    /// The folder with the portal's pages; otherwise share/oriel/portal beside the program's bin folder
    #[arg(long, value_name = "DIR")]
    pub web_root: Option<PathBuf>,
    /// The folder with the management portal's pages; otherwise share/oriel/admin beside the program's bin folder
    #[arg(long, value_name = "DIR")]
    pub admin_web_root: Option<PathBuf>,
    /// Command of a desktop session; otherwise the first known desktop that is installed
    #[arg(long, value_name = "COMMAND")]
    pub desktop_command: Option<String>,
    /// Run broker and gateway as this user of the machine; only the agent needs root
    #[arg(long, value_name = "USER")]
    pub service_user: Option<String>,
    /// When stopping, end the sessions of this host, too; otherwise they are found again at the next start
    #[arg(long)]
    pub stop_sessions: bool,
    #[command(flatten)]
    pub log: LogOptions,
}

/// Runs until told to stop.
pub fn run(options: &Options) -> Outcome {
    log::start(&options.log).map_err(Failure::Usage)?;
    let runtime = node::runtime()?;
    let outcome = runtime.block_on(supervise(options));
    runtime.shutdown_timeout(Duration::from_secs(2));
    Ok(outcome?)
}

async fn supervise(options: &Options) -> anyhow::Result<()> {
    let stop = ShutdownHandle::new();
    tokio::spawn({
        let stop = stop.clone();
        async move {
            match supervise::asked_to_stop().await {
                Ok(signal) => tracing::info!(signal, "stopping broker, gateway and agent"),
                Err(error) => tracing::error!(%error, "signals cannot be received"),
            }
            stop.give();
        }
    });
    let service_user = options.service_user.as_deref().map(ServiceUser::find).transpose()?;
    if service_user.is_some() {
        ServiceUser::may_listen_on(options.gateway_port)?;
    }
    let layout = Layout::make(options, service_user)?;

    // One group per part, because they stop one after the other.
    let (brokers, gateways, agents) = (group(), group(), group());
    // Asked for now: once an update has put another file in its place, the system calls this one deleted.
    let program = std::env::current_exe().context("the program's own path is not known")?;
    let broker = Child::broker(&program, &layout, options);
    let gateway = Child::gateway(&program, &layout, options);
    let agent = Child::agent(&program, &layout, options);
    let started = async {
        let broker = broker.keep_running(&brokers);
        let client = member::ready(&layout, broker, READY_DEADLINE).await?;
        member::join(&layout, client).await?;
        anyhow::Ok([("gateway", gateway.keep_running(&gateways)), ("agent", agent.keep_running(&agents))])
    };
    let running = async {
        let [gateway, agent] = started.await?;
        announce(options, &layout);
        tokio::try_join!(starts(gateway), starts(agent))?;
        std::future::pending().await
    };
    let outcome = tokio::select! {
        outcome = running => outcome,
        () = stop.signal().into_given() => Ok(()),
    };
    // Users first, then those who decide for them.
    agents.shutdown(AGENT_STOP).await;
    gateways.shutdown(GATEWAY_STOP).await;
    brokers.shutdown(BROKER_STOP).await;
    tracing::info!("everything has stopped");
    outcome
}

/// Waits while a service may be starting. An error: it does not start.
async fn starts((service, mut fate): (&str, Fate)) -> anyhow::Result<()> {
    match timeout(STARTING, fate.wait_for(|failures| *failures >= FAILURES_MAX)).await {
        Ok(Ok(_)) => bail!("the {service} does not start: its log above says why"),
        // It runs, or is being stopped.
        Ok(Err(_)) | Err(_) => Ok(()),
    }
}

fn group() -> Tasks {
    Tasks::new(&ShutdownHandle::new().signal())
}

/// Says what runs where.
fn announce(options: &Options, layout: &Layout) {
    let host = options.public_address.clone().unwrap_or_else(|| {
        let name = if options.gateway_address.is_unspecified() {
            node::machine_name()
        } else {
            SocketAddr::new(options.gateway_address, 0).to_string().trim_end_matches(":0").to_owned()
        };
        if options.gateway_port == 443 { name } else { format!("{name}:{}", options.gateway_port) }
    });
    let text = format!(
        "\nThe farm \"{}\" runs.\n\
         \x20 Portal       https://{host}/\n\
         \x20 Management   {}/api/v1\n\
         \x20 API token    {}\n\
         \x20 Authority    {}\n\
         \x20 Session host {} (RDP on 127.0.0.1:{})\n\
         \x20 Data         {}\n\n\
         Administer it:  oriel login --url {} --authority {} --token-file {}\n\
         Stop it with Ctrl+C.\n\n",
        options.farm_name,
        layout.management_url,
        layout.token.display(),
        layout.authority.display(),
        node::machine_name(),
        options.rdp_port,
        layout.root.display(),
        layout.management_url,
        layout.authority.display(),
        layout.token.display(),
    );
    if let Err(error) = admin::output::print(&text) {
        tracing::warn!(%error, "the addresses cannot be printed");
    }
}
