//! Schedules carried out: a host is drained, its users are told, it restarts, and takes logons again.

use std::time::Duration;

use jiff::{SignedDuration, tz::TimeZone};
use oriel_testkit::{
    farm::{Farm, Host},
    wait,
};
use oriel_wire::v1::{self, agent_request::Body};
use serde_json::{Value, json};

use crate::{command_line::Terminal, policies::log_on};

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

/// The latest times of a schedule.
async fn runs(farm: &Farm, schedule: &str) -> Vec<Value> {
    let list = farm.admin.get(&format!("/schedules/{schedule}/runs")).await.unwrap();
    list["items"].as_array().unwrap().clone()
}

/// Waits until so many times of a schedule are over; gives what is known of the latest.
async fn through(farm: &Farm, schedule: &str, times: usize) -> Value {
    wait::until("the schedule is through", async || {
        let (runs, state) = (runs(farm, schedule).await, state(farm, schedule).await);
        let is_over = runs.len() == times && state["going_on"] == json!([]);
        if is_over { Ok(runs[0].clone()) } else { Err((runs, state)) }
    })
    .await
}

/// How often a host was told to restart, or to stop.
fn power_requests(host: &Host) -> usize {
    host.machine.requests().iter().filter(|request| matches!(request.body, Some(Body::Power(_)))).count()
}

