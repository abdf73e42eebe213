//! Bad input at every listener: a clear answer or an end, in time, and no panic; and whoever comes
//! after that is served as if nothing had happened.

use std::{future::Future, net::SocketAddr, pin::Pin, time::Duration};

use http::Method;
use oriel_testkit::{farm::Farm, http::HttpClient, observe, tls, wait};
use ring::rand::{SecureRandom, SystemRandom};
use serde_json::Value;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
};

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
        (
            "an HTTP/2 preface with nonsense",
            [&b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..], &random(4096)].concat(),
        ),
        (
            "two lengths",
            b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab".to_vec(),
        ),
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
    let answer =
        portal.http().send(Method::POST, "/api/portal/v1/sign-in", &headers, deep.clone()).await.unwrap();
    assert!(matches!(answer.status.as_u16(), 400 | 422), "{answer}");

    let management = HttpClient::new(farm.ports().management);
    let authorization = format!("Bearer {}", farm.admin.token());
    let headers = [("authorization", &*authorization), ("content-type", "application/json")];
    let answer = management.send(Method::POST, "/api/v1/pools", &headers, deep).await.unwrap();
    assert!(matches!(answer.status.as_u16(), 400 | 422), "{answer}");
    let png = [headers[0], ("content-type", "image/png")];
    let answer = management.send(Method::POST, "/api/v1/icons", &png, random(3000)).await.unwrap();
    answer.assert(422, "bad_picture");
    // Far too large, or sent by a stranger: the line is not cut before the answer is there.
    let large = vec![b' '; 12 << 20];
    let answer = management.send(Method::POST, "/api/v1/pools", &headers, large.clone()).await.unwrap();
    answer.assert(413, "too_large");
    let answer = management.send(Method::POST, "/api/v1/pools", &headers[1..], large.clone()).await.unwrap();
    answer.assert(401, "unauthorized");
    let headers = [("oriel-request", "1"), ("content-type", "application/json")];
    let answer = portal.http().send(Method::POST, "/api/portal/v1/sign-in", &headers, large).await.unwrap();
    answer.assert(413, "bad_request");

    // A path and a header as long as they may not be.
    let portal = farm.portal();
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
async fn an_agent_that_talks_nonsense_is_heard_out_and_harms_nobody() {
    use oriel_net::{
        connect,
        identity::NodeIdentity,
        tls::{ReloadingIdentity, internal_client},
    };
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
    let ended = v1::EndedSession {
        reason: "made up".into(),
        connection_id: "x".into(),
        ended_at_ms: i64::MAX,
        ..Default::default()
    };
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
        message(Body::Hello(v1::AgentHello {
            rdp_address: "::::".into(),
            rdp_certificate_sha256: vec![1],
            ..Default::default()
        })),
        message(Body::Report(report)),
        message(Body::Reply(v1::AgentReply { request_id: u64::MAX, body: None })),
        v1::AgentMessage { body: None },
        message(Body::Hello(v1::AgentHello::default())),
    ];
    let stream = tokio_stream::StreamExt::chain(tokio_stream::iter(talk), tokio_stream::pending());
    let _down = client.attach(stream).await.unwrap();
    wait::until("its report is in", async || {
        let list = farm.admin.get("/hosts?name=liar").await.unwrap();
        wait::ensure(
            !oriel_testkit::farm::runtime(&list["items"][0])["last_report"].is_null(),
            list.to_string(),
        )
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
    let status =
        client.attach(tokio_stream::iter([message(Body::Hello(large))])).await.map(drop).unwrap_err();
    assert!(status.code() != tonic::Code::Ok, "{status}");
    assert_eq!(observe::panics(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_that_lies_about_sessions_gets_no_user_led_to_it() {
    use oriel_net::{
        connect,
        identity::NodeIdentity,
        tls::{ReloadingIdentity, internal_client},
    };
    use oriel_wire::v1::{self, agent_link_client::AgentLinkClient, agent_message::Body};
    let farm = Farm::start().await;
    let honest = farm.add_host("honest").await;
    let (first, second) = (farm.desktop("First").await, farm.desktop("Second").await);
    let alice_id = farm.user("alice", &[]).await;
    let alice = farm.signed_in("alice").await;
    let launched = alice.launch(&first).await.unwrap();
    farm.sessions_until("hers is known", |sessions| sessions.len() == 1).await;
    let hers = honest.machine.sessions().remove(0);
    assert_eq!((&*hers.user_id, hers.proof.len()), (&*alice_id, 32));

    // Another host claims her session word for word, that it has a second one of the same proof, and that
    // it has one of the resource that she is about to open, by her id and by her name alone.
    let invented = |id: &str| v1::SessionReport {
        session_id: id.into(),
        resource_id: second.clone(),
        shared: true,
        state: v1::SessionState::Disconnected.into(),
        ..hers.clone()
    };
    let by_name = v1::SessionReport {
        user_id: String::new(),
        proof: Vec::new(),
        ..invented("01900000-0000-7000-8000-000000000002")
    };
    let lies = vec![
        hers.clone(),
        invented("01900000-0000-7000-8000-000000000001"),
        by_name,
        invented(&hers.session_id),
    ];
    let directory = farm.join(oriel_model::role::Role::Agent, "liar").await.unwrap();
    let identity = ReloadingIdentity::new(NodeIdentity::load(&directory).unwrap()).unwrap();
    let config = internal_client(&identity, oriel_model::role::Role::Broker).unwrap();
    let mut client = AgentLinkClient::new(connect::channel(vec![farm.ports().agent.to_string()], config));
    let report = v1::HostReport { sessions: lies, healthy: true, cpu_load: 1.0, ..Default::default() };
    let talk = [Body::Hello(v1::AgentHello::default()), Body::Report(report)];
    let talk = talk.map(|body| v1::AgentMessage { body: Some(body) });
    let stream = tokio_stream::StreamExt::chain(tokio_stream::iter(talk), tokio_stream::pending());
    let _down = client.attach(stream).await.unwrap();

    // Administrators see them, as nobody's; they take up their places.
    let known = farm.sessions_until("the lies are known", |sessions| sessions.len() == 5).await;
    let (its, honests): (Vec<_>, Vec<_>) = known.iter().partition(|session| session["host_name"] == "liar");
    assert!(its.iter().all(|session| session["user"].is_null() && session["user_name"] == ""), "{its:?}");
    assert_eq!((&honests[0]["user"], &honests[0]["user_name"]), (&Value::from(alice_id), &"alice".into()));
    let state = farm.admin.get("/hosts?name=liar").await.unwrap();
    assert_eq!(oriel_testkit::farm::runtime(&state["items"][0])["sessions"], 4, "{state}");

    // She has the one session, and is led to the honest host, back and anew.
    let own = alice.sessions().await.unwrap();
    assert_eq!(own.iter().map(|session| &session["host_name"]).collect::<Vec<_>>(), ["honest"]);
    let again = alice.launch(&first).await.unwrap();
    assert_eq!((&again["session_id"], &again["host_name"]), (&launched["session_id"], &"honest".into()));
    let returned = alice.try_return(&hers.session_id).await.unwrap().expect_success().unwrap();
    assert_eq!(returned["host_name"], "honest", "{returned}");
    let other = alice.launch(&second).await.unwrap();
    assert_eq!((&other["reconnected"], &other["host_name"]), (&false.into(), &"honest".into()), "{other}");
    for lie in ["01900000-0000-7000-8000-000000000001", "01900000-0000-7000-8000-000000000002"] {
        alice.try_return(lie).await.unwrap().assert(404, "session_gone");
    }
    // An administrator's order goes to where it runs.
    let reset = format!("/sessions/{}/reset", hers.session_id);
    farm.admin.try_post(&reset, Value::Null).await.unwrap().assert(204, "");
    assert!(honest.machine.sessions().iter().all(|session| session.session_id != hers.session_id));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_plain_port_only_shows_the_way() {
    let mut farm = Farm::broker_only().await;
    let directory = farm.join(oriel_model::role::Role::Gateway, "gate").await.unwrap();
    let any = Some("127.0.0.1:0".parse().unwrap());
    let plain = farm.add_gateway_with(directory, |config| config.redirect_listen = any).unwrap();
    let to_rdp = format!("location: https://gate.example:{}/rdp?x=1", farm.gateway().port());
    for (what, request, answered) in [
        ("a page", "GET /rdp?x=1 HTTP/1.1\r\nhost: gate.example\r\nconnection: close\r\n\r\n", &*to_rdp),
        ("no host", "GET / HTTP/1.0\r\n\r\n", "400 Bad Request"),
        (
            "another's name",
            "GET / HTTP/1.1\r\nhost: a@evil.example\r\nconnection: close\r\n\r\n",
            "400 Bad Request",
        ),
        ("no HTTP", "\x16\x03\x01\r\n\r\n", "400 Bad Request"),
    ] {
        let stream = TcpStream::connect(plain).await.unwrap();
        let answer = answer_to(stream, request.as_bytes()).await.unwrap();
        let text = String::from_utf8_lossy(&answer).into_owned();
        assert!(text.contains(answered), "{what}: {text}");
        assert!(!text.contains("evil"), "{what}: {text}");
    }
    for (_, noise) in noises() {
        let stream = TcpStream::connect(plain).await.unwrap();
        answer_to(stream, &noise).await.unwrap();
    }
    assert_eq!(observe::panics(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_user_cannot_launch_without_end() {
    let farm = Farm::start().await;
    let host = farm.add_host("h1").await;
    let desktop = farm.desktop("Desktop").await;
    farm.user("alice", &[]).await;
    farm.user("bob", &[]).await;
    let (alice, bob) = (farm.signed_in("alice").await, farm.signed_in("bob").await);
    let told = wait::until("she is told to wait", async || {
        let answer = alice.try_launch(&desktop).await.unwrap();
        if answer.status.as_u16() == 429 { Ok(answer) } else { Err(answer.to_string()) }
    })
    .await;
    told.assert(429, "busy");
    assert!(told.headers.contains_key("retry-after"));
    bob.launch(&desktop).await.unwrap();
    assert_eq!(host.machine.sessions().len(), 2, "she has had one session all the time");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_carry_what_protects_the_page() {
    let farm = Farm::start().await;
    let http = HttpClient::new(farm.gateway());
    for path in ["/", "/session?resource=1", "/assets/none.js", "/api/portal/v1/me", "/nothing.txt"] {
        let answer = http.send(Method::GET, path, &[], "").await.unwrap();
        let header = |name: &str| answer.headers.get(name).map_or("", |value| value.to_str().unwrap());
        let policy = header("content-security-policy");
        for part in ["default-src 'self'", "frame-ancestors 'none'", "object-src 'none'", "base-uri 'none'"] {
            assert!(policy.contains(part), "{path}: {part} is not in \"{policy}\"");
        }
        assert!(!policy.contains("unsafe-eval'") || policy.contains("wasm-unsafe-eval"), "{policy}");
        assert_eq!(header("x-content-type-options"), "nosniff", "{path}");
        assert!(header("strict-transport-security").contains("max-age"), "{path}");
        assert!(!header("referrer-policy").is_empty(), "{path}");
    }
    let health = http.send(Method::GET, "/healthz", &[], "").await.unwrap();
    assert_eq!(health.status.as_u16(), 200, "{health}");
}
