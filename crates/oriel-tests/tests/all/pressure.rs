//! Back-pressure: whoever does not read stops who sends, and the gateway holds little in between.

use std::time::Duration;

use oriel_testkit::{
    observe,
    processes::{ProcessFarm, Service},
    rdp::{ClientOptions, Picture, RdpClient, RdpHost, Received},
    wait,
};

use crate::connection::{Launch, Scene};

/// What kernel buffers and the gateway may hold between two ends on loopback, in bytes: twice a
/// send buffer of 4 MiB and a receive buffer of 6 MiB, and room.
const HELD_MAX: u64 = 32 << 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_does_not_read_stops_the_host() {
    let scene = Scene::new().await;
    scene.rdp.behave(|behaviour| behaviour.picture = Picture::Flood);
    let (_, mut client) = scene.connect().await;
    let host = scene.rdp.latest().unwrap();
    let stopped_at = standstill(|| host.bytes_sent()).await;
    assert!(stopped_at < HELD_MAX, "{stopped_at} bytes are on the way");

    // It reads again: everything goes on, nothing is lost or out of place.
    let mut read = 0;
    while read < stopped_at + (8 << 20) {
        match client.next().await {
            Received::Frame(frame) => read += frame.bytes.len() as u64,
            Received::Closed(closed) => panic!("{closed:?}"),
        }
    }
    assert!(host.bytes_sent() > stopped_at);
    assert_eq!(client.uneven_messages(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_that_does_not_read_stops_the_client() {
    let scene = Scene::new().await;
    let (_, mut client) = scene.connect().await;
    client.frame().await.unwrap();
    scene.rdp.behave(|behaviour| behaviour.reads = false);
    // A fast-path message as long as they get; the host would take it for input.
    let mut input = vec![0x04, 0xbf, 0xff];
    input.resize(0x3fff, 0);
    let mut sent = 0;
    while sent < HELD_MAX * 2 {
        let sending = client.send(input.clone());
        match tokio::time::timeout(Duration::from_secs(2), sending).await {
            Ok(Ok(())) => sent += input.len() as u64,
            Ok(Err(error)) => panic!("{error}"),
            Err(_) => break,
        }
    }
    assert!(sent < HELD_MAX, "{sent} bytes are on the way");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_gateways_memory_stays_small_under_floods_and_silence() {
    let farm = ProcessFarm::start().await.unwrap();
    let rdp = RdpHost::start().await.unwrap();
    rdp.behave(|behaviour| behaviour.picture = Picture::Flood);
    let agent = farm.add_host("h1", rdp.listener()).await.unwrap();
    rdp.serve(agent.host().clone());
    let desktop = farm.user_and_desktop("user0").await.unwrap();
    let gateway = farm.process_id(Service::Gateway).unwrap();
    let before = observe::resident_bytes_of(gateway);
    let mut clients = Vec::new();
    for number in 0..20 {
        let name = format!("user{number}");
        if number > 0 {
            let body =
                serde_json::json!({ "name": name, "password": oriel_testkit::farm::PASSWORD, "spec": {} });
            farm.admin.post("/users", body).await.unwrap();
        }
        let portal = farm.signed_in(&name).await.unwrap();
        let launch = Launch::from(portal.launch(&desktop).await.unwrap());
        let connected = RdpClient::connect(farm.gateway, &launch.ticket, ClientOptions::default());
        clients.push(connected.await.unwrap_or_else(|refusal| panic!("{refusal:?}")));
    }
    // And some who open the door and say nothing, and some who send half a message.
    let mut silent = Vec::new();
    for number in 0..40 {
        let mut client = RdpClient::open(farm.gateway, ClientOptions::default()).await.unwrap();
        if number % 2 == 0 {
            client.send_raw_bytes(&[0x82, 0xfe, 0x40, 0, 1, 2, 3, 4, 0x30]).await.unwrap();
        }
        silent.push(client);
    }
    let sent = || rdp.connections().iter().map(|connection| connection.bytes_sent()).sum();
    standstill(sent).await;
    let grown = observe::resident_bytes_of(gateway).saturating_sub(before);
    // Twenty floods and forty sulkers: measured about 5 MiB; half of it is code that was paged in.
    assert!(grown < 24 << 20, "the gateway grew by {} KiB", grown / 1024);
    drop((clients, silent));
    wait::until("all connections are gone", async || {
        let status = farm.admin.get("/status").await.unwrap();
        wait::ensure(status["gateways"]["connections"] == 0, status.to_string())
    })
    .await;
}

/// Waits until a count has not moved for a second; gives where it stands.
async fn standstill(count: impl Fn() -> u64) -> u64 {
    let mut last = (count(), std::time::Instant::now());
    wait::until("it comes to a standstill", async || {
        let now = count();
        if now != last.0 || now == 0 {
            last = (now, std::time::Instant::now());
        }
        if last.1.elapsed() > Duration::from_secs(1) { Ok(now) } else { Err(now) }
    })
    .await
}
