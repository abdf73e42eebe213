//! `oriel ports`: what listens where. Where the design needs fewer open ports than is usual in the
//! field, the table says so.

use serde_json::{Value, json};

use super::{
    Format,
    output::{self, Column},
};
use crate::failure::Outcome;

const COLUMNS: [Column; 5] = [
    Column::plain("LISTENS", "/listens"),
    Column::plain("PORT", "/port"),
    Column::plain("FROM", "/from"),
    Column::plain("NODE FILE KEY", "/key"),
    Column::plain("FOR", "/for"),
];

/// The ports: listener, port, who dials, key in the node file, what for.
const PORTS: [[&str; 5]; 5] = [
    ["gateway", "443/tcp", "users", "listen", "portal and sessions (HTTPS, WebSocket); the one port users need"],
    ["broker", "20002/tcp", "gateways", "listen.gateways", "portal API, tickets, connections (mutual TLS)"],
    ["broker", "20003/tcp", "agents", "listen.agents", "hosts' reports and orders to them (mutual TLS)"],
    ["broker", "20443/tcp", "administrators", "listen.management", "management API (HTTPS, API token)"],
    ["session host", "3389/tcp", "gateways", "rdp_port", "RDP, pinned certificate, one-time logon"],
];

/// Ports that are usual in the field and that nothing of ours opens.
const NOT_NEEDED: [[&str; 2]; 4] = [
    ["30004", "agents dial brokers; nothing dials an agent"],
    ["20001, 20030", "brokers share only the settings store"],
    ["20020, 30005, 30010", "helpers talk over sockets in the file system"],
    ["80", "the portal is HTTPS only; redirect in front of it where people type http"],
];

pub fn run(format: Format) -> Outcome {
    let rows: Vec<Value> = PORTS
        .iter()
        .map(|[listens, port, from, key, purpose]| {
            json!({"listens": listens, "port": port, "from": from, "key": key, "for": purpose})
        })
        .collect();
    output::rows(format, &COLUMNS, &rows)?;
    if format == Format::Table {
        output::print("\nNot needed, though usual elsewhere:\n")?;
        for [port, why] in NOT_NEEDED {
            output::print(&format!("  {port:<22}{why}\n"))?;
        }
    }
    Ok(())
}
