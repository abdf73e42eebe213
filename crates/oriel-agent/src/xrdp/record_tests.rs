use super::*;
use crate::host::Program;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("in range")
}

fn connection(n: i64) -> ConnectionId {
    format!("00000000-0000-7000-8000-{n:012}").parse().expect("a UUID")
}

const LIMITS: SessionLimits = SessionLimits {
    linger_disconnect: Some(Duration::from_secs(25)),
    linger_logoff: Some(Duration::ZERO),
    idle_disconnect: None,
    disconnected_logoff: None,
    readiness: Duration::from_secs(60),
};
const ALIVE: Seen = Seen { leader_is_alive: true, attached: None, is_other_boot: false };

fn attached(socket: u64) -> Seen {
    Seen { attached: Some(socket), ..ALIVE }
}

/// Reserved at 0, nobody has logged on.
fn reserved() -> Record {
    Record {
        id: SessionId::generate(at(0)),
        logon_name: "alice~1".into(),
        owner: Owner { user_id: "00000000-0000-7000-8000-000000000009".into(), proof: vec![7; 32] },
        user_name: "alice".into(),
        account: AccountRecord {
            name: "alice".into(),
            uid: 1001,
            gid: 1001,
            home: "/home/alice".into(),
            shell: "/bin/sh".into(),
            groups: vec![],
        },
        start: Start::Program(Program::default()),
        resource: ResourceRef::default(),
        is_shared: false,
        client: ClientFacts::default(),
        reserved_at: at(0),
        prepared_for: connection(1),
        logon: None,
        seat_until: at(60),
        logged_on_at: None,
        display: None,
        leader: None,
        is_orphan: false,
        connection: None,
        attached: None,
        arriving: None,
        latest_logon: None,
        disconnected_since: None,
        empty_since: None,
        ending: None,
        leaving: None,
        on_return: None,
        is_prelaunched: false,
        last_input: at(0),
        boot_id: "boot".into(),
        programs: vec![],
        open: vec![],
    }
}

/// Attached since second 2 by connection 1, over socket 11.
fn active() -> Record {
    let mut record = reserved();
    record.logged_on_at = Some(at(1));
    record.leader = Some(ProcessId { pid: 1, start_ticks: 1 });
    record.arriving = Some((connection(1), at(1)));
    record.step(attached(11), LIMITS, at(2));
    assert_eq!(record.connection, Some(connection(1)));
    record
}

fn reasons(step: &Step) -> Vec<EndReason> {
    step.ended.iter().map(|ended| ended.reason).collect()
}

#[test]
fn a_seat_nobody_takes_is_given_back() {
    let mut record = reserved();
    assert_eq!(record.step(Seen::default(), LIMITS, at(59)), Step::default());
    let step = record.step(Seen::default(), LIMITS, at(60));
    assert!(step.is_over);
    assert_eq!(reasons(&step), [EndReason::NotReady]);
}

#[test]
fn a_session_that_does_not_start_or_is_never_reached_is_not_ready() {
    let mut record = reserved();
    record.logged_on_at = Some(at(10));
    assert!(!record.step(Seen::default(), LIMITS, at(69)).is_over);
    assert_eq!(reasons(&record.step(Seen::default(), LIMITS, at(70))), [EndReason::NotReady]);

    let mut record = reserved();
    record.logged_on_at = Some(at(10));
    record.leader = Some(ProcessId { pid: 1, start_ticks: 1 });
    assert_eq!(record.step(ALIVE, LIMITS, at(70)).action, Some(Action::LogOff));
    let step = record.step(Seen::default(), LIMITS, at(71));
    assert_eq!((step.is_over, reasons(&step)), (true, vec![EndReason::NotReady]));
}

