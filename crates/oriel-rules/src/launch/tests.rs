use std::sync::Arc;

use oriel_model::{
    Object,
    host::LogonMode,
    resource::{Application, Source, Status, Target, Variable},
};
use proptest::prelude::*;

use super::*;
use crate::{access::Catalogue, rules::tests::id};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn host(number: u128) -> HostSnapshot {
    HostSnapshot {
        id: id(number),
        name: format!("host{number}").into(),
        enabled: true,
        last_report: Some(NOW),
        problem: None,
        logon_mode: LogonMode::Enabled,
        sessions: 0,
        max_sessions: 10,
        cpu_load: 0.0,
        memory_load: 0.0,
        balanced: true,
        agent_timeout_secs: 5,
    }
}

/// A session on host 1 in which the resource that it was started for is open.
fn session(number: u128, resource: u128, shared: bool) -> OwnSession {
    OwnSession {
        id: id(number),
        host: id(1),
        resource: Some(id(resource)),
        open: vec![id(resource)],
        shared,
        desktop: false,
        prelaunched: false,
        client_address: None,
        state: SessionState::Disconnected,
        started_at: NOW,
    }
}

/// The launch of resource 7, an application, with everything else as `change` says.
fn decide(
    sessions: &[OwnSession],
    hosts: &[HostSnapshot],
    change: impl for<'a> FnOnce(&mut Inputs<'a>),
) -> Plan {
    let mut inputs = Inputs {
        resource: id(7),
        application: Some(id(7)),
        share_session: false,
        one_instance: false,
        another: false,
        sessions,
        hosts,
        named_hosts: false,
        place: "of pool Office",
        balancing: &EffectiveBalancing::default(),
        client_address: None,
        limits: &[],
        turn: 0,
        now: NOW,
    };
    change(&mut inputs);
    plan(&inputs)
}

