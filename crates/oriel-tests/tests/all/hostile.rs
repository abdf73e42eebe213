//! Bad input at every listener: a clear answer or an end, in time, and no panic; and whoever comes
//! after that is served as if nothing had happened.

use std::{future::Future, net::SocketAddr, pin::Pin, time::Duration};

use http::Method;
use oriel_testkit::{
    farm::Farm,
    http::HttpClient,
    observe,
    rdp::{self, Behaviour, ClientOptions, RdpClient, Refusal, Stage},
    tls, wait,
};
use ring::rand::{SecureRandom, SystemRandom};
use serde_json::Value;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
};
use tokio_tungstenite::tungstenite::{
    Message,
    protocol::frame::{Frame, coding::{Data, OpCode}},
};

use crate::connection::{Launch, Scene};

/// Longer than the longest patience of any listener (a request's head: 30 s).
pub const END_DEADLINE: Duration = Duration::from_secs(45);

pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

pub fn random(length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    SystemRandom::new().fill(&mut bytes).unwrap();
    bytes
}

/// Sends noise and reads to the end; gives what was answered.
pub async fn answer_to(mut stream: impl Stream, noise: &[u8]) -> Result<Vec<u8>, String> {
    let talk = async {
        // The listener may hang up before it has read everything.
        let _ = stream.write_all(noise).await;
        let _ = stream.flush().await;
        let mut answer = Vec::new();
        let mut buffer = [0; 4096];
        loop {
            match stream.read(&mut buffer).await {
                Ok(0) | Err(_) => return answer,
                Ok(read) => answer.extend_from_slice(&buffer[..read]),
            }
            assert!(answer.len() < 1 << 20, "it goes on talking");
        }
    };
    tokio::time::timeout(END_DEADLINE, talk).await.map_err(|_| "it neither answers nor hangs up".to_owned())
}

