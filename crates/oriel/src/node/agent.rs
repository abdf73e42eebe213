//! `oriel agent run`.

use std::{net::SocketAddr, path::PathBuf};

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
    name: Option<String>,
    desktop_command: Option<String>,
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
            help: "The brokers' agent ports. Without it: those named when this machine joined.",
        },
        Field {
            key: "name",
            kind: Kind::Host,
            presence: Presence::Optional,
            help: "Name or address under which gateways reach this machine. Without it: the address that is\n\
                   listened on, or the machine's name.",
        },
        Field {
            key: "desktop_command",
            kind: Kind::Text,
            presence: Presence::Optional,
            help: "Command of a desktop session. Without it: the first known desktop that is installed.",
        },
    ];
}
