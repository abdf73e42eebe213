//! The adapter against the real xrdp of this machine, with FreeRDP as the client. Needs root and the
//! packages xrdp, xorgxrdp, openbox, libnss-extrausers, fuse3, freerdp2-x11, xvfb, xterm, x11-utils, xdotool,
//! pcmanfm, samba, gvfs-backends and gvfs-fuse.
//! Nothing is skipped: what is missing fails.

#![allow(clippy::unwrap_used)]

mod devices;
mod gateway;
mod killed;
mod prelaunched;
mod priorities;
mod rig;
mod shares;
mod units;
mod windows;

use std::time::Duration;

use oriel_agent::{
    host::{PowerAction, RefusalKind, SeatRequest, SessionHost, SessionLimits, Start},
    logon::LOGON_VALID,
};
use oriel_model::session::{EndReason, SessionState};
use rig::{Rig, program};

/// One rig for all: starting xrdp takes seconds, and the tests need not be apart.
#[tokio::test(flavor = "multi_thread")]
async fn sessions_on_a_real_xrdp() {
    killed::serve().await;
    let has_units = units::are_here();
    let mut rig = Rig::start().await;
    if has_units {
        units::are_used(&rig);
    }
    macro_rules! run {
        ($($test:path),+ $(,)?) => {$(
            rig::say(stringify!($test));
            $test(&mut rig).await;
        )+};
    }
    run!(
        a_secret_opens_one_session_once,
        a_user_has_two_sessions_and_comes_back_to_each,
        a_client_cannot_choose_the_program,
        a_second_client_takes_over,
        ends_are_told_apart,
        programs_that_hand_over_or_fail,
        processes_are_listed_and_ended,
        limits_are_kept,
        a_desktop_runs,
        a_session_follows_the_clients_window,
        power_is_switched_by_the_node_files_commands,
        devices::drives_and_printers_are_told_apart,
        devices::files_pass_the_allowed_way_only,
        windows::programs_open_in_the_form_that_is_wanted,
        windows::two_programs_share_a_session_and_the_last_ends_it,
        windows::an_application_is_found_in_the_window_of_its_document,
        windows::documents_and_folders_open,
        shares::a_share_opens_and_its_files_are_read_and_written,
        prelaunched::a_session_waits_for_its_user,
        prelaunched::one_that_nobody_wants_is_dropped,
        priorities::busy_loops_are_lowered_and_restored,
        a_restarted_agent_finds_its_sessions_again,
        a_killed_agent_loses_neither_sessions_nor_logons,
        a_restarted_sesman_loses_no_session,
        a_late_secret_is_refused,
    );
    if has_units {
        run!(units::lose_no_session, units::are_left_alone_by_another_agent);
        units::are_given_back(rig).await;
    } else {
        rig.stop().await;
    }
}

async fn a_secret_opens_one_session_once(rig: &Rig) {
    let seat = rig.seat("alice", program("xterm", "-T one"));
    let prepared = rig.host().prepare(&seat).await.unwrap();
    assert_eq!(rig.state(seat.session), Some(SessionState::Prepared));
    let refused = rig.host().snapshot().refused_logons;

    // Another name burns nothing of ours here: it is not the secret of any session.
    let wrong = rig.client(&prepared.logon_name, "not-the-secret", &[]);
    rig.until("the wrong secret is refused", || rig.host().snapshot().refused_logons > refused).await;
    drop(wrong);

    let client = rig.client(&prepared.logon_name, &prepared.one_time_logon, &[]);
    rig.until("the session is active", || rig.state(seat.session) == Some(SessionState::Active)).await;
    rig.until("the program shows", || rig.programs(seat.session) == ["XTerm"]).await;
    rig.screenshot("one-program");

    let refused = rig.host().snapshot().refused_logons;
    let replay = rig.client(&prepared.logon_name, &prepared.one_time_logon, &[]);
    rig.until("the replay is refused", || rig.host().snapshot().refused_logons > refused).await;
    assert_eq!(rig.state(seat.session), Some(SessionState::Active), "the session goes on");
    drop(replay);

    // The client leaves; the session stays.
    drop(client);
    rig.until("disconnected", || rig.state(seat.session) == Some(SessionState::Disconnected)).await;
    assert_eq!(rig.last_end(seat.session), Some(EndReason::Disconnected));
    rig.host().log_off(seat.session, "the test").await.unwrap();
    rig.until("gone", || rig.state(seat.session).is_none()).await;
    assert_eq!(rig.last_end(seat.session), Some(EndReason::LoggedOffByRequest));

    // A secret under another session's name is void for its own.
    let (first, second) = (rig.seat("alice", program("xterm", "")), rig.seat("bob", program("xterm", "")));
    let (a, b) = (rig.host().prepare(&first).await.unwrap(), rig.host().prepare(&second).await.unwrap());
    let _crossed = rig.client(&b.logon_name, &a.one_time_logon, &[]);
    rig.until("alice's seat is closed", || rig.last_end(first.session) == Some(EndReason::LogonRefused))
        .await;
    rig.host().release(second.session).await.unwrap();
    rig.until("bob's seat is given back", || rig.state(second.session).is_none()).await;
    assert_eq!(rig.last_end(second.session), Some(EndReason::NotReady));
}