/// What strangers send.
fn noises() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("random bytes", [&[0xaa][..], &random(512)].concat()),
        ("many random bytes", random(256 * 1024)),
        ("a record that is too long", [&[0x16, 3, 1, 0xff, 0xff][..], &random(70_000)].concat()),
        ("plain HTTP", b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".to_vec()),
        ("a head without end", [b"GET / HTTP/1.1\r\n".to_vec(), b"x-a: b\r\n".repeat(20_000)].concat()),
        ("an HTTP/2 preface with nonsense", [&b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..], &random(4096)].concat()),
        ("two lengths", b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab".to_vec()),
        ("RDP", vec![3, 0, 0, 19, 14, 0xe0, 0, 0, 0, 0, 0, 1, 0, 8, 0, 3, 0, 0, 0]),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn noise_at_every_port_ends_and_harms_nobody() {
    let farm = Farm::start().await;
    farm.user("alice", &[]).await;
    attack(&farm, noises()).await;
}

/// Sends each noise to each port, before and inside TLS, and waits for the end of all of them; a user
/// works meanwhile.
pub async fn attack(farm: &Farm, noises: Vec<(&'static str, Vec<u8>)>) {
    let ports = farm.ports();
    let listeners: [(&'static str, SocketAddr, &'static [&'static str]); 4] = [
        ("the gateway's port", farm.gateway(), &["http/1.1"]),
        ("the broker's port for gateways", ports.gateway, &["h2"]),
        ("the broker's port for agents", ports.agent, &["h2"]),
        ("the management port", ports.management, &["h2", "http/1.1"]),
    ];
    type Attack = Pin<Box<dyn Future<Output = (String, Result<Vec<u8>, String>)> + Send>>;
    let mut attacks: Vec<Attack> = Vec::new();
    for (listener, address, alpn) in listeners {
        for (noise, bytes) in noises.clone() {
            let below = (format!("{noise} to {listener}"), bytes.clone());
            attacks.push(Box::pin(async move {
                let stream = TcpStream::connect(address).await.unwrap();
                (below.0, answer_to(stream, &below.1).await)
            }));
            attacks.push(Box::pin(async move {
                let what = format!("{noise} inside TLS to {listener}");
                match tls::connect_with(address, tls::anything(alpn)).await {
                    Ok(stream) => (what, answer_to(stream, &bytes).await),
                    // A port that wants a certificate may say so in the handshake.
                    Err(_) => (what, Ok(Vec::new())),
                }
            }));
        }
    }
    let attacks: Vec<_> = attacks.into_iter().map(tokio::spawn).collect();
    // While all that goes on, people work.
    let alice = farm.signed_in("alice").await;
    for attack in attacks {
        let (what, ended) = attack.await.unwrap();
        let answer = ended.unwrap_or_else(|error| panic!("{what}: {error}"));
        let text = String::from_utf8_lossy(&answer);
        assert!(!text.contains("panicked") && !text.contains("src/"), "{what}: {text}");
        alice.get("/me").await.unwrap().assert(200, "");
    }
    assert_eq!(observe::panics(), Vec::<String>::new());
    farm.gateways_attached().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_that_are_too_large_or_too_slow_are_refused_in_words() {
    let farm = Farm::start().await;
    let portal = farm.portal();
    let large = "x".repeat(70 * 1024);
    portal.try_sign_in("alice", &large).await.unwrap().assert(413, "bad_request");
    let deep = format!("{}{}", "[".repeat(20_000), "]".repeat(20_000));
    let headers = [("oriel-request", "1"), ("content-type", "application/json")];
    let answer = portal.http().send(Method::POST, "/api/portal/v1/sign-in", &headers, deep.clone()).await.unwrap();
    assert!(matches!(answer.status.as_u16(), 400 | 422), "{answer}");

    let management = HttpClient::new(farm.ports().management);
    let authorization = format!("Bearer {}", farm.admin.token());
    let headers = [("authorization", &*authorization), ("content-type", "application/json")];
    let answer = management.send(Method::POST, "/api/v1/pools", &headers, deep).await.unwrap();
    assert!(matches!(answer.status.as_u16(), 400 | 422), "{answer}");
    // Whoever goes on sending may find the line cut before the answer is read.
    if let Ok(answer) = management.send(Method::POST, "/api/v1/pools", &headers, vec![b' '; 4 << 20]).await {
        answer.assert(413, "too_large");
    }
    let headers = [headers[0], ("content-type", "image/png")];
    let answer = management.send(Method::POST, "/api/v1/icons", &headers, random(3000)).await.unwrap();
    answer.assert(422, "bad_picture");

    // A path, a query and a header as long as they may not be.
    let path = format!("/{}", "a".repeat(60_000));
    let answer = portal.http().send(Method::GET, &path, &[], "").await.unwrap();
    assert!(matches!(answer.status.as_u16(), 404 | 414 | 431 | 200), "{answer}");
    let long = "b".repeat(100_000);
    if let Ok(answer) = portal.http().send(Method::GET, "/", &[("x-long", &long)], "").await {
        assert_eq!(answer.status.as_u16(), 431, "{answer}");
    }
    // Wrong tokens, on and on.
    let stranger = oriel_testkit::http::AdminClient::new(farm.ports().management, "guess");
    wait::until("guessing tokens is stopped", async || {
        let answer = stranger.try_get("/users").await.unwrap();
        wait::ensure(answer.status.as_u16() == 429, answer.to_string())
    })
    .await;
    assert_eq!(observe::panics(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_websocket_handshake_of_the_page_is_refused() {
    let farm = Farm::start().await;
    let http = HttpClient::new(farm.gateway());
    let origin = format!("https://{}", farm.gateway());
    let good = [
        ("origin", &*origin),
        ("connection", "upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];
    for (header, value, status) in [
        ("origin", "https://evil.example", 403),
        ("origin", "", 403),
        ("upgrade", "h2c", 426),
        ("sec-websocket-version", "8", 426),
        ("sec-websocket-key", "short", 400),
    ] {
        let headers: Vec<_> =
            good.iter().map(|(name, old)| (*name, if *name == header { value } else { old })).collect();
        let answer = http.send(Method::GET, "/rdp", &headers, "").await.unwrap();
        assert_eq!(answer.status.as_u16(), status, "{header}: {value}: {answer}");
        assert!(!answer.body.is_empty(), "without a word: {header}: {value}");
    }
    let answer = http.send(Method::POST, "/rdp", &good, "").await.unwrap();
    assert!(matches!(answer.status.as_u16(), 405 | 426), "{answer}");
    let evil = ClientOptions { origin: Some("https://evil.example".into()), ..Default::default() };
    match RdpClient::open(farm.gateway(), evil).await.map(drop) {
        Err(Refusal::Handshake(403)) => {}
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bad_opening_message_is_answered_with_400_and_the_end() {
    let farm = Farm::start().await;
    let options = ClientOptions::default();
    let good = rdp::clean_path_request(&options, "ticket").unwrap();
    let messages = [
        ("nothing", Vec::new()),
        ("text", b"GET / HTTP/1.1".to_vec()),
        ("random bytes", random(1000)),
        ("half of it", good[..good.len() / 2].to_vec()),
        ("twice", [&good[..], &good].concat()),
        ("too long", vec![0x30; 17 * 1024]),
        ("far too long", vec![0x30; 2 << 20]),
        ("DER with a length that lies", vec![0x30, 0x84, 0x7f, 0xff, 0xff, 0xff, 0]),
        ("deep DER", [0x30, 0x80].repeat(4000)),
    ];
    for (what, message) in messages {
        let mut client = RdpClient::open(farm.gateway(), options.clone()).await.unwrap();
        // A gateway that hangs up early is right, too.
        let _ = client.send(message).await;
        let answer = client.message().await;
        if let Ok(answer) = &answer {
            assert_eq!(rdp::clean_path_error(answer), Some(400), "{what}");
        }
        let closed = client.closed().await.unwrap_or_else(|error| panic!("{what}: {error}"));
        assert!(closed.code.is_none_or(|code| code < 4000), "{what}: {closed:?}");
    }
    assert_eq!(observe::panics(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frames_that_no_browser_sends_end_the_websocket() {
    let farm = Farm::start().await;
    let frame = |opcode, payload: Vec<u8>, last| Message::Frame(Frame::message(payload, opcode, last));
    let messages = [
        ("text", Message::Text("hello".into())),
        ("a continuation of nothing", frame(OpCode::Data(Data::Continue), vec![1], true)),
        ("a reserved opcode", frame(OpCode::Data(Data::Reserved(5)), vec![1], true)),
    ];
    for (what, message) in messages {
        let mut client = RdpClient::open(farm.gateway(), ClientOptions::default()).await.unwrap();
        client.send_raw(message).await.unwrap();
        client.closed().await.unwrap_or_else(|error| panic!("{what}: {error}"));
    }
    // Frames without a mask, and with a length beyond any.
    for (what, bytes) in [
        ("no mask", vec![0x82, 0x01, 0]),
        ("a length with the highest bit", vec![0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4]),
        ("a ping of 126 bytes", [vec![0x89, 0xfe, 0, 126, 0, 0, 0, 0], vec![0; 126]].concat()),
        ("random bytes", random(4096)),
    ] {
        let client = RdpClient::open(farm.gateway(), ClientOptions::default()).await.unwrap();
        let answer = answer_to(client.into_stream(), &bytes).await;
        answer.unwrap_or_else(|error| panic!("{what}: {error}"));
    }
    assert_eq!(observe::panics(), Vec::<String>::new());
}

/// A client that does something wrong at a stage of its connection sequence.
struct Mischief {
    what: &'static str,
    /// Gets the WebSocket after the RDCleanPath answer.
    act: fn(RdpClient) -> Pin<Box<dyn Future<Output = RdpClient> + Send>>,
}

macro_rules! mischief {
    ($what:literal, |$client:ident| $act:expr) => {
        Mischief {
            what: $what,
            act: |mut $client| {
                Box::pin(async move {
                    $act;
                    $client
                })
            },
        }
    };
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nonsense_in_the_connection_sequence_ends_the_connection() {
    let scene = Scene::new().await;
    // Whether the gateway still takes the bytes is not the point.
    let mischiefs = [
        mischief!("random bytes", |client| _ = client.send(random(40_000)).await),
        mischief!("a TPKT of no length", |client| _ = client.send(vec![3, 0, 0, 0, 2, 0xf0, 0x80]).await),
        mischief!("a TPKT that is too long", |client| {
            for _ in 0..40 {
                _ = client.send([&[3, 0, 0xff, 0xff, 2, 0xf0, 0x80, 0x7f, 0x65][..], &[0; 16_000]].concat()).await;
            }
        }),
        mischief!("the Client Info at once", |client| _ = client.send(rdp::client_info(&ClientOptions::default())).await),
        mischief!("a Connect-Initial cut in the middle and closed", |client| {
            let mut initial = rdp::connect_initial(&ClientOptions::default());
            initial.truncate(150);
            initial[2..4].copy_from_slice(&150u16.to_be_bytes());
            _ = client.send(initial).await;
        }),
        mischief!("a Connect-Initial with a length inside that lies", |client| {
            let mut initial = rdp::connect_initial(&ClientOptions::default());
            initial[10] = 0xff;
            _ = client.send(initial).await;
        }),
        mischief!("two Connect-Initials", |client| {
            let initial = rdp::connect_initial(&ClientOptions::default());
            _ = client.send([&initial[..], &initial].concat()).await;
        }),
        mischief!("joins without end", |client| {
            client.exchange_settings().await.unwrap();
            let (opening, joins) = rdp::joins(&[1003; 200]);
            for message in opening.into_iter().chain(joins) {
                _ = client.send(message).await;
            }
        }),
        mischief!("data in place of the logon", |client| {
            let granted = client.exchange_settings().await.unwrap();
            client.join_channels(&granted).await.unwrap();
            _ = client.send_on_channel(1004, b"early").await;
        }),
        mischief!("a Client Info on another channel", |client| {
            let granted = client.exchange_settings().await.unwrap();
            client.join_channels(&granted).await.unwrap();
            let mut info = rdp::client_info(&ClientOptions::default());
            let at = info.windows(2).position(|pair| pair == 1003u16.to_be_bytes()).unwrap();
            info[at + 1] = info[at + 1].wrapping_add(1);
            _ = client.send(info).await;
        }),
        mischief!("a Client Info whose strings lie", |client| {
            let granted = client.exchange_settings().await.unwrap();
            client.join_channels(&granted).await.unwrap();
            let mut info = rdp::client_info(&ClientOptions::default());
            let length = info.len();
            info[length / 2..].fill(0xff);
            _ = client.send(info).await;
        }),
        mischief!("more than the sequence may have", |client| {
            for _ in 0..100 {
                _ = client.send(random(16 * 1024)).await;
            }
        }),
    ];
    let dialled = scene.rdp.connections().len();
    for Mischief { what, act } in mischiefs {
        let launch = scene.launch().await;
        let mut client = RdpClient::open(scene.farm.gateway(), ClientOptions::default()).await.unwrap();
        client.show_ticket(&launch.ticket).await.unwrap_or_else(|refusal| panic!("{what}: {refusal:?}"));
        let mut client = act(client).await;
        client.closed().await.unwrap_or_else(|error| panic!("{what}: {error}"));
        let path = format!("/connections/{}/end?wait=0", launch.connection);
        wait::until("the end is known", async || {
            let end = scene.alice.get(&path).await.unwrap().json();
            wait::ensure(end["ended"] == true, format!("{what}: {end}"))
        })
        .await;
    }
    assert!(scene.rdp.connections().len() > dialled);
    assert!(scene.rdp.connections().iter().all(|connection| connection.session().is_none()), "nobody logged on");
    wait::until("the hosts are left in peace", async || {
        let living = scene.rdp.connections().iter().filter(|connection| connection.ended().is_none()).count();
        wait::ensure(living == 0, living)
    })
    .await;
    // And then somebody behaves.
    let (_, mut client) = scene.connect().await;
    client.frame().await.unwrap();
    assert_eq!(observe::panics(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forbidden_channels_stay_silent_and_nonsense_in_a_session_harms_only_itself() {
    let scene = Scene::new().await;
    let (_, mut client) = scene.connect().await;
    client.frame().await.unwrap();
    let host = scene.rdp.latest().unwrap();
    let rail = 1003 + 5;
    let clipboard = 1003 + 1;
    for _ in 0..20 {
        client.send_on_channel(rail, b"execute this").await.unwrap();
    }
    client.send_on_channel(clipboard, b"copied").await.unwrap();
    client.press(30).await.unwrap();
    wait::until("what is allowed arrives", async || {
        wait::ensure(host.input_count() >= 2, host.input_count())
    })
    .await;
    let channels: Vec<_> =
        host.input().iter().filter_map(|frame| rdp::user_data_of(frame)).map(|(channel, _)| channel).collect();
    assert_eq!(channels, [clipboard], "nothing came on the forbidden one");

    // Bytes that are no RDP: the gateway hangs up on the sender, and nobody else notices.
    let (_, mut other) = {
        scene.farm.user("bob", &[]).await;
        let bob = scene.farm.signed_in("bob").await;
        let launch = Launch::from(bob.launch(&scene.editor).await.unwrap());
        let ticket = launch.ticket.clone();
        (launch, RdpClient::connect(scene.farm.gateway(), &ticket, ClientOptions::default()).await.unwrap())
    };
    let _ = other.send(vec![3, 0, 0, 1, 0xff, 0xff]).await;
    other.closed().await.unwrap();
    client.press(31).await.unwrap();
    wait::until("the first goes on", async || wait::ensure(host.input_count() >= 3, host.input_count())).await;
    assert_eq!(observe::panics(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hosts_that_talk_nonsense_are_given_up() {
    let scene = Scene::new().await;
    let mut ends = Vec::new();
    for stage in [Stage::Requested, Stage::Encrypted, Stage::Initial, Stage::Info] {
        ends.push(given_up(&scene, stage, true).await);
    }
    for end in ends {
        end.await;
    }
    assert_eq!(observe::panics(), Vec::<String>::new());
}

/// Connects a new user to a host that falls silent at a stage, after some nonsense if it babbles; the
/// future it gives checks the end.
pub async fn given_up(scene: &Scene, stage: Stage, babbles: bool) -> impl Future<Output = ()> + use<> {
    let name = format!("user{}", scene.rdp.connections().len());
    scene.farm.user(&name, &[]).await;
    let portal = scene.farm.signed_in(&name).await;
    let launch = Launch::from(portal.launch(&scene.editor).await.unwrap());
    scene.rdp.behave(|behaviour| {
        let babbles_at = babbles.then_some(stage);
        *behaviour = Behaviour { stalls_at: Some(stage), babbles_at, ..Behaviour::default() };
    });
    let (gateway, ticket) = (scene.farm.gateway(), launch.ticket);
    let connected = scene.rdp.connections().len();
    let client = tokio::spawn(async move {
        let mut client = RdpClient::open(gateway, ClientOptions::default()).await.unwrap();
        client.set_patience(END_DEADLINE);
        let outcome = match client.show_ticket(&ticket).await {
            Ok(()) => client.run_sequence().await,
            refused => refused,
        };
        (outcome, client.closed().await)
    });
    // The behaviour is looked at as the connection goes on: the next one waits for this one.
    wait::until("it gets to that stage", async || {
        let reached = scene.rdp.connections().get(connected).map(|connection| connection.stage());
        wait::ensure(reached >= Some(stage), reached)
    })
    .await;
    async move {
        let (outcome, closed) = client.await.unwrap();
        assert!(outcome.is_err() && closed.is_ok(), "at {stage:?}: {outcome:?}, {closed:?}");
        let end = portal.end_of(&launch.connection).await.unwrap();
        assert_eq!(end["ended"], true, "at {stage:?}: {end}");
        let reason = end["reason"].as_str().unwrap_or_default();
        assert!(["host_failed", "host_lost", "network_lost"].contains(&reason), "at {stage:?}: {end}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_address_cannot_take_all_places_at_the_door() {
    let farm = Farm::start().await;
    let mut waiting = Vec::new();
    let refused = loop {
        match RdpClient::open(farm.gateway(), ClientOptions::default()).await {
            Ok(client) => waiting.push(client),
            Err(refusal) => break refusal,
        }
        assert!(waiting.len() <= 64, "no limit");
    };
    assert!(matches!(refused, Refusal::Handshake(429)), "{refused:?}");
    assert_eq!(waiting.len(), 64);
    // They say nothing, so they are shown out; or they leave. Then there is room.
    drop(waiting);
    wait::until("there is room again", async || {
        RdpClient::open(farm.gateway(), ClientOptions::default()).await.map(drop).map_err(|e| format!("{e:?}"))
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_that_talks_nonsense_is_heard_out_and_harms_nobody() {
    use oriel_net::{connect, identity::NodeIdentity, tls::{ReloadingIdentity, internal_client}};
    use oriel_wire::v1::{self, agent_link_client::AgentLinkClient, agent_message::Body};
    let farm = Farm::start().await;
    let _honest = farm.add_host("honest").await;
    let directory = farm.join(oriel_model::role::Role::Agent, "liar").await.unwrap();
    let identity = ReloadingIdentity::new(NodeIdentity::load(&directory).unwrap()).unwrap();
    let config = internal_client(&identity, oriel_model::role::Role::Broker).unwrap();
    let mut client = AgentLinkClient::new(connect::channel(vec![farm.ports().agent.to_string()], config));
    let message = |body| v1::AgentMessage { body: Some(body) };
    let session = v1::SessionReport {
        session_id: "not a uuid".into(),
        user_name: "\0".repeat(10_000),
        state: 77,
        started_at_ms: i64::MIN,
        idle_secs: u64::MAX,
        ..Default::default()
    };
    let ended = v1::EndedSession { reason: "made up".into(), connection_id: "x".into(), ended_at_ms: i64::MAX, ..Default::default() };
    let report = v1::HostReport {
        sessions: vec![session; 1000],
        ended: vec![ended; 1000],
        cpu_load: f32::NAN,
        memory_total_bytes: 1,
        memory_available_bytes: u64::MAX,
        logon_mode: 99,
        healthy: true,
        uptime_secs: u64::MAX,
        ..Default::default()
    };
    let talk = [
        message(Body::Hello(v1::AgentHello { rdp_address: "::::".into(), rdp_certificate_sha256: vec![1], ..Default::default() })),
        message(Body::Report(report)),
        message(Body::Reply(v1::AgentReply { request_id: u64::MAX, body: None })),
        v1::AgentMessage { body: None },
        message(Body::Hello(v1::AgentHello::default())),
    ];
    let stream = tokio_stream::StreamExt::chain(tokio_stream::iter(talk), tokio_stream::pending());
    let _down = client.attach(stream).await.unwrap();
    wait::until("its report is in", async || {
        let list = farm.admin.get("/hosts?name=liar").await.unwrap();
        wait::ensure(!oriel_testkit::farm::runtime(&list["items"][0])["last_report"].is_null(), list.to_string())
    })
    .await;
    // The other one still gets its sessions, and the farm its answers.
    let desktop = farm.desktop("Desktop").await;
    farm.user("alice", &[]).await;
    let launched = farm.signed_in("alice").await.launch(&desktop).await.unwrap();
    assert_eq!(launched["host_name"], "honest", "{launched}");
    for path in ["/hosts", "/sessions", "/status"] {
        assert!(farm.admin.get(path).await.unwrap() != Value::Null);
    }
    // First words that are no hello.
    let nothing = tokio_stream::iter([message(Body::Report(v1::HostReport::default()))]);
    let status = client.attach(nothing).await.map(drop).unwrap_err();
    assert_eq!(status.code(), tonic::Code::InvalidArgument, "{status}");
    let large = v1::AgentHello { version: "x".repeat(20 << 20), ..Default::default() };
    let status = client.attach(tokio_stream::iter([message(Body::Hello(large))])).await.map(drop).unwrap_err();
    assert!(status.code() != tonic::Code::Ok, "{status}");
    assert_eq!(observe::panics(), Vec::<String>::new());
}