#[test]
fn a_client_that_leaves_is_disconnected_and_comes_back() {
    let mut record = active();
    let step = record.step(ALIVE, LIMITS, at(100));
    assert_eq!(reasons(&step), [EndReason::Disconnected]);
    assert_eq!(step.ended[0].connection, Some(connection(1)));
    assert_eq!(record.snapshot(at(100)).state, SessionState::Disconnected);
    record.arriving = Some((connection(2), at(200)));
    let step = record.step(attached(12), LIMITS, at(201));
    assert!(step.ended.is_empty());
    assert_eq!(record.connection, Some(connection(2)));
    assert_eq!(record.snapshot(at(201)).state, SessionState::Active);
}

#[test]
fn a_second_client_takes_over_whether_or_not_there_is_a_gap() {
    for has_gap in [false, true] {
        let mut record = active();
        record.arriving = Some((connection(2), at(100)));
        let mut ended = vec![];
        if has_gap {
            ended.extend(record.step(ALIVE, LIMITS, at(101)).ended);
        }
        ended.extend(record.step(attached(12), LIMITS, at(102)).ended);
        let ended: Vec<_> = ended.iter().map(|e| (e.reason, e.connection)).collect();
        assert_eq!(ended, [(EndReason::TakenOver, Some(connection(1)))], "gap: {has_gap}");
        assert_eq!(record.connection, Some(connection(2)));
    }
}

#[test]
fn the_reason_asked_for_is_the_reason_told() {
    let mut record = active();
    record.leaving = Some((EndReason::DisconnectedByRequest, "asked for by eve".into()));
    let step = record.step(ALIVE, LIMITS, at(100));
    assert_eq!(
        (step.ended[0].reason, step.ended[0].detail.as_str()),
        (EndReason::DisconnectedByRequest, "asked for by eve")
    );

    let mut record = active();
    record.ending =
        Some(Ending { reason: EndReason::Reset, detail: "asked for by eve".into(), since: at(100) });
    let step = record.step(Seen::default(), LIMITS, at(101));
    assert!(step.is_over);
    assert_eq!((step.ended[0].reason, step.ended[0].connection), (EndReason::Reset, Some(connection(1))));
}

#[test]
fn an_ending_that_drags_on_is_a_kill() {
    let mut record = active();
    record.ending = Some(Ending { reason: EndReason::LoggedOff, detail: String::new(), since: at(100) });
    assert_eq!(record.snapshot(at(101)).state, SessionState::Ending);
    assert_eq!(record.step(attached(11), LIMITS, at(114)).action, None);
    assert_eq!(record.step(attached(11), LIMITS, at(115)).action, Some(Action::Kill));
}

#[test]
fn an_unexpected_end_is_the_hosts_failure() {
    let mut record = active();
    assert_eq!(reasons(&record.step(Seen::default(), LIMITS, at(100))), [EndReason::HostFailed]);
    let mut record = active();
    let step = record.step(Seen { is_other_boot: true, ..ALIVE }, LIMITS, at(100));
    assert_eq!(step.ended[0].detail, "the host was restarted");
}

#[test]
fn an_empty_session_lingers_and_ends() {
    let mut record = active();
    record.empty_since = Some(at(100));
    assert_eq!(record.step(attached(11), LIMITS, at(124)).action, None);
    assert_eq!(record.step(attached(11), LIMITS, at(125)).action, Some(Action::LogOff));
    assert_eq!(record.ending.expect("ends").reason, EndReason::LoggedOff);

    // Left empty and disconnected: nothing to wait for.
    let mut record = active();
    record.step(ALIVE, LIMITS, at(100));
    record.empty_since = Some(at(101));
    assert_eq!(record.step(ALIVE, LIMITS, at(101)).action, Some(Action::LogOff));
}

#[test]
fn with_a_second_linger_time_an_empty_session_is_disconnected_first() {
    let limits = SessionLimits { linger_logoff: Some(Duration::from_secs(600)), ..LIMITS };
    let mut record = active();
    record.empty_since = Some(at(100));
    assert_eq!(record.step(attached(11), limits, at(125)).action, Some(Action::Disconnect));
    assert_eq!(record.step(attached(11), limits, at(126)).action, None, "asked once");
    assert_eq!(reasons(&record.step(ALIVE, limits, at(127))), [EndReason::Disconnected]);
    assert_eq!(record.step(ALIVE, limits, at(726)).action, None);
    assert_eq!(record.step(ALIVE, limits, at(727)).action, Some(Action::LogOff));
}

