//! Parts that stop, vanish or are killed: no setting and no session is lost, and the farm comes back
//! by itself.

use oriel_model::session::EndReason;
use oriel_testkit::{
    farm::{BrokerPorts, Farm, PASSWORD},
    processes::{AtWork, ProcessFarm, Service, broker_file, program},
    rdp::{ClientOptions, RdpClient},
    wait,
};
use serde_json::{Value, json};

use crate::{
    connection::{Launch, Scene},
    policies::log_on,
};

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
    let work = farm.at_work("alice").await.unwrap();
    let (alice, launch, rdp, mut client) = (work.portal, Launch::from(work.launch), work.rdp, work.client);
    let _host = work.agent;

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
    let AtWork { rdp: _rdp, agent, desktop, portal: alice, launch, mut client } =
        farm.at_work("alice").await.unwrap();
    let first = Launch::from(launch);

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

/// Runs a command to its end and gives all that it wrote.
async fn said_by(mut command: tokio::process::Command, what: &str) -> (bool, String) {
    let output = command.stdin(std::process::Stdio::null()).kill_on_drop(true).output();
    let output = tokio::time::timeout(wait::DEADLINE, output).await;
    let output = output.unwrap_or_else(|_| panic!("{what} does not end")).unwrap();
    let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    (output.status.success(), text.concat())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_farm_whose_agent_cannot_start_says_why_at_once_and_ends() {
    let folder = tempfile::TempDir::with_prefix("oriel-no-agent-").unwrap();
    let port = |_| std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = [(); 5].map(port);
    let ports = taken.map(|listener| listener.local_addr().unwrap().port().to_string());
    // Without its capabilities root cannot give files to other accounts, which the agent has to.
    let mut command = tokio::process::Command::new("setpriv");
    command.args(["--bounding-set", "-all", "--inh-caps", "-all"]).arg(program().unwrap());
    command
        .args(["all-in-one", "--data"])
        .arg(folder.path().join("farm"))
        .arg("--web-root")
        .arg(folder.path());
    let options = ["gateway", "management", "broker-gateway", "broker-agent", "rdp"];
    for (option, port) in options.iter().zip(&ports) {
        command.args([&format!("--{option}-port"), port]);
    }
    let (succeeded, said) = said_by(command, "the farm").await;
    assert!(!succeeded, "{said}");
    assert!(said.contains("Operation not permitted"), "the agent's own words are missing: {said}");
    assert!(said.trim_end().ends_with("oriel: the agent does not start: its log above says why"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_starts_on_a_full_disk_says_that_it_is_full() {
    let folder = tempfile::TempDir::with_prefix("oriel-full-").unwrap();
    // One MiB in a mount namespace of its own, filled but for so many KiB.
    const FILLED: &str = "mount -t tmpfs -o size=1m,mode=0700 tmpfs \"$1\" && mkdir \"$1/data\" && \
        head -c \"$((1024 - $2))k\" /dev/zero > \"$1/other\" && exec \"$3\" broker run --config \"$4\"";
    let disk = folder.path().join("disk");
    std::fs::create_dir(&disk).unwrap();
    let config = folder.path().join("broker.toml");
    let any = "127.0.0.1:0".parse().unwrap();
    let ports = BrokerPorts { gateway: any, agent: any, management: any };
    std::fs::write(&config, broker_file(&disk.join("data"), ports)).unwrap();
    // Each is as far as the room reaches: the lock, the shared file, the schema, the first settings.
    for left in [4, 24, 40, 72, 120] {
        let mut command = tokio::process::Command::new("unshare");
        command.args(["--mount", "sh", "-c", FILLED, "sh"]).arg(&disk).arg(left.to_string());
        command.arg(program().unwrap()).arg(&config);
        let (succeeded, said) = said_by(command, "the broker").await;
        assert!(!succeeded, "{said}");
        let sentence = said.lines().last().unwrap_or_default();
        assert!(
            sentence.contains("has no space left") && sentence.contains("make room where it lies"),
            "with {left} KiB: {said}"
        );
        assert!(!said.contains("I/O error"), "with {left} KiB: {said}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn how_long_a_session_was_left_outlives_the_broker() {
    let mut farm = Farm::start().await;
    let host = farm.add_host("h1").await;
    farm.user("alice", &[]).await;
    let desktop = farm.desktop("Desktop").await;
    let path = format!("/pools/{}", farm.pool);
    let threshold = json!({ "warning": 1, "critical": 30 });
    let set = |spec: &mut Value| spec["settings"]["disconnected_threshold"] = threshold.clone();
    farm.admin.change(&path, set).await.unwrap();
    let alice = farm.signed_in("alice").await;
    let launch = alice.launch(&desktop).await.unwrap();
    let session = launch["session_id"].as_str().unwrap().to_owned();
    log_on(&farm, &host, &launch);
    host.machine.disconnect_session(&session, EndReason::Disconnected);
    farm.sessions_until("it was left just now", |sessions| {
        sessions.len() == 1
            && sessions[0]["state"] == "disconnected"
            && sessions[0]["severity"]["disconnected"] == "normal"
    })
    .await;
    host.machine.left_for(&session, std::time::Duration::from_secs(120));
    farm.restart_broker().await;
    let sessions = farm
        .sessions_until("the new broker knows from the host since when", |sessions| {
            sessions.len() == 1 && sessions[0]["severity"]["disconnected"] == "warning"
        })
        .await;
    assert_eq!(sessions[0]["id"], json!(session));
}
