//! What lies where in the data directory, and the node files of the three services.

use std::{
    fs::File,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    os::unix::fs::PermissionsExt,
    path::PathBuf,
};

use anyhow::Context;
use toml::{Table, Value};

use super::{Options, doors, user::ServiceUser};
use crate::admin::connection::write_private;

/// The folder's parts.
pub struct Layout {
    /// All of it.
    pub root: PathBuf,
    /// The broker's folder.
    pub broker: PathBuf,
    /// The gateway's folder.
    pub gateway: PathBuf,
    /// The agent's folder.
    pub agent: PathBuf,
    /// The first administrator's token, made by the broker.
    pub token: PathBuf,
    /// The farm authority's certificate, for the command line.
    pub authority: PathBuf,
    /// Whom broker and gateway run as; none: as this process.
    pub service_user: Option<ServiceUser>,
    /// The broker's address for gateways.
    pub for_gateways: String,
    /// The broker's address for agents.
    pub for_agents: String,
    /// Where the management API is.
    pub management_url: String,
    /// While it is open, no other farm starts here.
    _lock: File,
}

impl Layout {
    /// Makes the folders and writes the node files anew, since options may have changed. Fails while
    /// another farm runs here, or where a port is taken.
    pub fn make(options: &Options, service_user: Option<ServiceUser>) -> anyhow::Result<Self> {
        std::fs::create_dir_all(&options.data)
            .with_context(|| format!("cannot make {}", options.data.display()))?;
        let root = std::fs::canonicalize(&options.data)
            .with_context(|| format!("cannot use {}", options.data.display()))?;
        let lock = doors::lock(&root)?;
        let management = SocketAddr::new(options.management_address, options.management_port);
        // Not the RDP port: session software of an earlier start may listen there, and is taken over.
        doors::are_free(&[
            ("--gateway-port", SocketAddr::new(options.gateway_address, options.gateway_port)),
            ("--management-port", management),
            ("--broker-gateway-port", loopback(options.broker_gateway_port)),
            ("--broker-agent-port", loopback(options.broker_agent_port)),
        ])?;
        let called = match management.ip() {
            ip if ip.is_unspecified() => SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), management.port()),
            _ => management,
        };
        let layout = Self {
            broker: root.join("broker"),
            gateway: root.join("gateway"),
            agent: root.join("agent"),
            token: root.join("broker").join("admin.token"),
            authority: root.join("authority.pem"),
            service_user,
            for_gateways: loopback(options.broker_gateway_port).to_string(),
            for_agents: loopback(options.broker_agent_port).to_string(),
            management_url: format!("https://{called}"),
            root,
            _lock: lock,
        };
        layout.write("broker", broker(options, &layout, management))?;
        layout.write("gateway", gateway(options, &layout))?;
        layout.write("agent", agent(options, &layout))?;
        layout.hand_over()?;
        Ok(layout)
    }

    /// Gives broker and gateway what is theirs, when they run as another user.
    pub fn hand_over(&self) -> anyhow::Result<()> {
        let Some(user) = self.service_user else { return Ok(()) };
        for folder in [&self.broker, &self.gateway] {
            std::fs::create_dir_all(folder)
                .and_then(|()| std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700)))
                .with_context(|| format!("cannot make {}", folder.display()))?;
        }
        let (broker, gateway) = (self.node_file("broker"), self.node_file("gateway"));
        [&self.broker, &self.gateway, &broker, &gateway].into_iter().try_for_each(|path| user.take(path))
    }

    /// The node file of a service.
    pub fn node_file(&self, service: &str) -> PathBuf {
        self.root.join(format!("{service}.toml"))
    }

    fn write(&self, service: &str, table: Table) -> anyhow::Result<()> {
        let path = self.node_file(service);
        let text =
            format!("# Written by oriel all-in-one at every start: change its options instead.\n{table}");
        write_private(&path, text.as_bytes()).with_context(|| format!("cannot write {}", path.display()))
    }
}

fn loopback(port: u16) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port)
}

fn listen(address: SocketAddr) -> Value {
    address.to_string().into()
}

fn path(path: &std::path::Path) -> Value {
    path.display().to_string().into()
}

fn insert_pages(table: &mut Table, web_root: Option<&PathBuf>) {
    if let Some(root) = web_root {
        table.insert("web_root".into(), path(&std::path::absolute(root).unwrap_or_else(|_| root.clone())));
    }
}

fn broker(options: &Options, layout: &Layout, management: SocketAddr) -> Table {
    let mut table = Table::new();
    table.insert("data_dir".into(), path(&layout.broker));
    table.insert("farm_name".into(), options.farm_name.clone().into());
    table.insert("gateway_listen".into(), listen(loopback(options.broker_gateway_port)));
    table.insert("agent_listen".into(), listen(loopback(options.broker_agent_port)));
    table.insert("management_listen".into(), listen(management));
    insert_pages(&mut table, options.admin_web_root.as_ref());
    table
}

fn gateway(options: &Options, layout: &Layout) -> Table {
    let mut table = Table::new();
    table.insert("data_dir".into(), path(&layout.gateway));
    let users = SocketAddr::new(options.gateway_address, options.gateway_port);
    table.insert("listen".into(), listen(users));
    // Ctrl+C must not wait for the users of one machine.
    table.insert("drain_secs".into(), 5.into());
    if let Some(address) = &options.public_address {
        table.insert("public_address".into(), address.clone().into());
    }
    insert_pages(&mut table, options.web_root.as_ref());
    table
}

fn agent(options: &Options, layout: &Layout) -> Table {
    let mut table = Table::new();
    table.insert("data_dir".into(), path(&layout.agent));
    table.insert("rdp_listen".into(), listen(loopback(options.rdp_port)));
    if let Some(command) = &options.desktop_command {
        table.insert("desktop_command".into(), command.clone().into());
    }
    table
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use oriel_net::node_file;

    use super::*;
    use crate::node;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        options: Options,
    }

    #[test]
    fn the_node_files_are_ones_that_the_services_take() {
        let root = std::env::temp_dir().join(format!("oriel-layout-{}", std::process::id()));
        let data = root.to_string_lossy().into_owned();
        let line = Line::parse_from([
            "x",
            "--data",
            &data,
            "--gateway-port",
            "0",
            "--management-port",
            "0",
            "--broker-gateway-port",
            "0",
            "--broker-agent-port",
            "0",
            "--public-address",
            "a.example:8443",
            "--web-root",
            "/web",
            "--desktop-command",
            "openbox-session",
        ]);
        let layout = Layout::make(&line.options, None).expect("made");
        node_file::load::<node::broker::File>(&layout.node_file("broker")).expect("taken by the broker");
        node_file::load::<node::gateway::File>(&layout.node_file("gateway")).expect("taken by the gateway");
        node_file::load::<node::agent::File>(&layout.node_file("agent")).expect("taken by the agent");
        assert_eq!(layout.management_url, "https://127.0.0.1:0");
        std::fs::remove_dir_all(&root).expect("removed");
    }
}