async fn a_user_has_two_sessions_and_comes_back_to_each(rig: &Rig) {
    let (one, _client_one) = rig.open("alice", program("xterm", "-T one -e sleep 1001")).await;
    let (two, _client_two) = rig.open("alice", program("xterm", "-T two -e sleep 1002")).await;
    let marks = [(one, "1001"), (two, "1002")];
    for (session, mark) in marks {
        let processes = rig.host().processes(session).await.unwrap();
        assert!(processes.iter().any(|p| p.command_line == format!("sleep {mark}")), "{processes:?}");
    }
    drop((_client_one, _client_two));
    for (session, mark) in marks {
        rig.until("disconnected", || rig.state(session) == Some(SessionState::Disconnected)).await;
        let before = rig.pid_of(session, &format!("sleep {mark}")).await;
        let _client = rig.reopen(session, "alice", &["/size:800x600"]).await;
        assert_eq!(rig.pid_of(session, &format!("sleep {mark}")).await, before, "the same process");
        rig.host().reset(session, "the test").await.unwrap();
        rig.until("gone", || rig.state(session).is_none()).await;
        assert_eq!(rig.last_end(session), Some(EndReason::Reset));
    }
}

async fn a_client_cannot_choose_the_program(rig: &Rig) {
    let seat = rig.seat("alice", program("xterm", "-T ours"));
    let prepared = rig.host().prepare(&seat).await.unwrap();
    let mark = rig.path("chosen-by-the-client");
    let shell = format!("/shell:touch {}", mark.display());
    let _client = rig.client(&prepared.logon_name, &prepared.one_time_logon, &[&shell]);
    rig.until("our program shows", || rig.programs(seat.session) == ["XTerm"]).await;
    assert!(!mark.exists(), "the client's program ran");
    rig.end(seat.session).await;
}

async fn a_second_client_takes_over(rig: &Rig) {
    let (session, _first) = rig.open("alice", program("xterm", "")).await;
    let _second = rig.reopen(session, "alice", &[]).await;
    rig.until("taken over", || rig.last_end(session) == Some(EndReason::TakenOver)).await;
    rig.until("active", || rig.state(session) == Some(SessionState::Active)).await;
    rig.end(session).await;
}

async fn ends_are_told_apart(rig: &Rig) {
    // The user closes the program.
    let (session, _client) = rig.open("alice", program("xterm", "-e sleep 2")).await;
    rig.until("the program's end ends it", || rig.state(session).is_none()).await;
    assert_eq!(rig.last_end(session), Some(EndReason::LoggedOff));

    let (session, _client) = rig.open("alice", program("xterm", "")).await;
    rig.host()
        .message(session, "Maintenance", "This host restarts at noon.\nPlease save your work.")
        .await
        .unwrap();
    tokio::time::sleep(Duration::from_millis(700)).await;
    rig.screenshot("message");
    rig.host().disconnect(session, "the test").await.unwrap();
    rig.until("disconnected", || rig.state(session) == Some(SessionState::Disconnected)).await;
    assert_eq!(rig.last_end(session), Some(EndReason::DisconnectedByRequest));
    rig.end(session).await;

    let unknown = rig.seat("alice", program("no-such-program-x1", ""));
    assert_eq!(rig.host().prepare(&unknown).await.unwrap_err().kind, RefusalKind::NoProgram);
}

async fn programs_that_hand_over_or_fail(rig: &Rig) {
    // A launcher that starts another process and leaves.
    let (session, _client) = rig.open("alice", program("sh", "-c 'setsid xterm -T handed & exit 0'")).await;
    rig.until("the other process shows", || rig.programs(session) == ["XTerm"]).await;
    rig.end(session).await;

    let seat = rig.seat("alice", program("sh", "-c 'exit 7'"));
    let prepared = rig.host().prepare(&seat).await.unwrap();
    let _client = rig.client(&prepared.logon_name, &prepared.one_time_logon, &[]);
    rig.until("the failure ends it", || rig.last_end(seat.session) == Some(EndReason::LoggedOff)).await;
    let ended = rig.host().snapshot().ended;
    let end = ended.iter().rev().find(|end| end.session == seat.session).unwrap();
    assert_eq!(end.detail, "sh ended at once with exit code 7");
}