#[test]
fn an_empty_session_that_is_never_to_end_stays() {
    let limits = SessionLimits { linger_disconnect: None, ..LIMITS };
    let mut record = active();
    record.empty_since = Some(at(100));
    assert_eq!(record.step(attached(11), limits, at(9_000_000)).action, None);

    let limits = SessionLimits { linger_logoff: None, ..LIMITS };
    let mut record = active();
    record.empty_since = Some(at(100));
    assert_eq!(record.step(attached(11), limits, at(125)).action, Some(Action::Disconnect));
    assert_eq!(reasons(&record.step(ALIVE, limits, at(127))), [EndReason::Disconnected]);
    assert_eq!(record.step(ALIVE, limits, at(9_000_000)).action, None);
}

#[test]
fn idle_and_forgotten_sessions_go_by_their_limits() {
    let limits = SessionLimits {
        idle_disconnect: Some(Duration::from_secs(300)),
        disconnected_logoff: Some(Duration::from_secs(600)),
        ..LIMITS
    };
    let mut record = active();
    record.last_input = at(50);
    assert_eq!(record.step(attached(11), limits, at(349)).action, None);
    assert_eq!(record.step(attached(11), limits, at(350)).action, Some(Action::Disconnect));
    assert_eq!(reasons(&record.step(ALIVE, limits, at(351))), [EndReason::Idle]);
    assert_eq!(record.step(ALIVE, limits, at(950)).action, None);
    assert_eq!(record.step(ALIVE, limits, at(951)).action, Some(Action::LogOff));
    assert_eq!(record.ending.expect("ends").reason, EndReason::DisconnectedTooLong);
}

#[test]
fn the_owner_is_kept_and_reported_and_a_record_without_one_is_nobodys() {
    let record = active();
    let mut kept = serde_json::to_value(&record).expect("plain JSON");
    let again: Record = serde_json::from_value(kept.clone()).expect("readable");
    assert_eq!(again.owner, record.owner);
    assert_eq!(again.snapshot(at(3)).owner, record.owner);
    assert_eq!(again.ended(None, EndReason::Idle, String::new(), at(3)).owner, record.owner);
    kept.as_object_mut().expect("an object").remove("owner");
    let old: Record = serde_json::from_value(kept).expect("readable");
    assert_eq!(old.owner, Owner::default());
}

#[test]
fn a_connection_that_an_ending_cuts_ends_for_its_reason() {
    let mut record = reserved();
    record.logged_on_at = Some(at(1));
    record.arriving = Some((connection(1), at(1)));
    record.step(attached(7), LIMITS, at(2));
    let detail = "the program has ended".to_owned();
    record.ending = Some(Ending { reason: EndReason::LoggedOff, detail, since: at(90) });
    let step = record.step(ALIVE, LIMITS, at(90));
    let ended = step.ended.first().expect("the connection ended");
    assert_eq!((ended.connection, ended.reason), (Some(connection(1)), EndReason::LoggedOff));
}

/// Started at 1 with nobody there.
fn prelaunched(start: Start) -> Record {
    let mut record = reserved();
    (record.is_prelaunched, record.start) = (true, start);
    record.logged_on_at = Some(at(1));
    record.leader = Some(ProcessId { pid: 1, start_ticks: 1 });
    record
}

