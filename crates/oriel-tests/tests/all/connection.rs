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
    session::{ChannelPolicy, EndReason},
};
use oriel_testkit::{
    farm::{Farm, Host},
    http::PortalClient,
    rdp::{ClientOptions, Closed, End, Picture, RdpClient, RdpHost, Received, Refusal, Stage},
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
    async fn told(&self, launch: &Launch) -> Value {
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
    assert!(seen.gcc.multi_transport_channel.is_none_or(|data| data.flags.is_empty()), "no UDP past the gateway");
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
    let left = scene.farm.sessions_until("it runs on", |list| list.len() == 1 && list[0]["state"] == "disconnected");
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
async fn an_administrators_reset_ends_the_connection_with_its_reason() {
    let scene = Scene::new().await;
    let (launch, mut client) = scene.connect().await;
    client.frame().await.unwrap();
    let path = format!("/sessions/{}/reset", launch.session);
    scene.farm.admin.try_post(&path, Value::Null).await.unwrap().assert(204, "");
    let closed = client.closed().await.unwrap();
    // Whoever is first, the gateway that is told or the host that hangs up, the word is the same in the end.
    assert!(matches!(closed.code, Some(4000 | 1000)), "{closed:?}");
    let end = scene.told(&launch).await;
    assert_eq!((&end["reason"], &end["session_running"]), (&json!("reset"), &json!(false)), "{end}");
    scene.farm.sessions_until("it is gone", |sessions| sessions.is_empty()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_withdrawn_right_closes_with_4000_though_the_host_says_nothing() {
    let scene = Scene::new().await;
    let (launch, mut client) = scene.connect().await;
    client.frame().await.unwrap();
    // The host hears of the reset but its RDP side hangs.
    scene.rdp.hang_up_with_sessions(false);
    let path = format!("/sessions/{}/reset", launch.session);
    scene.farm.admin.try_post(&path, Value::Null).await.unwrap().assert(204, "");
    assert_eq!(client.closed().await.unwrap(), Closed { code: Some(4000), reason: "reset".into() });
    assert_eq!(scene.told(&launch).await["reason"], "reset");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_right_holds_for_the_life_of_a_connection() {
    let scene = Scene::new().await;
    let farm = &scene.farm;
    let staff = farm.group("Staff").await;
    let user = format!("/users/{}", farm.id_of("users", "alice").await.unwrap());
    let editor = format!("/resources/{}", scene.editor);
    let only_staff = json!({
        "rules": [{ "effect": "allow", "criteria": [{ "type": "group", "objects": [staff] }] }],
        "otherwise": "deny",
    });
    let set = async |path: &str, field: &str, value: &Value| {
        farm.admin.change(path, |spec| spec[field] = value.clone()).await.unwrap()
    };
    set(&user, "groups", &json!([staff])).await;
    set(&editor, "rules", &only_staff).await;
    let cut_off = Closed { code: Some(4000), reason: "right_withdrawn".into() };
    for (what, path, field, value, back) in [
        ("the user leaves the group", &user, "groups", json!([]), json!([staff])),
        ("the rule changes", &editor, "rules", json!({ "rules": [], "otherwise": "deny" }), only_staff.clone()),
        ("the user is disabled", &user, "enabled", json!(false), json!(true)),
    ] {
        let (launch, mut client) = scene.connect().await;
        client.frame().await.unwrap();
        set(path, field, &value).await;
        assert_eq!(client.closed().await.unwrap(), cut_off, "{what}");
        set(path, field, &back).await;
        let end = scene.told(&launch).await;
        assert_eq!((&end["reason"], &end["session_running"]), (&json!("right_withdrawn"), &json!(true)), "{what}: {end}");
    }

    // Maintenance lets what runs be finished.
    let (_, mut client) = scene.connect().await;
    client.frame().await.unwrap();
    set(&editor, "status", &json!({ "state": "maintenance", "message": "" })).await;
    let host = scene.rdp.latest().unwrap();
    client.press(30).await.unwrap();
    wait::until("the key arrives", async || wait::ensure(host.input_count() > 0, ())).await;
    assert_eq!(host.ended(), None);
    set(&editor, "status", &json!({ "state": "enabled" })).await;

    let view = farm.admin.get(&user).await.unwrap();
    farm.admin.try_delete(&user, view["revision"].as_u64().unwrap()).await.unwrap().assert(204, "");
    assert_eq!(client.closed().await.unwrap(), cut_off, "deleted");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_that_is_disabled_takes_nobody_new_and_one_that_is_deleted_nothing_at_all() {
    let scene = Scene::new().await;
    let farm = &scene.farm;
    let (_, mut client) = scene.connect().await;
    client.frame().await.unwrap();
    let waiting = scene.launch().await;
    let gateway = format!("/gateways/{}", farm.id_of("gateways", "gate-1").await.unwrap());
    let view = farm.admin.change(&gateway, |spec| spec["enabled"] = json!(false)).await.unwrap();
    wait::until("nobody new is let in", async || {
        match RdpClient::open(farm.gateway(), ClientOptions::default()).await.map(drop) {
            Err(Refusal::Handshake(503)) => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    let host = scene.rdp.connections()[0].clone();
    client.press(30).await.unwrap();
    wait::until("who is in works on", async || wait::ensure(host.input_count() > 0, ())).await;

    farm.admin.try_delete(&gateway, view["revision"].as_u64().unwrap()).await.unwrap().assert(204, "");
    wait::until("its calls are refused", async || {
        let answer = scene.alice.get("/me").await.unwrap();
        wait::ensure(answer.status.as_u16() >= 400, answer.to_string())
    })
    .await;
    drop(waiting);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_host_says_in_rdp_closes_the_websocket_with_its_word() {
    let scene = Scene::new().await;
    for (code, word) in [
        (0x02, "logged_off_by_request"),
        (0x03, "idle"),
        (0x05, "taken_over"),
        (0x0b, "disconnected"),
        (0x0c, "logged_off"),
    ] {
        let (_, mut client) = scene.connect().await;
        client.frame().await.unwrap();
        scene.rdp.latest().unwrap().end(End::ErrorInfo(code));
        assert_eq!(client.closed().await.unwrap(), Closed { code: Some(1000), reason: word.into() });
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_agents_word_for_the_end_is_what_the_user_reads() {
    let scene = Scene::new().await;
    for reason in [
        EndReason::LoggedOff,
        EndReason::LoggedOffByRequest,
        EndReason::DisconnectedTooLong,
        EndReason::Reset,
        EndReason::HostFailed,
        EndReason::Idle,
        EndReason::TakenOver,
        EndReason::DisconnectedByRequest,
    ] {
        let (launch, mut client) = scene.connect().await;
        client.frame().await.unwrap();
        // In RDP the host says the same for all: it hangs up.
        let machine = &scene.host.machine;
        if reason.ends_session() {
            machine.end_session(&launch.session, reason, "");
        } else {
            machine.disconnect_session(&launch.session, reason);
            scene.rdp.latest().unwrap().end(End::Ultimatum);
        }
        client.closed().await.unwrap();
        let end = scene.told(&launch).await;
        assert_eq!(end["reason"], reason.as_str(), "{end}");
        assert_eq!(end["session_running"], !reason.ends_session(), "{end}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_is_taken_over_elsewhere_says_so() {
    let scene = Scene::new().await;
    let (first, mut before) = scene.connect().await;
    before.frame().await.unwrap();
    let old = scene.rdp.latest().unwrap();
    // The same user opens it again in another window.
    let (second, mut after) = scene.connect().await;
    assert_eq!(second.session, first.session);
    old.end(End::ErrorInfo(5));
    assert_eq!(before.closed().await.unwrap().reason, "taken_over");
    after.frame().await.unwrap();
    assert_eq!(scene.told(&first).await["session_running"], true);
    let end = scene.alice.get(&format!("/connections/{}/end?wait=0", second.connection)).await.unwrap().json();
    assert_eq!(end["ended"], false, "{end}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_end_of_a_connection_is_told_to_its_owner_alone() {
    let scene = Scene::new().await;
    scene.farm.user("bob", &[]).await;
    let bob = scene.farm.signed_in("bob").await;
    let (launch, client) = scene.connect().await;
    let path = format!("/connections/{}/end?wait=0", launch.connection);
    let (strange, absent) = (
        bob.get(&path).await.unwrap(),
        bob.get("/connections/01900000-0000-7000-8000-000000000000/end?wait=0").await.unwrap(),
    );
    assert_eq!((strange.status, &strange.body), (absent.status, &absent.body), "hidden and absent look alike");
    scene.farm.portal().get(&path).await.unwrap().assert(401, "signed_out");
    drop(client);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_ends_when_its_time_is_up() {
    let scene = Scene::new().await;
    let launch = scene.launch().await;
    // The same ticket with a limit of two seconds: the shortest that an administrator can set is an hour.
    let keys: Vec<_> = scene
        .farm
        .broker()
        .ticket_keys
        .for_gateways()
        .iter()
        .filter_map(|key| TicketKey::from_bytes(key.key_id, &key.secret))
        .collect();
    let now = Timestamp::now();
    let claims = ticket::open(&launch.ticket, &keys, now).unwrap();
    let claims = Claims { connected_until: now + SignedDuration::from_secs(2), ..claims };
    let short = ticket::seal(&claims, keys.first().unwrap()).unwrap();
    let mut client =
        RdpClient::connect(scene.farm.gateway(), &short, ClientOptions::default()).await.unwrap();
    client.frame().await.unwrap();
    let limit = Closed { code: Some(4000), reason: "limit_reached".into() };
    assert_eq!(client.closed().await.unwrap(), limit);
    let end = scene.told(&launch).await;
    assert_eq!((&end["reason"], &end["session_running"]), (&json!("limit_reached"), &json!(true)), "{end}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_closing_gateway_drains() {
    let mut scene = Scene::new().await;
    let (launch, mut client) = scene.connect().await;
    client.frame().await.unwrap();
    let waiting = scene.launch().await;
    let gateway = scene.farm.gateway();
    let stopped = tokio::spawn(scene.farm.begin_to_stop_gateway(0));
    // Nobody new comes in, and the health page says so to balancers.
    let (refused, health) = wait::until("it drains", async || {
        let refused = RdpClient::open(gateway, ClientOptions::default()).await.map(drop);
        let health = oriel_testkit::http::HttpClient::new(gateway).send(http::Method::GET, "/healthz", &[], "").await;
        match (refused, health) {
            (Err(Refusal::Handshake(status)), Ok(health)) => Ok((status, health)),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    assert_eq!((refused, health.status.as_u16()), (503, 503), "{health}");
    // Who is in works on until the deadline, then is told.
    client.press(1).await.unwrap();
    let closed = client.closed().await.unwrap();
    assert_eq!(closed, Closed { code: Some(4000), reason: "gateway_closing".into() });
    stopped.await.unwrap();
    assert!(tokio::net::TcpStream::connect(gateway).await.is_err(), "the port is closed");

    scene.farm.start_gateway(0).await;
    scene.farm.gateways_attached().await;
    let end = scene.told(&launch).await;
    assert_eq!((&end["reason"], &end["session_running"]), (&json!("gateway_closing"), &json!(true)), "{end}");
    // A ticket that was waiting opens the connection at the new one.
    RdpClient::connect(gateway, &waiting.ticket, ClientOptions::default()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_gateway_takes_the_ticket_and_a_reset_finds_the_connection_there() {
    let mut scene = Scene::new().await;
    scene.farm.add_gateway("gate-2").await;
    let launch = scene.launch().await;
    let other = scene.farm.gateways()[1];
    let mut client = RdpClient::connect(other, &launch.ticket, ClientOptions::default()).await.unwrap();
    client.frame().await.unwrap();
    let path = format!("/sessions/{}/disconnect", launch.session);
    scene.farm.admin.try_post(&path, Value::Null).await.unwrap().assert(204, "");
    let closed = client.closed().await.unwrap();
    assert_eq!(closed, Closed { code: Some(4000), reason: "disconnected_by_request".into() });
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