fn as_set(_: &mut Inputs<'_>) {}

fn sharing(inputs: &mut Inputs<'_>) {
    inputs.share_session = true;
}

/// Which session is returned to, and whether the program is started in it.
#[track_caller]
fn check_return(plan: Plan, expected: u128, expected_start: bool) {
    match plan {
        Plan::Return { session, start_program, .. } => {
            assert_eq!((session, start_program), (id(expected), expected_start));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_users_own_session_comes_first() {
    let hosts = [HostSnapshot { sessions: 9, ..host(1) }, host(2)];
    check_return(decide(&[session(50, 7, false)], &hosts, as_set), 50, false);
}

#[test]
fn a_draining_host_still_takes_its_session_back() {
    let draining = HostSnapshot { logon_mode: LogonMode::Drain, ..host(1) };
    check_return(decide(&[session(50, 7, false)], &[draining, host(2)], as_set), 50, false);
}

#[test]
fn a_session_behind_closed_logons_is_told_not_doubled() {
    let closed = HostSnapshot { logon_mode: LogonMode::Disabled, ..host(1) };
    let hosts = [closed, host(2)];
    let plan = decide(&[session(50, 7, false)], &hosts, as_set);
    assert!(matches!(plan, Plan::OwnSessionOutOfReach { host_name, .. } if host_name == "host1"));
    // One in which nothing of it is open any more is no loss.
    let left = OwnSession { open: Vec::new(), ..session(50, 7, false) };
    assert!(matches!(decide(&[left], &hosts, as_set), Plan::Start { .. }));
}

#[test]
fn a_session_on_a_silent_host_does_not_keep_its_user_from_working() {
    let silent = HostSnapshot { last_report: None, ..host(1) };
    let plan = decide(&[session(50, 7, false)], &[silent, host(2)], as_set);
    assert!(matches!(plan, Plan::Start { ranking } if ranking.candidates[0].host == id(2)));
}

#[test]
fn a_second_program_opens_in_the_shared_session_only_if_both_share() {
    let hosts = [host(1), host(2)];
    check_return(decide(&[session(50, 8, true)], &hosts, sharing), 50, true);
    assert!(matches!(decide(&[session(50, 8, true)], &hosts, as_set), Plan::Start { .. }));
    assert!(matches!(decide(&[session(50, 8, false)], &hosts, sharing), Plan::Start { .. }));
    // Not on a host that the resource may not run on.
    assert!(matches!(decide(&[session(50, 8, true)], &[host(2)], sharing), Plan::Start { .. }));
}

#[test]
fn of_several_own_sessions_the_one_not_in_use_is_taken() {
    let active = OwnSession {
        state: SessionState::Active,
        started_at: NOW + jiff::SignedDuration::from_secs(60),
        ..session(51, 7, false)
    };
    check_return(decide(&[session(50, 7, false), active], &[host(1)], as_set), 50, false);
}

#[test]
fn a_program_that_has_ended_opens_again_in_the_session_that_lingers() {
    let left = OwnSession { open: Vec::new(), ..session(50, 7, false) };
    check_return(decide(&[left], &[host(1)], as_set), 50, true);
}

#[test]
fn another_instance_opens_in_the_same_session_unless_there_is_but_one() {
    let own = [session(50, 7, false)];
    let another = |inputs: &mut Inputs<'_>| inputs.another = true;
    check_return(decide(&own, &[host(1)], another), 50, true);
    let but_one = |inputs: &mut Inputs<'_>| {
        inputs.another = true;
        inputs.one_instance = true;
    };
    check_return(decide(&own, &[host(1)], but_one), 50, false);
}

#[test]
fn the_one_instance_is_returned_to_whatever_session_it_is_in_and_handed_documents() {
    // Started for resource 8, but the application 7 runs in it.
    let elsewhere = OwnSession { open: vec![id(8), id(7)], ..session(50, 8, true) };
    let one = |inputs: &mut Inputs<'_>| inputs.one_instance = true;
    check_return(decide(std::slice::from_ref(&elsewhere), &[host(1)], one), 50, false);
    let document = |inputs: &mut Inputs<'_>| {
        inputs.one_instance = true;
        inputs.resource = id(9);
    };
    check_return(decide(&[elsewhere], &[host(1)], document), 50, true);
}

#[test]
fn a_session_that_was_started_beforehand_is_used_first() {
    let waiting =
        |resource| OwnSession { open: Vec::new(), prelaunched: true, ..session(60, resource, false) };
    let shared = session(50, 8, true);
    let hosts = [host(1), host(2)];
    check_return(decide(&[shared.clone(), waiting(7)], &hosts, sharing), 60, true);
    check_return(decide(&[shared, waiting(3)], &hosts, sharing), 60, true);
    assert!(matches!(decide(&[waiting(3)], &[host(2)], as_set), Plan::Start { .. }));
    let desktop = |inputs: &mut Inputs<'_>| inputs.application = None;
    assert!(matches!(decide(&[waiting(3)], &hosts, desktop), Plan::Start { .. }));
    let waiting_desktop = OwnSession { desktop: true, ..waiting(7) };
    check_return(decide(&[waiting_desktop], &hosts, desktop), 60, false);
}

#[test]
fn where_addresses_count_only_the_same_device_returns() {
    let balancing = EffectiveBalancing { match_client_address: true, ..Default::default() };
    let address = |text: &str| Some(text.parse().expect("an address"));
    let own = OwnSession { client_address: address("10.0.0.1"), ..session(50, 7, false) };
    let from = |text: &str, one_instance: bool| {
        let inputs = Inputs {
            resource: id(7),
            application: Some(id(7)),
            share_session: true,
            one_instance,
            another: false,
            sessions: std::slice::from_ref(&own),
            hosts: &[host(1)],
            named_hosts: false,
            place: "",
            balancing: &balancing,
            client_address: address(text),
            limits: &[],
            turn: 0,
            now: NOW,
        };
        (plan(&inputs), look(&inputs)[0].fit)
    };
    check_return(from("10.0.0.1", false).0, 50, false);
    let (plan, fit) = from("10.0.0.2", false);
    assert!(matches!(plan, Plan::Start { .. }));
    assert_eq!(fit, Fit::OtherDevice);
    check_return(from("10.0.0.2", true).0, 50, false);
}

#[test]
fn a_host_that_is_not_balanced_takes_what_names_it_only() {
    let hosts = [HostSnapshot { balanced: false, ..host(1) }];
    assert!(matches!(decide(&[], &hosts, as_set), Plan::Refuse { .. }));
    let named = |inputs: &mut Inputs<'_>| inputs.named_hosts = true;
    assert!(matches!(decide(&[], &hosts, named), Plan::Start { .. }));
}

#[test]
fn without_a_host_the_refusal_says_why() {
    let draining = HostSnapshot { logon_mode: LogonMode::Drain, ..host(1) };
    let Plan::Refuse { refusal, .. } = decide(&[], &[draining], as_set) else {
        panic!("a refusal was expected");
    };
    assert_eq!(refusal.to_string(), "The only host of pool Office is draining.");
}

/// A launch of resource 7 with a limit of two.
fn at_limit(
    uses: u32,
    at_limit: AtLimit,
    messages: (&str, &str),
    own: &[OwnSession],
) -> (Plan, Vec<OverLimit>) {
    let limit = UseLimit { uses: 2, at_limit, message: messages.0.into() };
    let limits = [Limit { resource: id(7), name: "Writer", limit: &limit, uses, site_message: messages.1 }];
    let inputs = Inputs {
        resource: id(7),
        application: Some(id(7)),
        share_session: true,
        one_instance: false,
        another: false,
        sessions: own,
        hosts: &[host(1)],
        named_hosts: false,
        place: "",
        balancing: &EffectiveBalancing::default(),
        client_address: None,
        limits: &limits,
        turn: 0,
        now: NOW,
    };
    (plan(&inputs), over_limits(&inputs))
}

#[test]
fn the_third_user_of_two_is_told_whom_to_ask() {
    let message = |messages| match at_limit(2, AtLimit::Refuse, messages, &[]).0 {
        Plan::LimitReached { over } => over.message,
        other => panic!("{other:?}"),
    };
    assert_eq!(message(("Ask Ann.", "Ask Bob.")), "Ask Ann.");
    assert_eq!(message(("", "Ask Bob.")), "Ask Bob.");
    assert_eq!(
        message(("", "")),
        "Writer is in use by 2 people, which is as many as may at a time. Please try again later, or ask \
         your administrator."
    );
    assert!(matches!(at_limit(1, AtLimit::Refuse, ("", ""), &[]).0, Plan::Start { .. }));
}

#[test]
fn who_has_it_open_returns_at_the_limit_and_who_shares_a_session_does_not() {
    let (plan, over) = at_limit(2, AtLimit::Refuse, ("", ""), &[session(50, 7, false)]);
    check_return(plan, 50, false);
    assert_eq!(over, []);
    let (plan, _) = at_limit(2, AtLimit::Refuse, ("", ""), &[session(50, 8, true)]);
    assert!(matches!(plan, Plan::LimitReached { .. }));
}

#[test]
fn a_limit_that_is_only_noted_opens_and_says_so() {
    let (plan, over) = at_limit(5, AtLimit::Note, ("", ""), &[]);
    assert!(matches!(plan, Plan::Start { .. }));
    assert_eq!((over[0].uses, over[0].limit, over[0].at_limit), (5, 2, AtLimit::Note));
}

fn published(resources: &[(u128, Target, Status)]) -> Catalogue {
    let objects = resources.iter().map(|(number, target, status)| {
        Arc::new(Object {
            id: id(*number),
            name: format!("r{number}"),
            site: None,
            spec: Resource { status: status.clone(), ..Resource::new(target.clone()) },
            revision: 1,
            changed_at: NOW,
            changed_by: "test".into(),
        })
    });
    Catalogue::new(objects)
}

fn writer() -> Application {
    Application {
        source: Source::Hosts { hosts: vec![id(1)] },
        arguments: "--user %USER%".into(),
        share_session: true,
        one_instance: true,
        ..Application::new("writer")
    }
}

fn value(variable: Variable) -> String {
    match variable {
        Variable::User => "alice b".to_owned(),
        _ => "x/y".to_owned(),
    }
}

#[test]
fn documents_pages_and_folders_open_in_their_application_where_that_runs() {
    let check = |target: Target, expected: &str| {
        let all =
            published(&[(1, Target::Application(writer()), Status::Enabled), (2, target, Status::Enabled)]);
        let Ok(Opening::InSession(opening)) = opening(all.get(id(2)).expect("there"), &all) else {
            panic!("it opens in a session");
        };
        assert_eq!(opening.application(), Some(id(1)));
        assert!(opening.shares() && opening.has_one_instance() && opening.names_hosts());
        let command = opening.program.command(id(5), &value).expect("known").expect("a program");
        assert_eq!((&*command.program, &*command.arguments), ("writer", "--user 'alice b'"));
        assert_eq!(command.opens, expected);
    };
    check(
        Target::Document { application: id(1), path: "~/Letters of %USER%.odt".into() },
        "~/Letters of alice b.odt",
    );
    check(
        Target::WebApplication { url: "https://x/?q=%USER%".into(), browser: Some(id(1)) },
        "https://x/?q=alice%20b",
    );
    check(
        Target::NetworkFolder {
            source: Source::AllHosts,
            path: "/srv/%CLIENTNAME%".into(),
            application: Some(id(1)),
        },
        "/srv/x_y",
    );
}

#[test]
fn a_folder_without_an_application_opens_in_the_file_manager_of_its_own_hosts() {
    let source = Source::Pools { pools: vec![id(4)] };
    let target =
        Target::NetworkFolder { source: source.clone(), path: "smb://s/a b".into(), application: None };
    let all = published(&[(2, target, Status::Enabled)]);
    let Ok(Opening::InSession(opening)) = opening(all.get(id(2)).expect("there"), &all) else {
        panic!("it opens in a session");
    };
    assert_eq!((opening.source, opening.application()), (&source, None));
    let command = opening.program.command(id(5), &value).expect("known").expect("a program");
    assert_eq!((&*command.program, &*command.arguments), ("", ""));
    assert_eq!(command.opens, "smb://s/a b");
}

#[test]
fn what_opens_on_the_device_needs_no_host() {
    let url = "https://intra/%USER%".to_owned();
    let all = published(&[(2, Target::WebApplication { url, browser: None }, Status::Enabled)]);
    match opening(all.get(id(2)).expect("there"), &all) {
        Ok(Opening::OnDevice(page)) => {
            assert_eq!(page.url(&value), Ok(Some("https://intra/alice%20b".to_owned())));
            assert_eq!(page.command(&value), Ok(None));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_document_does_not_open_while_its_application_does_not() {
    let check = |application: Option<(Target, Status)>, expected: Unopenable| {
        let document = Target::Document { application: id(1), path: "/x".into() };
        let mut resources = vec![(2, document, Status::Enabled)];
        resources.extend(application.map(|(target, status)| (1, target, status)));
        let all = published(&resources);
        assert_eq!(opening(all.get(id(2)).expect("there"), &all), Err(expected));
    };
    let application = || Target::Application(writer());
    check(None, Unopenable::NoApplication);
    check(Some((Target::Folder, Status::Enabled)), Unopenable::NoApplication);
    check(Some((application(), Status::Disabled)), Unopenable::NoApplication);
    let message = "Back at noon".to_owned();
    let upkeep = Status::Maintenance { message: message.clone() };
    check(Some((application(), upkeep)), Unopenable::Maintenance { message });
    let all = published(&[(2, Target::Folder, Status::Enabled)]);
    assert_eq!(opening(all.get(id(2)).expect("there"), &all), Err(Unopenable::Folder));
}

fn sessions() -> impl Strategy<Value = Vec<OwnSession>> {
    let one = (
        (0u128..4, 6u128..9, proptest::collection::vec(6u128..9, 0..3)),
        any::<[bool; 4]>(),
        proptest::option::of(0u8..3),
    );
    let one = one.prop_map(|((host, resource, open), [shared, desktop, prelaunched, active], address)| {
        let state = if active { SessionState::Active } else { SessionState::Disconnected };
        let open = if prelaunched { Vec::new() } else { open.into_iter().map(id).collect() };
        OwnSession {
            host: id(host),
            open,
            desktop,
            prelaunched,
            client_address: address.map(|last| IpAddr::from([10, 0, 0, last])),
            state,
            ..session(0, resource, shared)
        }
    });
    proptest::collection::vec(one, 0..5).prop_map(|mut sessions| {
        for (session, number) in sessions.iter_mut().zip(100..) {
            session.id = id(number);
        }
        sessions
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn a_launch_never_breaks_its_promises(
        sessions in sessions(),
        [share_session, one_instance, another, match_client_address, is_desktop] in any::<[bool; 5]>(),
        modes in proptest::collection::vec(0u8..4, 3),
        from in 0u8..3,
        uses in 0u32..4,
    ) {
        let hosts: Vec<_> = modes
            .iter()
            .zip(1u128..)
            .map(|(mode, number)| {
                let logon_mode = match mode {
                    0 => LogonMode::Disabled,
                    1 => LogonMode::Drain,
                    _ => LogonMode::Enabled,
                };
                HostSnapshot { logon_mode, ..host(number) }
            })
            .collect();
        let balancing = EffectiveBalancing { match_client_address, ..Default::default() };
        let limit = UseLimit { uses: 2, at_limit: AtLimit::Refuse, message: String::new() };
        let limits = [Limit { resource: id(7), name: "W", limit: &limit, uses, site_message: "" }];
        let client_address = Some(IpAddr::from([10, 0, 0, from]));
        let inputs = Inputs {
            resource: id(7),
            application: (!is_desktop).then(|| id(7)),
            share_session,
            one_instance,
            another,
            sessions: &sessions,
            hosts: &hosts,
            named_hosts: false,
            place: "",
            balancing: &balancing,
            client_address,
            limits: &limits,
            turn: 0,
            now: NOW,
        };
        let has_it_open = |own: &OwnSession| {
            own.open.contains(&id(7)) || (own.desktop && !own.prelaunched && own.resource == Some(id(7)))
        };
        match plan(&inputs) {
            Plan::Return { session, start_program, .. } => {
                let own = sessions.iter().find(|own| own.id == session).expect("one of the user's");
                let is_open = has_it_open(own);
                let is_its = own.resource == Some(id(7));
                prop_assert!(is_open || is_its || own.prelaunched || (own.shared && share_session));
                prop_assert!(is_open || uses < 2, "a use too many");
                prop_assert!(!(start_program && own.desktop), "no program in a desktop");
                prop_assert!(!(start_program && is_open && one_instance), "a second instance");
                let one = one_instance && !is_desktop && is_open;
                let same_device = !match_client_address || own.client_address == client_address;
                prop_assert!(one || same_device, "another device's session");
                // A session that has it open is not passed over for one that does not.
                if !is_open {
                    let reachable = |own: &&OwnSession| {
                        !match_client_address || own.client_address == client_address
                    };
                    prop_assert!(!sessions.iter().filter(reachable).any(has_it_open));
                }
                let host = hosts.iter().find(|host| host.id == own.host);
                prop_assert!(host.is_none_or(|host| placement::reconnect_obstacle(host, NOW).is_none()));
            }
            Plan::Start { ranking } => {
                prop_assert!(uses < 2 || sessions.iter().any(has_it_open));
                prop_assert!(!ranking.candidates.is_empty());
            }
            Plan::LimitReached { .. } => prop_assert!(uses >= 2),
            Plan::OwnSessionEnding { session, .. } => {
                let own = sessions.iter().find(|own| own.id == session).expect("one of the user's");
                prop_assert_eq!(own.state, SessionState::Ending);
            }
            Plan::Refuse { ranking, .. } => prop_assert!(ranking.candidates.is_empty()),
            Plan::OwnSessionOutOfReach { session, .. } => {
                let own = sessions.iter().find(|own| own.id == session).expect("one of the user's");
                prop_assert!(has_it_open(own));
            }
        }
    }
}

#[test]
fn a_session_that_ends_is_waited_for_and_never_returned_to() {
    let ending =
        |resource, shared| OwnSession { state: SessionState::Ending, ..session(50, resource, shared) };
    let plan = decide(&[ending(7, false)], &[host(1), host(2)], as_set);
    assert!(matches!(plan, Plan::OwnSessionEnding { session, .. } if session == id(50)));
    // Another one that runs is there to return to.
    check_return(decide(&[ending(7, false), session(51, 7, false)], &[host(1)], as_set), 51, false);
    // Nothing opens in it, and another resource need not wait for it.
    assert!(matches!(decide(&[ending(8, true)], &[host(1)], sharing), Plan::Start { .. }));
    // A host that has gone silent would be waited for in vain.
    let silent = HostSnapshot { last_report: None, ..host(1) };
    assert!(matches!(decide(&[ending(7, false)], &[silent, host(2)], as_set), Plan::Start { .. }));
}