fn reboot(host: &Host, starts_at: String) -> Value {
    json!({ "action": { "do": "reboot", "drain_minutes": null, "force_after_minutes": 0 },
        "target": { "of": "hosts", "hosts": [host.id] }, "starts_at": starts_at })
}

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_latest_times_of_a_schedule_are_told_newest_first_also_by_the_command_line() {
    let mut farm = Farm::broker_only().await;
    let host = farm.add_host("h1").await;
    let spec = json!({
        "action": { "do": "disable", "duration_minutes": 30 },
        "target": { "of": "hosts", "hosts": [host.id] },
        "starts_at": in_minutes(&farm, 0),
        "repeat": "FREQ=HOURLY",
    });
    let schedule = farm.admin.create("schedules", "Hourly", spec).await.unwrap();
    assert_eq!(runs(&farm, &schedule).await, [] as [Value; 0]);
    for hour in 0..3 {
        farm.clock.set_ahead(MINUTE * 60 * hour);
        mode_is(&host, v1::LogonMode::Disabled).await;
        farm.clock.set_ahead(MINUTE * (60 * hour + 31));
        mode_is(&host, v1::LogonMode::Enabled).await;
        let run = through(&farm, &schedule, hour as usize + 1).await;
        assert_eq!((&run["done"], &run["given_up"], &run["problems"]), (&json!(1), &json!(0), &json!([])));
    }
    // The machines' own clocks have not moved: to them, certificates made now would be of the future.
    farm.clock.set_ahead(Duration::ZERO);
    farm.restart_broker().await;
    farm.host_reports(&host, true).await;
    let told = runs(&farm, &schedule).await;
    let times: Vec<_> = told.iter().map(|run| run["occurrence"].as_str().unwrap()).collect();
    assert!(times.len() == 3 && times.is_sorted_by(|newer, older| newer > older), "{times:?}");
    assert_eq!(state(&farm, &schedule).await["last"], told[0]);

    let oriel = Terminal::new(&farm);
    let table = oriel.works("schedule runs Hourly").await;
    assert!(table.starts_with("TIME") && table.lines().count() == 1 + told.len(), "{table}");
    assert_eq!(oriel.json("schedule runs Hourly").await, json!(told));
    let nothing = farm.admin.try_get(&format!("/schedules/{}/runs", host.id)).await.unwrap();
    nothing.assert(404, "not_found");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_that_was_away_has_its_turn_when_it_is_back_where_the_schedule_says_so() {
    let farm = Farm::broker_only().await;
    let (mut late, there) = (farm.add_host("late").await, farm.add_host("there").await);
    late.lose_agent();
    farm.host_reports(&late, false).await;
    let both = json!({ "of": "pools", "pools": [farm.pool] });
    let schedule = async |name: &str, also_absent: bool| {
        let mut spec = reboot(&there, in_minutes(&farm, 0));
        spec["target"] = both.clone();
        spec["also_absent"] = json!(also_absent);
        farm.admin.create("schedules", name, spec).await.unwrap()
    };
    let (punctual, patient) = (schedule("Punctual", false).await, schedule("Patient", true).await);
    mode_is(&there, v1::LogonMode::Drain).await;
    farm.clock.set_ahead(MINUTE * 2);
    let check = async |schedule: &str, done: u32| {
        let run = through(&farm, schedule, 1).await;
        assert_eq!((&run["done"], &run["given_up"]), (&json!(done), &json!(0)), "{run}");
    };
    check(&punctual, 1).await;
    check(&patient, 1).await;
    mode_is(&there, v1::LogonMode::Enabled).await;

    // Twenty minutes late: too late for the one, in time for the other.
    farm.clock.set_ahead(MINUTE * 20);
    late.resume_agent();
    mode_is(&late, v1::LogonMode::Drain).await;
    let going_on = state(&farm, &patient).await["going_on"].clone();
    assert_eq!(going_on[0]["host"], json!(late.id), "{going_on}");
    assert_eq!(state(&farm, &punctual).await["going_on"], json!([]));
    assert_eq!(late.machine.starts(), 0);
    farm.clock.set_ahead(MINUTE * 22);
    wait::until("it has restarted", async || {
        wait::ensure(late.machine.starts() == 1, late.machine.requests())
    })
    .await;
    wait::until("both hosts are through", async || {
        let runs = runs(&farm, &patient).await;
        wait::ensure(runs[0]["done"] == 2, runs)
    })
    .await;
    mode_is(&late, v1::LogonMode::Enabled).await;
    check(&punctual, 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn logons_that_are_disabled_for_good_stay_so_until_an_administrator_enables_them() {
    let mut farm = Farm::start().await;
    let host = farm.add_host("h1").await;
    farm.user("alice", &[]).await;
    let desktop = farm.desktop("Desktop").await;
    let alice = farm.signed_in("alice").await;
    log_on(&farm, &host, &alice.launch(&desktop).await.unwrap());
    farm.host_reports(&host, true).await;
    let spec = json!({ "action": { "do": "disable" }, "target": { "of": "hosts", "hosts": [host.id] },
        "starts_at": in_minutes(&farm, 0) });
    let schedule = farm.admin.create("schedules", "For good", spec).await.unwrap();
    mode_is(&host, v1::LogonMode::Disabled).await;
    let run = through(&farm, &schedule, 1).await;
    assert_eq!(run["done"], 1, "{run}");
    assert_eq!(host.machine.sessions().len(), 1, "sessions are kept");
    let path = format!("/hosts/{}", host.id);
    assert_eq!(farm.admin.get(&path).await.unwrap()["spec"]["logon_mode"], "disabled");
    let log = farm.admin.get(&format!("/changes?object={}", host.id)).await.unwrap();
    assert!(log["items"][0]["author"].to_string().contains("system"), "{log}");

    // It outlives the broker and the schedule; the administrator has the last word.
    farm.restart_broker().await;
    farm.host_reports(&host, true).await;
    let revision =
        farm.admin.get(&format!("/schedules/{schedule}")).await.unwrap()["revision"].as_u64().unwrap();
    farm.admin.try_delete(&format!("/schedules/{schedule}"), revision).await.unwrap().assert(204, "");
    farm.user("bob", &[]).await;
    let bob = farm.signed_in("bob").await;
    bob.try_launch(&desktop).await.unwrap().assert(503, "no_host");
    mode_is(&host, v1::LogonMode::Disabled).await;
    let enabled = json!({ "logon_mode": "enabled" });
    farm.admin.post(&format!("{path}/logon-mode"), enabled).await.unwrap();
    mode_is(&host, v1::LogonMode::Enabled).await;
    bob.launch(&desktop).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_that_refuses_to_restart_is_told_again_and_given_up_with_its_own_words() {
    let farm = Farm::broker_only().await;
    let (broken, slow) = (farm.add_host("broken").await, farm.add_host("slow").await);
    for host in [&broken, &slow] {
        host.machine.refuse_power(Some("there is no power"));
    }
    let create = async |name: &str, host: &Host| {
        farm.admin.create("schedules", name, reboot(host, in_minutes(&farm, 0))).await.unwrap()
    };
    let (hopeless, hopeful) = (create("Hopeless", &broken).await, create("Hopeful", &slow).await);
    for host in [&broken, &slow] {
        mode_is(host, v1::LogonMode::Drain).await;
    }
    for attempt in 1..=3 {
        farm.clock.set_ahead(MINUTE * (16 * attempt - 14));
        wait::until("both are told", async || {
            let told = [power_requests(&broken), power_requests(&slow)];
            wait::ensure(told == [attempt as usize, attempt.min(2) as usize], told)
        })
        .await;
        let run = state(&farm, &hopeless).await["last"].clone();
        assert_eq!((&run["done"], &run["given_up"]), (&json!(0), &json!(0)), "{run}");
        // The second time, one of them can.
        slow.machine.refuse_power(None);
    }
    let run = through(&farm, &hopeful, 1).await;
    assert_eq!((&run["done"], &run["given_up"]), (&json!(1), &json!(0)), "{run}");
    assert_eq!(run["problems"][0]["text"], "there is no power", "it is told what went wrong at first");

    farm.clock.set_ahead(MINUTE * 50);
    // How it went is written down a moment after that nothing goes on.
    let run = wait::until("it is given up", async || {
        let run = through(&farm, &hopeless, 1).await;
        if (&run["done"], &run["given_up"]) == (&json!(0), &json!(1)) { Ok(run) } else { Err(run) }
    })
    .await;
    assert_eq!(
        run["problems"],
        json!([{ "host": broken.id, "host_name": "broken", "text": "there is no power" }])
    );
    mode_is(&broken, v1::LogonMode::Enabled).await;
    assert_eq!(power_requests(&broken), 3, "it is not told every moment");
    let table = Terminal::new(&farm).works("schedule runs Hopeless").await;
    assert!(table.contains("broken: there is no power"), "{table}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_that_nobody_can_wake_is_tried_and_given_up_and_one_that_wakes_counts_once() {
    let farm = Farm::broker_only().await;
    let (mut alone, mut neighbour) = (farm.add_host("alone").await, farm.add_host("neighbour").await);
    for host in [&mut alone, &mut neighbour] {
        host.lose_agent();
        farm.host_reports(host, false).await;
    }
    let spec = json!({ "action": { "do": "start" }, "target": { "of": "hosts", "hosts": [alone.id] },
        "starts_at": in_minutes(&farm, 0) });
    let schedule = farm.admin.create("schedules", "Morning", spec.clone()).await.unwrap();
    let is_tried = async |attempt: u32| {
        wait::until("it is tried", async || {
            let state = state(&farm, &schedule).await;
            wait::ensure(state["going_on"][0]["attempt"] == attempt, state)
        })
        .await;
    };
    is_tried(1).await;
    farm.clock.set_ahead(MINUTE * 6);
    is_tried(2).await;
    farm.clock.set_ahead(MINUTE * 12);
    is_tried(3).await;
    farm.clock.set_ahead(MINUTE * 18);
    let run = through(&farm, &schedule, 1).await;
    assert_eq!((&run["done"], &run["given_up"]), (&json!(0), &json!(1)), "{run}");
    let text = run["problems"][0]["text"].as_str().unwrap();
    assert!(text.contains("no other host of its site"), "{text}");

    // With a neighbour it is called; that it is back is what counts, and once.
    neighbour.resume_agent();
    farm.host_reports(&neighbour, true).await;
    let spec =
        json!({ "action": spec["action"], "target": spec["target"], "starts_at": in_minutes(&farm, 0) });
    let schedule = farm.admin.create("schedules", "Again", spec).await.unwrap();
    wait::until("it is called", async || {
        wait::ensure(!neighbour.machine.called().is_empty(), neighbour.machine.requests())
    })
    .await;
    let noted = wait::until("that is noted", async || {
        let state = state(&farm, &schedule).await;
        wait::ensure(state["going_on"][0]["attempt"] == 1, state)
    });
    noted.await;
    farm.clock.set_ahead(MINUTE * 24);
    wait::until("it is called again", async || {
        wait::ensure(neighbour.machine.called().len() == 2, neighbour.machine.called())
    })
    .await;
    assert_eq!(state(&farm, &schedule).await["last"], Value::Null);
    alone.resume_agent();
    let run = through(&farm, &schedule, 1).await;
    assert_eq!((&run["done"], &run["given_up"]), (&json!(1), &json!(0)), "{run}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_machine_is_restarted_at_once_and_its_sessions_only_on_purpose() {
    let farm = Farm::start().await;
    let host = farm.add_host("h1").await;
    farm.user("alice", &[]).await;
    let desktop = farm.desktop("Desktop").await;
    let alice = farm.signed_in("alice").await;
    log_on(&farm, &host, &alice.launch(&desktop).await.unwrap());
    farm.host_reports(&host, true).await;

    let oriel = Terminal::new(&farm);
    let refused = oriel.fails("host restart h1", 6).await;
    assert!(
        refused.contains("sessions that would end with it: 1") && refused.contains("with_sessions"),
        "{refused}"
    );
    oriel.works("host restart h1 --with-sessions --dry-run").await;
    assert_eq!(host.machine.starts(), 0);
    oriel.works("host restart h1 --with-sessions").await;
    assert_eq!(host.machine.starts(), 1);
    wait::until("its session has ended with it", async || {
        let left = farm.admin.get("/sessions").await.map_err(|error| format!("{error:#}"))?;
        wait::ensure(left["items"] == json!([]), left)
    })
    .await;
    farm.host_reports(&host, true).await;

    host.machine.refuse_power(Some("The machine is not to be stopped."));
    let path = format!("/hosts/{}/stop", host.id);
    let refused = farm.admin.post(&path, json!({})).await.unwrap_err().to_string();
    assert!(refused.contains("not to be stopped"), "{refused}");
    host.machine.refuse_power(None);
    farm.admin.post(&path, json!({})).await.unwrap();
    assert!(!host.machine.is_on());
    let told = async || {
        let log = farm.admin.get("/audit?code=host").await.map_err(|error| format!("{error:#}"))?;
        let entries = log["items"].as_array().cloned().unwrap_or_default();
        let said: Vec<_> = entries.iter().map(|one| [one["code"].clone(), one["outcome"].clone()]).collect();
        let expected = [["host.stopped", "done"], ["host.stopped", "failed"], ["host.restarted", "done"]];
        wait::ensure(said == expected.map(|one| one.map(Value::from)), log)
    };
    wait::until("the log tells it", told).await;
}
