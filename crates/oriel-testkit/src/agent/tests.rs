//! The simulated agent does what the real one does, as far as brokers can tell.

use std::{sync::Mutex, time::Duration};

use oriel_wire::v1::{self, agent_reply, agent_request::Body};
use tokio::sync::Notify;

use super::{RdpListener, SimulatedHost, State, power};

const SESSION: &str = "00000000-0000-7000-8000-000000000001";

fn host() -> SimulatedHost {
    let state = State { power: power::Power::on(), ..State::default() };
    let host = SimulatedHost {
        name: "simulated".into(),
        listener: RdpListener::nowhere(),
        state: Mutex::new(state),
        changed: Notify::new(),
    };
    host.change(|state| state.settings.max_sessions = 5);
    host
}

fn ask(host: &SimulatedHost, body: Body) -> agent_reply::Body {
    host.answer(&v1::AgentRequest { body: Some(body), ..Default::default() })
}

fn prepare(host: &SimulatedHost, prepare: v1::Prepare) -> v1::Prepared {
    let prepare = v1::Prepare { session_id: SESSION.into(), account: "alice".into(), ..prepare };
    match ask(host, Body::Prepare(prepare)) {
        agent_reply::Body::Prepared(prepared) => prepared,
        other => panic!("not prepared: {other:?}"),
    }
}

fn program() -> Option<v1::prepare::Start> {
    Some(v1::prepare::Start::Program(v1::StartProgram { program: "editor".into(), ..Default::default() }))
}

#[test]
fn a_session_started_beforehand_is_taken_over_and_ends_with_its_last_program() {
    let host = host();
    let first = v1::Prepare { prelaunch: true, resource_id: "expected".into(), ..Default::default() };
    assert_eq!(prepare(&host, first).one_time_logon, "");
    let waiting = host.sessions().remove(0);
    assert!(waiting.prelaunched && waiting.open_resource_ids.is_empty());
    assert_eq!(waiting.state(), v1::SessionState::Disconnected);

    for resource in ["one", "two"] {
        let launch = v1::Prepare {
            reconnect: true,
            resource_id: resource.into(),
            start: program(),
            proof: vec![7; 32],
            ..Default::default()
        };
        let prepared = prepare(&host, launch);
        let now = oriel_model::Timestamp::now();
        assert!(host.log_on(&prepared.logon_name, &prepared.one_time_logon, now).is_some());
    }
    let both = host.sessions().remove(0);
    assert_eq!((both.prelaunched, both.resource_id.as_str()), (false, "one"));
    assert_eq!(both.open_resource_ids, ["one", "two"]);
    let front = v1::Prepare {
        reconnect: true,
        bring_to_front: true,
        resource_id: "one".into(),
        ..Default::default()
    };
    prepare(&host, front);
    assert_eq!(host.raised(), [(SESSION.to_owned(), "one".to_owned())]);
    host.close_program(SESSION, "one");
    assert_eq!(host.sessions().remove(0).open_resource_ids, ["two"]);
    host.close_program(SESSION, "two");
    assert!(host.sessions().is_empty());
}

#[test]
fn a_machine_comes_back_from_a_restart_anew_and_from_a_stop_when_it_is_woken() {
    let host = host();
    prepare(&host, v1::Prepare::default());
    assert!(host.report().uptime_secs >= 1_000);
    let switch = |action: v1::PowerAction| {
        ask(&host, Body::Power(v1::PowerRequest { action: action.into() }));
    };
    host.set_restart_time(Duration::from_secs(3600));
    switch(v1::PowerAction::Reboot);
    assert!(!host.is_on(), "a restart takes its time");
    assert!(host.sessions().is_empty());
    host.set_restart_time(Duration::ZERO);
    switch(v1::PowerAction::Reboot);
    assert!(host.is_on() && host.report().uptime_secs < 1_000);
    switch(v1::PowerAction::Stop);
    assert!(!host.is_on());
    host.wake();
    assert!(host.is_on());
    assert_eq!(host.starts(), 3);
    assert_eq!(host.hello().mac_addresses, [host.mac_address()]);
    ask(&host, Body::Wake(v1::Wake { mac_addresses: vec![vec![1; 6]] }));
    assert_eq!(host.called(), [vec![1; 6]]);
}
