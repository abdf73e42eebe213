//! One user's connection through a real gateway to a synthetic host: what the host hears, who is let
//! in, and how it ends.

use std::time::Duration;

use ironrdp_pdu::{
    gcc::{ClientEarlyCapabilityFlags, HighColorDepth},
    nego::SecurityProtocol,
    rdp::client_info::ClientInfoFlags,
};
use jiff::SignedDuration;
use oriel_model::{
    Id, Timestamp,
    logon::LaunchTimes,
    policy::{Clipboard, Direction, Quality},
    session::ChannelPolicy,
};
use oriel_testkit::{
    farm::{Farm, Host},
    http::PortalClient,
    rdp::{ClientOptions, Picture, RdpClient, RdpHost, Received, Refusal, Stage},
    wait,
};
use oriel_wire::ticket::{self, Claims, Logon, TicketKey};
use serde_json::{Value, json};

/// A farm with one synthetic host, one application on it, and a user who is signed in.
pub struct Scene {
    pub farm: Farm,
    pub rdp: RdpHost,
    pub host: Host,
    pub alice: PortalClient,
    pub editor: String,
}

impl Scene {
    pub async fn new() -> Self {
        let farm = Farm::start().await;
        let rdp = RdpHost::start().await.unwrap();
        let host = farm.add_host_with("h1", &farm.pool, rdp.listener()).await;
        rdp.serve(host.machine.clone());
        host.machine.set_program("/usr/bin/editor --new", "/home/alice");
        let editor = farm.application("Editor").await;
        farm.user("alice", &[]).await;
        let alice = farm.signed_in("alice").await;
        Self { farm, rdp, host, alice, editor }
    }

    pub async fn launch(&self) -> Launch {
        Launch::from(self.alice.launch(&self.editor).await.unwrap())
    }

    pub async fn connect(&self) -> (Launch, RdpClient) {
        let launch = self.launch().await;
        let client = RdpClient::connect(self.farm.gateway(), &launch.ticket, ClientOptions::default());
        let client = client.await.unwrap_or_else(|refusal| panic!("{refusal:?}"));
        (launch, client)
    }

    /// Reads what the portal tells of the end of a connection.
    pub async fn told(&self, launch: &Launch) -> Value {
        let end = self.alice.end_of(&launch.connection).await.unwrap();
        assert_eq!(end["ended"], true, "{end}");
        let message = end["message"].as_str().unwrap_or_default();
        assert!(message.contains(". ") || message.ends_with('.'), "no sentence: {end}");
        end
    }
}

/// What a launch yields.
pub struct Launch {
    pub ticket: String,
    pub connection: String,
    pub session: String,
}

