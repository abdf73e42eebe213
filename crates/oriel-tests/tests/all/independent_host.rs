//! The path of a connection with a session host at its end whose RDP is somebody else's: whatever Oriel's
//! gateway says to it is read by a server that was not written for that.

use ironrdp_pdu::Action;
use oriel_model::Timestamp;
use oriel_testkit::{
    farm::{Farm, Host},
    http::PortalClient,
    independent_host::{IndependentConnection, IndependentHost, StartedHost},
    rdp::{ClientOptions, Closed, RdpClient, Refusal},
    wait,
};
use oriel_wire::ticket::{self, TicketKey};
use serde_json::{Value, json};

use crate::connection::Launch;

/// A farm whose only host is the independent one, with a desktop.
struct Scene {
    farm: Farm,
    rdp: IndependentHost,
    host: Host,
    desktop: String,
}

impl Scene {
    async fn new() -> Self {
        let farm = Farm::start().await;
        let rdp = StartedHost::start().await.unwrap();
        let host = farm.add_host_with("h1", &farm.pool, rdp.listener()).await;
        let rdp = rdp.serve(host.machine.clone());
        let desktop = farm.desktop("Desktop").await;
        Self { farm, rdp, host, desktop }
    }

    /// A new user launches the desktop.
    async fn launch(&self, user: &str) -> (PortalClient, Launch) {
        self.farm.user(user, &[]).await;
        let portal = self.farm.signed_in(user).await;
        let launch = Launch::from(portal.launch(&self.desktop).await.unwrap());
        (portal, launch)
    }

    async fn connect(&self, launch: &Launch) -> RdpClient {
        let client = RdpClient::connect(self.farm.gateway(), &launch.ticket, ClientOptions::default());
        client.await.unwrap_or_else(|refusal| panic!("{refusal:?}"))
    }

    /// The connection that was logged on to this launch's session.
    fn connection(&self, launch: &Launch) -> IndependentConnection {
        let connections = self.rdp.connections();
        let is_this = |connection: &&IndependentConnection| {
            connection.logged_on.as_ref().is_some_and(|logged_on| logged_on.session == launch.session)
        };
        connections.iter().find(is_this).unwrap_or_else(|| panic!("{connections:?}")).clone()
    }

    /// What is in a ticket, as only a gateway can read it.
    fn open(&self, launch: &Launch) -> ticket::Claims {
        let keys = self.farm.broker().ticket_keys.for_gateways();
        let keys: Vec<_> =
            keys.iter().filter_map(|key| TicketKey::from_bytes(key.key_id, &key.secret)).collect();
        ticket::open(&launch.ticket, &keys, Timestamp::now()).unwrap()
    }
}

/// A message of fewer bytes is no picture: those that keep a connection alive are shorter.
const PICTURE_BYTES_MIN: usize = 512;

