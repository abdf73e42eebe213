//! What the host is asked for, and where gateways reach it.

use oriel_model::{
    Id,
    host::Host,
    resource::{DesktopSize, Target},
    rule::ClientKind,
    session::Session,
};
use oriel_rules::launch::Program;
use oriel_wire::v1::{ClientFacts, Prepare, StartDesktop, StartProgram, WindowState, prepare::Start};

use super::{Attempt, Kind};
use crate::app::client::word;

/// The request to a host; a new session needs its proof.
pub(super) fn prepare(
    attempt: &Attempt,
    host: Id<Host>,
    session: Id<Session>,
    kind: Kind,
    proof: Vec<u8>,
) -> Result<Prepare, String> {
    let resource = &attempt.resource;
    let client = &attempt.request.client;
    let size = attempt.opens.as_ref().and_then(|opens| opens.desktop);
    let (width, height) = match size {
        Some(DesktopSize::Fixed { width, height }) => (width.into(), height.into()),
        _ => (attempt.request.width, attempt.request.height),
    };
    let is_application = !matches!(resource.spec.target, Target::Desktop { .. });
    Ok(Prepare {
        session_id: session.to_string(),
        connection_id: attempt.connection.to_string(),
        reconnect: kind.is_return(),
        user_id: attempt.user.id.to_string(),
        user_name: attempt.user.name.clone(),
        // Names are unique without regard to case, accounts on Linux are written small.
        account: attempt.user.spec.account.clone().unwrap_or_else(|| attempt.user.name.to_lowercase()),
        client: Some(ClientFacts {
            name: client.name.clone().unwrap_or_default(),
            address: attempt.address.to_string(),
            kind: word(client.kind.unwrap_or(ClientKind::Browser)),
            version: client.version.clone().unwrap_or_default(),
            operating_system: client.operating_system.map(word).unwrap_or_default(),
        }),
        resource_id: resource.id.to_string(),
        resource_name: resource.name.clone(),
        start: start(attempt, host, kind)?,
        shared: attempt.shares(),
        width,
        height,
        proof,
        prelaunch: kind == Kind::Beforehand,
        bring_to_front: is_application && matches!(kind, Kind::Return { to_front: true, .. }),
        same_program_ids: Vec::new(),
    })
}

/// What the host starts. Returning to one's own session starts nothing; opening in a shared one starts the
/// program in it; and before anybody comes there is only room for programs.
fn start(attempt: &Attempt, host: Id<Host>, kind: Kind) -> Result<Option<Start>, String> {
    if matches!(kind, Kind::Return { start_program: false, .. }) {
        return Ok(None);
    }
    let opening = attempt.in_session().ok_or("what is to be opened was changed meanwhile")?;
    if matches!(opening.program, Program::Desktop { .. }) {
        return Ok(Some(Start::Desktop(StartDesktop {})));
    }
    if kind == Kind::Beforehand {
        return Ok(None);
    }
    let command = opening.program.command(host, &|variable| attempt.value(variable, host))?;
    Ok(command.map(|command| {
        Start::Program(StartProgram {
            program: command.program,
            arguments: command.arguments,
            start_in: command.start_in,
            window: WindowState::from(opening.program.window()).into(),
            opens: command.opens,
        })
    }))
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
