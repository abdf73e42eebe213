//! The windows of programs: their form, whose they are, and which is in front.

use std::fs;

use oriel_agent::host::{Program, RefusalKind, ResourceRef, SeatRequest, SessionHost, Start};
use oriel_model::{
    resource::Window,
    session::{EndReason, SessionState},
};

use crate::rig::{Rig, program};

fn in_form(arguments: &str, window: Window) -> Start {
    let (program, arguments) = ("xterm".into(), arguments.into());
    Start::Program(Program { program, arguments, window, ..Program::default() })
}

/// What a window of this title says of itself.
fn state_of(title: &str) -> [&str; 5] {
    ["xprop", "-name", title, "_NET_WM_STATE", "WM_STATE"]
}

/// Each program of a session has its own form.
pub async fn programs_open_in_the_form_that_is_wanted(rig: &Rig) {
    let seat = rig.seat("alice", in_form("-T large -e sleep 1020", Window::Maximised));
    let resource = ResourceRef { id: "large".into(), name: String::new() };
    let seat = SeatRequest { resource, is_shared: true, ..seat };
    let prepared = rig.host().prepare(&seat).await.unwrap();
    let mut client = rig.client(&prepared.logon_name, &prepared.one_time_logon, &["/size:800x600"]);
    rig.until("its program shows", || rig.programs(seat.session) == ["XTerm"]).await;
    let maximised = ["_NET_WM_STATE_MAXIMIZED_VERT", "_NET_WM_STATE_MAXIMIZED_HORZ", "UNDECORATED"];
    rig.until_display_says(seat.session, &state_of("large"), &maximised).await;

    let forms = [
        ("normal", Window::Normal, ["_NET_WM_STATE(ATOM) = \n", "window state: Normal"]),
        ("icon", Window::Minimised, ["_NET_WM_STATE_HIDDEN", "window state: Iconic"]),
        ("full", Window::FullScreen, ["_NET_WM_STATE_FULLSCREEN", "window state: Normal"]),
    ];
    for (title, window, says) in forms {
        let start = in_form(&format!("-T {title} -e sleep 1021"), window);
        client = {
            drop(client);
            rig.until("left", || rig.state(seat.session) == Some(SessionState::Disconnected)).await;
            rig.open_in(seat.session, "alice", title, start).await
        };
        rig.until("it is open", || rig.open_resources(seat.session).contains(&title.to_owned())).await;
        rig.until_display_says(seat.session, &state_of(title), &says).await;
    }
    let frame = ["xprop", "-name", "normal", "_NET_FRAME_EXTENTS"];
    let without = "= 0, 0, 0, 0";
    assert!(!rig.ask_display(seat.session, &frame).await.contains(without), "a normal window has a frame");
    let frame = ["xprop", "-name", "large", "_NET_FRAME_EXTENTS"];
    rig.until_display_says(seat.session, &frame, &[without]).await;
    rig.screenshot("window-forms");
    drop(client);
    rig.end(seat.session).await;
}

/// Two programs in one session: the agent knows which resource each is of, also after a restart, brings the
/// one asked for to the front, and ends the session with the last.
pub async fn two_programs_share_a_session_and_the_last_ends_it(rig: &mut Rig) {
    let resource = ResourceRef { id: "first".into(), name: String::new() };
    let seat = rig.seat("alice", program("xterm", "-T first -e sleep 1011"));
    let seat = SeatRequest { resource, is_shared: true, ..seat };
    let session = seat.session;
    let prepared = rig.host().prepare(&seat).await.unwrap();
    let first_client = rig.client(&prepared.logon_name, &prepared.one_time_logon, &["/size:800x600"]);
    rig.until("the first is open", || rig.open_resources(session) == ["first"]).await;
    let second = program("xterm", "-T second -e sleep 1012");
    let client = rig.open_in(session, "alice", "second", second).await;
    rig.until("both are open", || rig.open_resources(session) == ["first", "second"]).await;
    drop(first_client);

    let (one, two) = (rig.pid_of(session, "sleep 1011").await, rig.pid_of(session, "sleep 1012").await);
    let active = ["xdotool", "getactivewindow", "getwindowname"];
    rig.until_display_says(session, &active, &["second"]).await;
    let wanted = SeatRequest { brings_to_front: true, ..rig.return_seat(session, "alice", "first") };
    let raised = rig.come_back(&wanted).await;
    rig.until_display_says(session, &active, &["first"]).await;
    assert_eq!(rig.pid_of(session, "sleep 1011").await, one, "no other was started");
    drop(client);

    rig.restart_agent().await;
    assert_eq!(rig.open_resources(session), ["first", "second"], "known before the session says it again");
    rig.until("it has said it again", || rig.programs(session) == ["XTerm"]).await;
    rig.host().end_process(session, one).await.unwrap();
    rig.until("the second alone is open", || rig.open_resources(session) == ["second"]).await;
    assert_eq!(rig.state(session), Some(SessionState::Active));
    rig.host().end_process(session, two).await.unwrap();
    rig.until("the last has ended it", || rig.last_end(session) == Some(EndReason::LoggedOff)).await;
    drop(raised);
}