impl From<Value> for Launch {
    fn from(launch: Value) -> Self {
        let text = |name: &str| launch[name].as_str().unwrap().to_owned();
        Self { ticket: text("ticket"), connection: text("connection_id"), session: text("session_id") }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_host_hears_what_the_ticket_says_and_not_what_the_browser_says() {
    let scene = Scene::new().await;
    let (launch, mut client) = scene.connect().await;
    let connection = scene.rdp.latest().unwrap();
    let seen = connection.seen().unwrap();
    let info = seen.info.unwrap();

    assert!(info.credentials.username.starts_with("alice~"), "{}", info.credentials.username);
    assert_ne!(info.credentials.password, "guess");
    assert_eq!(info.alternate_shell, "/usr/bin/editor --new");
    assert_eq!(info.work_dir, "/home/alice");
    assert!(info.flags.contains(ClientInfoFlags::AUTOLOGON));
    assert_eq!(info.extra_info.address, "127.0.0.1", "the address that the gateway sees");
    assert_eq!(seen.offered, SecurityProtocol::SSL);

    let core = &seen.gcc.core;
    assert_eq!(core.keyboard_layout, 0x407);
    assert_eq!(core.client_name, "laptop");
    assert_eq!((core.desktop_width, core.desktop_height), (1024, 700));
    let optional = &core.optional_data;
    let capabilities = optional.early_capability_flags.unwrap();
    assert!(capabilities.contains(ClientEarlyCapabilityFlags::WANT_32_BPP_SESSION));
    assert_eq!(optional.high_color_depth, Some(HighColorDepth::Bpp24));
    assert_eq!(optional.server_selected_protocol, Some(SecurityProtocol::SSL));
    assert!(
        seen.gcc.multi_transport_channel.is_none_or(|data| data.flags.is_empty()),
        "no UDP past the gateway"
    );
    // RemoteApp windows are never let through; the rest is as the policy says.
    assert_eq!(connection.channels()[..4], ["cliprdr", "rdpsnd", "rdpdr", "drdynvc"]);
    assert_ne!(connection.channels()[4], "rail");

    assert_eq!(connection.session().as_deref(), Some(&*launch.session));
    scene.farm.sessions_until("it is active", |list| list.len() == 1 && list[0]["state"] == "active").await;

    // A picture comes, each RDP message in one of WebSocket; keys go.
    let frame = client.frame().await.unwrap();
    assert!(frame.bytes.len() > 16_000, "a tile has {} bytes", frame.bytes.len());
    for key in 0..50 {
        client.press(key).await.unwrap();
    }
    wait::until("all keys arrive", async || {
        wait::ensure(connection.input_count() >= 50, connection.input_count())
    })
    .await;
    assert_eq!(client.uneven_messages(), 0);
    client.leave().await.unwrap();
    wait::until("the host hears it", async || wait::ensure(connection.ended().is_some(), ())).await;
    let left =
        scene.farm.sessions_until("it runs on", |list| list.len() == 1 && list[0]["state"] == "disconnected");
    left.await;
    assert_eq!(scene.told(&launch).await["session_running"], true);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ticket_opens_one_connection() {
    let scene = Scene::new().await;
    let (launch, client) = scene.connect().await;
    let connect = async |ticket: &str| {
        let connected = RdpClient::connect(scene.farm.gateway(), ticket, ClientOptions::default()).await;
        connected.map(drop).expect_err("it must be refused").http()
    };
    assert_eq!(connect(&launch.ticket).await, Some(403), "replayed while it is open");
    drop(client);
    assert_eq!(connect(&launch.ticket).await, Some(403), "replayed after it has ended");

    // One that is not used in time.
    let late = scene.launch().await;
    scene.farm.clock.set_ahead(Duration::from_secs(120));
    assert_eq!(connect(&late.ticket).await, Some(403), "expired");
    scene.farm.clock.set_ahead(Duration::ZERO);
    assert_eq!(scene.rdp.connections().len(), 1, "the host was dialled once");
    assert_eq!(scene.host.machine.refused_logons(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forged_tickets_get_the_same_answer_and_reach_no_host() {
    let scene = Scene::new().await;
    let genuine = scene.launch().await.ticket;
    let now = Timestamp::now();
    let claims = Claims {
        connection: Id::generate(now),
        session: Id::generate(now),
        user: Id::generate(now),
        user_name: "alice".into(),
        resource: Id::generate(now),
        host: Id::generate(now),
        host_address: scene.rdp.listener().address,
        host_certificate_sha256: hex(&scene.rdp.listener().certificate_sha256),
        logon: Logon { name: "alice".into(), domain: String::new(), secret: "x".to_owned().into() },
        alternate_shell: String::new(),
        working_directory: String::new(),
        client_name: "forger".into(),
        keyboard_layout: 0x409,
        channels: ChannelPolicy::default(),
        clipboard: Clipboard::default(),
        drives: Direction::Both,
        quality: Quality::Automatic,
        max_kbits: None,
        times: LaunchTimes::default(),
        expires_at: now + SignedDuration::from_secs(30),
        connected_until: now + SignedDuration::from_hours(1),
    };
    let own_key = |id| ticket::seal(&claims, &TicketKey::generate(id).unwrap()).unwrap();
    let mut flipped = genuine.clone().into_bytes();
    let middle = flipped.len() / 2;
    flipped[middle] = if flipped[middle] == b'A' { b'B' } else { b'A' };
    let cases = [
        ("nothing", String::new()),
        ("no base64", "%%%".into()),
        ("cut", genuine[..genuine.len() - 1].to_owned()),
        ("one character changed", String::from_utf8(flipped).unwrap()),
        ("something appended", format!("{genuine}A")),
        ("sealed with a key of one's own", own_key(1)),
        ("sealed with a key of an unknown number", own_key(77)),
        ("as long as is read", "A".repeat(8 * 1024)),
    ];
    let mut answers = Vec::new();
    for (what, forged) in cases {
        let mut client = RdpClient::open(scene.farm.gateway(), ClientOptions::default()).await.unwrap();
        match client.show_ticket(&forged).await {
            Err(Refusal::CleanPath { http: Some(403), wsa: None, tls: None }) => {}
            other => panic!("{what}: {other:?}"),
        }
        answers.push(client.closed().await.unwrap());
    }
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "{answers:?}");
    assert!(scene.rdp.connections().is_empty());
    // The genuine one is not spoilt by any of that.
    RdpClient::connect(scene.farm.gateway(), &genuine, ClientOptions::default()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_that_is_not_the_pinned_one_is_refused() {
    let farm = Farm::start().await;
    let rdp = RdpHost::start().await.unwrap();
    let mut listener = rdp.listener();
    listener.certificate_sha256 = [7; 32];
    let host = farm.add_host_with("h1", &farm.pool, listener).await;
    rdp.serve(host.machine.clone());
    let desktop = farm.desktop("Desktop").await;
    farm.user("alice", &[]).await;
    let alice = farm.signed_in("alice").await;
    let launch = Launch::from(alice.launch(&desktop).await.unwrap());
    let refused = RdpClient::connect(farm.gateway(), &launch.ticket, ClientOptions::default()).await;
    match refused.map(drop) {
        Err(Refusal::CleanPath { tls: Some(_), .. }) => {}
        other => panic!("{other:?}"),
    }
    wait::until("the host is left", async || {
        wait::ensure(rdp.latest().is_some_and(|connection| connection.ended().is_some()), ())
    })
    .await;
    assert_eq!(rdp.latest().unwrap().stage(), Stage::Requested, "not a byte of RDP was said to it");
    let end = alice.end_of(&launch.connection).await.unwrap();
    assert_eq!((&end["ended"], &end["reason"]), (&json!(true), &json!("host_failed")), "{end}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hosts_that_cannot_be_reached_are_told_apart() {
    let scene = Scene::new().await;
    let launch = scene.launch().await;
    let Scene { rdp, farm, .. } = scene;
    drop(rdp);
    // Its port is closed: connection refused, 10061 in the browser's terms.
    let refused = wait::until("the port is closed", async || {
        match RdpClient::connect(farm.gateway(), &launch.ticket, ClientOptions::default()).await {
            Err(Refusal::CleanPath { wsa, .. }) => Ok(wsa),
            other => Err(format!("{:?}", other.map(drop))),
        }
    })
    .await;
    assert_eq!(refused, Some(10061));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_people_work_at_the_same_time() {
    let scene = Scene::new().await;
    scene.rdp.behave(|behaviour| behaviour.picture = Picture::Moving(Duration::from_millis(50)));
    let mut clients = Vec::new();
    for number in 0..12 {
        let name = format!("user{number}");
        scene.farm.user(&name, &[]).await;
        let portal = scene.farm.signed_in(&name).await;
        let launch = Launch::from(portal.launch(&scene.editor).await.unwrap());
        let connected = RdpClient::connect(scene.farm.gateway(), &launch.ticket, ClientOptions::default());
        clients.push(connected.await.unwrap_or_else(|refusal| panic!("{name}: {refusal:?}")));
    }
    for client in &mut clients {
        for _ in 0..5 {
            assert!(matches!(client.next().await, Received::Frame(_)));
        }
        assert_eq!(client.uneven_messages(), 0);
    }
    let status = scene.farm.admin.get("/status").await.unwrap();
    assert_eq!(status["sessions"]["active"], 12, "{status}");
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
