//! `oriel agent run`.

use std::{net::SocketAddr, path::PathBuf};

use anyhow::Context;
use oriel_agent::{Agent, AgentConfig, power::Power};
use oriel_net::{
    node_file::{Field, Kind, NodeFile, Presence},
    supervise::ShutdownSignal,
};
use serde::Deserialize;

use super::{RunOptions, join, machine_name};
use crate::failure::Outcome;

/// The agent's node file.
#[derive(Debug, Deserialize)]
pub struct File {
    data_dir: PathBuf,
    rdp_listen: SocketAddr,
    brokers: Option<Vec<String>>,
    address: Option<String>,
    desktop_command: Option<String>,
    power: Option<PowerCommands>,
}

/// Commands that go before systemd's.
#[derive(Debug, Default, Deserialize)]
struct PowerCommands {
    reboot: Option<String>,
    stop: Option<String>,
}

impl NodeFile for File {
    const FIELDS: &'static [Field] = &[
        Field {
            key: "data_dir",
            kind: Kind::Path,
            presence: Presence::Required,
            help: "Where this agent keeps its identity and the session software's configuration: the folder named\n\
                   when it joined.",
        },
        Field {
            key: "rdp_listen",
            kind: Kind::Listen,
            presence: Presence::Default("\"0.0.0.0:3389\""),
            help: "Where gateways reach the sessions of this host.",
        },
        Field {
            key: "brokers",
            kind: Kind::List(&Kind::Endpoint),
            presence: Presence::Optional,
            help: "The brokers' agent ports (20003 unless they say otherwise). Without it: those named when this machine joined.",
        },
        Field {
            key: "address",
            kind: Kind::Host,
            presence: Presence::Optional,
            help: "Name or address under which gateways reach this machine. Without it: the address that is\n\
                   listened on or, when that is all, the one that leads to the broker. Another than the one that this\n\
                   machine dials brokers from counts only when an administrator says the same: oriel host set.",
        },
        Field {
            key: "desktop_command",
            kind: Kind::Text,
            presence: Presence::Optional,
            help: "Command of a desktop session. Without it: the first known desktop that is installed.",
        },
        Field {
            key: "power.reboot",
            kind: Kind::Text,
            presence: Presence::Optional,
            help: "Command that restarts this machine when a schedule or an administrator asks for it. Without it:\n\
                   systemctl reboot, where systemd runs; else such requests are refused.",
        },
        Field {
            key: "power.stop",
            kind: Kind::Text,
            presence: Presence::Optional,
            help: "The same for stopping it; systemctl poweroff.",
        },
    ];
}

/// Runs the agent until it is told to stop.
pub fn run(options: &RunOptions) -> Outcome {
    let stop_host_software = options.stop_host_software;
    super::run(options, move |file, signal| serve(file, signal, stop_host_software))
}

async fn serve(file: File, signal: ShutdownSignal, stop_host_software: bool) -> anyhow::Result<()> {
    let config = file.into_config(stop_host_software)?;
    Agent::bind(config).await?.run(signal).await;
    Ok(())
}

impl File {
    fn into_config(self, stop_host_software: bool) -> anyhow::Result<AgentConfig> {
        let brokers = match self.brokers {
            Some(brokers) => brokers,
            None => join::brokers(&self.data_dir)?,
        };
        let commands = self.power.unwrap_or_default();
        let power = Power::new(commands.reboot.as_deref(), commands.stop.as_deref());
        Ok(AgentConfig {
            power: power.map_err(anyhow::Error::msg)?,
            data_dir: self.data_dir,
            rdp_listen: self.rdp_listen,
            address: self.address,
            brokers,
            machine_name: machine_name(),
            executable: std::env::current_exe().context("the program's own path is not known")?,
            desktop_command: self.desktop_command,
            stop_host_software,
        })
    }
}

#[cfg(test)]
mod tests {
    use oriel_net::node_file::parse;

    use super::*;

    #[test]
    fn the_defaults_are_the_known_ones() {
        let file = parse::<File>("data_dir = \"/d\"\nbrokers = [\"b:20003\"]").expect("valid");
        let config = file.into_config(false).expect("complete");
        assert_eq!(
            (config.rdp_listen.port(), config.brokers.as_slice()),
            (3389, &["b:20003".to_owned()][..])
        );
        assert_eq!(config.address, None);
    }
}