/// A document's window is its application's as well: whoever opens the application gets it in front. What
/// opens next opens there too, although the session is not shared with other programs.
pub async fn an_application_is_found_in_the_window_of_its_document(rig: &Rig) {
    let resource = ResourceRef { id: "letter".into(), name: String::new() };
    let seat = rig.seat("alice", program("xterm", "-T letter -e sleep 1013"));
    let seat = SeatRequest { resource, ..seat };
    let session = seat.session;
    let prepared = rig.host().prepare(&seat).await.unwrap();
    let first = rig.client(&prepared.logon_name, &prepared.one_time_logon, &["/size:800x600"]);
    rig.until("the letter is open", || rig.open_resources(session) == ["letter"]).await;
    let second = program("xterm", "-T report -e sleep 1014");
    let client = rig.open_in(session, "alice", "report", second).await;
    rig.until("both are open", || rig.open_resources(session) == ["letter", "report"]).await;
    drop(first);
    let active = ["xdotool", "getactivewindow", "getwindowname"];
    rig.until_display_says(session, &active, &["report"]).await;

    let letter = rig.pid_of(session, "sleep 1013").await;
    let return_to = |resource: &str, same: &[&str]| SeatRequest {
        brings_to_front: true,
        same_program: same.iter().map(|&id| id.into()).collect(),
        ..rig.return_seat(session, "alice", resource)
    };
    let writer = rig.come_back(&return_to("writer", &["letter"])).await;
    rig.until_display_says(session, &active, &["letter"]).await;
    drop(client);
    // Of several the one that was opened last.
    let again = rig.come_back(&return_to("writer", &["letter", "report"])).await;
    rig.until_display_says(session, &active, &["report"]).await;
    assert_eq!(rig.pid_of(session, "sleep 1013").await, letter, "no other was started");
    assert_eq!(rig.open_resources(session), ["letter", "report"]);
    drop((writer, again));
    rig.end(session).await;
}

pub async fn documents_and_folders_open(rig: &Rig) {
    let opening = |program: &str, arguments: &str, opens: &str| {
        Start::Program(Program {
            program: program.into(),
            arguments: arguments.into(),
            opens: opens.into(),
            ..Program::default()
        })
    };
    let file = rig.path("a document");
    fs::write(&file, "").unwrap();
    let path = file.to_str().unwrap();
    let (session, client) = rig.open("alice", opening("xterm", "-e tail -f", path)).await;
    rig.pid_of(session, &format!("tail -f {path}")).await;
    rig.end(session).await;
    drop(client);
    fs::remove_file(&file).unwrap();
    let gone = rig.seat("alice", opening("xterm", "-e tail -f", path));
    let refusal = rig.host().prepare(&gone).await.unwrap_err();
    assert_eq!(refusal.kind, RefusalKind::NoDocument);
    assert!(refusal.reason.contains(path), "{refusal}");

    let (session, _client) = rig.open("alice", opening("", "", "/usr/share")).await;
    rig.until("the file manager shows", || !rig.programs(session).is_empty()).await;
    let processes = rig.host().processes(session).await.unwrap();
    assert!(processes.iter().any(|process| process.command_line.ends_with(" /usr/share")), "{processes:?}");
    rig.screenshot("folder");
    rig.end(session).await;
}
