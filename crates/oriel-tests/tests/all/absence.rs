//! Whoever falls silent is given up in time, whoever they are. All of them wait at the same time, since
//! waiting costs nothing but time; and first of all tests (they run by name), while the others go on.

use std::time::{Duration, Instant};

use oriel_testkit::{
    farm::Farm,
    observe,
    rdp::{ClientOptions, RdpClient, Stage},
};

use tokio::net::TcpStream;

use crate::{
    connection::{Launch, Scene},
    hostile::{END_DEADLINE, attack},
    hostile_rdp::given_up,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everybody_who_falls_silent_is_given_up_in_time() {
    let began = Instant::now();
    tokio::join!(strangers(), a_crowd(), clients(), hosts(), an_agent());
    assert!(began.elapsed() < END_DEADLINE, "{:?}", began.elapsed());
    assert_eq!(observe::panics(), Vec::<String>::new());
}

/// At every port, before and inside TLS.
async fn strangers() {
    let farm = Farm::start().await;
    farm.user("alice", &[]).await;
    let hello = vec![0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3];
    let head = |length: &str| {
        let line = "POST /api/portal/v1/sign-in HTTP/1.1\r\nhost: x\r\ncontent-length: ";
        format!("{line}{length}\r\n\r\n{{").into_bytes()
    };
    let silences = vec![
        ("nothing at all", Vec::new()),
        ("one byte", vec![0x16]),
        ("half a ClientHello", hello),
        ("half a request", b"GET / HTTP/1.1\r\nhost: ".to_vec()),
        ("a body that never comes", head("50")),
        ("a length that lies", head("99999999999999")),
    ];
    attack(&farm, silences).await;
}

/// More half-open connections than there may be handshakes at a time: who comes after them waits until
/// they are shown out, and is served.
async fn a_crowd() {
    let farm = Farm::start().await;
    farm.user("alice", &[]).await;
    let ports = farm.ports();
    let mut crowd = Vec::new();
    for address in [farm.gateway(), ports.management, ports.agent] {
        for _ in 0..600 {
            crowd.push(TcpStream::connect(address).await.unwrap());
        }
    }
    let began = Instant::now();
    let alice = farm.signed_in("alice").await;
    alice.get("/me").await.unwrap().assert(200, "");
    farm.admin.get("/status").await.unwrap();
    let _host = farm.add_host("h1").await;
    assert!(began.elapsed() < END_DEADLINE, "it took {:?}", began.elapsed());
    drop(crowd);
}

/// Browsers that stop in the middle: before a ticket, and at each stage after it.
async fn clients() {
    let scene = Scene::new().await;
    let options = ClientOptions::default;
    let gateway = scene.farm.gateway();
    let mut silent = Vec::new();
    silent.push(RdpClient::open(gateway, options()).await.unwrap());
    let mut half = RdpClient::open(gateway, options()).await.unwrap();
    half.send_raw_bytes(&[0x82, 0xfe, 0x10, 0, 1, 2, 3, 4, 0x30]).await.unwrap();
    silent.push(half);
    let mut launches = Vec::new();
    for stage in 0..3 {
        let launch = scene.launch().await;
        let mut client = RdpClient::open(gateway, options()).await.unwrap();
        client.show_ticket(&launch.ticket).await.unwrap();
        if stage > 0 {
            let granted = client.exchange_settings().await.unwrap();
            if stage > 1 {
                client.join_channels(&granted).await.unwrap();
            }
        }
        silent.push(client);
        launches.push(launch);
    }
    for (index, client) in silent.iter_mut().enumerate() {
        client.set_patience(END_DEADLINE);
        client.closed().await.unwrap_or_else(|error| panic!("client {index}: {error}"));
    }
    for Launch { connection, .. } in launches {
        let end = scene.alice.end_of(&connection).await.unwrap();
        assert_eq!(end["ended"], true, "{end}");
    }
    assert!(scene.rdp.connections().iter().all(|connection| connection.session().is_none()));
}

/// Hosts that stop at each stage; and one whose port takes connections and does nothing.
async fn hosts() {
    let scene = Scene::new().await;
    let mut ends = Vec::new();
    // After the logon the gateway only relays: a host may take its time there.
    for stage in [Stage::Accepted, Stage::Requested, Stage::Encrypted, Stage::Initial] {
        ends.push(given_up(&scene, stage, false).await);
    }
    for end in ends {
        end.await;
    }
}

/// An agent that takes requests and does not answer: the next host is asked.
async fn an_agent() {
    let farm = Farm::start().await;
    let (silent, other) = (farm.add_host("silent").await, farm.add_host("other").await);
    other.machine.set_load(0.9, 0.9);
    silent.machine.set_silent(true);
    let desktop = farm.desktop("Desktop").await;
    farm.user("alice", &[]).await;
    let alice = farm.signed_in("alice").await;
    farm.loads_known(&[(&silent, 0.0), (&other, 0.9)]).await;
    let began = Instant::now();
    let launched = alice.launch(&desktop).await.unwrap();
    assert_eq!(launched["host_name"], "other", "{launched}");
    assert!(began.elapsed() < Duration::from_secs(30), "it took {:?}", began.elapsed());
}
