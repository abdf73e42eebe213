//! What the host is asked for, and where gateways reach it.

use oriel_model::{Id, resource::Target, rule::ClientOs, session::Session};
use oriel_wire::v1::{ClientFacts, Prepare, StartDesktop, StartProgram, WindowState, prepare::Start};

use super::{Attempt, Kind};
use crate::app::explain::shares;

/// The request to a host; a new session needs its proof.
pub(super) fn prepare(attempt: &Attempt, session: Id<Session>, kind: Kind, proof: Vec<u8>) -> Prepare {
    let resource = &attempt.resource;
    let client = &attempt.request.client;
    // Returning to one's own session starts nothing; opening in a shared one starts the program in it.
    let start = match (&resource.spec.target, kind) {
        (_, Kind::Return { start_program: false }) | (Target::Folder, _) => None,
        (Target::Desktop { .. }, _) => Some(Start::Desktop(StartDesktop {})),
        (Target::Application(application), _) => Some(Start::Program(StartProgram {
            program: application.program.clone(),
            arguments: application.arguments.clone(),
            start_in: application.start_in.clone(),
            window: WindowState::from(application.window).into(),
            opens: String::new(),
        })),
        _ => None,
    };
    Prepare {
        session_id: session.to_string(),
        connection_id: attempt.connection.to_string(),
        reconnect: kind != Kind::New,
        user_id: attempt.user.id.to_string(),
        user_name: attempt.user.name.clone(),
        // Names are unique without regard to case, accounts on Linux are written small.
        account: attempt.user.spec.account.clone().unwrap_or_else(|| attempt.user.name.to_lowercase()),
        client: Some(ClientFacts {
            name: client.name.clone().unwrap_or_default(),
            address: attempt.address.to_string(),
            kind: "browser".into(),
            version: client.version.clone().unwrap_or_default(),
            operating_system: client.operating_system.map(os_word).unwrap_or_default(),
        }),
        resource_id: resource.id.to_string(),
        resource_name: resource.name.clone(),
        start,
        shared: shares(&resource.spec),
        width: attempt.request.width,
        height: attempt.request.height,
        proof,
        prelaunch: false,
        bring_to_front: false,
    }
}

fn os_word(os: ClientOs) -> String {
    match serde_json::to_value(os) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}

/// Where gateways reach the host: the administrator's address, if there is one, with the agent's port.
pub(super) fn address(configured: Option<&str>, reported: &str) -> Option<String> {
    let (host, port) = reported.rsplit_once(':')?;
    port.parse::<u16>().ok()?;
    let host = match configured {
        None => return (!host.is_empty()).then(|| reported.to_owned()),
        Some(configured) => configured,
    };
    match host.parse::<std::net::Ipv6Addr>() {
        Ok(address) => Some(format!("[{address}]:{port}")),
        Err(_) => Some(format!("{host}:{port}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_administrators_address_replaces_the_agents_but_not_its_port() {
        assert_eq!(address(None, "10.0.0.5:3389").as_deref(), Some("10.0.0.5:3389"));
        assert_eq!(address(Some("h1.example"), "10.0.0.5:3390").as_deref(), Some("h1.example:3390"));
        assert_eq!(address(Some("fd00::5"), "10.0.0.5:3390").as_deref(), Some("[fd00::5]:3390"));
        for bad in ["", "10.0.0.5", "host:port", ":3389"] {
            assert_eq!(address(None, bad), None, "{bad}");
        }
    }
}
