//! What is measured of sessions: how long a logon took, step by step, round trip and traffic; from gateway and
//! host through the broker to who looks.

use std::time::Duration;

use oriel_testkit::{rdp::RdpClient, wait};
use serde_json::{Value, json};

use super::{
    command_line::Terminal,
    connection::{Launch, Scene},
};

const STEPS: [&str; 5] = ["brokering_ms", "prepare_ms", "connect_ms", "host_logon_ms", "first_picture_ms"];

/// Reads what the gateway sends, pings included, until it is dropped.
struct Reading(tokio::task::JoinHandle<()>);

impl Reading {
    fn begin(mut client: RdpClient) -> Self {
        Self(tokio::spawn(async move { while client.message().await.is_ok() {} }))
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The only session, once all of its logon and a round trip are known.
async fn measured(scene: &Scene) -> Value {
    let is_whole = |session: &Value| {
        session["connection"]["round_trip_ms"].is_number()
            && STEPS.iter().all(|step| session["logon"][step].is_number())
    };
    let found = scene
        .farm
        .sessions_until("its logon and round trip are known", |list| list.len() == 1 && is_whole(&list[0]));
    found.await.remove(0)
}

/// The steps add up; nothing of it took longer than the test waits.
fn assert_adds_up(session: &Value) {
    let logon = &session["logon"];
    let steps: u64 = STEPS.iter().map(|step| logon[step].as_u64().unwrap()).sum();
    assert_eq!(logon["total_ms"], steps, "{logon}");
    assert!(steps < 20_000 && logon["prepare_ms"] != 0 && logon["connect_ms"] != 0, "{logon}");
    assert!(logon["host_reached_ms"].as_u64() <= logon["connect_ms"].as_u64(), "{logon}");
    let round_trip = session["connection"]["round_trip_ms"].as_f64().unwrap();
    assert!((0.0..5_000.0).contains(&round_trip), "{session}");
}

async fn entry(scene: &Scene, launch: &Launch) -> Value {
    let path = format!("/audit?code=session.launched&object={}", launch.connection);
    wait::until("the launch is in the log", async || {
        let list = scene.farm.admin.get(&path).await.map_err(|error| error.to_string())?;
        list["items"].get(0).cloned().ok_or_else(|| list.to_string())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_logon_is_told_step_by_step_and_kept_while_the_session_is_left() {
    let scene = Scene::new().await;
    scene.host.machine.set_logon_time(Duration::from_millis(1));
    let (launch, client) = scene.connect().await;
    let reading = Reading::begin(client);
    let session = measured(&scene).await;
    assert_adds_up(&session);
    assert_eq!(session["connection"]["id"], launch.connection);
    assert!(session["connection"]["bytes_to_client"].as_u64().unwrap() > 16_000, "a tile: {session}");
    assert_eq!(session["severity"]["logon"], "normal");

    // The log has of the launch what is known when it is written.
    let details = entry(&scene, &launch).await["details"].clone();
    for step in ["brokering_ms", "prepare_ms"] {
        assert_eq!(details[step], session["logon"][step].to_string(), "{details}");
    }

    // Lists are sorted and filtered by it, and the command line shows it.
    let by = |query: &str| format!("/sessions?sort=-connection.round_trip_ms,logon.total_ms&{query}");
    for (query, expected) in [("filter=connection.kbits_to_host!:4711", 1), ("filter=logon.total_ms:4711", 0)]
    {
        let list = scene.farm.admin.get(&by(query)).await.unwrap();
        assert_eq!(list["items"].as_array().map(Vec::len), Some(expected), "{query}: {list}");
    }
    let oriel = Terminal::new(&scene.farm);
    let table = oriel.works("session list").await;
    assert!(table.contains("ROUND TRIP") && table.contains(" ms"), "{table}");
    let one = oriel.works(&format!("session show {}", launch.session)).await;
    for field in ["logon.prepare_ms", "logon.total_ms", "connection.round_trip_ms"] {
        assert!(one.contains(field), "{field}: {one}");
    }

    // Who leaves takes the connection along, and the latest logon stays.
    drop(reading);
    let left = scene.farm.sessions_until("it is left", |list| {
        list.len() == 1 && list[0]["state"] == "disconnected" && list[0]["connection"].is_null()
    });
    assert_eq!(left.await[0]["logon"], session["logon"]);

    // A return is a logon of its own.
    let (again, client) = scene.connect().await;
    assert_eq!(again.session, launch.session);
    let _reading = Reading::begin(client);
    let returned = measured(&scene).await;
    assert_eq!(returned["connection"]["id"], again.connection);
    assert_adds_up(&returned);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_broker_hears_all_of_it_from_gateway_and_host() {
    let mut scene = Scene::new().await;
    scene.host.machine.set_logon_time(Duration::from_millis(1));
    let (_, client) = scene.connect().await;
    let _reading = Reading::begin(client);
    let before = measured(&scene).await;
    scene.farm.restart_broker().await;
    let after = measured(&scene).await;
    assert_eq!(after["logon"], before["logon"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_that_lies_is_believed_no_more_than_the_user_waited() {
    let scene = Scene::new().await;
    // It says that it took seven weeks.
    scene.host.machine.set_logon_time(Duration::from_millis(u32::MAX.into()));
    let pool = format!("/pools/{}", scene.farm.pool);
    let thresholds = json!({"warning": 20, "critical": 60});
    scene
        .farm
        .admin
        .change(&pool, |pool| pool["settings"]["logon_threshold"] = thresholds.clone())
        .await
        .unwrap();
    let (_, mut client) = scene.connect().await;
    client.frame().await.unwrap();
    let shown = scene.farm.sessions_until("its logon is known", |list| {
        list.len() == 1 && list[0]["logon"]["total_ms"].is_number()
    });
    let session = shown.await.remove(0);
    assert!(session["logon"]["total_ms"].as_u64().unwrap() < 20_000, "{session}");
    assert_eq!(session["severity"]["logon"], "normal");
    client.leave().await.unwrap();
}
