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
const PORTS: [[&str; 5]; 7] = [
    [
        "gateway",
        "443/tcp",
        "users",
        "listen",
        "portal and sessions (HTTPS, WebSocket); the one port users need",
    ],
    [
        "gateway",
        "80/tcp",
        "users",
        "redirect_listen",
        "if switched on: answers plain HTTP with the way to HTTPS",
    ],
    ["broker", "20002/tcp", "gateways", "gateway_listen", "portal API, tickets, connections (mutual TLS)"],
    ["broker", "20003/tcp", "agents", "agent_listen", "hosts' reports and orders to them (mutual TLS)"],
    ["broker", "20443/tcp", "administrators", "management_listen", "management API (HTTPS, API token)"],
    ["agent", "3389/tcp", "gateways", "rdp_listen", "RDP: pinned certificate, one-time logon"],
    [
        "agent",
        "23500-23699/tcp",
        "own machine",
        "-",
        "loopback only, between the parts of the session software",
    ],
];

/// Ports that are usual in the field and that nothing of ours opens.
const NOT_NEEDED: [[&str; 2]; 3] = [
    ["30004", "agents dial brokers; nothing dials an agent"],
    ["20001, 20030", "brokers share only the settings store"],
    ["20020, 30005, 30010", "helpers talk over sockets of their own machine"],
];

pub fn run(format: Format) -> Outcome {
    let rows: Vec<Value> = PORTS
        .iter()
        .map(|[listens, port, from, key, purpose]| {
            json!({"listens": listens, "port": port, "from": from, "key": key, "for": purpose})
        })
        .collect();
    output::rows(format, &COLUMNS, &rows)?;
    if format.is_for_people() {
        output::print("\nNot needed, though usual elsewhere:\n")?;
        for [port, why] in NOT_NEEDED {
            output::print(&format!("  {port:<22}{why}\n"))?;
        }
    }
    Ok(())
}

#[cfg(all(test, feature = "broker", feature = "gateway", feature = "agent"))]
mod tests {
    use oriel_net::node_file::{Field, NodeFile, Presence};

    use super::*;
    use crate::node;

    #[test]
    fn the_table_names_the_keys_and_defaults_of_the_node_files() {
        let fields = |service: &str| -> &'static [Field] {
            match service {
                "broker" => node::broker::File::FIELDS,
                "gateway" => node::gateway::File::FIELDS,
                _ => node::agent::File::FIELDS,
            }
        };
        for [service, port, _, key, _] in PORTS.into_iter().filter(|[_, _, _, key, _]| *key != "-") {
            let field =
                fields(service).iter().find(|field| field.key == key).expect("a key of the node file");
            let number = port.trim_end_matches("/tcp");
            if let Presence::Default(value) = field.presence {
                assert!(value.ends_with(&format!(":{number}\"")), "{service} {key} {value}");
            }
        }
    }
}
