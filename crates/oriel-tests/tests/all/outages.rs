//! Parts that stop, vanish or are killed: no setting and no session is lost, and the farm comes back
//! by itself.

use oriel_testkit::{
    farm::PASSWORD,
    processes::{ProcessFarm, Service},
    rdp::{ClientOptions, RdpClient, RdpHost},
    wait,
};
use serde_json::json;

use crate::connection::{Launch, Scene};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_broker_is_away_who_works_works_on() {
    let mut scene = Scene::new().await;
    let (_, mut client) = scene.connect().await;
    client.frame().await.unwrap();
    scene.farm.stop_broker().await;

    client.press(30).await.unwrap();
    let host = scene.rdp.latest().unwrap();
    wait::until("keys still arrive", async || wait::ensure(host.input_count() > 0, host.input_count())).await;
    // The portal says what is going on instead of hanging.
    let answer = scene.alice.get("/resources").await.unwrap();
    answer.assert(503, "farm_starting");

    scene.farm.start_broker().await;
    scene.farm.gateways_attached().await;
    scene.farm.host_reports(&scene.host, true).await;
    let status = scene.farm.admin.get("/status").await.unwrap();
    assert_eq!(status["gateways"]["connections"], 1, "the gateway has told of it: {status}");
    // And so an administrator still reaches that connection.
    let sessions = scene.farm.admin.get("/sessions").await.unwrap();
    let path = format!("/sessions/{}/reset", sessions["items"][0]["id"].as_str().unwrap());
    scene.farm.admin.try_post(&path, serde_json::Value::Null).await.unwrap().assert(204, "");
    client.closed().await.unwrap();
    // The sign-in went on, too.
    scene.alice.get("/me").await.unwrap().assert(200, "");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_that_vanishes_ends_the_connections_to_it() {
    let mut scene = Scene::new().await;
    let (launch, mut client) = scene.connect().await;
    client.frame().await.unwrap();
    scene.host.lose_agent();
    scene.rdp.latest().unwrap().end(oriel_testkit::rdp::End::Abrupt);
    client.closed().await.unwrap();
    let end = scene.alice.end_of(&launch.connection).await.unwrap();
    assert_eq!(end["ended"], true, "{end}");
    let answer = scene.alice.try_launch(&scene.editor).await.unwrap();
    assert_eq!(answer.status.as_u16(), 503, "{answer}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_broker_forgets_no_setting_and_no_session() {
    let mut farm = ProcessFarm::start().await.unwrap();
    let rdp = RdpHost::start().await.unwrap();
    let agent = farm.add_host("h1", rdp.listener()).await.unwrap();
    rdp.serve(agent.host().clone());
    let desktop = farm.user_and_desktop("alice").await.unwrap();
    let alice = farm.signed_in("alice").await.unwrap();
    let launch = Launch::from(alice.launch(&desktop).await.unwrap());
    let mut client =
        RdpClient::connect(farm.gateway, &launch.ticket, ClientOptions::default()).await.unwrap();
    client.frame().await.unwrap();

    for round in 0..3 {
        // In the middle of writing: what was answered with yes is kept, what was not may be.
        let writing = async {
            let mut kept = Vec::new();
            for number in 0.. {
                let name = format!("group {round}.{number}");
                match farm.admin.create("groups", &name, json!({})).await {
                    Ok(_) => kept.push(name),
                    Err(_) => return kept,
                }
            }
            unreachable!("a broker that is killed stops answering")
        };
        let process = farm.process_id(Service::Broker).unwrap().to_string();
        let killing = async {
            tokio::time::sleep(std::time::Duration::from_millis(300)).await;
            let killed = std::process::Command::new("kill").args(["-9", &process]).status().unwrap();
            assert!(killed.success());
        };
        let (kept, ()) = tokio::join!(writing, killing);
        assert!(!kept.is_empty());
        farm.kill(Service::Broker);
        farm.start_service(Service::Broker).unwrap();
        farm.gateway_attached().await;
        farm.host_reachable("h1").await;
        for name in kept {
            let list = farm.admin.get(&format!("/groups?exact=true&name={}", name.replace(' ', "%20"))).await;
            assert_eq!(list.unwrap()["items"][0]["name"], json!(name), "round {round}");
        }
        // She is still signed in, still connected, and her session is known.
        alice.get("/me").await.unwrap().assert(200, "");
        client.press(30).await.unwrap();
        wait::until("her session is known", async || {
            let sessions = alice.sessions().await.map_err(|error| error.to_string())?;
            let is_hers = sessions.len() == 1 && sessions[0]["id"] == json!(launch.session);
            wait::ensure(is_hers, format!("{sessions:?}"))
        })
        .await;
    }
    assert_eq!(rdp.connections().len(), 1, "one connection through it all");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_gateway_costs_the_connection_and_not_the_session() {
    let mut farm = ProcessFarm::start().await.unwrap();
    let rdp = RdpHost::start().await.unwrap();
    let agent = farm.add_host("h1", rdp.listener()).await.unwrap();
    rdp.serve(agent.host().clone());
    let desktop = farm.user_and_desktop("alice").await.unwrap();
    let alice = farm.signed_in("alice").await.unwrap();
    let first = Launch::from(alice.launch(&desktop).await.unwrap());
    let mut client = RdpClient::connect(farm.gateway, &first.ticket, ClientOptions::default()).await.unwrap();
    client.frame().await.unwrap();

    farm.kill(Service::Gateway);
    client.closed().await.unwrap();
    farm.start_service(Service::Gateway).unwrap();
    farm.gateway_attached().await;
    // The cookie counts at the new one, and the session is the same.
    let again = alice.launch(&desktop).await.unwrap();
    assert_eq!(
        (&again["session_id"], &again["reconnected"]),
        (&json!(first.session), &json!(true)),
        "{again}"
    );
    let again = Launch::from(again);
    let mut client = RdpClient::connect(farm.gateway, &again.ticket, ClientOptions::default()).await.unwrap();
    client.frame().await.unwrap();
    assert_eq!(agent.host().sessions().len(), 1);
    for service in [Service::Broker, Service::Gateway] {
        let log = farm.log(service);
        for secret in [PASSWORD, &again.ticket, farm.admin.token()] {
            assert!(!log.contains(secret), "a secret is in the log of the {service:?}");
        }
        assert!(!log.contains("panicked"), "{log}");
    }
}
