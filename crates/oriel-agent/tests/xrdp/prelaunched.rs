//! Sessions that start before anybody comes.

use oriel_agent::host::{ResourceRef, SeatRequest, SessionHost, SessionId, Start};
use oriel_model::session::{EndReason, SessionState};

use crate::rig::{Rig, program};

const WINDOW_MANAGER: &str = "openbox --sm-disable --config-file /run/xrdp/oriel/openbox/application.xml";

async fn beforehand(rig: &Rig, start: Option<Start>) -> SessionId {
    let resource = ResourceRef { id: "expected".into(), name: String::new() };
    let seat = rig.seat("alice", Start::Desktop);
    let seat = SeatRequest { resource, start, is_prelaunch: true, size: (0, 0), ..seat };
    let prepared = rig.host().prepare(&seat).await.unwrap();
    assert!(prepared.one_time_logon.is_empty(), "nobody else can use its logon");
    rig.until("it is up", || rig.state(seat.session) == Some(SessionState::Disconnected)).await;
    let known = rig.session(seat.session).unwrap();
    assert!(known.is_prelaunched && known.disconnected.is_none(), "{known:?}");
    // Its own program runs, and has found the display.
    rig.pid_of(seat.session, WINDOW_MANAGER).await;
    seat.session
}

pub async fn a_session_waits_for_its_user(rig: &mut Rig) {
    let session = beforehand(rig, None).await;
    assert_eq!(rig.open_resources(session), Vec::<String>::new());
    rig.restart_agent().await;
    assert!(rig.session(session).unwrap().is_prelaunched, "a restarted agent knows it");

    // The first launch takes it over, at its client's size, whatever it was started for.
    let shows = program("xterm", "-T taken -e 'while xdpyinfo > ~/display; do sleep 0.2; done'");
    let client = rig.open_in(session, "alice", "opened", shows).await;
    rig.until("its program is open", || rig.open_resources(session) == ["opened"]).await;
    rig.until("at the client's size", || {
        rig.home_file("alice", "display").contains("dimensions:    800x600 pixels")
    })
    .await;
    let known = rig.session(session).unwrap();
    assert!(!known.is_prelaunched);
    assert_eq!((known.state, known.resource.id.as_str()), (SessionState::Active, "opened"));
    rig.screenshot("prelaunched");
    drop(client);
    rig.until("it is a session like any other", || {
        rig.session(session).is_some_and(|known| known.disconnected.is_some())
    })
    .await;
    // Also for a client that shows fewer colours than the first.
    let seat = rig.return_seat(session, "alice", "opened");
    let prepared = rig.host().prepare(&seat).await.unwrap();
    let _client = rig.client(&prepared.logon_name, &prepared.one_time_logon, &["/bpp:16"]);
    rig.until("it is found again", || rig.state(session) == Some(SessionState::Active)).await;
    rig.end(session).await;

    // One whose program runs already.
    let session = beforehand(rig, Some(program("xterm", "-e sleep 1013"))).await;
    rig.until("its program is open", || rig.open_resources(session) == ["expected"]).await;
    let pid = rig.pid_of(session, "sleep 1013").await;
    let _client = rig.come_back(&rig.return_seat(session, "alice", "expected")).await;
    assert_eq!(rig.pid_of(session, "sleep 1013").await, pid);
    rig.end(session).await;
}

pub async fn one_that_nobody_wants_is_dropped(rig: &Rig) {
    let session = beforehand(rig, None).await;
    rig.host().log_off(session, "the test").await.unwrap();
    rig.until("gone", || rig.state(session).is_none()).await;
    assert_eq!(rig.last_end(session), Some(EndReason::LoggedOffByRequest));
}
