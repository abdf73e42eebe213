//! What the agent of one machine is told; everything else comes from the brokers.

use std::{net::SocketAddr, path::PathBuf};

use crate::power::Power;

/// Facts of this machine.
#[derive(Debug, Clone)]
pub struct AgentConfig {
    /// The agent's own folder: its identity, and the session software's configuration and state.
    pub data_dir: PathBuf,
    /// Address of the RDP listener.
    pub rdp_listen: SocketAddr,
    /// Name or address under which gateways reach this machine; `None`: the address that is listened on,
    /// or, when that is all addresses, the one that leads to the broker.
    pub address: Option<String>,
    /// The brokers' agent ports, `host:port`. Empty: those named when this machine joined.
    pub brokers: Vec<String>,
    /// This machine's name, for people.
    pub machine_name: String,
    /// The program that PAM and sessions call; it must hand its arguments to [`crate::hooks::run`].
    pub executable: PathBuf,
    /// Command of a desktop session; `None`: the first known desktop that is installed.
    pub desktop_command: Option<String>,
    /// How the machine is restarted and stopped at a broker's request.
    pub power: Power,
    /// Whether sessions and their software end with the agent: for a demo or a test. Otherwise they go on
    /// and the next agent finds them.
    pub stop_host_software: bool,
}