/// Reads messages until as many pictures have come.
async fn see_pictures(client: &mut RdpClient, count: usize) {
    let mut seen = 0;
    while seen < count {
        let frame =
            client.frame().await.unwrap_or_else(|refusal| panic!("{seen} pictures, then {refusal:?}"));
        let is_picture = frame.action == Action::FastPath && frame.bytes.len() >= PICTURE_BYTES_MIN;
        seen += usize::from(is_picture);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_launch_logs_on_shows_pictures_and_takes_keys() {
    let scene = Scene::new().await;
    let (portal, launch) = scene.launch("alice").await;
    let mut client = scene.connect(&launch).await;
    see_pictures(&mut client, 5).await;
    let active = scene.farm.sessions_until("it is active", |list| {
        list.len() == 1 && list[0]["state"] == "active" && list[0]["id"] == *launch.session
    });
    active.await;

    let typed: Vec<u8> = (16..26).collect();
    for key in &typed {
        client.press(*key).await.unwrap();
    }
    wait::until("all keys arrive in their order", async || {
        let connection = scene.connection(&launch);
        wait::ensure(connection.pressed == typed && connection.released == typed, connection)
    })
    .await;
    assert_eq!(client.uneven_messages(), 0);

    client.leave().await.unwrap();
    wait::until("the host hears it", async || {
        let connection = scene.connection(&launch);
        wait::ensure(connection.ended.is_some(), connection)
    })
    .await;
    let left = |list: &[Value]| list.len() == 1 && list[0]["state"] == "disconnected";
    scene.farm.sessions_until("it runs on", left).await;
    assert_eq!(portal.end_of(&launch.connection).await.unwrap()["session_running"], true);
    assert_eq!(scene.host.machine.refused_logons(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ticket_or_a_logon_that_was_used_lets_nobody_in() {
    let scene = Scene::new().await;
    let (_portal, launch) = scene.launch("alice").await;
    let mut client = scene.connect(&launch).await;
    see_pictures(&mut client, 1).await;
    let again = RdpClient::connect(scene.farm.gateway(), &launch.ticket, ClientOptions::default()).await;
    assert_eq!(again.map(drop).expect_err("the ticket was used").http(), Some(403));
    assert_eq!(scene.rdp.connections().len(), 1, "the host was not asked");

    // Somebody reads the logon out of a ticket that waits, and is faster.
    let (portal, launch) = scene.launch("bob").await;
    let logon = scene.open(&launch).logon;
    assert!(scene.host.machine.log_on(&logon.name, &logon.secret, Timestamp::now()).is_some());
    // This server asks only when the sequence is over, so the client may get as far as that.
    let connected = RdpClient::connect(scene.farm.gateway(), &launch.ticket, ClientOptions::default()).await;
    let refusal = match connected {
        Ok(mut client) => loop {
            match client.frame().await {
                Ok(frame) => assert!(frame.bytes.len() < PICTURE_BYTES_MIN, "a picture"),
                Err(refusal) => break refusal,
            }
        },
        Err(refusal) => refusal,
    };
    assert!(matches!(refusal, Refusal::Closed(_)), "{refusal:?}");
    assert_eq!(scene.host.machine.refused_logons(), 1);
    let connections = scene.rdp.connections();
    assert!(connections.len() == 2 && connections[1].logged_on.is_none(), "{connections:?}");
    let end = portal.end_of(&launch.connection).await.unwrap();
    assert_eq!(end["ended"], true, "{end}");
    // Whoever works meanwhile goes on.
    see_pictures(&mut client, 2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_administrators_reset_ends_the_connection_with_its_reason() {
    let scene = Scene::new().await;
    let (portal, launch) = scene.launch("alice").await;
    let mut client = scene.connect(&launch).await;
    see_pictures(&mut client, 1).await;
    let path = format!("/sessions/{}/reset", launch.session);
    scene.farm.admin.try_post(&path, Value::Null).await.unwrap().assert(204, "");
    let Closed { code, reason } = client.closed().await.unwrap();
    // The gateway that is told, or the host that hangs up: whoever is first.
    assert!(matches!(code, Some(4000 | 1000)), "{code:?}: {reason}");
    let end = portal.end_of(&launch.connection).await.unwrap();
    assert_eq!((&end["reason"], &end["session_running"]), (&json!("reset"), &json!(false)), "{end}");
    wait::until("the host is left", async || {
        let connection = scene.connection(&launch);
        wait::ensure(connection.ended.is_some(), connection)
    })
    .await;
    scene.farm.sessions_until("it is gone", |sessions| sessions.is_empty()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_people_work_at_the_same_time() {
    let scene = Scene::new().await;
    let mut people = Vec::new();
    for number in 0..6 {
        let (_, launch) = scene.launch(&format!("user{number}")).await;
        let client = scene.connect(&launch).await;
        people.push((launch, client));
    }
    for (number, (_, client)) in people.iter_mut().enumerate() {
        see_pictures(client, 3).await;
        client.press(30 + number as u8).await.unwrap();
    }
    for (number, (launch, client)) in people.iter().enumerate() {
        wait::until("everybody's key arrives in their own session", async || {
            let connection = scene.connection(launch);
            wait::ensure(connection.pressed == [30 + number as u8], connection)
        })
        .await;
        assert_eq!(client.uneven_messages(), 0);
    }
    let status = scene.farm.admin.get("/status").await.unwrap();
    assert_eq!(status["sessions"]["active"], 6, "{status}");
}
