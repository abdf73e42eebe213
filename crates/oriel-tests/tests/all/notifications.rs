//! What notifications tell of a whole farm: uses of a limited resource, a schedule that gave up, and the
//! certificates of gateways. Nobody is written to here: the log says what would have been told.

use std::time::Duration;

use jiff::tz::TimeZone;
use oriel_gateway::CertificateFiles;
use oriel_model::{role::Role, session::EndReason};
use oriel_net::clock::Clock as _;
use oriel_testkit::{farm::Farm, wait};
use serde_json::{Value, json};

use crate::{command_line::Terminal, policies::log_on};

const MINUTE: Duration = Duration::from_secs(60);

/// A notification by mail, of which the log says that there is no mailbox.
pub async fn notify(farm: &Farm, name: &str, more: Value) -> String {
    let mut spec = json!({ "interval_minutes": 1, "mail": { "addresses": ["duty@example.org"] } });
    spec.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    farm.admin.create("notifications", name, spec).await.unwrap()
}

/// Waits until the log has these subjects of messages of a notification, the oldest first.
async fn told(farm: &Farm, notification: &str, subjects: &[&str]) {
    let path = format!("/audit?code=notification.failed&object={notification}");
    wait::until("it is told", async || {
        let log = farm.admin.get(&path).await.map_err(|error| format!("{error:#}"))?;
        let entries = log["items"].as_array().cloned().unwrap_or_default();
        // Those that were tried again, once it is given up, say the same.
        let said: Vec<_> = entries.iter().rev().map(|entry| entry["details"]["what"].clone()).collect();
        wait::ensure(said == subjects, log)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn uses_of_a_limited_resource_are_told_and_that_they_are_over() {
    let farm = Farm::start().await;
    let host = farm.add_host("h1").await;
    for user in ["alice", "bob"] {
        farm.user(user, &[]).await;
    }
    let target = json!({ "kind": "desktop", "source": farm.source() });
    let limit = json!({ "uses": 2 });
    let desktop = farm.resource("Drawing", json!({ "target": target, "limit": limit })).await;
    let line = json!({ "direction": "rises_above", "value": 90, "percent": true });
    let id = notify(&farm, "licences", json!({ "event": "uses", "threshold": line, "tell_recovered": true }))
        .await;

    let mut sessions = Vec::new();
    for user in ["alice", "bob"] {
        let portal = farm.signed_in(user).await;
        let launch = portal.launch(&desktop).await.unwrap();
        log_on(&farm, &host, &launch);
        sessions.push(launch["session_id"].as_str().unwrap().to_owned());
    }
    let full = "[Oriel] Uses of a limited resource, Drawing: 2 of 2";
    told(&farm, &id, &[full]).await;
    // Both work on: nothing is said again, however long that lasts.
    farm.clock.set_ahead(MINUTE * 5);
    let state = async || farm.admin.get(&format!("/notifications/{id}")).await.unwrap()["state"].clone();
    let sent = state().await["last_sent"].clone();
    host.machine.end_session(&sessions[1], EndReason::LoggedOff, "");
    told(&farm, &id, &[full, "[Oriel] Uses of a limited resource, Drawing: 1 of 2 (well again)"]).await;
    let now = state().await;
    assert_eq!(now["lasting"], 0, "{now}");
    assert_ne!(now["last_sent"], sent);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_with_a_client_are_told_apart_from_those_that_were_left() {
    let farm = Farm::start().await;
    let host = farm.add_host("h1").await;
    let mut sessions = Vec::new();
    let desktop = farm.desktop("Desktop").await;
    for user in ["alice", "bob"] {
        farm.user(user, &[]).await;
        let launch = farm.signed_in(user).await.launch(&desktop).await.unwrap();
        log_on(&farm, &host, &launch);
        sessions.push(launch["session_id"].as_str().unwrap().to_owned());
    }
    farm.host_reports(&host, true).await;
    host.machine.disconnect_session(&sessions[0], EndReason::Disconnected);
    let line = |value: u32| json!({ "direction": "rises_above", "value": value });
    let all = notify(&farm, "all", json!({ "event": "sessions", "threshold": line(1) })).await;
    let most = json!({ "event": "active_sessions", "threshold": line(0) });
    let active = notify(&farm, "active", most).await;
    told(&farm, &all, &["[Oriel] Sessions, h1: 2 of 250"]).await;
    told(&farm, &active, &["[Oriel] Active sessions, h1: 1 of 250"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_fills_up_is_shown_and_told() {
    let farm = Farm::broker_only().await;
    let host = farm.add_host("h1").await;
    let line = json!({ "direction": "rises_above", "value": 90 });
    let id = notify(&farm, "disks", json!({ "event": "disk", "threshold": line })).await;
    host.machine.set_disk(0.5);
    farm.host_reports(&host, true).await;
    host.machine.set_disk(0.955);
    told(&farm, &id, &["[Oriel] Disk in use, h1: 95.5 %"]).await;
    let state = farm.admin.get(&format!("/hosts/{}", host.id)).await.unwrap()["state"].clone();
    assert!(state["disk_total_bytes"].as_u64() > state["disk_available_bytes"].as_u64(), "{state}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_schedule_that_gives_a_host_up_is_told_with_the_hosts_words() {
    let farm = Farm::broker_only().await;
    let mut alone = farm.add_host("alone").await;
    alone.lose_agent();
    farm.host_reports(&alone, false).await;
    let id = notify(&farm, "schedules", json!({ "event": "schedule_given_up" })).await;
    let starts_at = TimeZone::UTC.to_datetime(farm.clock.now()).strftime("%Y-%m-%dT%H:%M:%S").to_string();
    let spec = json!({ "action": { "do": "start" }, "target": { "of": "hosts", "hosts": [alone.id] },
        "starts_at": starts_at });
    let schedule = farm.admin.create("schedules", "Morning", spec).await.unwrap();
    let path = format!("/schedules/{schedule}");
    for attempt in 1..=3 {
        wait::until("it is tried", async || {
            let state = farm.admin.get(&path).await.map_err(|error| format!("{error:#}"))?["state"].clone();
            wait::ensure(state["going_on"][0]["attempt"] == attempt, state)
        })
        .await;
        farm.clock.set_ahead(MINUTE * 6 * attempt);
    }
    told(&farm, &id, &["[Oriel] Schedule gave hosts up, Morning"]).await;
}

/// A certificate for a gateway that is valid for an hour more, of ten days; gives its files.
fn ends_soon(farm: &Farm) -> CertificateFiles {
    let [chain, key] = ["chain.pem", "key.pem"].map(|name| farm.directory().join(name));
    let now = farm.clock.now().as_second();
    let at = |second: i64| std::time::SystemTime::UNIX_EPOCH + Duration::from_secs(second.unsigned_abs());
    let pair = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::new(vec!["apps.example.org".to_owned()]).unwrap();
    (params.not_before, params.not_after) = (at(now - 10 * 86_400).into(), at(now + 3_600).into());
    std::fs::write(&chain, params.self_signed(&pair).unwrap().pem()).unwrap();
    std::fs::write(&key, pair.serialize_pem()).unwrap();
    CertificateFiles { chain, key }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_certificate_of_a_gateway_is_shown_and_told_before_it_ends() {
    let mut farm = Farm::broker_only().await;
    let directory = farm.join(Role::Gateway, "gate-1").await.unwrap();
    let files = ends_soon(&farm);
    farm.add_gateway_with(directory, |config| config.certificate = Some(files));
    farm.gateways_attached().await;
    let gateway = farm.id_of("gateways", "gate-1").await.unwrap();
    let path = format!("/gateways/{gateway}");
    let stands = async |standing: &str| {
        wait::until("the gateway's certificate is known", async || {
            let view = farm.admin.get(&path).await.map_err(|error| format!("{error:#}"))?;
            let shown = view["state"]["certificate"].clone();
            wait::ensure(shown["standing"] == standing, shown.to_string()).map(|()| shown)
        })
        .await
    };
    let shown = stands("ending").await;
    assert_eq!(
        (&shown["self_signed"], &shown["names"]),
        (&json!(true), &json!(["apps.example.org"])),
        "{shown}"
    );
    let line = json!({ "direction": "falls_below", "value": 14 });
    let target = json!({ "of": "gateways", "gateways": [gateway] });
    let spec = json!({ "event": "certificate_days", "threshold": line, "target": target });
    let id = notify(&farm, "certificates", spec).await;
    let said = "[Oriel] Days that a certificate is still valid, certificate of the gateway gate-1: 0";
    told(&farm, &id, &[said]).await;
    let status = farm.admin.get("/status").await.unwrap();
    let held = status["certificates"].as_array().unwrap().iter();
    let held: Vec<_> = held.map(|one| json!([one["holder"], one["standing"]])).collect();
    assert_eq!(
        held,
        [json!(["authority", "good"]), json!(["broker", "good"]), json!(["gateway", "ending"])],
        "{status}"
    );
    let table = Terminal::new(&farm).works("gateway list").await;
    assert!(table.contains("ending"), "{table}");
    farm.clock.set_ahead(Duration::from_secs(7_200));
    stands("ended").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_that_does_not_renew_its_certificate_is_told_before_it_ends() {
    let farm = Farm::broker_only().await;
    // Simulated agents never renew.
    let host = farm.add_host("h1").await;
    let line = json!({ "direction": "falls_below", "value": 20 });
    let target = json!({ "of": "hosts", "hosts": [host.id] });
    let spec = json!({ "event": "certificate_days", "threshold": line, "target": target });
    let id = notify(&farm, "certificates", spec).await;
    // Of thirty days; all is well while there is time to renew.
    farm.clock.set_ahead(MINUTE * 60 * 24 * 26);
    let said =
        "[Oriel] Days that a certificate is still valid, the farm's certificate for the agent on h1: 3";
    told(&farm, &id, &[said]).await;
}