async fn processes_are_listed_and_ended(rig: &Rig) {
    let (session, _client) = rig.open("alice", program("xterm", "-e sleep 1003")).await;
    let other = rig.pid_of(session, "sleep 1003").await;
    let refusal = rig.host().end_process(session, std::process::id()).await.unwrap_err();
    assert_eq!(refusal.kind, RefusalKind::UnknownProcess);
    rig.host().end_process(session, other).await.unwrap();
    rig.until("the program has gone with it", || rig.state(session).is_none()).await;
}

async fn limits_are_kept(rig: &Rig) {
    let limits = rig::LIMITS;
    let (session, _client) = rig.open("alice", program("xterm", "")).await;
    rig.host().set_limits(SessionLimits { idle_disconnect: Some(Duration::from_secs(3)), ..limits });
    rig.until("idle", || rig.last_end(session) == Some(EndReason::Idle)).await;
    rig.host().set_limits(SessionLimits { disconnected_logoff: Some(Duration::from_secs(2)), ..limits });
    rig.until("forgotten", || rig.last_end(session) == Some(EndReason::DisconnectedTooLong)).await;

    // Two linger times: disconnected when empty, then logged off.
    rig.host().set_limits(SessionLimits {
        linger_disconnect: Some(Duration::from_secs(1)),
        linger_logoff: Some(Duration::from_secs(2)),
        ..limits
    });
    let (session, _client) = rig.open("alice", program("xterm", "-e sleep 1")).await;
    rig.until("empty and disconnected", || rig.state(session) == Some(SessionState::Disconnected)).await;
    rig.until("logged off", || rig.last_end(session) == Some(EndReason::LoggedOff)).await;

    // Nobody comes.
    rig.host().set_limits(SessionLimits { readiness: Duration::from_secs(1), ..limits });
    let seat = rig.seat("alice", program("xterm", ""));
    rig.host().prepare(&seat).await.unwrap();
    rig.until("the seat is free again", || rig.last_end(seat.session) == Some(EndReason::NotReady)).await;
    rig.host().set_limits(limits);
}

async fn a_desktop_runs(rig: &Rig) {
    let seat = rig.seat("bob", Start::Desktop);
    let prepared = rig.host().prepare(&seat).await.unwrap();
    let _client = rig.client(&prepared.logon_name, &prepared.one_time_logon, &[]);
    rig.until("active", || rig.state(seat.session) == Some(SessionState::Active)).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    rig.screenshot("desktop");
    assert_eq!(rig.state(seat.session), Some(SessionState::Active), "a desktop without a window stays");
    rig.end(seat.session).await;
}

/// Where the software can; without a new connection.
async fn a_session_follows_the_clients_window(rig: &Rig) {
    if !rig.host().describe().has_dynamic_resize {
        return;
    }
    let seat = rig.seat("alice", program("xterm", "-e 'while xdpyinfo > ~/display; do sleep 0.2; done'"));
    let prepared = rig.host().prepare(&seat).await.unwrap();
    // FreeRDP 3.15 cannot read planar pictures, which come with more colours, after a resize.
    let window = ["/dynamic-resolution", "/bpp:16", "/size:800x600", "/title:followed"];
    let _client = rig.client(&prepared.logon_name, &prepared.one_time_logon, &window);
    let is_large =
        |size: &str| rig.home_file("alice", "display").contains(&format!("dimensions:    {size} pixels"));
    rig.until("the session is as large as the window", || is_large("800x600")).await;
    let ends = rig.host().snapshot().ended.len();
    for (width, height) in [("1000", "700"), ("640", "480")] {
        rig.until("the window is sized", || rig.size_window("followed", width, height)).await;
        rig.until("the session follows", || is_large(&format!("{width}x{height}"))).await;
    }
    assert_eq!(rig.host().snapshot().ended.len(), ends, "the connection is the same");
    rig.end(seat.session).await;
}

async fn power_is_switched_by_the_node_files_commands(rig: &Rig) {
    let mark = rig::reboot_mark();
    assert!(rig.host().can(PowerAction::Reboot) && !mark.exists());
    rig.host().power(PowerAction::Reboot).await.unwrap();
    assert!(mark.exists(), "the command has run");
    std::fs::remove_file(mark).unwrap();
    let refusal = rig.host().power(PowerAction::Stop).await.unwrap_err();
    assert!(refusal.reason.starts_with("this host cannot stop: false: "), "{refusal}");
}

