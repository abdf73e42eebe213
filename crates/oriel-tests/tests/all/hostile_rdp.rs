//! Bad input on the way to a host: at the WebSocket, in the opening message, in each message of the
//! connection sequence, in a session, and from hosts.

use std::pin::Pin;

use http::Method;
use oriel_testkit::{
    farm::Farm,
    http::HttpClient,
    observe,
    rdp::{self, Behaviour, ClientOptions, RdpClient, Refusal, Stage},
    wait,
};
use tokio_tungstenite::tungstenite::{
    Message,
    protocol::frame::{
        Frame,
        coding::{Data, OpCode},
    },
};

use crate::{
    connection::{Launch, Scene},
    hostile::{END_DEADLINE, answer_to, random},
};

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
                _ = client
                    .send([&[3, 0, 0xff, 0xff, 2, 0xf0, 0x80, 0x7f, 0x65][..], &[0; 16_000]].concat())
                    .await;
            }
        }),
        mischief!("the Client Info at once", |client| _ =
            client.send(rdp::client_info(&ClientOptions::default())).await),
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
    assert!(
        scene.rdp.connections().iter().all(|connection| connection.session().is_none()),
        "nobody logged on"
    );
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
    let channels: Vec<_> = host
        .input()
        .iter()
        .filter_map(|frame| rdp::user_data_of(frame))
        .map(|(channel, _)| channel)
        .collect();
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
    wait::until("the first goes on", async || wait::ensure(host.input_count() >= 3, host.input_count()))
        .await;
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
        RdpClient::open(farm.gateway(), ClientOptions::default())
            .await
            .map(drop)
            .map_err(|e| format!("{e:?}"))
    })
    .await;
}
