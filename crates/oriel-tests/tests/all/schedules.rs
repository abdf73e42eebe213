//! Schedules carried out: a host is drained, its users are told, it restarts, and takes logons again.

use std::time::Duration;

use jiff::{SignedDuration, tz::TimeZone};
use oriel_testkit::{
    farm::{Farm, Host},
    wait,
};
use oriel_wire::v1::{self, agent_request::Body};
use serde_json::{Value, json};

use crate::policies::log_on;

/// The time in so many minutes, as schedules say it.
fn in_minutes(farm: &Farm, minutes: i64) -> String {
    use oriel_net::clock::Clock as _;
    let at = farm.clock.now() + SignedDuration::from_mins(minutes);
    TimeZone::UTC.to_datetime(at).strftime("%Y-%m-%dT%H:%M:%S").to_string()
}

async fn state(farm: &Farm, schedule: &str) -> Value {
    farm.admin.get(&format!("/schedules/{schedule}")).await.unwrap()["state"].clone()
}

async fn mode_is(host: &Host, mode: v1::LogonMode) {
    wait::until("the host is told its logon mode", async || {
        let told = host.machine.settings().logon_mode();
        wait::ensure(told == mode, told)
    })
    .await;
}

fn texts(host: &Host) -> Vec<String> {
    let requests = host.machine.requests().into_iter();
    requests
        .filter_map(|request| match request.body {
            Some(Body::Message(message)) => Some(message.text),
            _ => None,
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drained_host_empties_and_reboots_on_schedule() {
    let mut farm = Farm::start().await;
    let host = farm.add_host("h1").await;
    for user in ["alice", "bob"] {
        farm.user(user, &[]).await;
    }
    let desktop = farm.desktop("Desktop").await;
    let alice = farm.signed_in("alice").await;
    log_on(&farm, &host, &alice.launch(&desktop).await.unwrap());
    farm.host_reports(&host, true).await;

    let spec = json!({
        "action": { "do": "reboot", "drain_minutes": 30, "force_after_minutes": 5 },
        "target": { "of": "hosts", "hosts": [host.id] },
        "starts_at": in_minutes(&farm, 20),
        "messages": [{ "minutes_before": 30, "text": "Restart in {minutes} minutes." }],
    });
    let schedule = farm.admin.create("schedules", "Nightly", spec).await.unwrap();
    mode_is(&host, v1::LogonMode::Drain).await;
    wait::until("alice is told", async || wait::ensure(!texts(&host).is_empty(), host.machine.requests()))
        .await;
    assert_eq!(texts(&host), ["Restart in 20 minutes."]);
    let bob = farm.signed_in("bob").await;
    bob.try_launch(&desktop).await.unwrap().assert_says(503, "no_host", "drain");
    let now = state(&farm, &schedule).await;
    assert_eq!(now["going_on"][0]["host"], json!(host.id), "{now}");
    assert!(now["next"].is_string(), "{now}");

    // Nothing of it is forgotten with the broker.
    farm.restart_broker().await;
    farm.host_reports(&host, true).await;
    mode_is(&host, v1::LogonMode::Drain).await;
    bob.try_launch(&desktop).await.unwrap().assert_says(503, "no_host", "drain");
    assert_eq!(texts(&host).len(), 1, "alice is told once");
    assert_eq!(host.machine.starts(), 0);

    // The deadline: whoever is left is logged off, and the host restarts.
    farm.clock.set_ahead(Duration::from_secs(26 * 60));
    wait::until("the host has restarted", async || {
        wait::ensure(host.machine.starts() == 1, host.machine.requests())
    })
    .await;
    mode_is(&host, v1::LogonMode::Enabled).await;
    let log_offs = host
        .machine
        .requests()
        .iter()
        .filter(|request| matches!(request.body, Some(Body::LogOff(_))))
        .count();
    assert_eq!(log_offs, 1);
    wait::until("the schedule is through", async || {
        let state = state(&farm, &schedule).await;
        wait::ensure(state["last"]["done"] == 1 && state["going_on"] == json!([]), state)
    })
    .await;
    bob.launch(&desktop).await.unwrap();
    assert_eq!(host.machine.starts(), 1, "once is enough");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopped_host_is_woken_by_another_of_its_site_also_after_the_broker_restarted() {
    let mut farm = Farm::start().await;
    let (one, two) = (farm.add_host("h1").await, farm.add_host("h2").await);
    let target = json!({ "of": "hosts", "hosts": [one.id] });
    let stop = json!({ "action": { "do": "stop", "drain_minutes": null, "force_after_minutes": 0 },
        "target": target, "starts_at": in_minutes(&farm, 0) });
    farm.admin.create("schedules", "Evening", stop).await.unwrap();
    mode_is(&one, v1::LogonMode::Drain).await;
    // A seat that was promised just before would show by then.
    farm.clock.set_ahead(Duration::from_secs(2 * 60));
    wait::until("it is off", async || wait::ensure(!one.machine.is_on(), one.machine.requests())).await;
    farm.restart_broker().await;
    farm.host_reports(&two, true).await;

    let start = json!({ "action": { "do": "start" }, "target": target, "starts_at": in_minutes(&farm, 0) });
    farm.admin.create("schedules", "Morning", start).await.unwrap();
    wait::until("the other one calls it", async || {
        let called = two.machine.called();
        wait::ensure(called.first().map(Vec::as_slice) == Some(&one.machine.mac_address()[..]), called)
    })
    .await;
    one.machine.wake();
    farm.host_reports(&one, true).await;
    mode_is(&one, v1::LogonMode::Enabled).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn logons_are_disabled_for_a_while_and_sessions_end_as_the_schedule_says() {
    let farm = Farm::start().await;
    let host = farm.add_host("h1").await;
    farm.user("alice", &[]).await;
    let desktop = farm.desktop("Desktop").await;
    let alice = farm.signed_in("alice").await;
    log_on(&farm, &host, &alice.launch(&desktop).await.unwrap());
    farm.host_reports(&host, true).await;
    let spec = json!({
        "action": { "do": "disable", "duration_minutes": 30, "sessions": "log_off" },
        "target": { "of": "pools", "pools": [farm.pool] },
        "starts_at": in_minutes(&farm, 0),
    });
    let schedule = farm.admin.create("schedules", "Upkeep", spec).await.unwrap();
    mode_is(&host, v1::LogonMode::Disabled).await;
    wait::until("alice is logged off", async || {
        wait::ensure(host.machine.sessions().is_empty(), host.machine.sessions())
    })
    .await;
    let set = farm.admin.get(&format!("/hosts/{}", host.id)).await.unwrap();
    assert_eq!(set["spec"]["logon_mode"], "enabled", "nothing is written into the host's settings");

    // A schedule that is deleted holds nothing back.
    let revision =
        farm.admin.get(&format!("/schedules/{schedule}")).await.unwrap()["revision"].as_u64().unwrap();
    farm.admin.try_delete(&format!("/schedules/{schedule}"), revision).await.unwrap().assert(204, "");
    mode_is(&host, v1::LogonMode::Enabled).await;
}