async fn a_restarted_agent_finds_its_sessions_again(rig: &mut Rig) {
    let (session, client) = rig.open("alice", program("xterm", "-e sleep 1004")).await;
    let pid = rig.pid_of(session, "sleep 1004").await;
    rig.restart_agent().await;
    rig.until("the session is known", || rig.state(session) == Some(SessionState::Active)).await;
    rig.until("it says what runs", || rig.programs(session) == ["XTerm"]).await;
    drop(client);
    rig.until("disconnected", || rig.state(session) == Some(SessionState::Disconnected)).await;
    let _client = rig.reopen(session, "alice", &[]).await;
    assert_eq!(rig.pid_of(session, "sleep 1004").await, pid);
    rig.end(session).await;
}

/// Killed between prepare and logon: xrdp asks for a while, and the next agent knows the secret, once.
async fn a_killed_agent_loses_neither_sessions_nor_logons(rig: &mut Rig) {
    let (running, _client) = rig.open("bob", program("xterm", "-e sleep 1008")).await;
    let pid = rig.pid_of(running, "sleep 1008").await;
    let made = rig.prepared_by_a_killed_agent("alice", program("xterm", "-e sleep 1006")).await;
    let logged = rig.xrdp_log().len();
    let client = rig.client(&made.logon_name, &made.secret, &[]);
    rig.until("the client has reached xrdp", || {
        rig.xrdp_log()[logged..].contains("TLS connection established")
    })
    .await;
    rig.start_agent().await;
    rig.until("the session is active", || rig.state(made.session) == Some(SessionState::Active)).await;
    assert_eq!(rig.state(running), Some(SessionState::Active), "what ran goes on");
    assert_eq!(rig.pid_of(running, "sleep 1008").await, pid);
    rig.end(running).await;
    drop(client);
    rig.until("disconnected", || rig.state(made.session) == Some(SessionState::Disconnected)).await;

    rig.restart_agent().await;
    assert_eq!(rig.host().snapshot().refused_logons, 0);
    let _replay = rig.client(&made.logon_name, &made.secret, &[]);
    rig.until("the replay is refused", || rig.host().snapshot().refused_logons == 1).await;
    assert_eq!(rig.state(made.session), Some(SessionState::Disconnected));
    rig.end(made.session).await;
}

/// The seat waits longer than its secret is good for.
async fn a_late_secret_is_refused(rig: &Rig) {
    rig.host().set_limits(SessionLimits { readiness: LOGON_VALID * 10, ..rig::LIMITS });
    let seat = rig.seat("alice", program("xterm", ""));
    let prepared = rig.host().prepare(&seat).await.unwrap();
    let refused = rig.host().snapshot().refused_logons;
    rig.advance_clock(LOGON_VALID);
    assert_eq!(rig.state(seat.session), Some(SessionState::Prepared));
    let _late = rig.client(&prepared.logon_name, &prepared.one_time_logon, &[]);
    rig.until("the late secret is refused", || rig.host().snapshot().refused_logons > refused).await;
    rig.until("its seat is closed", || rig.state(seat.session).is_none()).await;
    let ended = rig.host().snapshot().ended;
    let end = ended.iter().rev().find(|end| end.session == seat.session).unwrap();
    assert_eq!((end.reason, end.detail.as_str()), (EndReason::LogonRefused, "the secret has expired"));
    assert!(rig::is_logged(&["logon refused", "the secret has expired", &prepared.logon_name]));

    // The same for the way back to a session that runs: it goes on.
    let (session, client) = rig.open("alice", program("xterm", "")).await;
    drop(client);
    rig.until("disconnected", || rig.state(session) == Some(SessionState::Disconnected)).await;
    let seat = SeatRequest { session, is_reconnect: true, start: None, ..rig.seat("alice", Start::Desktop) };
    let prepared = rig.host().prepare(&seat).await.unwrap();
    rig.advance_clock(LOGON_VALID);
    let _late = rig.client(&prepared.logon_name, &prepared.one_time_logon, &[]);
    rig.until("it is refused", || rig.last_end(session) == Some(EndReason::LogonRefused)).await;
    assert_eq!(rig.state(session), Some(SessionState::Disconnected), "the session goes on");
    rig.end(session).await;
}

async fn a_restarted_sesman_loses_no_session(rig: &Rig) {
    let (session, client) = rig.open("alice", program("xterm", "-e sleep 1005")).await;
    let pid = rig.pid_of(session, "sleep 1005").await;
    let old = rig.kill_sesman();
    rig.until("there is another sesman", || rig.sesman() != old).await;
    drop(client);
    rig.until("disconnected", || rig.state(session) == Some(SessionState::Disconnected)).await;
    let _client = rig.reopen(session, "alice", &[]).await;
    assert_eq!(rig.pid_of(session, "sleep 1005").await, pid, "the same process");
    let (other, _other_client) = rig.open("bob", program("xterm", "")).await;
    rig.end(other).await;
    rig.end(session).await;
}