#[test]
fn a_session_started_beforehand_waits_for_its_user_and_then_is_like_any_other() {
    let mut record = prelaunched(Start::Nothing);
    record.empty_since = Some(at(2));
    assert_eq!(
        record.step(ALIVE, LIMITS, at(600)),
        Step::default(),
        "neither readiness nor emptiness ends it"
    );
    let waiting = record.snapshot(at(600));
    assert_eq!((waiting.state, waiting.is_prelaunched), (SessionState::Disconnected, true));
    assert_eq!(waiting.disconnected, None, "nobody has left it");

    record.arriving = Some((connection(2), at(700)));
    record.step(attached(11), LIMITS, at(701));
    let taken = record.snapshot(at(701));
    assert_eq!((taken.state, taken.is_prelaunched), (SessionState::Active, false));
    assert_eq!(record.connection, Some(connection(2)));
    assert_eq!(record.step(attached(11), LIMITS, at(725)).action, None, "its program has as long to come");
    assert_eq!(record.step(attached(11), LIMITS, at(726)).action, Some(Action::LogOff));
}

#[test]
fn a_session_started_beforehand_ends_when_nobody_comes_or_its_program_has_ended() {
    let mut record = prelaunched(Start::Nothing);
    assert_eq!(record.step(ALIVE, LIMITS, at(3600)).action, None);
    assert_eq!(record.step(ALIVE, LIMITS, at(3601)).action, Some(Action::LogOff));
    assert_eq!(reasons(&record.step(Seen::default(), LIMITS, at(3602))), [EndReason::NotReady]);

    let mut record = prelaunched(Start::Program(Program::default()));
    record.empty_since = Some(at(100));
    assert_eq!(record.step(ALIVE, LIMITS, at(124)).action, None);
    assert_eq!(record.step(ALIVE, LIMITS, at(125)).action, Some(Action::LogOff));

    // One that never came up ends nobody's connection.
    let mut record = reserved();
    record.is_prelaunched = true;
    assert_eq!(record.step(Seen::default(), LIMITS, at(60)).ended[0].connection, None);
}

#[test]
fn reports_say_how_long_nobody_has_been_there() {
    let mut record = active();
    assert_eq!(record.snapshot(at(50)).disconnected, None);
    record.step(ALIVE, LIMITS, at(100));
    assert_eq!(record.snapshot(at(130)).disconnected, Some(Duration::from_secs(30)));
    record.step(attached(12), LIMITS, at(140));
    assert_eq!(record.snapshot(at(150)).disconnected, None);
}

/// The connection of the latest logon, and how long that took, as brokers are told.
fn logon(record: &Record) -> Option<(ConnectionId, Option<Duration>)> {
    record.snapshot(at(0)).logon
}

#[test]
fn a_logon_takes_until_the_session_s_own_program_runs_and_a_return_until_the_client_is_there() {
    let mut record = reserved();
    assert_eq!(logon(&record), None);
    record.latest_logon = Some(LatestLogon { connection: connection(1), accepted_at: at(1), took: None });
    (record.logged_on_at, record.arriving) = (Some(at(1)), Some((connection(1), at(1))));
    record.leader = Some(ProcessId { pid: 1, start_ticks: 1 });
    assert_eq!(logon(&record), Some((connection(1), None)));
    record.logon_is_through(at(3));
    record.step(attached(11), LIMITS, at(4));
    record.logon_is_through(at(50));
    assert_eq!(logon(&record), Some((connection(1), Some(Duration::from_secs(2)))));

    record.step(ALIVE, LIMITS, at(100));
    assert_eq!(logon(&record), Some((connection(1), Some(Duration::from_secs(2)))), "kept while it is left");
    record.latest_logon = Some(LatestLogon { connection: connection(2), accepted_at: at(200), took: None });
    record.arriving = Some((connection(2), at(200)));
    record.step(attached(12), LIMITS, at(203));
    assert_eq!(logon(&record), Some((connection(2), Some(Duration::from_secs(3)))));
}

#[test]
fn a_clock_that_is_set_back_makes_a_logon_short_and_not_endless() {
    let mut record = reserved();
    record.latest_logon = Some(LatestLogon { connection: connection(1), accepted_at: at(500), took: None });
    record.logon_is_through(at(3));
    assert_eq!(logon(&record), Some((connection(1), Some(Duration::ZERO))));
}
